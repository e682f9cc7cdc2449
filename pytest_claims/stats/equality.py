"""Arms that are within a limit of each other: two of them, or every pair of several."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from pytest_claims.stats.collapses import (
    by_sign_flips,
    counted,
    flagged,
    flagged_by_name,
    p_sign_flip,
)
from pytest_claims.stats.interval import Interval, certainty, interval, paired, positive, rounding_of
from pytest_claims.stats.looks import ALPHA, split
from pytest_claims.stats.power import detectable, more_than, seeds_for, seeds_for_all, soonest
from pytest_claims.types import Bound, Comparison, Doubt, HypothesisTest, Method, Outcome, Procedure, Shows, Verdict


def equivalence(
    a: ArrayLike,
    b: ArrayLike,
    *,
    within: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
    names: tuple[str, str] = ("a", "b"),
) -> Verdict:
    """Are two arms within `within` points of each other? (Decision rules: docs/verdicts.md.)

    a, b: accuracy in percent [n], paired by seed. within: d, points, > 0. collapsed, alpha, resolution, names: as
    superiority.

    REPRODUCED when both one-sided bounds at alpha lie inside (-d, d): two one-sided tests at level alpha (TOST;
    Schuirmann, J. Pharmacokin. Biopharm., 1987). CONTRADICTED when the interval with bounds at alpha / 2 (two-sided
    95 %) lies wholly outside: the difference may lie beyond d on either side, so bounds at alpha would be wrong up to
    2 alpha of the time for a d small beside the standard error. Else INCONCLUSIVE. p is TOST's, the larger of its two;
    for CONTRADICTED that of the two-sided test of "within d". Where a run collapsed it is never REPRODUCED, since
    networks that learned nothing are equal whatever was done to them, and CONTRADICTED needs the sign-flip test's
    confirmation. Raises ValueError as superiority.
    """
    one, two = paired(a, b, names)
    within = positive("within", within)
    flags = flagged(collapsed, names, len(one))
    guarded = any(bool(flag.any()) for flag in flags)
    differences, rounding = one - two, rounding_of(resolution, 2)
    at, wide = interval(differences, alpha, rounding), interval(differences, split(alpha, 2), rounding)
    p_inside = 1.0 if guarded else p_equivalent(at, within)
    beyond = _tests_beyond(at, differences, within, guarded, names, 2 * split(alpha, 2))
    p_beyond = max(test.p for test in beyond)
    tests: tuple[HypothesisTest, ...] = (_test_within(p_inside, within, alpha, names),)
    bounds = _bounds(at, names, alpha, (-within, within))
    p, doubt, settle = p_inside, None, None
    if inside(at, within):
        by_bounds = Outcome.REPRODUCED
        doubt = Doubt.AT_CHANCE if guarded else None
    elif outside(wide, within):
        by_bounds = Outcome.CONTRADICTED
        doubt = Doubt.UNCONFIRMED if p_beyond > 2 * split(alpha, 2) else None
        p, tests, bounds = p_beyond, (*tests, *beyond), _bounds(wide, names, split(alpha, 2), (within, -within))
    else:
        by_bounds = Outcome.INCONCLUSIVE
    outcome = Outcome.INCONCLUSIVE if doubt else by_bounds
    if outcome == Outcome.INCONCLUSIVE:
        # Beside a collapse no number of seeds shows equality.
        settle = None if guarded else seeds_inside(at, within, alpha)
        settle = more_than(at.n, settle or seeds_outside(at, within, alpha), flips=guarded, alpha=split(alpha, 2))
    return Verdict(
        outcome=outcome,
        procedure=Procedure.EQUIVALENCE,
        comparison=names,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=within,
        p=p,
        n=at.n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_inside,
        p_fails=p_beyond,
        fails_by=2,
        alpha=alpha,
        tests=tests,
        bounds=bounds,
        seeds_to_settle=settle,
        detectable=detectable_limit(at, alpha),
        notes=certainty(at) + ((counted(names, flags),) if guarded else ()),
    )


def some_difference(
    arms: Mapping[str, ArrayLike],
    *,
    beyond: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Do any two arms differ by more than `beyond` points? no_difference, turned over; it errs where that one does."""
    found = no_difference(arms, within=beyond, collapsed=collapsed, alpha=alpha, resolution=resolution)
    turned = {Outcome.REPRODUCED: Outcome.CONTRADICTED, Outcome.CONTRADICTED: Outcome.REPRODUCED}
    return dataclasses.replace(
        found,
        outcome=turned.get(found.outcome, found.outcome),
        procedure=Procedure.SOME_DIFFERENCE,
        by_bounds=turned.get(found.by_bounds, found.by_bounds),
        p=found.p_fails if found.outcome == Outcome.INCONCLUSIVE else found.p,
        p_holds=found.p_fails,
        p_fails=found.p_holds,
        holds_by=found.fails_by,
        fails_by=found.holds_by,
    )


