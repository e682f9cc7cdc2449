"""Which of several arms varies less from seed to seed."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from harness.claim import Outcome, Verdict
from harness.stats._four_way import MEANING, four_way
from harness.stats._interval import ALPHA, paired, positive
from harness.stats._pairs import bounds_words
from harness.stats._power import POWER, more_than
from harness.stats._words import count, level_words, p_words

# The power gate: a test of spread that would miss a standard deviation twice as large is no evidence either way.
RATIO = 2.0
_EXPERIMENTS = 5_000


def spread(
    arms: Mapping[str, ArrayLike],
    *,
    steady: str,
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Does the arm `steady` vary less from seed to seed than each of the others? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. margin: the smallest interesting difference of spreads,
    points, > 0. collapsed: which runs of each arm collapsed, bool [n] by name; noted, since a collapse is spread.
    alpha: of each one-sided bound.

    The spread of an arm is its mean absolute deviation from its median, in points (0.8 standard deviations where values
    are normal). Effect: the other's spread minus that of `steady`, over every other arm. One-sided Brown-Forsythe test
    (J. Am. Statist. Assoc., 1974): a two-sample t test, pooled, of those deviations, so that its square is SciPy's
    `levene(center="median")`; its bounds give the four-way rule, as in best_of. Below the number of seeds at which the
    test finds a standard deviation twice as large with power .80 the verdict is INCONCLUSIVE whatever it shows.

    Raises ValueError as superiority, and for a `steady` that is no arm or has no other.
    """
    others = [name for name in arms if name != steady]
    if steady not in arms or not others:
        raise ValueError(f"steady is {steady!r}; needed: one of at least two arms, which are: {', '.join(arms)}")
    margin = positive("margin", margin)
    found = []
    for name in others:
        own, other = paired(arms[steady], arms[name], (steady, name))
        found.append(_Difference.of(own, other))
    n, split = found[0].n, alpha / len(found)
    lower, upper = (float(min(of)) for of in ([at.lower(alpha) for at in found], [at.upper(split) for at in found]))
    p_holds = max(at.p_above(0.0) for at in found)
    p_fails = min(1.0, min(at.p_below(margin) for at in found) * len(found))
    needed = fewest_for_spread(alpha)
    by_test = four_way(lower > 0, upper < margin)
    outcome = by_test if n >= needed else Outcome.INCONCLUSIVE
    p = {Outcome.CONTRADICTED: p_fails, Outcome.TOO_SMALL: max(p_holds, p_fails)}.get(outcome, p_holds)
    rule = (
        f"over {count(len(found), 'other arm')}, the least {bounds_words(lower, upper, margin)} (U a "
        f"{level_words(split)} bound): {MEANING[by_test]}"
    )
    settle = None
    if n < needed:
        rule += (
            f"; but {n} seeds would miss even a standard deviation {RATIO:g} times as large in more than "
            f"{1 - POWER:.0%} of experiments, so it is INCONCLUSIVE (at least {needed} are needed)"
        )
        settle = needed
    elif outcome == Outcome.INCONCLUSIVE:
        # The smallest lead must come out above 0, or any below the margin; a standard error falls with the root of n.
        closest = min(found, key=lambda at: at.lower(alpha))
        away = max(float(closest.effect), margin - float(min(at.effect for at in found)))
        if away > 0:
            settle = more_than(n, math.ceil(n * (closest.detectable(alpha) / away) ** 2))
    spreads = ", ".join(
        f"{name} {np.std(np.asarray(values, dtype=np.float64), ddof=1):.2f}" for name, values in arms.items()
    )
    notes = [f"standard deviations over seeds, points: {spreads}"]
    if collapsed is not None and any(np.asarray(flags).any() for flags in collapsed.values()):
        counts = ", ".join(f"{name} {int(np.asarray(flags).sum())} of {n}" for name, flags in collapsed.items())
        notes.append(f"collapsed to chance or diverged, which is spread: {counts}")
    return Verdict(
        outcome=outcome,
        effect=float(min(at.effect for at in found)),
        lower=lower,
        upper=upper,
        margin=margin,
        p=p,
        test=f"Brown-Forsythe (one-sided, the largest p of {count(len(found), 'pair')}) {p_words(p_holds)}; against a "
        f"difference of {margin:g} or more {p_words(p_fails)}; n = {n}",
        n=n,
        rule=rule,
        p_holds=p_holds,
        p_fails=p_fails,
        alpha=alpha,
        seeds_to_settle=settle,
        detectable=max(at.detectable(alpha) for at in found),
        notes=tuple(notes),
    )


@functools.lru_cache(maxsize=64)
def fewest_for_spread(alpha: float = ALPHA) -> int:
    """Seeds from which the test finds a standard deviation RATIO times as large with power .80, values being normal.

    By simulation with a fixed generator. Power with an odd number of seeds is less than with the even one before it
    (one deviation from the median is 0), so it must be enough for two numbers running. At most 200.
    """

    def enough(n: int) -> bool:
        own, other = np.random.default_rng([n]).normal(size=(2, _EXPERIMENTS, n))
        return float((_Difference.of(own, RATIO * other).lower(alpha) > 0).mean()) >= POWER

    return next((n for n in range(3, 200) if enough(n) and enough(n + 1)), 200)


@dataclasses.dataclass(frozen=True)
class _Difference:
    """The mean absolute deviation from the median of one sample minus that of another: effect and standard error,
    over any leading dimensions; n values in each sample."""

    effect: np.ndarray
    error: np.ndarray
    n: int

    @staticmethod
    def of(own: np.ndarray, other: np.ndarray) -> _Difference:
        """own, other: [..., n]. Spread of other minus that of own."""
        n = own.shape[-1]
        deviations = [np.abs(values - np.median(values, axis=-1, keepdims=True)) for values in (own, other)]
        variance = sum(values.var(axis=-1, ddof=1) for values in deviations)
        # What rounding leaves of equal values is no spread.
        error = np.where(variance < 1e-18, 0.0, np.sqrt(variance / n))
        return _Difference(deviations[1].mean(axis=-1) - deviations[0].mean(axis=-1), error, n)

    def lower(self, alpha: float) -> np.ndarray:
        return self.effect - special.stdtrit(2 * self.n - 2, 1 - alpha) * self.error

    def upper(self, alpha: float) -> np.ndarray:
        return self.effect + special.stdtrit(2 * self.n - 2, 1 - alpha) * self.error

    def p_above(self, threshold: float) -> float:
        """One-sided p of "the difference is at most threshold"; 0 or 1 where nothing varies."""
        if self.error == 0:
            return 0.0 if self.effect > threshold else 1.0
        return float(special.stdtr(2 * self.n - 2, (threshold - self.effect) / self.error))

    def p_below(self, threshold: float) -> float:
        """One-sided p of "the difference is at least threshold"."""
        if self.error == 0:
            return 0.0 if self.effect < threshold else 1.0
        return float(special.stdtr(2 * self.n - 2, (self.effect - threshold) / self.error))

    def detectable(self, alpha: float) -> float:
        """The difference that the test finds with power .80, points."""
        critical = float(special.stdtrit(2 * self.n - 2, 1 - alpha))
        return float(special.nctdtrinc(2 * self.n - 2, 1 - POWER, critical)) * float(self.error)
