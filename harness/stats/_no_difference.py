"""Several arms, no two of which differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from numpy.typing import ArrayLike

from harness.claim import Outcome, Verdict
from harness.stats._interval import ALPHA, interval, paired, positive
from harness.stats._pairs import (
    detectable_limit,
    equivalence,
    inside,
    outside,
    p_equivalent,
    p_outside,
    seeds_inside,
    seeds_outside,
)
from harness.stats._power import all_settled, more_than, soonest
from harness.stats._words import count, level_words, p_words, points


def no_difference(arms: Mapping[str, ArrayLike], *, within: float, alpha: float = ALPHA) -> Verdict:
    """Is every pair of arms within `within` points of each other? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. within: d, points, > 0. alpha: as superiority.

    REPRODUCED when every pair is equivalent at alpha (intersection-union, without a split of it). CONTRADICTED when
    some pair lies wholly outside, each judged at alpha / pairs (Bonferroni, which for "at least one" is also Holm's
    first step), because any of them may do so by chance. Else INCONCLUSIVE. effect, lower, upper are those of the
    widest pair, whose interval reaches farthest from 0; where CONTRADICTED, of the pair that does it. parts: each
    pair's equivalence, at alpha. p is the largest TOST p, or where CONTRADICTED the smallest p times the pairs.

    Raises ValueError as equivalence, and for fewer than two arms.
    """
    pairs = list(itertools.combinations(arms, 2))
    if not pairs:
        raise ValueError(f"arms are {list(arms)}; needed: at least two")
    within = positive("within", within)
    names = [" − ".join(pair) for pair in pairs]
    samples = [paired(arms[first], arms[second], (first, second)) for first, second in pairs]
    parts = tuple(
        (name, equivalence(*two, within=within, alpha=alpha, names=pair))
        for name, two, pair in zip(names, samples, pairs, strict=True)
    )
    differences = [one - two for one, two in samples]
    plain = [interval(difference, alpha) for difference in differences]
    # The bounds that may contradict: split over the pairs, and over the two sides as in equivalence.
    wide = [interval(difference, alpha / len(pairs) / 2) for difference in differences]

    reach = [max(-at.lower, at.upper) for at in plain]
    shown, settle = reach.index(max(reach)), None
    p_holds = p = max(p_equivalent(at, within) for at in plain)
    p_fails = min(1.0, min(p_outside(at, within) for at in plain) * len(pairs))
    test = f"the largest p of {count(len(pairs), 'pair')}, paired equivalence (two one-sided t tests) {p_words(p)}"
    if all(inside(at, within) for at in plain):
        outcome = Outcome.REPRODUCED
        rule = (
            f"{count(len(pairs), 'pair')}, each inside ±{within:g}; the widest, {names[shown]}: {parts[shown][1].rule}"
        )
    elif any(outside(at, within) for at in wide):
        outcome = Outcome.CONTRADICTED
        beyond = [p_outside(at, within) for at in plain]
        shown = min((i for i, at in enumerate(wide) if outside(at, within)), key=lambda i: beyond[i])
        p = p_fails
        test += (
            f"; that {names[shown]} is less than {within:g} (two-sided, times {count(len(pairs), 'pair')}) {p_words(p)}"
        )
        rule = (
            f"{names[shown]}: the {level_words(alpha / len(pairs))} interval (split over {count(len(pairs), 'pair')}) "
            f"{points(wide[shown].lower, within)} to {points(wide[shown].upper, -within)} lies wholly outside "
            f"±{within:g}"
        )
    else:
        outcome = Outcome.INCONCLUSIVE
        rule = (
            f"of {count(len(pairs), 'pair')}, not each is shown to lie inside ±{within:g}, and none wholly outside; "
            f"the widest, {names[shown]}: the interval {points(plain[shown].lower, -within)} to "
            f"{points(plain[shown].upper, within)}"
        )
        if all(abs(at.effect) < within for at in plain):
            found = all_settled(seeds_inside(at, within, alpha) for at in plain if not inside(at, within))
        else:
            found = soonest(seeds_outside(at, within, alpha / len(pairs)) for at in plain)
        settle = more_than(plain[shown].n, found)
    return Verdict(
        outcome=outcome,
        effect=plain[shown].effect,
        lower=plain[shown].lower,
        upper=plain[shown].upper,
        margin=within,
        p=p,
        test=f"{test}; n = {plain[shown].n}",
        n=plain[shown].n,
        rule=rule,
        p_holds=p_holds,
        p_fails=p_fails,
        alpha=alpha,
        seeds_to_settle=settle,
        detectable=max(detectable_limit(at, alpha) for at in plain),
        parts=parts,
        notes=tuple(f"{name}: {note}" for name, part in parts for note in part.notes),
    )
