"""The four-way rule for claims that an effect exists and reaches a size, over one contrast or several."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_claims.stats._words import p_words
from pytest_claims.stats.collapses import flip_name, p_sign_flip
from pytest_claims.stats.interval import Interval, interval
from pytest_claims.stats.power import detectable, fewest_for_flips, more_than, seeds_for, seeds_for_all, soonest
from pytest_claims.types import Outcome

MEANING = {
    Outcome.REPRODUCED: "the direction holds and the claimed size is not excluded",
    Outcome.TOO_SMALL: "the direction holds, but an effect of the claimed size is excluded",
    Outcome.CONTRADICTED: "the direction is not shown, and an effect of the claimed size is excluded",
    Outcome.INCONCLUSIVE: "neither no effect nor an effect of the claimed size is excluded",
}


def four_way(direction: bool, small: bool) -> Outcome:
    """The rule. direction: L > 0 is established. small: U < margin is established."""
    if direction:
        return Outcome.TOO_SMALL if small else Outcome.REPRODUCED
    return Outcome.CONTRADICTED if small else Outcome.INCONCLUSIVE


@dataclasses.dataclass(frozen=True)
class Exclusion:
    """The one-sided test that excludes a mean of at most a threshold, at level alpha.

    differences: float [n], minus the threshold, turned so that above 0 excludes it. guarded: a run behind them
    collapsed, so that the t bound needs the sign-flip test's confirmation.
    """

    differences: np.ndarray
    alpha: float
    guarded: bool

    @functools.cached_property
    def _at(self) -> Interval:
        return interval(self.differences, self.alpha)

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

    @property
    def words(self) -> str:
        n = len(self.differences)
        least = f" (with {n} seeds never below {2.0**-n:.4f})" if n < fewest_for_flips(self.alpha) else ""
        return f"paired t (one-sided, skew-corrected) {p_words(self.p_t)}; {flip_name(n)} {p_words(self.p_flip)}{least}"

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


@dataclasses.dataclass(frozen=True)
class Decision:
    """outcome, and p of the test it rests on. doubt: what unmade a verdict of t alone, empty where nothing did.

    no_effect, size: the exclusion of each that decided, or came closest to not deciding. detectable: the effect that
    these seeds find in every direction with power .80. evidence: the fields of a Verdict that follow.
    """

    outcome: Outcome
    by_t: Outcome
    p: float
    p_size: float
    doubt: str
    seeds_to_settle: int | None
    detectable: float
    no_effect: Exclusion
    size: Exclusion

    @property
    def evidence(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "p": self.p,
            "p_holds": self.no_effect.p,
            "p_fails": self.p_size,
            "alpha": self.no_effect.alpha,
            "seeds_to_settle": self.seeds_to_settle,
            "detectable": self.detectable,
        }


def decide(
    directions: Sequence[tuple[np.ndarray, bool]],
    sizes: Sequence[tuple[np.ndarray, bool]],
    margin: float,
    alpha: float,
) -> Decision:
    """The verdict on "every direction holds, and no size is excluded".

    directions, sizes: (differences [n], whether a run behind them collapsed). Every direction is tested at level
    alpha: all must hold, so that a false "holds" needs the one that is false to pass (intersection-union). Each size
    is tested at alpha / sizes, because one exclusion is enough. A verdict by t that rests on an exclusion which the
    sign-flip test had to confirm, and did not, is INCONCLUSIVE.
    """
    no_effects = [Exclusion(differences, alpha, guarded) for differences, guarded in directions]
    excluded = [Exclusion(margin - differences, alpha / len(sizes), guarded) for differences, guarded in sizes]
    by_t = four_way(all(test.by_t for test in no_effects), any(test.by_t for test in excluded))
    direction, small = all(test.holds for test in no_effects), any(test.holds for test in excluded)
    confirmed = {
        Outcome.REPRODUCED: direction,
        Outcome.TOO_SMALL: direction and small,
        Outcome.CONTRADICTED: small,
        Outcome.INCONCLUSIVE: True,
    }[by_t]
    outcome = by_t if confirmed else Outcome.INCONCLUSIVE

    no_effect = max(no_effects, key=lambda test: test.p)
    size = min(excluded, key=lambda test: (not test.holds, test.p))
    p_size = min(1.0, size.p * len(excluded))
    p = {
        Outcome.CONTRADICTED: p_size,
        Outcome.TOO_SMALL: max(no_effect.p, p_size),
    }.get(outcome, no_effect.p)

    doubt = "" if confirmed else _doubt(size if by_t == Outcome.CONTRADICTED else no_effect, by_t)
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        # Settled, on seeds of their own, once every direction holds or any size is excluded.
        held = seeds_for_all([test.distance for test in no_effects], alpha=alpha)
        guarded = any(test.guarded for test in no_effects)
        held = more_than(len(no_effect.differences), held, flips=guarded, alpha=alpha)
        settle = soonest([held, *(test.seeds for test in excluded)])
    far = max(test.detectable(len(no_effects)) for test in no_effects)
    return Decision(outcome, by_t, p, p_size, doubt, settle, far, no_effect, size)


def _doubt(test: Exclusion, by_t: Outcome) -> str:
    n, needed = len(test.differences), fewest_for_flips(test.alpha)
    text = f"; but runs collapsed, and the {flip_name(n)} test does not confirm {by_t}, so it is INCONCLUSIVE"
    if n < needed:
        text += f" (with {n} seeds its p is never below {2.0**-n:.4f}; at least {needed} seeds are needed)"
    return text
