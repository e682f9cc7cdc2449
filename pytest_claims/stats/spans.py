"""Whether the means of one group of arms lie closer together than those of another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pytest_claims.stats.collapses import by_sign_flips, counted, flagged_by_name, p_sign_flip
from pytest_claims.stats.four_way import four_way
from pytest_claims.stats.interval import bounds, interval, positive, rounding_of, sample
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.stats.power import detectable, more_than, seeds_for
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
    a little. p is as in superiority, times the pairs that it is split over. Beside collapsed runs the sign-flip test
    must confirm the bound, over every pair of the other group.

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

    def guarded(pair: Pair, other: Pair) -> bool:
        return any(bool(flags[name].any()) for name in (*pair, *other))

    rounding = rounding_of(resolution, 4)
    contrasts = np.array([[differences(pair, other) for other in behind] for pair in ahead])
    lowers, uppers = bounds(contrasts, low_share, rounding)[1], bounds(contrasts, high_share, rounding)[2]
    # L: which pair of `wide` lies surely apart, and which of `narrow` comes closest to it. U: the other way round.
    at = int(lowers.min(axis=1).argmax())
    widest, nearest = ahead[at], behind[int(lowers[at].argmin())]
    at = int(uppers.max(axis=0).argmin())
    farthest, closest = ahead[int(uppers[:, at].argmax())], behind[at]
    low = interval(differences(widest, nearest), low_share, rounding)
    high = interval(differences(farthest, closest), high_share, rounding)
    means = {name: float(values.mean()) for name, values in samples.items()}
    effect = _span(means, wide) - _span(means, narrow)

    over = {b: _exclusion(differences(widest, b), rounding, low_share, guarded(widest, b)) for b in behind}
    under = {a: _exclusion(margin - differences(a, closest), rounding, high_share, guarded(a, closest)) for a in ahead}
    weakest, largest = max(over, key=lambda b: max(over[b])), max(under, key=lambda a: max(under[a]))
    p_holds, p_fails = min(1.0, len(ahead) * max(over[weakest])), min(1.0, len(behind) * max(under[largest]))
    by_bounds = four_way(low.lower > 0, high.upper < margin)
    direction, small = max(over[weakest]) <= low_share, max(under[largest]) <= high_share
    confirmed = {
        Outcome.REPRODUCED: direction,
        Outcome.TOO_SMALL: direction and small,
        Outcome.CONTRADICTED: small,
        Outcome.INCONCLUSIVE: True,
    }[by_bounds]
    outcome = by_bounds if confirmed else Outcome.INCONCLUSIVE

    def tests(
        shows: Shows, threshold: float, p: float, level: float, pair: Pair, other: Pair, times: int
    ) -> tuple[HypothesisTest, HypothesisTest]:
        by_t = HypothesisTest(Method.PAIRED_T, shows, threshold, p, level, (*pair, *other), of=times, times=times)
        turned = differences(pair, other) if shows == Shows.EFFECT else margin - differences(pair, other)
        return by_t, by_sign_flips(by_t, p_sign_flip(turned, 0.0), n)

    tested: tuple[HypothesisTest, ...] = tests(
        Shows.EFFECT, 0.0, over[weakest][0], low_share, widest, weakest, len(ahead)
    )
    if by_bounds in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        p = under[largest][0]
        tested += tests(Shows.BELOW_MARGIN, margin, p, high_share, largest, closest, len(behind))
    settle = None
    any_guarded = any(bool(flag.any()) for flag in flags.values())
    if outcome == Outcome.INCONCLUSIVE:
        ways = [seeds_for(low.effect, sd=low.sd, alpha=low_share)]
        ways.append(seeds_for(margin - high.effect, sd=high.sd, alpha=high_share))
        settle = more_than(n, min((way for way in ways if way), default=None), flips=any_guarded, alpha=low_share)
    notes: tuple[Note, ...] = (counted(list(flags), list(flags.values())),) if any_guarded else ()
    return Verdict(
        outcome=outcome,
        procedure=Procedure.SPANS,
        effect=effect,
        lower=low.lower,
        upper=high.upper,
        margin=margin,
        p={Outcome.CONTRADICTED: p_fails, Outcome.TOO_SMALL: max(p_holds, p_fails)}.get(outcome, p_holds),
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
            Bound("lower", low.lower, 0.0, low_share, low.effect, (*widest, *nearest)),
            Bound("upper", high.upper, margin, high_share, high.effect, (*farthest, *closest)),
        ),
        seeds_to_settle=settle,
        # The pair that the bound is of, found apart over every pair of the other group: the misses are shared.
        detectable=detectable(low.sd, n, parts=len(behind), alpha=low_share),
        notes=notes,
    )


def _span(means: Mapping[str, float], group: Sequence[str]) -> float:
    values = [means[name] for name in group]
    return max(values) - min(values)


def _exclusion(differences: np.ndarray, rounding: float, level: float, guarded: bool) -> tuple[float, float]:
    """p of "the mean is at most 0" by t and by sign flips; of the flips 0 where they need not confirm."""
    return interval(differences, level, rounding).p_above(0.0), p_sign_flip(differences, 0.0) if guarded else 0.0
