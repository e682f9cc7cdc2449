"""What stands beside a verdict and never decides it, in words: computed from the arms' values, not by the rules."""

from __future__ import annotations

import numpy as np

from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.stats.beside import correlation, interquartile_mean, posterior, superiority_share
from pytest_claims.stats.estimate import after_looks
from pytest_claims.stats.interval import rounding_of
from pytest_claims.stats.looks import FEWEST_SEEDS, Level
from pytest_claims.types import Outcome, Procedure

# Those that compare means of two arms at a time. Elsewhere labels are of levels, or what is compared is no mean.
_OF_PAIRS = {
    Procedure.SUPERIORITY,
    Procedure.LEADS,
    Procedure.EQUIVALENCE,
    Procedure.NO_DIFFERENCE,
    Procedure.SOME_DIFFERENCE,
    Procedure.SPEED,
}


# A size is excluded.
_EXCLUDED = {Outcome.TOO_SMALL, Outcome.CONTRADICTED}


def beside(result: Result) -> list[str]:
    """What applies to this claim, each a clause, the most telling first; none where nothing does."""
    pair, procedure = deciding_pair(result), result.verdict.procedure
    fallen = any(map(_flagged, result.arms))
    if procedure == Procedure.SPEED and fallen:
        # Some values are bounds here, of runs that never came to the accuracy.
        return []
    words = _of_pair(result, *pair) if pair else []
    if fallen and procedure != Procedure.SPREAD:
        shown = pair if pair and any(map(_flagged, pair)) else filter(_flagged, result.arms)
        means = ", ".join(f"{arm.label} {interquartile_mean(arm.values):.2f}" for arm in shown)
        words.append(f"interquartile means, since runs collapsed: {means}")
    if pair and (r := correlation(pair[0].values, pair[1].values)) is not None:
        words.append(f"r over seeds {_signed(r)}")
    return words


def deciding_pair(result: Result) -> tuple[ArmEvidence, ArmEvidence] | None:
    """The two arms on which the verdict turns, the first less the second; None where it is not about two arms."""
    verdict = result.verdict
    if verdict.procedure not in _OF_PAIRS:
        return None
    # Of several leads the verdict turns on that of L, or of U where the size is excluded.
    deciding = verdict.bounds[1:] if verdict.outcome in _EXCLUDED else verdict.bounds
    labels = verdict.comparison or next((bound.comparison for bound in deciding), ())
    arms = {arm.label: arm for arm in result.arms}
    if len(labels) != 2 or not set(labels) <= set(arms):
        return None
    first, second = (arms[label] for label in labels)
    return (first, second) if len(first.values) == len(second.values) >= FEWEST_SEEDS else None


def _of_pair(result: Result, first: ArmEvidence, second: ArmEvidence) -> list[str]:
    verdict, differences = result.verdict, _differences(result, first, second)
    rounding = _rounding(result, first, second)
    probable, share = posterior(differences, verdict.margin, rounding), superiority_share(differences)
    ties = f", equal in {share.ties}" if share.ties else ""
    words = [
        f"posterior of the mean: {_probability(probable.below)} below {-verdict.margin:+.2f}, "
        f"{_probability(probable.inside)} between, {_probability(probable.above)} above {verdict.margin:+.2f}",
        f"{first.label} ahead of {second.label} in {share.ahead} of {share.n} seeds{ties}: "
        f"P(A>B) = {_probability(share.share)} ({_probability(share.low)} to {_probability(share.high)})",
    ]
    sizes = tuple(look.n for look in verdict.looks)
    # Sign flips keep claims with collapsed runs open, which the estimate knows nothing of.
    stopped = verdict.procedure == Procedure.SUPERIORITY and verdict.outcome != Outcome.INCONCLUSIVE
    if stopped and len(sizes) > 1 and sizes == result.planned[: len(sizes)] and not any(map(_flagged, (first, second))):
        looks = [(n, Level.of(result.planned, n)) for n in sizes]
        estimate = after_looks(differences, margin=verdict.margin, looks=looks, rounding=rounding)
        if estimate is not None:
            words.append(f"median-unbiased estimate {estimate:+.2f} {result.unit} (the mean is {verdict.effect:+.2f})")
    return words


def _differences(result: Result, first: ArmEvidence, second: ArmEvidence) -> np.ndarray:
    """Per seed, in the claimed direction and the unit of the effect, [n]."""
    one, two = np.array(first.values), np.array(second.values)
    # Of epochs the fewer are ahead, in doublings.
    difference: np.ndarray = np.log2(two) - np.log2(one) if result.verdict.procedure == Procedure.SPEED else one - two
    return difference


def _rounding(result: Result, *arms: ArmEvidence) -> float:
    """The standard deviation that rounding to whole test images gives a difference; 0 where nothing is rounded."""
    tested = min(arm.test_images for arm in arms)
    return rounding_of(100 / tested, len(arms)) if tested and result.measured == ACCURACY.name else 0.0


def _flagged(arm: ArmEvidence) -> bool:
    return any(arm.collapsed)


def _probability(p: float) -> str:
    """ ".45"; 0 and 1 only for these themselves."""
    if p in (0, 1):
        return f"{p:.0f}"
    return "<.01" if p < 0.005 else ">.99" if p > 0.995 else f"{p:.2f}"[1:]


def _signed(r: float) -> str:
    """ "+.45"."""
    return f"{r:+.2f}".replace("+0.", "+.").replace("-0.", "-.")
