"""Looks at a growing number of seeds: how much of alpha each may spend, so that all together spend no more than alpha.

A claim is decided at 5 seeds if 5 are enough, else at 10, else at 20. Each bound of each look is judged at a nominal
level below alpha: the alpha-spending function of Lan & DeMets (Biometrika, 1983) that resembles O'Brien & Fleming's
bounds (Biometrics, 1979). Intervals at these levels hold at all looks together (repeated confidence intervals, Jennison
& Turnbull, J. R. Statist. Soc. B, 1989), so stopping early does not bias them. Nominal levels are applied to t tests as
Jennison & Turnbull recommend (Group Sequential Methods, 2000, section 4.4).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, special

from pytest_claims.stats.interval import ALPHA, FEWEST_SEEDS
from pytest_claims.types import LOOKS as LOOKS
from pytest_claims.types import Look, Outcome, Verdict

# Of the quadrature over the path before a look; 9 digits of the levels (compared with published ones in the tests).
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_FARTHEST = 8.0  # standard deviations, below which no path is followed


def spent(fraction: float, alpha: float) -> float:
    """The part of alpha, one-sided, that may be spent up to this fraction of the seeds: 2 - 2 Phi(z / sqrt(fraction)),
    where z is the upper alpha/2 point of the normal distribution."""
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(fraction)))


@functools.lru_cache(maxsize=4096)
def nominal_levels(looks: tuple[int, ...], alpha: float = ALPHA) -> tuple[float, ...]:
    """The nominal one-sided level of each look, such that the first k looks together spend spent(n_k / n_last, alpha).

    looks: numbers of seeds, ascending; one look gets alpha itself. The crossing probabilities are those of Brownian
    motion seen at the looks (Armitage, McPherson & Rowe, J. R. Statist. Soc. A, 1969). Raises ValueError for looks that
    do not ascend, fewer than 3 seeds, or alpha outside (0, 1).
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < FEWEST_SEEDS:
        raise ValueError(f"looks are {looks}; needed: ascending numbers of seeds, from {FEWEST_SEEDS} on")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; needed: above 0 and below 1")
    times = [n / looks[-1] for n in looks]
    total = [spent(time, alpha) for time in times]
    bound = -special.ndtri(total[0]) * math.sqrt(times[0])
    levels = [total[0]]
    # Where the paths are that have not crossed, and with which density: nodes of the score at the look before.
    score, density = _nodes(times[0], bound)
    density = density * np.exp(-(score**2) / times[0] / 2) / math.sqrt(2 * math.pi * times[0])
    for (before, time), (old, new) in zip(itertools.pairwise(times), itertools.pairwise(total), strict=True):
        step = math.sqrt(time - before)
        # Its level lies between what it spends and all that is spent; a little more than that, for the rounding.
        bracket = 0.99 * (new - old), min(1.01 * new, 1 - 1e-9)
        arguments = (time, step, score, density, new - old)
        level = optimize.brentq(_overspent, *bracket, args=arguments, xtol=1e-300, rtol=1e-12)
        levels.append(float(level))
        edge = -special.ndtri(level) * math.sqrt(time)
        at, weights = _nodes(time, edge)
        kernel = np.exp(-(((at[:, None] - score) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
        score, density = at, weights * (kernel @ density)
    return tuple(levels)


def _overspent(level: float, time: float, step: float, score: np.ndarray, density: np.ndarray, allowed: float) -> float:
    """By how much a look at this time and level crosses more often than allowed."""
    edge = -special.ndtri(level) * math.sqrt(time)
    return float(density @ special.ndtr((score - edge) / step)) - allowed


def _nodes(time: float, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the quadrature over scores below edge."""
    low = min(-_FARTHEST * math.sqrt(time), edge - 1)
    return low + (_NODES + 1) * (edge - low) / 2, _WEIGHTS * (edge - low) / 2


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
        return float(2 * special.ndtr(special.ndtri(p / 2) * math.sqrt(n / planned[-1])))
    low, high = 1e-12, 0.99
    if nominal_levels(planned, low)[index] >= p:
        return low
    if nominal_levels(planned, high)[index] <= p:
        return 1.0
    return float(optimize.brentq(lambda alpha: nominal_levels(planned, alpha)[index] - p, low, high, rtol=1e-6))


def sequential(
    judge: Callable[[int, float], Verdict], looks: Sequence[int], *, planned: Sequence[int] | None = None
) -> Verdict:
    """Look at n seeds, n after n, until a verdict other than INCONCLUSIVE stands or no look is left.

    judge: gives the verdict on the first n seeds at a nominal level. looks: those to take, a beginning of planned;
    where it is a part, less than alpha is spent, and the rest may be spent by looking on later. The verdict carries the
    looks taken, and p_holds and p_fails that hold over all planned looks. Raises ValueError for other looks.
    """
    planned = tuple(planned or looks)
    if tuple(looks) != planned[: len(looks)] or not looks:
        raise ValueError(f"looks are {tuple(looks)}; needed: one or more from the beginning of {planned}")
    taken: list[Look] = []
    for n, level in zip(looks, nominal_levels(planned), strict=False):
        verdict = judge(n, level)
        taken.append(Look(n, level, verdict.outcome))
        if verdict.outcome != Outcome.INCONCLUSIVE:
            break
    return dataclasses.replace(
        verdict,
        p_holds=overall_p(verdict.p_holds, n, planned),
        p_fails=overall_p(verdict.p_fails, n, planned),
        looks=tuple(taken),
    )
