"""What the p-values of a session's verdicts are worth when all of its claims are counted."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_claims.judge.result import Result
from pytest_claims.stats import benjamini_hochberg, holm
from pytest_claims.types import Outcome

_LEVEL = 0.05
# What is corrected together, and how.
_CORRECTED = {
    (Outcome.REPRODUCED,): "Benjamini-Hochberg",
    (Outcome.CONTRADICTED, Outcome.TOO_SMALL): "Holm",
}


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


def correction(results: Sequence[Result]) -> str:
    """ "of 24 REPRODUCED, 22 survive correction for 58 claims at 5 % (Benjamini-Hochberg)", and the same of the red
    ones; "" for less than two claims, or where none is decided."""
    if len(results) < 2:
        return ""
    said: list[str] = []
    adjusted = list(zip(results, adjusted_p(results), strict=True))
    for outcomes, by in _CORRECTED.items():
        found = [(result.called, p) for result, p in adjusted if result.verdict.outcome in outcomes]
        named = " and ".join(dict.fromkeys(called for called, _ in found))
        survive = sum(p is not None and p <= _LEVEL for _, p in found)
        counted = "" if said else f" survive correction for {len(results)} claims at 5 %"
        if found:
            said.append(f"of {len(found)} {named}, {survive}{counted} ({by})")
    return "; ".join(said)
