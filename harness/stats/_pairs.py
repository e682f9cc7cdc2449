"""Two arms: one beats the other, or they are within d points."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.claim import Outcome, Verdict
from harness.stats._collapse import p_collapse_rates, p_sign_flip
from harness.stats._interval import ALPHA, Interval, interval, p_above, p_below, paired, positive
from harness.stats._power import seeds_for, seeds_to_settle


def four_way(direction: bool, small: bool) -> Outcome:
    """The rule of superiority claims. direction: L > 0 is established. small: U < margin is established."""
    if direction:
        return Outcome.TOO_SMALL if small else Outcome.REPRODUCED
    return Outcome.CONTRADICTED if small else Outcome.INCONCLUSIVE


def superiority(
    better: ArrayLike,
    worse: ArrayLike,
    *,
    margin: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    names: tuple[str, str] = ("better", "worse"),
) -> Verdict:
    """Does one arm beat the other, and by an effect of about margin or more?

    better, worse: accuracy in percent [n], paired by seed. margin: smallest effect of interest, > 0. collapsed: which
    runs of each collapsed, bool [n] each. The bounds are Student's on the paired differences. Where a run collapsed
    the differences are skewed and Student's bounds lie (13 % false alarms at n = 10), so there the exact sign-flip
    test must confirm each bound that decides, and the verdict is INCONCLUSIVE if it does not. Raises ValueError for
    NaN, fewer than 3 seeds, unequal lengths, or a margin that is not positive.
    """
    one, two = paired(better, worse, names)
    margin = positive("margin", margin)
    differences = one - two
    at = interval(differences, alpha)
    outcome = four_way(at.lower > 0, at.upper < margin)
    p_t, p_flip = p_above(differences, 0.0), p_sign_flip(differences, 0.0)
    p, rule, notes = p_t, _four_way_words(at, margin), _certainty(at)
    flags = [np.zeros(at.n, bool)] * 2 if collapsed is None else [np.asarray(flag, bool) for flag in collapsed]
    if any(len(flag) != at.n for flag in flags):
        raise ValueError(f"collapsed has {[len(flag) for flag in flags]} seeds; needed: {at.n} for each arm")
    if any(flag.any() for flag in flags):
        p = max(p_t, p_flip)
        notes += (_collapse_words(flags, names),)
        confirmed = _confirmed(outcome, differences, margin, alpha)
        if confirmed != outcome:
            outcome = confirmed
            rule += f"; but runs collapsed, and the sign-flip test does not confirm it: {outcome}"
            if 2.0**-at.n > alpha:
                rule += f" (with {at.n} seeds it cannot reach {alpha:g}; that takes 5)"
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        settle = seeds_to_settle(differences, margin)
        settle = None if settle is None else max(settle, at.n + 1, 5)
    test = f"paired t (one-sided) p = {p_t:.2g}; exact sign-flip p = {p_flip:.2g}; n = {at.n}"
    return Verdict(outcome, at.effect, at.lower, at.upper, margin, p, test, at.n, rule, settle, notes=notes)


def _confirmed(outcome: Outcome, differences: np.ndarray, margin: float, alpha: float) -> Outcome:
    """The verdict after each of Student's bounds that it rests on is held against the sign-flip test."""
    if outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL) and p_sign_flip(differences, 0.0) > alpha:
        return Outcome.INCONCLUSIVE
    if outcome in (Outcome.TOO_SMALL, Outcome.CONTRADICTED) and p_sign_flip(-differences, -margin) > alpha:
        # The claimed size is not excluded after all; what remains is whether the direction holds.
        return Outcome.REPRODUCED if outcome == Outcome.TOO_SMALL else Outcome.INCONCLUSIVE
    return outcome


def equivalence(
    first: ArrayLike,
    second: ArrayLike,
    *,
    within: float,
    alpha: float = ALPHA,
    names: tuple[str, str] = ("first", "second"),
) -> Verdict:
    """Are two arms within `within` points of each other? Two one-sided tests (Schuirmann, 1987), paired by seed.

    REPRODUCED when both one-sided bounds lie inside (-d, d): that is TOST at level alpha. CONTRADICTED when the
    interval lies wholly outside, judged with each bound at alpha / 2, because a difference beyond d may lie on either
    side. Else INCONCLUSIVE. p is TOST's, the larger of its two. Raises ValueError as superiority.
    """
    one, two = paired(first, second, names)
    within = positive("within", within)
    differences = one - two
    at, wide = interval(differences, alpha), interval(differences, alpha / 2)
    p = max(p_above(differences, -within), p_below(differences, within))
    if -within < at.lower and at.upper < within:
        outcome, words = Outcome.REPRODUCED, f"lies inside ±{within:g}: they are equivalent"
    elif wide.lower >= within or wide.upper <= -within:
        outcome, words = Outcome.CONTRADICTED, f"lies wholly outside ±{within:g}: they differ by more"
    else:
        outcome, words = Outcome.INCONCLUSIVE, f"neither lies inside ±{within:g} nor wholly outside it"
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        distance = abs(within - abs(at.effect))
        level = alpha if abs(at.effect) < within else alpha / 2
        settle = seeds_for(distance, at.sd, level)
        settle = None if settle is None else max(settle, at.n + 1)
    return Verdict(
        outcome,
        at.effect,
        at.lower,
        at.upper,
        within,
        p,
        f"paired equivalence (two one-sided t tests) p = {p:.2g}; n = {at.n}",
        at.n,
        f"the interval {at.lower:+.2f} to {at.upper:+.2f} {words}",
        seeds_to_settle=settle,
        notes=_certainty(at),
    )


def _four_way_words(at: Interval, margin: float) -> str:
    low = f"L = {at.lower:+.2f} {'>' if at.lower > 0 else '<='} 0"
    high = f"U = {at.upper:+.2f} {'>=' if at.upper >= margin else '<'} margin {margin:g}"
    meaning = {
        Outcome.REPRODUCED: "the direction holds and the claimed size is not excluded",
        Outcome.TOO_SMALL: "the direction holds, but an effect of the claimed size is excluded",
        Outcome.CONTRADICTED: "the direction is not shown, and an effect of the claimed size is excluded",
        Outcome.INCONCLUSIVE: "neither no effect nor the claimed size is excluded",
    }[four_way(at.lower > 0, at.upper < margin)]
    return f"{low} and {high}: {meaning}"


def _certainty(at: Interval) -> tuple[str, ...]:
    if not at.certain:
        return ()
    return (f"all {at.n} differences are equal, so the interval is a point and p is 0 or 1 by definition",)


def _collapse_words(flags: list[np.ndarray], names: tuple[str, str]) -> str:
    counts = [f"{name} {int(flag.sum())} of {len(flag)}" for name, flag in zip(names, flags, strict=True)]
    p = p_collapse_rates(*flags)
    return (
        f"runs that collapsed to chance: {', '.join(counts)} (exact McNemar test that {names[1]} collapses more "
        f"often, p = {p:.2g})"
    )
