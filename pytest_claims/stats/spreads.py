"""Which of several arms varies less from seed to seed."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.stats.collapses import counted
from pytest_claims.stats.four_way import deciding_p, four_way
from pytest_claims.stats.interval import paired, positive
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.stats.power import POWER, more_than
from pytest_claims.types import (
    Bound,
    Deviations,
    Doubt,
    HypothesisTest,
    Method,
    Note,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Verdict,
)

MOST_DOUBLINGS = 10.0
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

    arms: accuracy in percent [n] by name, paired by seed. margin: the smallest interesting ratio of spreads, in
    doublings (log2), > 0 and below 10: 1 is twice the spread. collapsed: which runs of each arm collapsed, bool [n] by
    name; noted, since a collapse is spread. alpha: of each one-sided bound.

    The spread of an arm is its mean absolute deviation from its median (0.8 standard deviations where values are
    normal). Effect: log2 of the other's spread over that of `steady`, the smallest over the other arms. One-sided
    Brown-Forsythe test (J. Am. Statist. Assoc., 1974): a two-sample t test, pooled, of those deviations, so that its
    square is SciPy's `levene(center="median")`. A ratio r is tested by scaling the values of `steady` with r, and the
    bounds are the ratios that the test does not exclude (Fieller's, at most 10 doublings), so that the four-way rule
    holds its level for both bounds. Below the number of seeds at which the test at .05 finds twice the standard
    deviation with power .80 the verdict is INCONCLUSIVE whatever it shows.

    Raises ValueError as superiority, and for a `steady` that is no arm or has no other.
    """
    others = [name for name in arms if name != steady]
    if steady not in arms or not others:
        raise ValueError(f"steady is {steady!r}; needed: one of at least two arms, which are: {', '.join(arms)}")
    margin = positive("margin", margin)
    if margin >= MOST_DOUBLINGS:
        raise ValueError(f"margin is {margin:g} doublings of the spread; needed: less than {MOST_DOUBLINGS:g}")
    found = []
    for name in others:
        own, other = paired(arms[steady], arms[name], (steady, name))
        found.append(_Ratio.of(own, other))
    n, share = found[0].n, split(alpha, len(found))
    lows, highs = [at.bounds(alpha)[0] for at in found], [at.bounds(share)[1] for at in found]
    above, below = [at.p_above(0.0) for at in found], [at.p_below(margin) for at in found]
    lower, upper, p_holds = min(lows), min(highs), max(above)
    p_fails = min(1.0, min(below) * len(found))
    needed = fewest_for_spread()
    by_bounds = four_way(lower > 0, upper < margin)
    doubt = Doubt.TOO_FEW_SEEDS if n < needed else None
    outcome = Outcome.INCONCLUSIVE if doubt else by_bounds
    p = deciding_p(outcome, p_holds, p_fails)
    settle = None
    if doubt:
        settle = needed
    elif outcome == Outcome.INCONCLUSIVE:
        # The smallest effect must come out above 0, or any below the margin; the error of a log ratio falls with
        # the root of n.
        least, times = min(at.effect for at in found), []
        if least > 0:
            times.append(max(at.detectable(alpha, len(found)) for at in found) / least)
        times += [at.detectable(share, 1) / (margin - at.effect) for at in found if at.effect < margin]
        settle = more_than(n, math.ceil(n * min(times) ** 2))
    notes: tuple[Note, ...] = (Deviations(tuple((name, _sd(values)) for name, values in arms.items())),)
    if collapsed is not None and any(np.asarray(flags).any() for flags in collapsed.values()):
        notes += (counted(list(collapsed), [np.asarray(flags) for flags in collapsed.values()]),)
    compared = [(name, steady) for name in others]

    def test(shows: Shows, threshold: float, p: float, level: float, at: int, times: int) -> HypothesisTest:
        kind = Method.BROWN_FORSYTHE, shows, threshold, p, level, compared[at], Quantity.SPREAD
        return HypothesisTest(*kind, of=len(found), times=times)

    def bound(side: Literal["lower", "upper"], threshold: float, level: float, values: list[float]) -> Bound:
        at = values.index(min(values))
        return Bound(side, values[at], threshold, level, found[at].effect, compared[at], Quantity.SPREAD)

    return Verdict(
        outcome=outcome,
        procedure=Procedure.SPREAD,
        effect=min(at.effect for at in found),
        lower=lower,
        upper=upper,
        margin=margin,
        p=p,
        n=n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=len(found),
        alpha=alpha,
        tests=(
            test(Shows.EFFECT, 0.0, p_holds, alpha, above.index(p_holds), times=1),
            test(Shows.BELOW_MARGIN, margin, min(below), share, below.index(min(below)), times=len(found)),
        ),
        bounds=(bound("lower", 0.0, alpha, lows), bound("upper", margin, share, highs)),
        seeds_to_settle=settle,
        # Too few seeds find nothing.
        detectable=None if doubt else max(at.detectable(alpha, len(found)) for at in found),
        notes=notes,
    )


