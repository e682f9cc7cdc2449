"""What the reader can do about a verdict, and what that costs on the device that trained its runs."""

from __future__ import annotations

from pytest_claims.judge.result import Result
from pytest_claims.runs.quantities import about
from pytest_claims.types import Doubt, Outcome


def next_step(result: Result) -> str:
    """What to do, in sentences; the command follows them."""
    return " ".join(filter(None, [_advice(result), _cost(result)]))


def _advice(result: Result) -> str:
    verdict, kind = result.verdict, result.of_kind
    flags = [flag for arm in result.arms for flag in arm.collapsed]
    if all(flags):
        return kind.all_flagged
    if _nothing_learned(result):
        return "More seeds do not help: these arms would first have to learn something. Look at the recipe."
    if verdict.doubt == Doubt.NOT_COMPARABLE and not result.next_look:
        return "Most of these runs learned nothing. Fresh seeds show whether it stays so; if so, look at the recipe."
    if factors := " and ".join(result.confounded_by):
        explain = "explain" if len(result.confounded_by) > 1 else "explains"
        return (
            f"The effect is there, but {factors} {explain} it: do not put it down to what is compared. Fresh seeds "
            "would test the effect again."
        )
    if verdict.outcome == Outcome.REPRODUCED:
        return "Nothing: the finding holds here. Fresh seeds would test it again."
    if verdict.outcome == Outcome.TOO_SMALL:
        return "The direction holds, the size does not; more seeds will rarely change that. Fresh ones test it again."
    if verdict.outcome == Outcome.CONTRADICTED:
        return "As worded it does not hold here; more seeds will rarely change that. Fresh ones test it again."
    if result.next_look:
        return f"{verdict.n} seeds do not settle it; the next planned look is at {result.next_look}."
    if advice := kind.unsettled(verdict, any(flags)):
        return advice
    if verdict.seeds_to_settle is None:
        return f"{verdict.n} seeds do not settle it, nor would 1,000 if effect and spread stay as they are."
    return (
        f"{verdict.n} seeds do not settle it; about {verdict.seeds_to_settle} would, four times in five, if effect and "
        "spread stay as they are. They must be fresh ones."
    )


def _nothing_learned(result: Result) -> bool:
    """Whether no look is left and no run of the arms that are compared is above chance."""
    if result.verdict.doubt != Doubt.NOT_COMPARABLE or result.next_look:
        return False
    compared = [arm for arm in result.arms if arm.label in result.contrasted] or result.arms
    return all(flag for arm in compared for flag in arm.collapsed)


def _cost(result: Result) -> str:
    """ "15 more seeds an arm: about 4 min on such a device."."""
    seconds = result.more_seeds * sum(arm.seconds for arm in result.arms)
    if not seconds or _nothing_learned(result):
        return ""
    seeds = f"{result.more_seeds} {'more' if result.next_look else 'fresh'} seeds an arm"
    return f"{seeds}: {about(seconds)} on such a device."
