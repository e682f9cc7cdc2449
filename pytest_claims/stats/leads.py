"""One arm ahead of another, or several leads that must all be there (the best of several, a ranking, a crossover)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pytest_claims.stats._words import bounds_words, count, level_words
from pytest_claims.stats.collapses import collapse_words, flagged, flagged_by_name
from pytest_claims.stats.four_way import MEANING, decide
from pytest_claims.stats.interval import ALPHA, certainty, interval, lowest, paired, positive
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
    of each arm collapsed, bool [n] by name. alpha: as superiority. parts: each rival's superiority, at alpha.

    The four-way rule on the smallest of the leads, see all_lead. Raises ValueError as superiority, and for a best that
    is no arm or has no rival.
    """
    rivals = [name for name in arms if name != best]
    if best not in arms or not rivals:
        raise ValueError(f"best is {best!r}; needed: one of at least two arms, which are: {', '.join(arms)}")
    return all_lead(arms, [(best, rival) for rival in rivals], margin=margin, collapsed=collapsed, alpha=alpha)


def ranking(
    arms: Mapping[str, ArrayLike],
    *,
    order: Sequence[str],
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Do the arms rank as in order, the best first? (Decision rules: docs/verdicts.md.)

    arms, collapsed, alpha: as best_of. order: names of two or more arms. margin: of each arm over the next, points,
    > 0. parts: each step's superiority, at alpha.

    The four-way rule on the smallest of the steps, see all_lead; arms that are in order at every step are so over all.
    Raises ValueError as superiority, and for an order that names fewer than two arms, one twice or one unknown.
    """
    if len(order) < 2 or len(set(order)) < len(order) or not set(order) <= set(arms):
        raise ValueError(f"order is {list(order)}; needed: two or more different ones of {', '.join(arms)}")
    return all_lead(arms, list(itertools.pairwise(order)), margin=margin, collapsed=collapsed, alpha=alpha)


def crossover(
    arms: Mapping[str, ArrayLike],
    *,
    first: tuple[str, str],
    second: tuple[str, str],
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """Do two networks do best at different settings: the interaction behind "B needs a lower learning rate than A"?

    arms, collapsed, alpha: as best_of. first, second: for each network its arm at its own best setting and its arm at
    the other's best setting. These must have been chosen on other seeds: a maximum picked among the same runs is ahead
    by its own luck. margin: of each network at its own setting over itself at the other's, points, > 0.

    A qualitative (crossover) interaction in the sense of Gail & Simon (Biometrics, 1985), here with both leads required
    by name: the four-way rule on the smaller one, see all_lead. Raises ValueError as superiority and for unknown arms.
    """
    unknown = [name for name in (*first, *second) if name not in arms]
    if unknown:
        raise ValueError(f"unknown arms {unknown}; there are: {', '.join(arms)}")
    return all_lead(arms, [first, second], margin=margin, collapsed=collapsed, alpha=alpha)


def all_lead(
    arms: Mapping[str, ArrayLike],
    leads: Sequence[tuple[str, str]],
    *,
    margin: float,
    collapsed: Mapping[str, ArrayLike] | None,
    alpha: float,
) -> Verdict:
    """Is in each of the leads (ahead, behind) the first arm ahead of the second?

    The four-way rule on the smallest lead. Its L is the least of the lower bounds, each at alpha (intersection-union;
    Berger, Technometrics, 1982: a false REPRODUCED needs a false lead where there is none, so alpha is not split). Its
    U is the least of the upper bounds, each at alpha / leads, because any of them may refute the claim by chance.
    effect, lower, upper are of that smallest lead. parts: each lead's superiority, at alpha. p is of what the verdict
    rests on, as in superiority: the largest over leads for "no effect", the smallest times their number for the size.
    """
    margin = positive("margin", margin)
    samples = [paired(arms[ahead], arms[behind], (ahead, behind)) for ahead, behind in leads]
    by_name = flagged_by_name(collapsed, arms, len(samples[0][0]))
    contrasts, parts = [], []
    for names, (one, two) in zip(leads, samples, strict=True):
        flags = by_name[names[0]], by_name[names[1]]
        contrasts.append((one - two, any(bool(flag.any()) for flag in flags)))
        parts.append(
            (" over ".join(names), superiority(one, two, margin=margin, collapsed=flags, alpha=alpha, names=names))
        )
    found = decide(contrasts, contrasts, margin, alpha)
    effect, lower, upper = (
        float(value) for value in lowest(np.stack([differences for differences, _ in contrasts]), alpha)
    )
    weakest = min(parts, key=lambda part: part[1].lower)[0]
    split = alpha / len(leads)
    smallest = parts[min(range(len(leads)), key=lambda at: interval(contrasts[at][0], split).upper)][0]
    every = count(len(leads), "lead")
    meaning = {
        Outcome.REPRODUCED: "each lead is shown, and the claimed size is excluded of none",
        Outcome.TOO_SMALL: f"each lead is shown, but the claimed size of {smallest} is excluded",
        Outcome.CONTRADICTED: f"{weakest} is not shown, and the claimed size of {smallest} is excluded",
        Outcome.INCONCLUSIVE: f"{weakest} is not shown, and the claimed size is excluded of none",
    }[found.by_t]
    rule = (
        f"of {every} the least {bounds_words(lower, upper, margin)} (L of {weakest}, a {level_words(alpha)} bound; "
        f"U of {smallest}, a {level_words(split)} bound): {meaning}{found.doubt}"
    )
    test = f"the largest p of {every}, {found.no_effect.words}"
    if found.by_t in (Outcome.TOO_SMALL, Outcome.CONTRADICTED):
        test += (
            f"; against an effect of {margin:g} or more in every one, the smallest p (to be multiplied by "
            f"{len(leads)}), {found.size.words}"
        )
    n = len(contrasts[0][0])
    return Verdict(
        **found.evidence,
        effect=effect,
        lower=lower,
        upper=upper,
        margin=margin,
        test=f"{test}; n = {n}",
        n=n,
        rule=rule,
        parts=tuple(parts),
        notes=tuple(f"{name}: {note}" for name, part in parts for note in part.notes),
    )
