"""Looks at a growing number of seeds: how much of alpha each may spend, so that all together spend no more than alpha.

A claim is decided at 5 seeds if 5 are enough, else at 7, 10, 14 or 20. Each bound of each look is judged at a nominal
level below alpha, by an alpha-spending function (Lan & DeMets, Biometrika, 1983) that rises with the square of the
share of seeds (Kim & DeMets, Biometrika, 1987, rho = 2): enough for a first look to find what is plain. Intervals at
these levels hold at all looks together (repeated confidence intervals, Jennison & Turnbull, J. R. Statist. Soc. B,
1989), so stopping early does not bias them. Nominal levels are applied to t tests as Jennison & Turnbull recommend
(Group Sequential Methods, 2000, section 4.4). Other designs were compared by simulation: docs/calibration.md.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

from scipy import optimize, special

from pytest_claims.stats.brownian import Path
from pytest_claims.types import LOOKS as LOOKS
from pytest_claims.types import Look, Outcome, Verdict

ALPHA = 0.05
FEWEST_SEEDS = 3
# What several looks spend of alpha. t tests at nominal levels, each bound being the wider of two, err a little more
# than Brownian motion does where differences are skewed.
SHARE = 0.9
RHO = 2.0


def spent(fraction: float, alpha: float) -> float:
    """The part of alpha, one-sided, that several looks may spend up to this fraction of the seeds."""
    return float(SHARE * alpha * fraction**RHO)


@functools.lru_cache(maxsize=4096)
def nominal_levels(
    looks: tuple[int, ...], alpha: float = ALPHA, spending: Callable[[float, float], float] = spent
) -> tuple[float, ...]:
    """The nominal one-sided level of each look: the first k looks together spend spending(n_k / n_last, alpha).

    looks: numbers of seeds, ascending; one look gets alpha itself. spending: another function, to compare designs. The
    crossing probabilities are those of Brownian motion seen at the looks (Armitage, McPherson & Rowe, J. R. Statist.
    Soc. A, 1969). Raises ValueError for looks that do not ascend, fewer than 3 seeds, or alpha outside (0, 1).
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < FEWEST_SEEDS:
        raise ValueError(f"looks are {looks}; needed: ascending numbers of seeds, from {FEWEST_SEEDS} on")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; needed: above 0 and below 1")
    if len(looks) == 1:
        return (alpha,)
    levels: list[float] = []
    path, before = Path.start(), 0.0
    for n in looks:
        total = spending(n / looks[-1], alpha)

        def overspent(level: float, path: Path = path, n: int = n, new: float = total - before) -> float:
            """By how much a look with n seeds at this level crosses more often than is new."""
            return path.above(_edge(level, n), n) - new

        # Its level lies between what it spends and all that is spent; a little more than that, for the rounding.
        bracket = 0.99 * (total - before), min(1.01 * total, 1 - 1e-9)
        level = float(optimize.brentq(overspent, *bracket, xtol=1e-300, rtol=1e-12))
        levels.append(level)
        path, before = path.on(n, -math.inf, _edge(level, n)), total
    return tuple(levels)


def _edge(level: float, n: int) -> float:
    """The mean of n seeds, in standard deviations, above which a look at this level calls an effect."""
    return float(-special.ndtri(level)) / math.sqrt(n)


class Level(float):
    """The nominal level of each one-sided bound at one look, as a number, which knows how to be divided.

    looks: all that are planned. n: seeds of this one. alpha: that the looks together hold.
    """

    looks: tuple[int, ...]
    n: int
    alpha: float

    @staticmethod
    def of(looks: tuple[int, ...], n: int, alpha: float = ALPHA) -> Level:
        """The level of the look with n seeds."""
        level = Level(nominal_levels(looks, alpha)[looks.index(n)])
        level.looks, level.n, level.alpha = looks, n, alpha
        return level


def once(alpha: float) -> float:
    """The level at a number of seeds that is fixed before: of a look, what all looks together hold."""
    return alpha.alpha if isinstance(alpha, Level) else alpha


def split(alpha: float, parts: float) -> float:
    """The level of each of so many parts (Bonferroni): of a look, the level at which all looks hold alpha / parts.

    A part of the nominal level would be more than that: where alpha is smaller, a larger share of it is spent late.
    """
    return Level.of(alpha.looks, alpha.n, alpha.alpha / parts) if isinstance(alpha, Level) else alpha / parts


def overall_p(p: float, n: int, looks: Sequence[int]) -> float:
    """The least alpha at which the looks, p being seen at the one with n seeds, would have decided there.

    A repeated p-value: it holds its level at whichever look a claim stops, so that several claims can be compared and
    corrected (Holm, Benjamini-Hochberg). p itself where there is one look.
    """
    planned, index = tuple(looks), list(looks).index(n)
    if len(planned) == 1 or not 0 < p < 1:
        return p
    if index == 0:
        # spent() solved for alpha.
        return min(1.0, p / spent(n / planned[-1], 1.0))
    low, high = 1e-12, 0.99
    if nominal_levels(planned, low)[index] >= p:
        return low
    if nominal_levels(planned, high)[index] <= p:
        return 1.0
    return float(optimize.brentq(lambda alpha: nominal_levels(planned, alpha)[index] - p, low, high, rtol=1e-6))


def sequential(
    judge: Callable[[int, float], Verdict],
    looks: Sequence[int],
    *,
    planned: Sequence[int] | None = None,
    ended: Callable[[Verdict], bool] = lambda verdict: False,
) -> Verdict:
    """Look at n seeds, n after n, until a verdict other than INCONCLUSIVE stands or no look is left.

    ended: whether an INCONCLUSIVE verdict is the last word, since more seeds cannot change it.

    judge: gives the verdict on the first n seeds at a Level. looks: those to take, a beginning of planned;
    where it is a part, less than alpha is spent, and the rest may be spent by looking on later. The verdict carries the
    looks taken, and p_holds and p_fails that hold over all planned looks. Raises ValueError for other looks.
    """
    planned = tuple(planned or looks)
    if tuple(looks) != planned[: len(looks)] or not looks:
        raise ValueError(f"looks are {tuple(looks)}; needed: one or more from the beginning of {planned}")
    taken: list[Look] = []
    for n in looks:
        level = Level.of(planned, n)
        verdict = judge(n, level)
        taken.append(Look(n, float(level), verdict.outcome))
        if verdict.outcome != Outcome.INCONCLUSIVE or ended(verdict):
            break
    return dataclasses.replace(
        verdict,
        p_holds=over_looks(verdict.p_holds, verdict.holds_by, n, planned),
        p_fails=over_looks(verdict.p_fails, verdict.fails_by, n, planned),
        looks=tuple(taken),
    )


def over_looks(p: float, times: int, n: int, planned: tuple[int, ...]) -> float:
    """overall_p of a p that was multiplied by `times`, seen at n seeds: the smaller p is carried over the looks, and
    then multiplied, as split() divides alpha."""
    return min(1.0, times * overall_p(p / times, n, planned))
