"""One arm reaches a test accuracy in fewer epochs than another."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.stats.collapses import by_sign_flips, flagged, p_sign_flip
from pytest_claims.stats.four_way import deciding_p, four_way
from pytest_claims.stats.interval import Interval, interval, paired
from pytest_claims.stats.looks import ALPHA
from pytest_claims.stats.power import detectable, fewest_for_flips, more_than, seeds_for, soonest
from pytest_claims.types import (
    Bound,
    Doubt,
    HypothesisTest,
    Method,
    NeverReached,
    Note,
    Outcome,
    Procedure,
    Quantity,
    SameEpoch,
    Shows,
    SpreadOfRounding,
    Verdict,
)


def faster(
    fast: ArrayLike,
    slow: ArrayLike,
    *,
    factor: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    names: tuple[str, str] = ("fast", "slow"),
) -> Verdict:
    """Does one arm need `factor` times fewer epochs than the other? (Decision rules: docs/verdicts.md.)

    fast, slow: the epoch (1, 2, ...) after which each seed's test accuracy was first reached, [n], paired by seed.
    factor: the smallest interesting ratio, above 1. collapsed: which runs never reached it, bool [n] each (censored, in
    the terms of survival analysis); their epoch is the last one that was trained. alpha, names: as superiority.

    Effect: the mean of log2(slow / fast), in doublings; the margin is log2(factor); then the four-way rule.

    A censored run takes longer than the epoch that stands for it. Where one of `slow` is censored, the mean that is
    seen is at most the true one: L is still a bound, and there is no U. Where one of `fast` is, it is at least the true
    one: U is still a bound, and there is no L. Beside a censored run the sign-flip test must confirm the bound, as
    beside a collapsed one.

    Epochs are whole numbers, so that equal differences are common. A t test takes a few equal ones for certainty: no
    spread, an interval that is a point, p of 0. But what varies within an epoch cannot be seen. The spread is therefore
    taken to be at least that of rounding up to whole epochs (uniform over the last epoch of each run).

    Raises ValueError as superiority, for an epoch that is no whole number from 1 on, and for a factor of 1 or less.
    """
    one, two = paired(fast, slow, names)
    for name, epochs in zip(names, (one, two), strict=True):
        bad = np.flatnonzero((epochs < 1) | (epochs != np.round(epochs)))
        if len(bad):
            raise ValueError(f"{name}: {epochs[bad[0]]:g} at position {bad[0]}; needed: epochs, whole and from 1 on")
    if not (math.isfinite(factor) and factor > 1):
        raise ValueError(f"factor is {factor}; needed: above 1 (2 is half the epochs)")
    margin, n = math.log2(factor), len(one)
    late = flagged(collapsed, names, n)
    guarded = bool(late[0].any() or late[1].any())
    seen = np.log2(two) - np.log2(one)
    at, rounding = interval(seen, alpha), _rounding(one, two)
    rounded = at.sd < rounding
    if rounded:
        at = _of_spread(at, rounding, alpha)

    has_lower, has_upper = not late[0].any(), not late[1].any()
    lower, upper = at.lower if has_lower else -math.inf, at.upper if has_upper else math.inf
    t_holds, t_fails = at.p_above(0.0) if has_lower else 1.0, at.p_below(margin) if has_upper else 1.0
    flip_holds, flip_fails = p_sign_flip(seen, 0.0), p_sign_flip(margin - seen, 0.0)
    p_holds = max(t_holds, flip_holds) if guarded else t_holds
    p_fails = max(t_fails, flip_fails) if guarded else t_fails

    by_bounds = four_way(lower > 0, upper < margin)
    p = deciding_p(by_bounds, p_holds, p_fails)
    confirmed = by_bounds == Outcome.INCONCLUSIVE or not guarded or p <= alpha
    outcome = by_bounds if confirmed else Outcome.INCONCLUSIVE

    def tests(shows: Shows, threshold: float, by_t: float, by_flips: float) -> tuple[HypothesisTest, HypothesisTest]:
        test = HypothesisTest(Method.PAIRED_T, shows, threshold, by_t, alpha, names, Quantity.EPOCHS)
        return test, by_sign_flips(test, by_flips, n)

    tested: tuple[HypothesisTest, ...] = tests(Shows.EFFECT, 0.0, t_holds, flip_holds) if has_lower else ()
    if has_upper and (upper < margin or not has_lower):
        tested += tests(Shows.BELOW_MARGIN, margin, t_fails, flip_fails)
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        far = [at.effect] * has_lower + [margin - at.effect] * has_upper
        settle = soonest(
            more_than(n, seeds_for(distance, sd=at.sd, alpha=alpha), flips=guarded, alpha=alpha) for distance in far
        )
    # Nothing is found without a lower bound, nor by fewer seeds than the sign-flip test needs. Where both tests must
    # agree they share the misses.
    able = has_lower and (not guarded or n >= fewest_for_flips(alpha))
    return Verdict(
        outcome=outcome,
        procedure=Procedure.SPEED,
        comparison=names,
        effect=at.effect,
        lower=lower,
        upper=upper,
        margin=margin,
        p=p,
        n=n,
        by_bounds=by_bounds,
        doubt=None if confirmed else Doubt.UNCONFIRMED,
        p_holds=p_holds,
        p_fails=p_fails,
        alpha=alpha,
        tests=tested,
        bounds=(
            Bound("lower", lower, 0.0, alpha, at.effect, names, Quantity.EPOCHS),
            Bound("upper", upper, margin, alpha, at.effect, names, Quantity.EPOCHS),
        ),
        seeds_to_settle=settle,
        detectable=detectable(at.sd, n, parts=1 + guarded, alpha=alpha) if able else None,
        notes=_notes(one, two, late, names, rounded),
    )


def _rounding(one: np.ndarray, two: np.ndarray) -> float:
    """The standard deviation of log2(two / one) that rounding up to whole epochs makes by itself, doublings."""
    # That of a uniform variable is 1 / sqrt(12) epoch; d log2(t) = dt / (t ln 2), in the middle of the last epoch.
    variances = [(1 / (12 * ((epochs - 0.5) * math.log(2)) ** 2)).mean() for epochs in (one, two)]
    return math.sqrt(sum(variances))


def _of_spread(at: Interval, sd: float, alpha: float) -> Interval:
    """Student's interval about the same mean for another standard deviation."""
    half = float(special.stdtrit(at.n - 1, 1 - alpha)) * sd / math.sqrt(at.n)
    return dataclasses.replace(at, lower=at.effect - half, upper=at.effect + half, sd=sd, skewness=0.0)


def _notes(
    one: np.ndarray, two: np.ndarray, late: tuple[np.ndarray, ...], names: tuple[str, str], rounded: bool
) -> tuple[Note, ...]:
    """Which runs never came to the accuracy, how many seeds are ties, and whether the spread is that of rounding."""
    n = len(one)
    notes: list[Note] = []
    if any(flags.any() for flags in late):
        notes.append(NeverReached(names, (int(late[0].sum()), int(late[1].sum())), n))
    ties = int(((one == two) & ~(late[0] | late[1])).sum())
    if ties:
        notes.append(SameEpoch(names, ties, n))
    if rounded:
        notes.append(SpreadOfRounding())
    return tuple(notes)
