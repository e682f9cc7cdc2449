"""Whether the means of one group of arms lie closer together than those of another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pytest_claims.stats.collapses import by_sign_flips, counted, flagged_by_name, p_sign_flip
from pytest_claims.stats.four_way import deciding_p, four_way, rests_on
from pytest_claims.stats.interval import Interval, bounds, interval, positive, rounding_of, sample, widest
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.stats.power import detectable, more_than, seeds_for_all, soonest
from pytest_claims.types import (
    Bound,
    Doubt,
    HypothesisTest,
    Method,
    Note,
    Outcome,
    Procedure,
    Shows,
    Verdict,
)

Pair = tuple[str, str]


def spans(
    arms: Mapping[str, ArrayLike],
    *,
    wide: Sequence[str],
    narrow: Sequence[str],
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Do the means of the arms in `wide` span more than those in `narrow`? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. wide, narrow: names of two or more arms each. margin: of the
    difference of the spans, points, > 0. collapsed: which runs of each arm collapsed, bool [n] by name. alpha,
    resolution: as superiority.

    A span is the highest less the lowest mean. It is not the mean of the spans that single seeds have: these are wide
    where arms are noisy, even if all means are equal. The difference of two spans is

        max over (i, j) in wide, min over (k, l) in narrow of (mean_i - mean_j) - (mean_k - mean_l)

    over ordered pairs. Each contrast in it has the bounds of superiority. L is the largest over (i, j) of the least
    lower bound over (k, l): the least needs no split of alpha (intersection-union), the largest splits it over the
    ordered pairs of `wide` (union-intersection; Roy, Ann. Math. Statist., 1953), since the data chose the pair. U is
    turned round: the least over (k, l) of the largest upper bound over (i, j), alpha being split over the ordered pairs
    of `narrow`. Then the four-way rule. effect is the difference of the spans of the measured means, which noise widens
    a little. p is as in superiority, and chosen as the bounds are: of the pair of one group whose largest p over those
    of the other is least, times the pairs that alpha is split over. Where runs of it collapsed the sign-flip test must
    confirm it, over every pair of the other group.

    Raises ValueError as superiority, and for groups of fewer than two arms or with unknown ones.
    """
    for name, group in (("wide", wide), ("narrow", narrow)):
        if len(set(group)) < 2 or len(set(group)) < len(group) or not set(group) <= set(arms):
            raise ValueError(f"{name} is {list(group)}; needed: two or more different ones of {', '.join(arms)}")
    margin = positive("margin", margin)
    samples = {name: sample(name, values) for name, values in arms.items()}
    n = len(next(iter(samples.values())))
    for name, values in samples.items():
        if len(values) != n:
            raise ValueError(f"{name} has {len(values)} seeds, another arm {n}; arms are paired by seed")
    flags = flagged_by_name(collapsed, arms, n)
    ahead, behind = list(itertools.permutations(wide, 2)), list(itertools.permutations(narrow, 2))
    low_share, high_share = split(alpha, len(ahead)), split(alpha, len(behind))

    def differences(pair: Pair, other: Pair) -> np.ndarray:
        contrast: np.ndarray = samples[pair[0]] - samples[pair[1]] - (samples[other[0]] - samples[other[1]])
        return contrast

    rounding = rounding_of(resolution, 4)
    contrasts = np.array([[differences(pair, other) for other in behind] for pair in ahead])
    lowers, uppers = bounds(contrasts, low_share, rounding)[1], bounds(contrasts, high_share, rounding)[2]
    # L: which pair of `wide` lies surely apart, and which of `narrow` comes closest to it. U: the other way round.
    at = int(lowers.min(axis=1).argmax())
    apart, nearest = ahead[at], behind[int(lowers[at].argmin())]
    at = int(uppers.max(axis=0).argmin())
    farthest, closest = ahead[int(uppers[:, at].argmax())], behind[at]
    low = interval(differences(apart, nearest), low_share, rounding)
    high = interval(differences(farthest, closest), high_share, rounding)
    means = {name: float(values.mean()) for name, values in samples.items()}
    effect = _span(means, wide) - _span(means, narrow)

    fallen = {name for name, flag in flags.items() if flag.any()}
    guarded = np.array([[not fallen.isdisjoint((*pair, *other)) for other in behind] for pair in ahead])
    # p: of the pair that is surest, which does not depend on alpha.
    row, column, over = _surest(contrasts, low_share, rounding, guarded)
    surest, weakest = ahead[row], behind[column]
    row, column, under = _surest(np.swapaxes(margin - contrasts, 0, 1), high_share, rounding, guarded.T)
    largest, least = ahead[column], behind[row]
    p_holds, p_fails = min(1.0, len(ahead) * over), min(1.0, len(behind) * under)
    by_bounds = four_way(low.lower > 0, high.upper < margin)
    direction, small = over <= low_share, under <= high_share
    confirmed = rests_on(by_bounds, direction, small)
    outcome = by_bounds if confirmed else Outcome.INCONCLUSIVE

    def tests(shows: Shows, level: float, pair: Pair, other: Pair, times: int) -> tuple[HypothesisTest, HypothesisTest]:
        turned, threshold = differences(pair, other), 0.0
        if shows == Shows.BELOW_MARGIN:
            turned, threshold = margin - turned, margin
        p = interval(turned, level, rounding).p_above(0.0)
        by_t = HypothesisTest(Method.PAIRED_T, shows, threshold, p, level, (*pair, *other), of=times, times=times)
        return by_t, by_sign_flips(by_t, p_sign_flip(turned, 0.0), n)

    tested: tuple[HypothesisTest, ...] = tests(Shows.EFFECT, low_share, surest, weakest, len(ahead))
    if by_bounds in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        tested += tests(Shows.BELOW_MARGIN, high_share, largest, least, len(behind))
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        # Once the pair stands apart from every pair of the other group, or no pair does by the margin from one of them.
        shown = [interval(differences(apart, pair), low_share, rounding).distance(0.0) for pair in behind]
        none = [-interval(differences(pair, closest), high_share, rounding).distance(margin) for pair in ahead]
        ways = [seeds_for_all(shown, alpha=low_share), seeds_for_all(none, alpha=high_share)]
        settle = more_than(n, soonest(ways), flips=bool(fallen), alpha=low_share)
    notes: tuple[Note, ...] = (counted(list(flags), list(flags.values())),) if fallen else ()
    return Verdict(
        outcome=outcome,
        procedure=Procedure.SPANS,
        effect=effect,
        lower=low.lower,
        upper=high.upper,
        margin=margin,
        p=deciding_p(outcome, p_holds, p_fails),
        n=n,
        by_bounds=by_bounds,
        doubt=None if confirmed else Doubt.UNCONFIRMED,
        p_holds=p_holds,
        p_fails=p_fails,
        holds_by=len(ahead),
        fails_by=len(behind),
        alpha=alpha,
        tests=tested,
        bounds=(
            Bound("lower", low.lower, 0.0, low_share, low.effect, (*apart, *nearest)),
            Bound("upper", high.upper, margin, high_share, high.effect, (*farthest, *closest)),
        ),
        seeds_to_settle=settle,
        # Of the pair that the bound is of, over the other pair that it is of.
        detectable=detectable(low.sd, n, alpha=low_share),
        notes=notes,
    )


def _span(means: Mapping[str, float], group: Sequence[str]) -> float:
    values = [means[name] for name in group]
    return max(values) - min(values)


def _surest(contrasts: np.ndarray, alpha: float, rounding: float, guarded: np.ndarray) -> tuple[int, int, float]:
    """The row whose largest p by t of "at most 0" over columns is least, the column that decides there, and its p.

    contrasts: [rows, columns, n]. guarded: which need sign flips too, whose p counts if it is larger, [rows, columns].
    """

    def p_of(at: np.ndarray) -> float:
        effect, lower, upper, sd, skewness = map(float, at)
        return Interval(effect, lower, upper, sd, skewness, contrasts.shape[-1], widest(alpha)).p_above(0.0)

    p = np.apply_along_axis(p_of, -1, np.stack(bounds(contrasts, alpha, rounding), axis=-1))
    row = int(p.max(axis=1).argmin())
    for column in np.flatnonzero(guarded[row]):
        p[row, column] = max(p[row, column], p_sign_flip(contrasts[row, column], 0.0))
    return row, int(p[row].argmax()), float(p[row].max())
