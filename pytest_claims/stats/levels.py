"""Along levels (depths, batch sizes): a trend, or no fall anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_claims.stats.collapses import by_sign_flips, counted, more_collapses, p_sign_flip
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import Interval, certainty, interval, lowest, positive, rounding_of, sample
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.stats.power import detectable, more_than, seeds_for, seeds_for_all, soonest
from pytest_claims.types import (
    Bound,
    Collapses,
    Comparison,
    Doubt,
    HypothesisTest,
    Method,
    MonotoneTrend,
    Note,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Verdict,
)


def trend(
    levels: Sequence[float],
    values: ArrayLike,
    *,
    direction: int,
    margin: float,
    collapsed: ArrayLike | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Do the values move one way along the levels, end to end by about margin or more? (Rules: docs/verdicts.md.)

    levels: [k], k >= 2, positive and ascending (depths, batch sizes). values: percent or points [n, k], one row a
    seed. direction: +1 rises, -1 falls. margin: end to end, points, > 0. collapsed: which runs collapsed, bool [n, k].
    alpha, resolution: as superiority.

    The four-way rule with two statements for the direction and one for the size. The direction holds when both L > 0:
    of the per-seed end-to-end difference and of the per-seed least-squares slope on log2(level), each turned into the
    claimed direction and each at alpha (intersection-union). The size is excluded when the end-to-end U < margin. So
    REPRODUCED needs the slope and an end-to-end difference that is reproduced by itself; an end-to-end difference
    without the slope is INCONCLUSIVE, or CONTRADICTED if it is smaller than claimed. effect, lower, upper are end to
    end. p is as in superiority, the larger of both p for the direction. Page's test is a note, for 3 seeds and levels
    or more: it rejects on trends with real reversals, too.

    Raises ValueError for other levels, directions or shapes, NaN or infinity (naming level and position), fewer than 3
    seeds, or a margin that is not above 0.
    """
    steps, rows = _levels_and_rows(levels, values)
    margin = positive("margin", margin)
    if direction not in (1, -1):
        raise ValueError(f"direction is {direction!r}; needed: +1 (rises) or -1 (falls)")
    flags = _flags(collapsed, rows)
    ends, slopes = direction * (rows[:, -1] - rows[:, 0]), direction * slope_per_doubling(steps, rows)
    at = interval(ends, alpha, rounding_of(resolution, 2))
    ends_guarded = bool(flags[:, [0, -1]].any())
    span = (f"{steps[0]:g}", f"{steps[-1]:g}")
    # The slope as the change of the fitted line from end to end, so that both are in the same unit.
    doublings = float(np.log2(steps[-1] / steps[0]))
    # Of the slope the weights are x / (x @ x), for the centred levels x.
    x = np.log2(steps) - np.log2(steps).mean()
    rounding = rounding_of(resolution, 1 / float(x @ x))
    slope = interval(slopes, alpha, rounding)
    end_to_end = Contrast(ends, ends_guarded, span, rounding=rounding_of(resolution, 2))
    sloping = Contrast(slopes * doublings, bool(flags.any()), span, Quantity.SLOPE, rounding * doublings)
    notes: tuple[Note, ...] = (*certainty(at), *_counts(flags, steps))
    if ends_guarded:
        low, high = (0, -1) if direction == 1 else (-1, 0)
        notes += (more_collapses(flags[:, high], flags[:, low], (f"{steps[high]:g}", f"{steps[low]:g}")),)
    if len(steps) >= 3:
        page = stats.page_trend_test(rows if direction == 1 else rows[:, ::-1])
        notes += (MonotoneTrend(float(page.pvalue)),)
    return Verdict(
        **decide([end_to_end, sloping], [end_to_end], margin, alpha),
        procedure=Procedure.TREND,
        comparison=span,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        n=at.n,
        bounds=(
            Bound("lower", at.lower, 0.0, alpha, at.effect, span),
            Bound("upper", at.upper, margin, alpha, at.effect, span),
            Bound("lower", slope.lower, 0.0, alpha, slope.effect, span, Quantity.SLOPE),
        ),
        notes=notes,
    )


