"""One arm ahead of another, or several leads that must all be there (the best of several, a ranking, a crossover)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from pytest_claims.stats.collapses import flagged, flagged_by_name, more_collapses
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import Interval, certainty, interval, paired, positive, rounding_of
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.types import Bound, Comparison, Note, Procedure, Verdict


def superiority(
    better: ArrayLike,
    worse: ArrayLike,
    *,
    margin: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
    names: tuple[str, str] = ("better", "worse"),
) -> Verdict:
    """Does one arm beat the other, and is an effect of margin not excluded? (Decision rules: docs/verdicts.md.)

    better, worse: accuracy in percent [n], paired by seed. margin: smallest effect of interest, points, > 0.
    collapsed: which runs of each arm collapsed, bool [n] each. alpha: level of each one-sided bound (a sequential look
    passes its Level). resolution: what one test image counts for, points; 0 where nothing is rounded. names: of the
    arms.

    L and U are bounds on the mean paired difference (t, corrected for skewness). REPRODUCED: L > 0 and U >= margin. TOO
    SMALL: L > 0 and U < margin. CONTRADICTED: L <= 0 and U < margin. INCONCLUSIVE: L <= 0 and U >= margin. Where a run
    collapsed the differences are skewed beyond correction, so each bound that the verdict rests on must be confirmed by
    the sign-flip test, else it is INCONCLUSIVE. p is of what the verdict rests on: that there is no effect (REPRODUCED,
    INCONCLUSIVE), that it reaches the margin (CONTRADICTED), the larger of both (TOO SMALL).

    Raises ValueError for NaN or infinity (naming arm and position), fewer than 3 seeds, unequal lengths, or a margin
    that is not above 0.
    """
    one, two = paired(better, worse, names)
    margin = positive("margin", margin)
    first, second = flagged(collapsed, names, len(one))
    guarded = bool(first.any() or second.any())
    contrast = Contrast(one - two, guarded, names, rounding=rounding_of(resolution, 2))
    return _of_one(contrast, margin, alpha, (more_collapses(first, second, names),) if guarded else ())


def interaction(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    margin: float,
    collapsed: tuple[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike]] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
    names: tuple[str, str, str, str] = ("better", "worse", "better, changed", "worse, changed"),
) -> Verdict:
    """Is the effect of one pair of arms larger than that of another pair? (The interaction of a 2 by 2 design.)

    first, second: accuracies of the better and the worse arm of each pair, percent, [n] each, paired by seed; the same
    arm may be in both pairs. The contrast is (better - worse) of the first pair less that of the second. margin,
    alpha, resolution, the rules and what is raised: as superiority(). collapsed: flags of the four arms. names: of the
    four arms.
    """
    one, two, three, four = (
        array for pair, of in zip((first, second), (names[:2], names[2:]), strict=True) for array in paired(*pair, of)
    )
    if len(one) != len(three):
        raise ValueError(f"{names[0]} has {len(one)} seeds, {names[2]} {len(three)}; arms are paired by seed")
    margin = positive("margin", margin)
    flags = flagged(None if collapsed is None else (*collapsed[0], *collapsed[1]), names, len(one))
    guarded = any(bool(flag.any()) for flag in flags)
    contrast = Contrast((one - two) - (three - four), guarded, names, rounding=rounding_of(resolution, 4))
    return _of_one(contrast, margin, alpha)


def _of_one(contrast: Contrast, margin: float, alpha: float, notes: tuple[Note, ...] = ()) -> Verdict:
    """The four-way rule on one contrast. notes: beside those on its certainty."""
    at, of = interval(contrast.differences, alpha, contrast.rounding), contrast.comparison
    return Verdict(
        **decide([contrast], [contrast], margin, alpha),
        procedure=Procedure.SUPERIORITY,
        comparison=of,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        n=at.n,
        bounds=four_way_bounds((at, of, alpha), (at, of, alpha), margin),
        notes=certainty(at) + notes,
    )


def four_way_bounds(
    low: tuple[Interval, Comparison, float], high: tuple[Interval, Comparison, float], margin: float
) -> tuple[Bound, Bound]:
    """L against 0 and U against the margin. low, high: of which interval each is, of what, and at which level."""
    (below, behind, alpha), (above, ahead, split) = low, high
    return (
        Bound("lower", below.lower, 0.0, alpha, below.effect, behind),
        Bound("upper", above.upper, margin, split, above.effect, ahead),
    )


def best_of(
    arms: Mapping[str, ArrayLike],
    *,
    best: str,
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Does the arm `best` beat each of the others? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. margin: over every rival, points, > 0. collapsed: which runs
    of each arm collapsed, bool [n] by name. alpha, resolution: as superiority. parts: each rival's
    superiority, at alpha.

    The four-way rule on the smallest of the leads, see all_lead. Raises ValueError as superiority, and for a best that
    is no arm or has no rival.
    """
    rivals = [name for name in arms if name != best]
    if best not in arms or not rivals:
        raise ValueError(f"best is {best!r}; needed: one of at least two arms, which are: {', '.join(arms)}")
    return all_lead(
        arms,
        [(best, rival) for rival in rivals],
        margin=margin,
        collapsed=collapsed,
        alpha=alpha,
        resolution=resolution,
    )


