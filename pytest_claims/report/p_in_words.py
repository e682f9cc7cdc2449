"""The one p of a verdict and the power of its seeds, in words."""

from __future__ import annotations

from pytest_claims.judge.result import Result
from pytest_claims.report.numbers import margin_text, short_p
from pytest_claims.runs.quantities import listed
from pytest_claims.types import Outcome, Verdict


def verdict_p(verdict: Verdict) -> float:
    """The p that the verdict rests on; its looks are counted in it, unless nothing is decided."""
    match verdict.outcome:
        case Outcome.REPRODUCED:
            return verdict.p_holds
        case Outcome.TOO_SMALL | Outcome.CONTRADICTED:
            return verdict.p_fails
    return verdict.p


def p_text(result: Result) -> str:
    """What p it is, of what it is the chance, and the looks."""
    verdict = result.verdict
    holds, fails = result.of_kind.nulls
    null = fails if verdict.outcome in (Outcome.TOO_SMALL, Outcome.CONTRADICTED) else holds
    said = f"{short_p(verdict_p(verdict))}: the chance of seeds so extreme, or more so, if "
    said += f"{null.format(margin=margin_text(result))}."
    taken = [look.n for look in verdict.looks]
    if len(taken) == 1 < len(result.planned):
        return f"{said} First of the looks at {listed(result.planned)} seeds."
    if len(taken) > 1 and verdict.outcome == Outcome.INCONCLUSIVE:
        return f"{said} Looks were taken at {listed(taken)} seeds."
    return f"{said} The looks, at {listed(taken)} seeds, are counted in it." if len(taken) > 1 else said


def power_text(result: Result) -> str:
    """What these seeds could have found, in words; "" where that is not known."""
    verdict = result.verdict
    if verdict.detectable is None:
        return ""
    found = result.of_kind.power.format(detectable=f"{verdict.detectable:.2f} {result.unit}")
    return f"At the spread seen, {verdict.n} seeds {found}; the claim's size is {margin_text(result)}."
