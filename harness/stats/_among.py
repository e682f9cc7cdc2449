"""Several arms: one is the best of them, or no two of them differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from harness.claim import Outcome, Verdict
from harness.stats._collapse import flagged
from harness.stats._four_way import decide
from harness.stats._interval import ALPHA, interval, lowest, paired, positive
from harness.stats._pairs import (
    bounds_words,
    equivalence,
    inside,
    outside,
    p_equivalent,
    p_outside,
    seeds_inside,
    seeds_outside,
    superiority,
)
from harness.stats._power import all_settled, more_than, soonest
from harness.stats._words import count, level_words, p_words, points


def best_of(
    arms: Mapping[str, ArrayLike],
    *,
    best: str,
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Does the arm `best` beat each of the others? (Decision rules: docs/verdicts.md.)

    arms: accuracy in percent [n] by name, paired by seed. margin: over every rival, points, > 0. collapsed: which runs
    of each arm collapsed, bool [n] by name. alpha: as superiority.

    The four-way rule on the smallest of the differences to the rivals. Its L is the least of the rivals' lower bounds,
    each at alpha (intersection-union; Berger, Technometrics, 1982: a false REPRODUCED needs a false win over a rival
    that is truly as good, so alpha is not split). Its U is the least of their upper bounds, each at alpha / rivals,
    because any rival may refute the claim by chance. effect, lower, upper are of that smallest difference. parts: each
    rival's superiority, at alpha. p is of what the verdict rests on, as in superiority, the largest over rivals for
    "no effect" and the smallest times their number for the size.

    Raises ValueError as superiority, and for a best that is no arm or has no rival.
    """
    rivals = [name for name in arms if name != best]
    if best not in arms or not rivals:
        raise ValueError(f"best is {best!r}; needed: one of at least two arms, which are: {', '.join(arms)}")
    margin = positive("margin", margin)
    if collapsed is not None and set(collapsed) != set(arms):
        raise ValueError(f"collapsed has {', '.join(collapsed)}; needed: flags for every arm: {', '.join(arms)}")
    contrasts, parts = [], []
    for rival in rivals:
        names = (best, rival)
        one, two = paired(arms[best], arms[rival], names)
        given = None if collapsed is None else (collapsed[best], collapsed[rival])
        flags = flagged(given, names, len(one))
        contrasts.append((one - two, any(bool(flag.any()) for flag in flags)))
        parts.append((rival, superiority(one, two, margin=margin, collapsed=flags, alpha=alpha, names=names)))
    found = decide(contrasts, contrasts, margin, alpha)
    effect, lower, upper = (
        float(value) for value in lowest(np.stack([differences for differences, _ in contrasts]), alpha)
    )
    weakest = min(parts, key=lambda part: part[1].lower)[0]
    split = alpha / len(rivals)
    smallest = min(rivals, key=lambda rival: interval(contrasts[rivals.index(rival)][0], split).upper)
    meaning = {
        Outcome.REPRODUCED: "it beats every rival, and the claimed size is excluded over none",
        Outcome.TOO_SMALL: f"it beats every rival, but {smallest} by less than the claimed size",
        Outcome.CONTRADICTED: f"that it beats {weakest} is not shown, and over {smallest} the claimed size is excluded",
        Outcome.INCONCLUSIVE: f"that it beats {weakest} is not shown, and the claimed size is excluded over no rival",
    }[found.by_t]
    words = bounds_words(lower, upper, margin)
    rule = (
        f"over {count(len(rivals), 'rival')}, the least {words} (L against {weakest}, a {level_words(alpha)} bound; U "
        f"against {smallest}, a {level_words(split)} bound): {meaning}{found.doubt}"
    )
    test = f"the largest p of {count(len(rivals), 'rival')}, {found.no_effect.words}"
    if found.by_t in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        test += (
            f"; against an effect of {margin:g} or more over every rival, the smallest p (to be multiplied by "
            f"{len(rivals)}), {found.size.words}"
        )
    n = len(contrasts[0][0])
    return Verdict(
        outcome=found.outcome,
        effect=effect,
        lower=lower,
        upper=upper,
        margin=margin,
        p=found.p,
        test=f"{test}; n = {n}",
        n=n,
        rule=rule,
        seeds_to_settle=found.seeds_to_settle,
        parts=tuple(parts),
        notes=tuple(f"{name}: {note}" for name, part in parts for note in part.notes),
    )


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
    p = max(p_equivalent(difference, at, within) for difference, at in zip(differences, plain, strict=True))
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
        p = min(1.0, beyond[shown] * len(pairs))
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
        seeds_to_settle=settle,
        parts=parts,
        notes=tuple(f"{name}: {note}" for name, part in parts for note in part.notes),
    )