def ranking(
    arms: Mapping[str, ArrayLike],
    *,
    order: Sequence[str],
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Do the arms rank as in order, the best first? (Decision rules: docs/verdicts.md.)

    arms, collapsed, alpha, resolution: as best_of. order: names of two or more arms. margin: of each arm over the next,
    points, > 0. parts: each step's superiority, at alpha.

    The four-way rule on the smallest of the steps, see all_lead; arms that are in order at every step are so over all.
    Raises ValueError as superiority, and for an order that names fewer than two arms, one twice or one unknown.
    """
    if len(order) < 2 or len(set(order)) < len(order) or not set(order) <= set(arms):
        raise ValueError(f"order is {list(order)}; needed: two or more different ones of {', '.join(arms)}")
    return all_lead(
        arms, list(itertools.pairwise(order)), margin=margin, collapsed=collapsed, alpha=alpha, resolution=resolution
    )


def crossover(
    arms: Mapping[str, ArrayLike],
    *,
    first: tuple[str, str],
    second: tuple[str, str],
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Do two networks do best at different settings: the interaction behind "B needs a lower learning rate than A"?

    arms, collapsed, alpha, resolution: as best_of. first, second: for each network its arm at its own best setting
    and its arm at the other's best setting. These must have been chosen on other seeds: a maximum picked among the same
    runs is ahead by its own luck. margin: of each network at its own setting over itself at the other's, points, > 0.

    A qualitative (crossover) interaction in the sense of Gail & Simon (Biometrics, 1985), here with both leads required
    by name: the four-way rule on the smaller one, see all_lead. Raises ValueError as superiority and for unknown arms.
    """
    unknown = [name for name in (*first, *second) if name not in arms]
    if unknown:
        raise ValueError(f"unknown arms {unknown}; there are: {', '.join(arms)}")
    return all_lead(arms, [first, second], margin=margin, collapsed=collapsed, alpha=alpha, resolution=resolution)


def all_lead(
    arms: Mapping[str, ArrayLike],
    leads: Sequence[tuple[str, str]],
    *,
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None,
    alpha: float,
    resolution: float,
) -> Verdict:
    """Is in each of the leads (ahead, behind) the first arm ahead of the second?

    The four-way rule on the smallest lead. Its L is the least of the lower bounds, each at alpha (intersection-union;
    Berger, Technometrics, 1982: a false REPRODUCED needs a false lead where there is none, so alpha is not split). Its
    U is the least of the upper bounds, each at alpha split over the leads, because any of them may refute the
    claim by chance.
    effect, lower, upper are of that smallest lead. parts: each lead's superiority, at alpha. p is of what the verdict
    rests on, as in superiority: the largest over leads for "no effect", the smallest times their number for the size.
    """
    margin, rounding = positive("margin", margin), rounding_of(resolution, 2)
    samples = [paired(arms[ahead], arms[behind], (ahead, behind)) for ahead, behind in leads]
    by_name = flagged_by_name(collapsed, arms, len(samples[0][0]))
    contrasts, parts = [], []
    for names, (one, two) in zip(leads, samples, strict=True):
        flags = by_name[names[0]], by_name[names[1]]
        contrasts.append(Contrast(one - two, any(bool(flag.any()) for flag in flags), names, rounding=rounding))
        parts.append(
            superiority(one, two, margin=margin, collapsed=flags, alpha=alpha, resolution=resolution, names=names)
        )
    share = split(alpha, len(leads))
    lows = [interval(contrast.differences, alpha, rounding) for contrast in contrasts]
    highs = [interval(contrast.differences, share, rounding) for contrast in contrasts]
    weakest = min(range(len(leads)), key=lambda at: lows[at].lower)
    smallest = min(range(len(leads)), key=lambda at: highs[at].upper)
    return Verdict(
        **decide(contrasts, contrasts, margin, alpha),
        procedure=Procedure.LEADS,
        effect=min(at.effect for at in lows),
        lower=lows[weakest].lower,
        upper=highs[smallest].upper,
        margin=margin,
        n=lows[0].n,
        bounds=four_way_bounds(
            (lows[weakest], leads[weakest], alpha), (highs[smallest], leads[smallest], share), margin
        ),
        parts=tuple(parts),
    )