def never_falls(
    levels: Sequence[float],
    values: ArrayLike,
    *,
    margin: float,
    collapsed: ArrayLike | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Does the value nowhere fall by more than margin from one level to any later one? (docs/verdicts.md.)

    levels, values, collapsed, alpha, resolution: as trend. margin: the largest fall that still counts as stable,
    points, > 0.

    Non-inferiority of c changes, one for every two levels: a fall may take several steps, none of which is large.
    REPRODUCED when every lower bound, each at alpha, is above -margin (intersection-union). CONTRADICTED when some fall
    larger than margin is established: the least upper bound, each at alpha split over c (Bonferroni), is below -margin.
    Else INCONCLUSIVE. effect, lower, upper are of the smallest change (the deepest fall), with those bounds. parts:
    each change, at alpha. p is the largest non-inferiority p, or where CONTRADICTED the smallest p of a fall times c.
    Collapsed runs count as in equivalence. Raises ValueError as trend.
    """
    steps, rows = _levels_and_rows(levels, values)
    margin = positive("margin", margin)
    spans = _spans(len(steps))
    changes = contrasts_along(rows)
    flags = _flags(collapsed, rows)
    guarded = [bool(flags[:, [before, after]].any()) for before, after in spans]
    rounding, share = rounding_of(resolution, 2), split(alpha, len(spans))
    effect, lower, upper = (float(value) for value in lowest(changes, alpha, rounding))
    plain = [interval(change, alpha, rounding) for change in changes]
    strict = [interval(change, share, rounding) for change in changes]
    names = [(f"{steps[before]:g}", f"{steps[after]:g}") for before, after in spans]
    parts = tuple(_change(change, name, margin, alpha, rounding) for name, change in zip(names, changes, strict=True))
    falls = [
        _tests_of_fall(_test_of_fall(at, margin, name, share, times=len(spans)), change, margin, guard)
        for at, change, guard, name in zip(plain, changes, guarded, names, strict=True)
    ]
    p_fall = [max(test.p for test in tests) for tests in falls]
    deepest = min(range(len(spans)), key=lambda i: plain[i].lower)
    surest = min(range(len(spans)), key=lambda i: strict[i].upper)
    p_holds = 1.0 if any(guarded) else max(at.p_above(-margin) for at in plain)
    p_fails = min(1.0, min(p_fall) * len(spans))
    p, doubt, settle, n = p_holds, None, None, len(rows)
    tests: tuple[HypothesisTest, ...] = (_test_of_no_fall(p_holds, margin, alpha, of=len(spans)),)
    if lower > -margin:
        by_bounds = Outcome.REPRODUCED
        doubt = Doubt.AT_CHANCE if any(guarded) else None
    elif upper < -margin:
        by_bounds = Outcome.CONTRADICTED
        # Of a fall with such a p the bound is past the margin, too.
        doubt = None if min(p_fall) <= share else Doubt.UNCONFIRMED
        p, tests = p_fails, tests + falls[p_fall.index(min(p_fall))]
    else:
        by_bounds = Outcome.INCONCLUSIVE
    outcome = Outcome.INCONCLUSIVE if doubt else by_bounds
    if outcome == Outcome.INCONCLUSIVE:
        if effect > -margin:
            # Beside a collapse no number of seeds shows that nothing falls.
            distances = [at.distance(-margin) for at in plain]
            settle = None if any(guarded) else seeds_for_all(distances, alpha=alpha)
        else:
            settle = soonest(seeds_for(-margin - at.effect, sd=at.sd, alpha=share) for at in plain)
        settle = more_than(n, settle, flips=any(guarded), alpha=share)
    return Verdict(
        outcome=outcome,
        procedure=Procedure.NO_FALL,
        effect=effect,
        lower=lower,
        upper=upper,
        margin=margin,
        p=p,
        n=n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=len(spans),
        alpha=alpha,
        tests=tests,
        bounds=(
            Bound("lower", lower, -margin, alpha, plain[deepest].effect, names[deepest]),
            Bound("upper", upper, -margin, share, strict[surest].effect, names[surest]),
        ),
        seeds_to_settle=settle,
        # No change at all, found free of a fall between every two levels: the misses are shared.
        detectable=max(detectable(at.sd, n, parts=len(plain), alpha=alpha) for at in plain),
        parts=parts,
        notes=_counts(flags, steps),
    )


def slope_per_doubling(levels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Least-squares slopes of rows [..., k] on log2 of levels [k]: points a doubling, [...]."""
    x = np.log2(levels) - np.log2(levels).mean()
    slopes: np.ndarray = rows @ x / (x @ x)
    return slopes


def contrasts_along(rows: np.ndarray) -> np.ndarray:
    """The changes [..., c, n] from every level to every later one, of rows [..., n, k]."""
    spans = _spans(rows.shape[-1])
    return np.stack([rows[..., after] - rows[..., before] for before, after in spans], axis=-2)


def _spans(levels: int) -> list[tuple[int, int]]:
    """Every two levels: steps first, then what takes two of them, and so on."""
    return [(start, start + steps) for steps in range(1, levels) for start in range(levels - steps)]


def _change(change: np.ndarray, comparison: Comparison, margin: float, alpha: float, rounding: float) -> Verdict:
    """The verdict on one change [n] by itself."""
    at = interval(change, alpha, rounding)
    p_holds, fall = at.p_above(-margin), _test_of_fall(at, margin, comparison, alpha)
    p, settle = p_holds, None
    tests: tuple[HypothesisTest, ...] = (_test_of_no_fall(p_holds, margin, alpha, comparison),)
    if at.lower > -margin:
        outcome = Outcome.REPRODUCED
    elif at.upper < -margin:
        outcome, p, tests = Outcome.CONTRADICTED, fall.p, (*tests, fall)
    else:
        outcome = Outcome.INCONCLUSIVE
        settle = more_than(at.n, seeds_for(abs(at.effect + margin), sd=at.sd, alpha=alpha))
    return Verdict(
        outcome=outcome,
        procedure=Procedure.CHANGE,
        comparison=comparison,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        p=p,
        n=at.n,
        by_bounds=outcome,
        p_holds=p_holds,
        p_fails=fall.p,
        alpha=alpha,
        tests=tests,
        bounds=(
            Bound("lower", at.lower, -margin, alpha, at.effect, comparison),
            Bound("upper", at.upper, -margin, alpha, at.effect, comparison),
        ),
        seeds_to_settle=settle,
        detectable=detectable(at.sd, at.n, alpha=alpha),
        notes=certainty(at),
    )


def _test_of_no_fall(p: float, margin: float, level: float, comparison: Comparison = (), of: int = 1) -> HypothesisTest:
    return HypothesisTest(Method.PAIRED_T, Shows.NO_FALL, -margin, p, level, comparison, of=of)


def _test_of_fall(at: Interval, margin: float, comparison: Comparison, level: float, times: int = 1) -> HypothesisTest:
    """The test of "it falls by margin at most"."""
    p = at.p_below(-margin)
    return HypothesisTest(Method.PAIRED_T, Shows.FALL, -margin, p, level, comparison, of=times, times=times)


def _tests_of_fall(
    by_t: HypothesisTest, change: np.ndarray, margin: float, guarded: bool
) -> tuple[HypothesisTest, ...]:
    """The test by t of a fall; beside a collapse also that by sign flips."""
    if not guarded:
        return (by_t,)
    return by_t, by_sign_flips(by_t, p_sign_flip(-change, margin), len(change))


def _flags(collapsed: ArrayLike | None, rows: np.ndarray) -> np.ndarray:
    """Which runs collapsed, bool [n, k]."""
    flags = np.zeros(rows.shape, dtype=bool) if collapsed is None else np.asarray(collapsed, dtype=bool)
    if flags.shape != rows.shape:
        raise ValueError(f"collapsed has shape {list(flags.shape)}; needed: that of values, {list(rows.shape)}")
    return flags


def _counts(flags: np.ndarray, steps: np.ndarray) -> tuple[Collapses, ...]:
    """The note on how many runs collapsed at each level; none where none did."""
    return (counted([f"{level:g}" for level in steps], list(flags.T)),) if flags.any() else ()


def _levels_and_rows(levels: Sequence[float], values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    steps, rows = np.asarray(levels, dtype=np.float64), np.asarray(values, dtype=np.float64)
    ascending = steps.ndim == 1 and len(steps) >= 2 and bool(np.isfinite(steps).all() and (np.diff(steps) > 0).all())
    if not ascending or steps[0] <= 0:
        raise ValueError(f"levels are {list(levels)}; needed: at least two, positive and ascending")
    if rows.ndim != 2 or rows.shape[1] != len(steps):
        raise ValueError(f"values have shape {list(rows.shape)}; needed: [seeds, {len(steps)}], a column a level")
    for column, level in zip(rows.T, steps, strict=True):
        sample(f"level {level:g}", column)
    return steps, rows
