"""A verdict in a few sentences: who leads by how much, at least how much, what the source had, how many seeds agree."""

from __future__ import annotations

import math

from pytest_claims.judge.kinds import DIRECTIONAL
from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import Result
from pytest_claims.report.numbers import bound_text, margin_text
from pytest_claims.report.tested import Tested, tested
from pytest_claims.types import Doubt, Procedure

_DOUBTS = {
    Doubt.AT_CHANCE: "But runs collapsed, and networks at chance are equal whatever is done to them: undecided.",
    Doubt.NOT_COMPARABLE: "But most runs are at chance, which says nothing of what is compared.",
    Doubt.UNCONFIRMED: "But runs collapsed, and the sign-flip test does not confirm that: undecided.",
    Doubt.TOO_FEW_SEEDS: "But these are too few seeds to compare spreads: undecided.",
}


def in_short(result: Result) -> str:
    """The sentences, the most important first."""
    found = tested(result)
    said = [_found(result, found), _meaning(result), _source(result, found)]
    if found is not None:
        said.append(f"The difference has this sign in {found.agreeing} of {len(found.differences)} seeds.")
    return " ".join(said)


def _found(result: Result, found: Tested | None) -> str:
    """What these seeds came to, with the bound on the side of no effect."""
    verdict = result.verdict
    match verdict.procedure:
        case Procedure.SPREAD:
            return _ratio(result, "varies {factor} times as much from seed to seed as", second_first=False)
        case Procedure.SPEED:
            return _ratio(result, "needs {factor} times as many epochs as", second_first=True)
    if found is None or found.pair is None:
        bounds = f"{bound_text(verdict, verdict.lower)} to {bound_text(verdict, verdict.upper)}"
        return f"{result.contrast}: {verdict.effect:+.2f} {result.unit}, with bounds {bounds}."
    ahead, behind = (arm.label for arm in (found.pair if verdict.effect >= 0 else found.pair[::-1]))
    least = verdict.lower if verdict.effect >= 0 else -verdict.upper
    verb = "leads" if result.measured == ACCURACY.name else "is above"
    lead = f"{ahead} {verb} {behind} by {abs(verdict.effect):.2f} {result.unit}"
    if least > 0:
        return f"{lead}, by at least {least:.2f}."
    return f"{lead}, but may be behind by up to {-least:.2f}."


def _ratio(result: Result, words: str, *, second_first: bool) -> str:
    """Of spreads, and of epochs: doublings as factors."""
    verdict = result.verdict
    named = verdict.comparison or next(
        (bound.comparison for bound in verdict.bounds if bound.estimate == verdict.effect), verdict.bounds[0].comparison
    )
    one, other = named[::-1] if second_first else named
    bounds = " to ".join(_factor(result, value) for value in (verdict.lower, verdict.upper))
    return f"{one} {words.format(factor=f'{2**verdict.effect:.2f}')} {other} (bounds {bounds} times)."


def _factor(result: Result, doublings: float) -> str:
    """ "1.41"; of a bound that is as good as none, or none, what it is in doublings."""
    words = bound_text(result.verdict, doublings)
    return f"{2**doublings:.2f}" if words[0] in "+-" else {"<": "0", ">": "any number of", "n": "none"}[words[0]]


def _meaning(result: Result) -> str:
    """What that says of the claim."""
    verdict = result.verdict
    said = result.of_kind.says.get(verdict.by_bounds, "").format(margin=margin_text(result))
    if result.of_kind.group == DIRECTIONAL and result.of_kind.directed and verdict.upper < 0:
        said = "The opposite direction is shown."
    return f"{said} {_DOUBTS[verdict.doubt]}" if verdict.doubt else said


def _source(result: Result, found: Tested | None) -> str:
    """What the source had, and whether ours agrees with it."""
    agreement = result.agreement
    if agreement is None:
        return "The source gives no figure for this."
    runs = "1 run" if agreement.n0 == 1 else f"{agreement.n0} runs"
    chance = (
        "chance alone can make such a distance" if agreement.inside else "chance alone rarely makes such a distance"
    )
    if result.compared:
        return (
            f"The source had {result.compared} = {agreement.documented:+.2f} ({runs}); ours is "
            f"{agreement.measured:+.2f}: {chance}."
        )
    if found is None or found.pair is None or not math.isfinite(agreement.documented):
        return f"The source had {agreement.documented:+.2f} ({runs}): {chance}."
    if agreement.documented == 0:
        return f"The source had no difference ({runs}): {chance}."
    same = agreement.documented * result.verdict.effect >= 0
    return f"The source had it {'ahead' if same else 'behind'} by {abs(agreement.documented):.2f} ({runs}): {chance}."
