"""Along levels (depths, batch sizes): a trend, or no fall anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_claims.stats._words import bounds_words, count, level_words, p_words, points
from pytest_claims.stats.collapses import AT_CHANCE, UNCONFIRMED, collapse_words, p_sign_flip
from pytest_claims.stats.four_way import MEANING, decide
from pytest_claims.stats.interval import ALPHA, certainty, interval, lowest, positive, sample
from pytest_claims.stats.power import detectable, more_than, seeds_for, seeds_for_all, soonest
from pytest_claims.types import Outcome, Verdict


def trend(
    levels: Sequence[float],
    values: ArrayLike,
    *,
    direction: int,
    margin: float,
    collapsed: ArrayLike | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Do the values move one way along the levels, end to end by about margin or more? (Rules: docs/verdicts.md.)

    levels: [k], k >= 2, positive and ascending (depths, batch sizes). values: percent or points [n, k], one row a
    seed. direction: +1 rises, -1 falls. margin: end to end, points, > 0. collapsed: which runs collapsed, bool [n, k].
    alpha: as superiority.

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
    at, slope = interval(ends, alpha), interval(slopes, alpha)
    ends_guarded = bool(flags[:, [0, -1]].any())
    # The slope as the change of the fitted line from end to end, so that both are in the same unit.
    fitted = slopes * np.log2(steps[-1] / steps[0])
    found = decide([(ends, ends_guarded), (fitted, bool(flags.any()))], [(ends, ends_guarded)], margin, alpha)

    agrees = "agrees" if slope.lower > 0 else "does not confirm the direction"
    rule = (
        f"end to end {bounds_words(at.lower, at.upper, margin)}, and the slope {agrees} "
        f"({points(slope.effect, 0)} points a doubling, L = {points(slope.lower, 0)}): "
        f"{MEANING[found.by_t]}{found.doubt}"
    )
    if at.lower > 0 and slope.lower <= 0:
        rule += " (the ends differ as claimed, but the levels between them do not follow)"
    test = f"end to end and slope on log2(level), the larger p: {found.no_effect.words}"
    if found.by_t in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        test += f"; against {margin:g} or more end to end, {found.size.words}"
    notes = certainty(at)
    notes += _counts(flags, steps)
    if ends_guarded:
        low, high = (0, -1) if direction > 0 else (-1, 0)
        names = (f"level {steps[high]:g}", f"level {steps[low]:g}")
        notes += (collapse_words(flags[:, high], flags[:, low], names),)
    if len(steps) >= 3:
        page = stats.page_trend_test(rows if direction > 0 else rows[:, ::-1])
        notes += (f"Page's test of a monotone trend (supporting only): {p_words(float(page.pvalue))}",)
    return Verdict(
        **found.evidence,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        test=f"{test}; n = {at.n}",
        n=at.n,
        rule=rule,
        notes=notes,
    )


def never_falls(
    levels: Sequence[float],
    values: ArrayLike,
    *,
    margin: float,
    collapsed: ArrayLike | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Does no step along the levels, nor the change from end to end, fall by more than margin? (docs/verdicts.md.)

    levels, values, collapsed, alpha: as trend. margin: the largest fall that still counts as stable, points, > 0.

    Non-inferiority of c changes: every step, and the ends where there is more than one step. REPRODUCED when every
    lower bound, each at alpha, is above -margin (intersection-union). CONTRADICTED when some fall larger than margin
    is established: the least upper bound, each at alpha / c (Bonferroni), is below -margin. Else INCONCLUSIVE. effect,
    lower, upper are of the smallest change (the deepest fall), with those bounds. parts: each change, at alpha. p is
    the largest non-inferiority p, or where CONTRADICTED the smallest p of a fall times c. Collapsed runs count as in
    equivalence. Raises ValueError as trend.
    """
    steps, rows = _levels_and_rows(levels, values)
    margin = positive("margin", margin)
    spans = _spans(len(steps))
    changes = contrasts_along(rows)
    flags = _flags(collapsed, rows)
    guarded = [bool(flags[:, [before, after]].any()) for before, after in spans]
    effect, lower, upper = (float(value) for value in lowest(changes, alpha))
    split = alpha / len(spans)
    plain = [interval(change, alpha) for change in changes]
    strict = [interval(change, split) for change in changes]
    names = [f"{steps[before]:g} to {steps[after]:g}" for before, after in spans]
    parts = tuple((name, _change(change, margin, alpha)) for name, change in zip(names, changes, strict=True))
    p_none, p_fall = [at.p_above(-margin) for at in plain], [at.p_below(-margin) for at in plain]
    p_fall = [
        max(p, p_sign_flip(-change, margin)) if guard else p
        for p, change, guard in zip(p_fall, changes, guarded, strict=True)
    ]
    deepest = names[min(range(len(spans)), key=lambda i: plain[i].lower)]
    surest = names[min(range(len(spans)), key=lambda i: strict[i].upper)]
    shown = any(at.upper < -margin and p <= split for at, p in zip(strict, p_fall, strict=True))
    p_holds, p_fails = 1.0 if any(guarded) else max(p_none), min(1.0, min(p_fall) * len(spans))
    p, settle, n = p_holds, None, len(rows)
    changed = count(len(spans), "change")
    test = f"the largest p of {changed}, paired t (one-sided, non-inferiority) {p_words(p)}"
    if lower > -margin:
        outcome = Outcome.INCONCLUSIVE if any(guarded) else Outcome.REPRODUCED
        rule = (
            f"of {changed} the least L = {points(lower, -margin)} (from {deepest}) > {-margin:g}: no "
            f"fall of more than {margin:g}{AT_CHANCE if any(guarded) else ''}"
        )
    elif upper < -margin:
        outcome, p = Outcome.CONTRADICTED if shown else Outcome.INCONCLUSIVE, p_fails
        test += f"; against a fall of {margin:g} at most (times {changed}) {p_words(p)}"
        rule = (
            f"of {changed} the least U = {points(upper, -margin)} (from {surest}, a {level_words(split)} "
            f"bound) < {-margin:g}: it falls by more than {margin:g}{'' if shown else UNCONFIRMED}"
        )
    else:
        outcome = Outcome.INCONCLUSIVE
        rule = (
            f"of {changed} the least L = {points(lower, -margin)} (from {deepest}) <= {-margin:g} <= "
            f"the least U = {points(upper, -margin)} (from {surest}): a fall of more than {margin:g} is neither "
            "excluded nor shown"
        )
    if outcome == Outcome.INCONCLUSIVE:
        if effect > -margin:
            # Beside a collapse no number of seeds shows that nothing falls.
            distances = [at.distance(-margin) for at in plain]
            settle = None if any(guarded) else seeds_for_all(distances, alpha=alpha)
        else:
            settle = soonest(seeds_for(-margin - at.effect, sd=at.sd, alpha=split) for at in plain)
        settle = more_than(n, settle, flips=any(guarded), alpha=split)
    return Verdict(
        outcome=outcome,
        effect=effect,
        lower=lower,
        upper=upper,
        margin=margin,
        p=p,
        test=f"{test}; n = {n}",
        n=n,
        rule=rule,
        p_holds=p_holds,
        p_fails=p_fails,
        alpha=alpha,
        seeds_to_settle=settle,
        # No change at all, found free of a fall at every step: the misses are shared.
        detectable=max(detectable(at.sd, n, parts=len(plain), alpha=alpha) for at in plain),
        parts=parts,
        notes=tuple(f"{name}: {note}" for name, part in parts for note in part.notes) + _counts(flags, steps),
    )


