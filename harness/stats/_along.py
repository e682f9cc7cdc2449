"""Along levels (depths, batch sizes): a trend, or no fall anywhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.claim import Outcome, Verdict
from harness.stats._interval import ALPHA, interval, p_above, positive, sample
from harness.stats._pairs import superiority
from harness.stats._power import seeds_for


def trend(
    levels: Sequence[float], values: ArrayLike, *, direction: int, margin: float, alpha: float = ALPHA
) -> Verdict:
    """Do the values move in one direction along the levels, end to end by about margin or more?

    levels: [k], positive and ascending. values: percent or points [n, k], one row a seed. direction: +1 rises, -1
    falls. Two statements, each at level alpha (intersection-union): the end-to-end difference by the four-way rule
    with the margin, and the per-seed least-squares slope on log2(level) in the claimed direction. The end-to-end
    verdict stands, except that without a slope whose lower bound is above 0 REPRODUCED and TOO SMALL become
    INCONCLUSIVE. Page's test is a note: it rejects on trends with real reversals, too. Raises ValueError for other
    levels, directions or shapes, and as superiority.
    """
    steps, rows = _levels_and_rows(levels, values)
    if direction not in (1, -1):
        raise ValueError(f"direction is {direction!r}; allowed: +1 (rises), -1 (falls)")
    first, last = (rows[:, 0], rows[:, -1])
    ends = superiority(*((last, first) if direction > 0 else (first, last)), margin=margin, alpha=alpha)
    x = np.log2(steps) - np.log2(steps).mean()
    slopes = direction * (rows @ x) / (x @ x)
    slope = interval(slopes, alpha)
    p_slope = p_above(slopes, 0.0)
    outcome, rule = ends.outcome, f"end to end, {ends.rule}"
    if slope.lower > 0:
        rule += f"; the slope agrees ({slope.effect:+.2f} points a doubling, lower bound {slope.lower:+.2f})"
    else:
        rule += f"; the slope does not confirm it ({slope.effect:+.2f} points a doubling, lower {slope.lower:+.2f})"
        if outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL):
            outcome = Outcome.INCONCLUSIVE
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        needed = [ends.seeds_to_settle] if ends.outcome == Outcome.INCONCLUSIVE else []
        needed += [seeds_for(slope.effect, slope.sd, alpha)] if slope.lower <= 0 and ends.effect > 0 else []
        settle = None if not needed or None in needed else max(*needed, len(rows) + 1)
    ordered = rows if direction > 0 else rows[:, ::-1]
    page = stats.page_trend_test(ordered)
    return dataclasses.replace(
        ends,
        outcome=outcome,
        p=max(ends.p, p_slope),
        test=f"{ends.test} (end to end); slope on log2(level), paired t p = {p_slope:.2g}",
        rule=rule,
        seeds_to_settle=settle,
        notes=(*ends.notes, f"Page's test for a monotone trend (supporting only): p = {page.pvalue:.2g}"),
    )


def never_falls(levels: Sequence[float], values: ArrayLike, *, margin: float, alpha: float = ALPHA) -> Verdict:
    """Is there no step along the levels, and no change from end to end, that falls by margin or more?

    levels, values: as trend. Non-inferiority of every step and of the ends, an intersection-union test: REPRODUCED
    when every lower bound is above -margin, each at level alpha. CONTRADICTED when some fall beyond the margin is
    established at level alpha / comparisons (upper bound below -margin). Else INCONCLUSIVE. The effect shown is that
    of the comparison with the lowest lower bound. Raises ValueError as trend.
    """
    steps, rows = _levels_and_rows(levels, values)
    margin = positive("margin", margin)
    spans = [(index, index + 1) for index in range(len(steps) - 1)]
    if len(steps) > 2:
        spans.append((0, len(steps) - 1))
    parts = []
    for before, after in spans:
        change = rows[:, after] - rows[:, before]
        at, strict = interval(change, alpha), interval(change, alpha / len(spans))
        p = p_above(change, -margin)
        if at.lower > -margin:
            outcome, words = Outcome.REPRODUCED, "no fall as large as the margin"
        elif strict.upper < -margin:
            outcome, words = Outcome.CONTRADICTED, "it falls by more than the margin"
        else:
            outcome, words = Outcome.INCONCLUSIVE, "a fall beyond the margin is neither excluded nor shown"
        settle = None
        if outcome == Outcome.INCONCLUSIVE:
            settle = seeds_for(abs(at.effect + margin), at.sd, alpha if at.effect > -margin else alpha / len(spans))
            settle = None if settle is None else max(settle, at.n + 1)
        rule = f"{words}: change {at.effect:+.2f}, bounds {at.lower:+.2f} to {at.upper:+.2f}, margin -{margin:g}"
        test = f"paired t (one-sided, non-inferiority) p = {p:.2g}; n = {at.n}"
        name = f"{steps[before]:g} to {steps[after]:g}"
        parts.append((name, Verdict(outcome, at.effect, at.lower, at.upper, margin, p, test, at.n, rule, settle)))
    outcomes = {part.outcome for _, part in parts}
    name, shown = min(parts, key=lambda part: part[1].lower)
    if Outcome.CONTRADICTED in outcomes:
        outcome = Outcome.CONTRADICTED
        name, shown = min((part for part in parts if part[1].outcome == outcome), key=lambda part: part[1].upper)
    else:
        outcome = Outcome.INCONCLUSIVE if Outcome.INCONCLUSIVE in outcomes else Outcome.REPRODUCED
    needed = [part.seeds_to_settle for _, part in parts if part.outcome == Outcome.INCONCLUSIVE]
    return dataclasses.replace(
        shown,
        outcome=outcome,
        p=max(part.p for _, part in parts),
        test=f"{shown.test} (from level {name}; the largest p of {len(parts)} comparisons decides)",
        rule=f"from level {name}, {shown.rule}",
        seeds_to_settle=None if outcome != Outcome.INCONCLUSIVE or None in needed else max(needed),
        parts=tuple(parts),
    )


def _levels_and_rows(levels: Sequence[float], values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    steps, rows = np.asarray(levels, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if steps.ndim != 1 or len(steps) < 2 or (steps <= 0).any() or (np.diff(steps) <= 0).any():
        raise ValueError(f"levels are {list(levels)}; needed: at least two, positive and ascending")
    if rows.ndim != 2 or rows.shape[1] != len(steps):
        raise ValueError(f"values have shape {list(rows.shape)}; needed: [seeds, {len(steps)}], a column a level")
    for column, level in zip(rows.T, steps, strict=True):
        sample(f"level {level:g}", column)
    return steps, rows