def no_difference(
    arms: Mapping[str, ArrayLike],
    *,
    within: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
    resolution: float = 0.0,
) -> Verdict:
    """Is every pair of arms within `within` points of each other? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. within: d, points, > 0. collapsed: which runs of each arm
    collapsed, bool [n] by name. alpha, resolution: as superiority.

    REPRODUCED when every pair is equivalent at alpha (intersection-union, without a split of it). CONTRADICTED when
    some pair lies wholly outside, each judged at alpha / pairs (Bonferroni, which for "at least one" is also Holm's
    first step), because any of them may do so by chance. Else INCONCLUSIVE. effect, lower, upper are those of the
    widest pair, whose interval reaches farthest from 0; where CONTRADICTED, of the pair that does it, with the bounds
    that do. A pair chosen so is no longer covered at the level of its interval. parts: each pair's equivalence, at
    alpha. p is the largest TOST p, or where CONTRADICTED the smallest p times the pairs. Collapsed runs count as in
    equivalence.

    Raises ValueError as equivalence, and for fewer than two arms.
    """
    pairs = list(itertools.combinations(arms, 2))
    if not pairs:
        raise ValueError(f"arms are {list(arms)}; needed: at least two")
    within = positive("within", within)
    samples = [paired(arms[first], arms[second], (first, second)) for first, second in pairs]
    flags = flagged_by_name(collapsed, arms, len(samples[0][0]))
    guarded = [bool(flags[first].any() or flags[second].any()) for first, second in pairs]
    parts = tuple(
        equivalence(
            *two,
            within=within,
            collapsed=(flags[pair[0]], flags[pair[1]]),
            alpha=alpha,
            resolution=resolution,
            names=pair,
        )
        for two, pair in zip(samples, pairs, strict=True)
    )
    differences, rounding = [one - two for one, two in samples], rounding_of(resolution, 2)
    plain = [interval(difference, alpha, rounding) for difference in differences]
    # The bounds that may contradict: split over the pairs, and over the two sides as in equivalence.
    share, side = split(alpha, len(pairs)), split(alpha, 2 * len(pairs))
    wide = [interval(difference, side, rounding) for difference in differences]

    reach = [max(-at.lower, at.upper) for at in plain]
    shown, doubt, settle = reach.index(max(reach)), None, None
    p_holds = p = 1.0 if any(guarded) else max(p_equivalent(at, within) for at in plain)
    beyond = [part.p_fails for part in parts]
    p_fails = min(1.0, min(beyond) * len(pairs))
    tests: tuple[HypothesisTest, ...] = (_test_within(p_holds, within, alpha, of=len(pairs)),)
    bounds = _bounds(plain[shown], pairs[shown], alpha, (-within, within))
    apart = [i for i, at in enumerate(wide) if outside(at, within)]
    shows = [i for i in apart if beyond[i] <= 2 * side]
    if all(inside(at, within) for at in plain):
        by_bounds = Outcome.REPRODUCED
        doubt = Doubt.AT_CHANCE if any(guarded) else None
    elif apart:
        by_bounds = Outcome.CONTRADICTED
        doubt = None if shows else Doubt.UNCONFIRMED
        shown, surest = min(shows or apart, key=lambda i: beyond[i]), beyond.index(min(beyond))
        p = p_fails
        judged = plain[surest], differences[surest], within, guarded[surest]
        tests += _tests_beyond(*judged, pairs[surest], 2 * side, times=len(pairs))
        bounds = _bounds(wide[shown], pairs[shown], side, (within, -within))
    else:
        by_bounds = Outcome.INCONCLUSIVE
    outcome = Outcome.INCONCLUSIVE if doubt else by_bounds
    if outcome == Outcome.INCONCLUSIVE:
        if all(abs(at.effect) < within for at in plain):
            # Beside a collapse no number of seeds shows equality.
            distances = [-at.distance(within) for at in plain] + [at.distance(-within) for at in plain]
            found = None if any(guarded) else seeds_for_all(distances, alpha=alpha)
        else:
            found = soonest(seeds_outside(at, within, share) for at in plain)
        settle = more_than(plain[shown].n, found, flips=any(guarded), alpha=side)
    displayed = wide[shown] if outcome == Outcome.CONTRADICTED else plain[shown]
    return Verdict(
        outcome=outcome,
        procedure=Procedure.NO_DIFFERENCE,
        effect=displayed.effect,
        lower=displayed.lower,
        upper=displayed.upper,
        margin=within,
        p=p,
        n=displayed.n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=2 * len(pairs),
        alpha=alpha,
        tests=tests,
        bounds=bounds,
        seeds_to_settle=settle,
        detectable=max(detectable_limit(at, alpha, len(pairs)) for at in plain),
        parts=parts,
    )


