"""What stands beside a verdict and never decides it, in words: computed from the arms' values, not by the rules."""

from __future__ import annotations

from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.tested import deciding_pair, differences
from pytest_claims.stats.beside import correlation, interquartile_mean, posterior, superiority_share
from pytest_claims.stats.estimate import after_looks
from pytest_claims.stats.interval import rounding_of
from pytest_claims.stats.looks import Level
from pytest_claims.types import Outcome, Procedure


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


def _of_pair(result: Result, first: ArmEvidence, second: ArmEvidence) -> list[str]:
    verdict, found = result.verdict, differences(result, first, second)
    rounding = _rounding(result, first, second)
    probable, share = posterior(found, verdict.margin, rounding), superiority_share(found)
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
        estimate = after_looks(found, margin=verdict.margin, looks=looks, rounding=rounding)
        if estimate is not None:
            words.append(f"median-unbiased estimate {estimate:+.2f} {result.unit} (the mean is {verdict.effect:+.2f})")
    return words


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
