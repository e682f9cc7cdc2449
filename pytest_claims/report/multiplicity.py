"""What the p-values of a session's verdicts are worth when all of its claims are counted."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_claims.judge.result import Result
from pytest_claims.stats import benjamini_hochberg, holm
from pytest_claims.types import Outcome


def adjusted_p(results: Sequence[Result]) -> list[float | None]:
    """For each result the p-value of its verdict, corrected for its looks and for the number of claims.

    TOO SMALL and CONTRADICTED: Holm over the evidence of every claim against it, so that the chance of any false one
    stays at 5 % where the adjusted p is at most .05. REPRODUCED: Benjamini-Hochberg over the evidence of every claim
    for it, which bounds the expected share of false ones among those reproduced. In each, a claim that is not called so
    counts with p = 1: small p-values that lead to no such verdict (of TOO SMALL among those for a claim, of one that
    collapsed runs keep open) would lower the others' without being answerable for. None for INCONCLUSIVE.
    """
    verdicts = [result.verdict for result in results]
    red = (Outcome.TOO_SMALL, Outcome.CONTRADICTED)
    against = holm([verdict.p_fails if verdict.outcome in red else 1.0 for verdict in verdicts])
    held = Outcome.REPRODUCED
    reproduced = benjamini_hochberg([verdict.p_holds if verdict.outcome == held else 1.0 for verdict in verdicts])
    chosen = {Outcome.REPRODUCED: reproduced, Outcome.TOO_SMALL: against, Outcome.CONTRADICTED: against}
    return [
        chosen[result.verdict.outcome][place] if result.verdict.outcome in chosen else None
        for place, result in enumerate(results)
    ]
