"""The four-way rule for claims that an effect exists and reaches a size, over one contrast or several."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_claims.stats.collapses import by_sign_flips, p_sign_flip
from pytest_claims.stats.interval import Interval, interval
from pytest_claims.stats.looks import split
from pytest_claims.stats.power import detectable, more_than, seeds_for, seeds_for_all, soonest
from pytest_claims.types import Comparison, Doubt, HypothesisTest, Method, Outcome, Quantity, Shows


def four_way(direction: bool, small: bool) -> Outcome:
    """The rule. direction: L > 0 is established. small: U < margin is established."""
    if direction:
        return Outcome.TOO_SMALL if small else Outcome.REPRODUCED
    return Outcome.CONTRADICTED if small else Outcome.INCONCLUSIVE


def rests_on(outcome: Outcome, direction: bool, small: bool) -> bool:
    """Whether all is established that an outcome of the rule rests on; arguments as four_way's."""
    return {
        Outcome.REPRODUCED: direction,
        Outcome.TOO_SMALL: direction and small,
        Outcome.CONTRADICTED: small,
        Outcome.INCONCLUSIVE: True,
    }[outcome]


def deciding_p(outcome: Outcome, p_holds: float, p_fails: float) -> float:
    """p of what an outcome rests on: no effect, an effect of the margin, or the larger of both."""
    return {Outcome.CONTRADICTED: p_fails, Outcome.TOO_SMALL: max(p_holds, p_fails)}.get(outcome, p_holds)


@dataclasses.dataclass(frozen=True)
class Contrast:
    """What a claim says something about.

    differences: float [n], in the claimed direction. guarded: a run behind them collapsed. comparison, quantity: what
    they are. rounding: the standard deviation that rounding alone gives them.
    """

    differences: np.ndarray
    guarded: bool
    comparison: Comparison = ()
    quantity: Quantity = Quantity.DIFFERENCE
    rounding: float = 0.0


@dataclasses.dataclass(frozen=True)
class Exclusion:
    """The one-sided test that excludes a mean of at most a threshold, at level alpha.

    differences: float [n], minus the threshold, turned so that above 0 excludes it. guarded: a run behind them
    collapsed, so that the t bound needs the sign-flip test's confirmation. contrast: what they were made of. shows,
    threshold: what is shown where it is excluded, and against which value of the contrast.
    """

    differences: np.ndarray
    alpha: float
    contrast: Contrast
    shows: Shows
    threshold: float

    @property
    def guarded(self) -> bool:
        return self.contrast.guarded

    @functools.cached_property
    def _at(self) -> Interval:
        return interval(self.differences, self.alpha, self.contrast.rounding)

    @property
    def by_t(self) -> bool:
        return self._at.lower > 0

    @functools.cached_property
    def p_t(self) -> float:
        return self._at.p_above(0.0)

    @functools.cached_property
    def p_flip(self) -> float:
        return p_sign_flip(self.differences, 0.0)

    @property
    def holds(self) -> bool:
        return self.by_t and (not self.guarded or self.p_flip <= self.alpha)

    @property
    def p(self) -> float:
        return max(self.p_t, self.p_flip) if self.guarded else self.p_t

    def tests(self, of: int, times: int) -> tuple[HypothesisTest, HypothesisTest]:
        """By t and by sign flips. of, times: as in HypothesisTest."""
        by_t = HypothesisTest(
            method=Method.PAIRED_T,
            shows=self.shows,
            threshold=self.threshold,
            p=self.p_t,
            level=self.alpha,
            comparison=self.contrast.comparison,
            quantity=self.contrast.quantity,
            of=of,
            times=times,
        )
        return by_t, by_sign_flips(by_t, self.p_flip, len(self.differences))

    @property
    def seeds(self) -> int | None:
        """Seeds at which it would hold with power .80, if mean and spread stay as measured."""
        found = seeds_for(self._at.effect, sd=self._at.sd, alpha=self.alpha)
        return more_than(len(self.differences), found, flips=self.guarded, alpha=self.alpha)

    @property
    def distance(self) -> float:
        """How far the mean lies on the excluding side, in standard deviations."""
        return self._at.distance(0.0)

    def detectable(self, parts: int) -> float:
        """How far from the threshold these seeds would find a mean, all of so many parts with power .80, points."""
        return detectable(self._at.sd, len(self.differences), parts=parts, alpha=self.alpha)


def decide(directions: Sequence[Contrast], sizes: Sequence[Contrast], margin: float, alpha: float) -> dict[str, Any]:
    """The verdict on "every direction holds, and no size is excluded": the fields of a Verdict that follow from it.

    Every direction is tested at level alpha: all must hold, so that a false "holds" needs the one that is false to pass
    (intersection-union). Each size is tested at alpha / sizes, because one exclusion is enough. A verdict by t that
    rests on an exclusion which the sign-flip test had to confirm, and did not, is INCONCLUSIVE. tests are those of the
    direction and, where the bounds exclude it, of the size that decided, or came closest to not deciding.
    """
    no_effects = [Exclusion(of.differences, alpha, of, Shows.EFFECT, 0.0) for of in directions]
    share = split(alpha, len(sizes))
    excluded = [Exclusion(margin - of.differences, share, of, Shows.BELOW_MARGIN, margin) for of in sizes]
    by_t = four_way(all(test.by_t for test in no_effects), any(test.by_t for test in excluded))
    direction, small = all(test.holds for test in no_effects), any(test.holds for test in excluded)
    confirmed = rests_on(by_t, direction, small)
    outcome = by_t if confirmed else Outcome.INCONCLUSIVE

    no_effect = max(no_effects, key=lambda test: test.p)
    size = min(excluded, key=lambda test: (not test.holds, test.p))
    p_size = min(1.0, size.p * len(excluded))
    p = deciding_p(outcome, no_effect.p, p_size)

    tests: tuple[HypothesisTest, ...] = no_effect.tests(of=len(no_effects), times=1)
    if by_t in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        tests += size.tests(of=len(excluded), times=len(excluded))
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        # Settled, on seeds of their own, once every direction holds or any size is excluded.
        held = seeds_for_all([test.distance for test in no_effects], alpha=alpha)
        guarded = any(test.guarded for test in no_effects)
        held = more_than(len(no_effect.differences), held, flips=guarded, alpha=alpha)
        settle = soonest([held, *(test.seeds for test in excluded)])
    return {
        "outcome": outcome,
        "by_bounds": by_t,
        "doubt": None if confirmed else Doubt.UNCONFIRMED,
        "p": p,
        "p_holds": no_effect.p,
        "p_fails": p_size,
        "fails_by": len(excluded),
        "alpha": alpha,
        "tests": tests,
        "seeds_to_settle": settle,
        "detectable": max(test.detectable(len(no_effects)) for test in no_effects),
    }
