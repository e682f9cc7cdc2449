"""What a verdict's effect is the mean of: a difference per seed, and between which two arms it is."""

from __future__ import annotations

import dataclasses

import numpy as np

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.procedures import PROCEDURES
from pytest_claims.stats.looks import FEWEST_SEEDS
from pytest_claims.types import Outcome, Procedure

# A size is excluded.
_EXCLUDED = {Outcome.TOO_SMALL, Outcome.CONTRADICTED}


@dataclasses.dataclass(frozen=True)
class Tested:
    """differences: per seed, in the claimed direction and the unit of the effect, [n]. pair: the arms that they are
    between, the first less the second; None where there are more."""

    differences: np.ndarray
    pair: tuple[ArmEvidence, ArmEvidence] | None

    @property
    def agreeing(self) -> int:
        """In how many seeds the difference has the sign of its mean."""
        return int(np.sum(np.sign(self.differences) == np.sign(self.differences.mean())))


def tested(result: Result) -> Tested | None:
    """What this verdict's effect is the mean of; None where it is no mean, or of more than the arms tell."""
    pair = deciding_pair(result)
    if pair is not None:
        found = Tested(differences(result, *pair), pair)
        # Of several leads the one that decides may be another than the least.
        if np.isclose(found.differences.mean(), result.verdict.effect, rtol=0, atol=1e-6):
            return found
    known = np.array(result.differences)
    return Tested(known, _ends(result, known)) if len(known) >= FEWEST_SEEDS else None


def deciding_pair(result: Result) -> tuple[ArmEvidence, ArmEvidence] | None:
    """The two arms on which the verdict turns, the first less the second; None where it is not about two arms."""
    verdict = result.verdict
    if not PROCEDURES[verdict.procedure].of_arms:
        return None
    # Of several leads the verdict turns on that of L, or of U where the size is excluded.
    deciding = verdict.bounds[1:] if verdict.outcome in _EXCLUDED else verdict.bounds
    labels = verdict.comparison or next((bound.comparison for bound in deciding), ())
    arms = {arm.label: arm for arm in result.arms}
    if len(labels) != 2 or not set(labels) <= set(arms):
        return None
    first, second = (arms[label] for label in labels)
    return (first, second) if len(first.values) == len(second.values) >= FEWEST_SEEDS else None


def differences(result: Result, first: ArmEvidence, second: ArmEvidence) -> np.ndarray:
    """Per seed, in the claimed direction and the unit of the effect, [n]."""
    one, two = np.array(first.values), np.array(second.values)
    # Of epochs the fewer are ahead, in doublings.
    difference: np.ndarray = np.log2(two) - np.log2(one) if result.verdict.procedure == Procedure.SPEED else one - two
    return difference


def _ends(result: Result, known: np.ndarray) -> tuple[ArmEvidence, ArmEvidence] | None:
    """The arms at the two ends of levels, where it is their difference."""
    for pair in (result.arms[-1], result.arms[0]), (result.arms[0], result.arms[-1]):
        one, two = (np.array(arm.values) for arm in pair)
        if one.shape == two.shape == known.shape and np.allclose(one - two, known, rtol=0, atol=1e-6):
            return pair
    return None