def slope_per_doubling(levels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Least-squares slopes of rows [..., k] on log2 of levels [k]: points a doubling, [...]."""
    x = np.log2(levels) - np.log2(levels).mean()
    return rows @ x / (x @ x)


def contrasts_along(rows: np.ndarray) -> np.ndarray:
    """The changes [..., c, n] of every step and, where there is more than one, end to end, of rows [..., n, k]."""
    spans = _spans(rows.shape[-1])
    return np.stack([rows[..., after] - rows[..., before] for before, after in spans], axis=-2)


def _spans(levels: int) -> list[tuple[int, int]]:
    steps = [(index, index + 1) for index in range(levels - 1)]
    return steps if levels == 2 else [*steps, (0, levels - 1)]


def _change(change: np.ndarray, margin: float, alpha: float) -> Verdict:
    """The verdict on one change [n] by itself."""
    at = interval(change, alpha)
    p, settle = at.p_above(-margin), None
    shown = f"L = {points(at.lower, -margin)}, U = {points(at.upper, -margin)}, limit {-margin:g}"
    test = f"paired t (one-sided, non-inferiority) {p_words(p)}"
    if at.lower > -margin:
        outcome, words = Outcome.REPRODUCED, f"no fall of more than {margin:g}"
    elif at.upper < -margin:
        outcome, words, p = Outcome.CONTRADICTED, f"it falls by more than {margin:g}", at.p_below(-margin)
        test += f"; against a fall of {margin:g} at most {p_words(p)}"
    else:
        outcome, words = Outcome.INCONCLUSIVE, f"a fall of more than {margin:g} is neither excluded nor shown"
        settle = more_than(at.n, seeds_for(abs(at.effect + margin), sd=at.sd, alpha=alpha))
    return Verdict(
        outcome=outcome,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        p=p,
        test=f"{test}; n = {at.n}",
        n=at.n,
        rule=f"{shown}: {words}",
        p_holds=at.p_above(-margin),
        p_fails=at.p_below(-margin),
        alpha=alpha,
        seeds_to_settle=settle,
        detectable=detectable(at.sd, at.n, alpha=alpha),
        notes=certainty(at),
    )


def _flags(collapsed: ArrayLike | None, rows: np.ndarray) -> np.ndarray:
    """Which runs collapsed, bool [n, k]."""
    flags = np.zeros(rows.shape, dtype=bool) if collapsed is None else np.asarray(collapsed, dtype=bool)
    if flags.shape != rows.shape:
        raise ValueError(f"collapsed has shape {list(flags.shape)}; needed: that of values, {list(rows.shape)}")
    return flags


def _counts(flags: np.ndarray, steps: np.ndarray) -> tuple[str, ...]:
    """The note on how many runs collapsed at each level; none where none did."""
    if not flags.any():
        return ()
    per_level = [f"{level:g}: {int(number)}" for level, number in zip(steps, flags.sum(axis=0), strict=True)]
    return (f"runs collapsed to chance or diverged, of {len(flags)} a level: {', '.join(per_level)}",)


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
