"""What the p-values of a session's verdicts are worth when all of its claims are counted."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claim import Outcome
from harness.judgement import Judgement
from harness.stats import benjamini_hochberg, holm


def adjusted_p(judgements: Sequence[Judgement]) -> list[float | None]:
    """For each judgement the p-value of its verdict, corrected for its looks and for the number of claims.

    TOO SMALL and CONTRADICTED: Holm over the evidence of every claim against it, so that the chance of any false one
    stays at 5 % where the adjusted p is at most .05. REPRODUCED: Benjamini-Hochberg over the evidence of every claim
    for it, which bounds the expected share of false ones among those reproduced. None for INCONCLUSIVE.
    """
    against = holm([judgement.verdict.p_fails for judgement in judgements])
    reproduced = benjamini_hochberg([judgement.verdict.p_holds for judgement in judgements])
    chosen = {Outcome.REPRODUCED: reproduced, Outcome.TOO_SMALL: against, Outcome.CONTRADICTED: against}
    return [
        chosen[judgement.verdict.outcome][place] if judgement.verdict.outcome in chosen else None
        for place, judgement in enumerate(judgements)
    ]
