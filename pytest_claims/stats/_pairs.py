"""Two arms: one beats the other, or they are within d points of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytest_claims.stats._collapse import (
    AT_CHANCE,
    UNCONFIRMED,
    collapse_words,
    counts_words,
    flagged,
    p_sign_flip,
)
from pytest_claims.stats._four_way import MEANING, decide
from pytest_claims.stats._interval import ALPHA, Interval, certainty, interval, paired, positive
from pytest_claims.stats._power import detectable, more_than, seeds_for
from pytest_claims.stats._words import level_words, p_words, points
from pytest_claims.types import Outcome, Verdict


def superiority(
    better: ArrayLike,
    worse: ArrayLike,
    *,
    margin: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    names: tuple[str, str] = ("better", "worse"),
) -> Verdict:
    """Does one arm beat the other, and is an effect of margin not excluded? (Decision rules: docs/verdicts.md.)

    better, worse: accuracy in percent [n], paired by seed. margin: smallest effect of interest, points, > 0.
    collapsed: which runs of each arm collapsed, bool [n] each. alpha: level of each one-sided bound (a sequential look
    passes its nominal level). names: of the arms, for texts.

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
    flags = flagged(collapsed, names, len(one))
    guarded = any(bool(flag.any()) for flag in flags)
    differences = one - two
    at = interval(differences, alpha)
    found = decide([(differences, guarded)], [(differences, guarded)], margin, alpha)
    test = found.no_effect.words
    if found.by_t in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        test += f"; against an effect of {margin:g} or more, {found.size.words}"
    return Verdict(
        **found.evidence,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        test=f"{test}; n = {at.n}",
        n=at.n,
        rule=f"{bounds_words(at.lower, at.upper, margin)}: {MEANING[found.by_t]}{found.doubt}",
        notes=certainty(at) + ((collapse_words(*flags, names),) if guarded else ()),
    )


def equivalence(
    a: ArrayLike,
    b: ArrayLike,
    *,
    within: float,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    alpha: float = ALPHA,
    names: tuple[str, str] = ("a", "b"),
) -> Verdict:
    """Are two arms within `within` points of each other? (Decision rules: docs/verdicts.md.)

    a, b: accuracy in percent [n], paired by seed. within: d, points, > 0. collapsed, alpha, names: as superiority.

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
    differences = one - two
    at, wide = interval(differences, alpha), interval(differences, alpha / 2)
    p_inside, p_beyond = p_equivalent(at, within), p_outside(at, within)
    if guarded:
        p_inside, p_beyond = 1.0, max(p_beyond, p_flipped_outside(differences, within))
    p, test = p_inside, f"paired equivalence (two one-sided t tests, skew-corrected) {p_words(p_inside)}"
    shown = f"the interval {points(at.lower, -within)} to {points(at.upper, within)}"
    outcome, settle = Outcome.INCONCLUSIVE, None
    if inside(at, within):
        outcome = Outcome.INCONCLUSIVE if guarded else Outcome.REPRODUCED
        rule = f"{shown} lies inside ±{within:g}: a difference of {within:g} or more is excluded"
        rule += AT_CHANCE if guarded else ""
    elif outside(wide, within):
        outcome = Outcome.CONTRADICTED if p_beyond <= alpha else Outcome.INCONCLUSIVE
        p = p_beyond
        test += f"; that they differ by less than {within:g} (two-sided) {p_words(p_beyond)}"
        rule = (
            f"the {level_words(alpha)} interval {points(wide.lower, within)} to {points(wide.upper, -within)} lies "
            f"wholly outside ±{within:g}: a difference below {within:g} is excluded"
        )
        rule += "" if p_beyond <= alpha else UNCONFIRMED
    else:
        rule = f"{shown} is neither inside ±{within:g} nor established to lie wholly outside it"
    if outcome == Outcome.INCONCLUSIVE:
        # Beside a collapse no number of seeds shows equality.
        settle = None if guarded else seeds_inside(at, within, alpha)
        settle = more_than(at.n, settle or seeds_outside(at, within, alpha), flips=guarded, alpha=alpha / 2)
    return Verdict(
        outcome=outcome,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=within,
        p=p,
        test=f"{test}; n = {at.n}",
        n=at.n,
        rule=rule,
        p_holds=p_inside,
        p_fails=p_beyond,
        alpha=alpha,
        seeds_to_settle=settle,
        detectable=detectable_limit(at, alpha),
        notes=certainty(at) + ((counts_words(names, flags),) if guarded else ()),
    )


def bounds_words(lower: float, upper: float, margin: float) -> str:
    """ "L = +3.10 > 0 and U = +5.20 >= margin 2"."""
    low = f"L = {points(lower, 0)} {'>' if lower > 0 else '<='} 0"
    return f"{low} and U = {points(upper, margin)} {'>=' if upper >= margin else '<'} margin {margin:g}"


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
    return seeds_for(abs(at.effect) - within, sd=at.sd, alpha=alpha / 2)
