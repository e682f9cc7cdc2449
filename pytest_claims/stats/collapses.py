"""Runs that collapse to chance or diverge: found, counted, and tested exactly."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_claims.stats.power import fewest_for_flips
from pytest_claims.types import Collapses, Doubt, HypothesisTest, Method, MoreCollapses, Outcome, Verdict

# Up to here all 2^n sign patterns are counted; above, a fixed random sample of them is drawn.
MOST_EXACT = 30
DRAWN_PATTERNS = 9_999


def collapse(accuracy: ArrayLike, *, chance: float, test_images: int, diverged: ArrayLike) -> np.ndarray:
    """Which runs learned nothing that a test can see, bool [n].

    accuracy: percent [n]. chance: percent, of guessing. test_images: behind each accuracy. diverged: bool [n]. A run
    collapsed if it diverged, or if its accuracy is below chance + 5 binomial standard deviations of guessing (11.5 %
    for ten classes and 10,000 images). Raises ValueError for a NaN of a run that is not marked as diverged, unequal
    lengths, a chance outside (0, 100) or no test images.
    """
    values, flags = np.asarray(accuracy, dtype=np.float64), np.asarray(diverged, dtype=bool)
    if values.ndim != 1 or values.shape != flags.shape:
        raise ValueError(f"accuracy has shape {list(values.shape)}, diverged {list(flags.shape)}; needed: [n] each")
    if not 0 < chance < 100:
        raise ValueError(f"chance is {chance}; needed: percent, above 0 and below 100")
    if test_images < 1:
        raise ValueError(f"test_images is {test_images}; needed: at least 1")
    bad = np.flatnonzero(~np.isfinite(values) & ~flags)
    if len(bad):
        raise ValueError(f"accuracy: {values[bad[0]]} at position {bad[0]}, in a run not marked as diverged")
    return flags | (values < _above_chance(chance, test_images))


def _above_chance(chance: float, test_images: int) -> float:
    """What an accuracy on so many images needs to be seen above chance, percent: five deviations of guessing."""
    rate = chance / 100
    return chance + 5 * 100 * math.sqrt(rate * (1 - rate) / test_images)


def flagged(collapsed: tuple[ArrayLike, ...] | None, names: tuple[str, ...], n: int) -> tuple[np.ndarray, ...]:
    """The flags of each arm as bool [n], all False for None. Raises ValueError, naming the arm, for other shapes."""
    if collapsed is None:
        return tuple(np.zeros(n, dtype=bool) for _ in names)
    if len(collapsed) != len(names):
        raise ValueError(f"collapsed has {len(collapsed)} arrays; needed: one for each of {', '.join(names)}")
    flags = tuple(np.asarray(flag, dtype=bool) for flag in collapsed)
    for name, flag in zip(names, flags, strict=True):
        if flag.shape != (n,):
            raise ValueError(f"collapsed of {name} has shape {list(flag.shape)}; needed: [{n}], one flag a seed")
    return flags


def flagged_by_name(collapsed: Mapping[str, ArrayLike] | None, arms: Collection[str], n: int) -> dict[str, np.ndarray]:
    """flagged() for arms by name. Raises ValueError also unless there are flags for every arm and no other."""
    if collapsed is not None and set(collapsed) != set(arms):
        raise ValueError(f"collapsed has {', '.join(collapsed)}; needed: flags for every arm: {', '.join(arms)}")
    given = None if collapsed is None else tuple(collapsed[name] for name in arms)
    return dict(zip(arms, flagged(given, tuple(arms), n), strict=True))


def at_chance(accuracy: ArrayLike, *, chance: float, test_images: int, diverged: ArrayLike) -> bool:
    """Whether an arm as a whole learned nothing: what it measures is then chance, not the arm.

    Arguments as collapse(). More than half of its runs collapsed, and its median is not above chance by what n runs
    together would show: with few test images a run alone shows little. A run that diverged counts as chance.
    """
    values = np.asarray(accuracy, dtype=np.float64)
    collapsed = collapse(values, chance=chance, test_images=test_images, diverged=diverged)
    median = float(np.median(np.where(diverged, chance, values)))
    return bool(collapsed.mean() > 0.5) and median < _above_chance(chance, test_images * len(values))


def not_comparable(verdict: Verdict) -> Verdict:
    """The verdict where most runs of the compared arms collapsed: the rule's outcome does not stand, and no number of
    seeds would settle it."""
    return dataclasses.replace(
        verdict,
        outcome=Outcome.INCONCLUSIVE,
        doubt=Doubt.NOT_COMPARABLE,
        p=verdict.p_holds,
        seeds_to_settle=None,
    )


def p_more_collapses(one: np.ndarray, other: np.ndarray) -> float:
    """Exact one-sided p of "one collapses no more often than other", bool [n] paired by seed.

    McNemar's test in its exact form: among the seeds where just one of the two collapsed, a binomial with rate 1/2.
    1.0 where there is no such seed.
    """
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    if only_one + only_other == 0:
        return 1.0
    return float(stats.binomtest(only_one, only_one + only_other, 0.5, alternative="greater").pvalue)


def p_sign_flip(differences: np.ndarray, threshold: float) -> float:
    """One-sided sign-flip p of "the differences lie about a centre of at most threshold", float [n].

    Exact over all 2^n sign patterns up to n = 30 (the least p is 2^-n), else over 9,999 patterns of a fixed generator.
    Needs no normality, only symmetry about the centre (Fisher, The Design of Experiments, 1935, section 21).
    """
    # As counts of 1e-9 points, so that seeds with equal differences tie, whatever float subtraction made of them.
    counts = np.round((np.asarray(differences) - threshold) * 1e9).astype(np.int64)
    n = len(counts)
    if n <= MOST_EXACT:
        # Every pattern is one of the first half with one of the second: 2 * 2^(n/2) sums instead of 2^n.
        first, second = _signed_sums(counts[: n // 2]), np.sort(_signed_sums(counts[n // 2 :]))
        reaching = len(second) - np.searchsorted(second, counts.sum() - first)
        return float(reaching.sum()) / 2.0**n
    result = stats.permutation_test(
        (counts.astype(np.float64),),
        lambda signed, axis: signed.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=DRAWN_PATTERNS,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def _signed_sums(counts: np.ndarray) -> np.ndarray:
    """The sums of counts, int64 [k], under every pattern of signs, [2^k]."""
    sums = np.zeros(1, dtype=np.int64)
    for count in counts:
        sums = np.concatenate((sums + count, sums - count))
    return sums


def by_sign_flips(by_t: HypothesisTest, p: float, n: int) -> HypothesisTest:
    """The sign-flip test of n seeds, with this p, of the same hypothesis that was tested by t."""
    sides, exact = 2 if by_t.two_sided else 1, n <= MOST_EXACT
    needed = fewest_for_flips(by_t.level / sides)
    return dataclasses.replace(
        by_t,
        method=Method.SIGN_FLIP,
        p=p,
        patterns=0 if exact else DRAWN_PATTERNS,
        # That of the one pattern which was seen.
        least=sides * (2.0**-n if exact else 1 / (DRAWN_PATTERNS + 1)),
        fewest=needed if n < needed else None,
    )


def more_collapses(one: np.ndarray, other: np.ndarray, labels: tuple[str, str]) -> MoreCollapses:
    """The note on which runs of two arms or levels collapsed, bool [n] each, and on whether the other does more often.

    labels: of one and the other.
    """
    return MoreCollapses(
        labels=labels,
        counts=(int(one.sum()), int(other.sum())),
        alone=(int((one & ~other).sum()), int((other & ~one).sum())),
        n=len(one),
        p=p_more_collapses(other, one),
    )


def counted(labels: Sequence[str], flags: Sequence[np.ndarray]) -> Collapses:
    """The note on how many runs collapsed, bool [n] for each label."""
    counts = tuple((label, int(flag.sum())) for label, flag in zip(labels, flags, strict=True))
    return Collapses(counts, len(flags[0]))