def _bounds(at: Interval, comparison: Comparison, alpha: float, thresholds: tuple[float, float]) -> tuple[Bound, Bound]:
    """Both bounds, each at alpha, against the thresholds of the lower and the upper one."""
    low, high = thresholds
    return (
        Bound("lower", at.lower, low, alpha, at.effect, comparison),
        Bound("upper", at.upper, high, alpha, at.effect, comparison),
    )


def _test_within(p: float, within: float, level: float, comparison: Comparison = (), of: int = 1) -> HypothesisTest:
    return HypothesisTest(Method.TOST, Shows.WITHIN, within, p, level, comparison, of=of)


def _tests_beyond(
    at: Interval,
    differences: np.ndarray,
    within: float,
    guarded: bool,
    comparison: Comparison,
    level: float,
    times: int = 1,
) -> tuple[HypothesisTest, ...]:
    """The two-sided tests of "they differ by less than within"; beside a collapse also by sign flips."""
    p = p_outside(at, within)
    by_t = HypothesisTest(
        Method.PAIRED_T, Shows.BEYOND, within, p, level, comparison, two_sided=True, of=times, times=times
    )
    if not guarded:
        return (by_t,)
    return by_t, by_sign_flips(by_t, p_flipped_outside(differences, within), len(differences))


def inside(at: Interval, within: float) -> bool:
    """Both bounds lie inside (-within, within)."""
    return -within < at.lower and at.upper < within


def outside(wide: Interval, within: float) -> bool:
    """Both bounds lie on one side of (-within, within)."""
    return wide.lower >= within or wide.upper <= -within


def p_equivalent(at: Interval, within: float) -> float:
    """TOST's p; 0 or 1 where all differences are equal."""
    return max(at.p_above(-within), at.p_below(within))


def p_outside(at: Interval, within: float) -> float:
    """p of "they differ by less than within", over both sides; 0 or 1 where all differences are equal."""
    if at.certain:
        return 0.0 if outside(at, within) else 1.0
    return min(1.0, 2 * min(at.p_above(within), at.p_below(-within)))


def p_flipped_outside(differences: np.ndarray, within: float) -> float:
    """p_outside by the sign-flip test."""
    return min(1.0, 2 * min(p_sign_flip(differences, within), p_sign_flip(-differences, within)))


def seeds_inside(at: Interval, within: float, alpha: float) -> int | None:
    """Seeds at which TOST would find equivalence with power .80; None where the effect is not inside."""
    return seeds_for(within - at.effect, within + at.effect, sd=at.sd, alpha=alpha)


def detectable_limit(at: Interval, alpha: float, pairs: int = 1) -> float:
    """The narrowest limit within which these seeds would show equal arms to be, all pairs with power .80, points."""
    return detectable(at.sd, at.n, parts=2 * pairs, alpha=alpha)


def seeds_outside(at: Interval, within: float, alpha: float) -> int | None:
    """Seeds at which a difference beyond `within` would be found with power .80; None where the effect is inside."""
    return seeds_for(abs(at.effect) - within, sd=at.sd, alpha=split(alpha, 2))