def _sd(values: ArrayLike) -> float:
    return float(np.std(np.asarray(values, dtype=np.float64), ddof=1))


@functools.lru_cache(maxsize=64)
def fewest_for_spread(alpha: float = ALPHA) -> int:
    """Seeds from which the test finds twice the standard deviation with power .80, values being normal.

    By simulation with a fixed generator. Power with an odd number of seeds is less than with the even one before it
    (one deviation from the median is 0), so it must be enough for two numbers running. At most 200.
    """

    def enough(n: int) -> bool:
        own, other = np.random.default_rng([n]).normal(size=(2, _EXPERIMENTS, n))
        statistic = _statistic(*_deviations(own), *_deviations(2 * other), n, 1.0)
        return float((statistic > special.stdtrit(2 * n - 2, 1 - alpha)).mean()) >= POWER

    return next((n for n in range(3, 200) if enough(n) and enough(n + 1)), 200)


def _deviations(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the absolute deviations from the median, over the last axis of values [..., n]."""
    deviations = np.abs(values - np.median(values, axis=-1, keepdims=True))
    # What rounding leaves of equal values is no spread.
    deviations = np.where(deviations < 1e-9, 0.0, deviations)
    return deviations.mean(axis=-1), deviations.var(axis=-1, ddof=1)


def _statistic(
    own: np.ndarray, own_variance: np.ndarray, other: np.ndarray, other_variance: np.ndarray, n: int, ratio: float
) -> np.ndarray:
    """Brown and Forsythe's t of "the other's spread is `ratio` times the own one", 2n - 2 degrees of freedom."""
    return (other - ratio * own) / np.sqrt((other_variance + ratio**2 * own_variance) / n)


@dataclasses.dataclass(frozen=True)
class _Ratio:
    """The spread of one sample over that of another: means and variances of the deviations of n values each."""

    own: float
    own_variance: float
    other: float
    other_variance: float
    n: int

    @staticmethod
    def of(own: np.ndarray, other: np.ndarray) -> _Ratio:
        mean, variance, others, their_variance = (
            float(number) for sample in (own, other) for number in _deviations(sample)
        )
        return _Ratio(mean, variance, others, their_variance, len(own))

    @property
    def effect(self) -> float:
        """Doublings; 0 where neither varies."""
        if self.own == self.other:
            return 0.0
        return _doublings(self.other / self.own if self.own else math.inf)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """One-sided bounds at alpha each, doublings: where the statistic, which falls with the ratio, is just critical.

        The roots of (other - r own)^2 = t^2 (other_variance + r^2 own_variance) / n.
        """
        k = float(special.stdtrit(2 * self.n - 2, 1 - alpha)) ** 2 / self.n
        a, b = self.own**2 - k * self.own_variance, self.own * self.other
        c = self.other**2 - k * self.other_variance
        root = math.sqrt(max(0.0, b * b - a * c))
        # Written so that a near 0 leaves the smaller root exact.
        lower = 0.0 if c <= 0 else c / (b + root) if b + root > 0 else math.inf
        upper = (b + root) / a if a > 0 else math.inf
        if self.own_variance == self.other_variance == 0:
            return self.effect, self.effect
        return _doublings(lower), _doublings(upper)

    def p_above(self, doublings: float) -> float:
        """One-sided p of "the ratio is at most this"; 0 or 1 where no deviation varies."""
        if self.own_variance == self.other_variance == 0:
            return 0.0 if self.effect > doublings else 1.0
        return float(special.stdtr(2 * self.n - 2, -self._at(doublings)))

    def p_below(self, doublings: float) -> float:
        """One-sided p of "the ratio is at least this"."""
        if self.own_variance == self.other_variance == 0:
            return 0.0 if self.effect < doublings else 1.0
        return float(special.stdtr(2 * self.n - 2, self._at(doublings)))

    def _at(self, doublings: float) -> float:
        own, own_variance, other, other_variance = map(
            np.asarray, (self.own, self.own_variance, self.other, self.other_variance)
        )
        return float(_statistic(own, own_variance, other, other_variance, self.n, 2.0**doublings))

    def detectable(self, alpha: float, parts: int) -> float:
        """The doublings that the test finds, all of so many parts with power .80, where deviations vary as here."""
        relative = [v / m**2 for m, v in ((self.own, self.own_variance), (self.other, self.other_variance)) if m > 0]
        error = math.sqrt(sum(relative) / self.n) / math.log(2)
        critical = float(special.stdtrit(2 * self.n - 2, 1 - alpha))
        return min(MOST_DOUBLINGS, float(special.nctdtrinc(2 * self.n - 2, (1 - POWER) / parts, critical)) * error)


def _doublings(ratio: float) -> float:
    """log2, from -10 to 10: a spread a thousand times as large is as good as infinite."""
    if ratio <= 0:
        return -MOST_DOUBLINGS
    return max(-MOST_DOUBLINGS, min(MOST_DOUBLINGS, math.log2(ratio)))
