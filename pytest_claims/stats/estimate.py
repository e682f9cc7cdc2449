"""How large an effect is, for a claim that stopped at one of several looks: an estimate that is right in the median.

A claim that stops early stops because its mean was far from 0 or from the margin, by its effect or by luck. The mean of
such claims is too large. It is shown all the same, since the bounds are about it; this estimate stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import ArrayLike
from scipy import optimize, special

from pytest_claims.stats.brownian import Path
from pytest_claims.stats.interval import interval, sample


def after_looks(
    differences: ArrayLike, *, margin: float, looks: Sequence[tuple[int, float]], rounding: float = 0.0
) -> float | None:
    """median_unbiased for a claim by superiority(), from its seeds and with the bounds that it really had.

    differences: [n], in the order of seeds. margin: of the claim. looks: those taken, each its number of seeds and its
    Level, the last with n. rounding: as stats.interval.bounds. The limits of earlier looks are those of the sd and
    skewness at that look, so that the claim did come past them: the median is then right also where few seeds give a
    rough sd (measured in the tests). None where it did not come past them, since something else than its bounds kept it
    going (collapsed runs). Raises ValueError as stats.interval.sample and median_unbiased.
    """
    values = sample("differences", differences)
    limits = []
    for n, level in looks[:-1]:
        at = interval(values[:n], level, rounding)
        low, high = margin - (at.upper - at.effect), at.effect - at.lower
        if not low <= at.effect <= high:
            return None
        limits.append((low, high))
    last, (sizes, levels) = interval(values, looks[-1][1], rounding), zip(*looks, strict=True)
    return median_unbiased(last.effect, last.sd, last.n, margin=margin, looks=sizes, levels=levels, limits=limits)


def median_unbiased(
    effect: float,
    sd: float,
    n: int,
    *,
    margin: float,
    looks: Sequence[int],
    levels: Sequence[float],
    limits: Sequence[tuple[float, float]] | None = None,
) -> float | None:
    """The true mean under which half of all claims would show less than this one, stopped at n seeds, and half more.

    effect: the mean of the n differences, the first arm less the second. sd: their standard deviation. margin: of the
    claim. All in one unit. looks: numbers of seeds, n among them. levels: the nominal one-sided level of each. The
    result is the theta with

        P_theta(it stops with L > 0 at an earlier look, or comes to n and its mean is at least effect) = 1/2.

    This is the stagewise ordering (Tsiatis, Rosner & Mehta, Biometrics 40, 1984; Jennison & Turnbull, Group Sequential
    Methods, 2000, section 8.4): a claim that stopped earlier with L > 0 counts as larger, one that stopped earlier with
    U < margin as smaller. Later looks do not matter. At the first look the result is the mean itself, since no luck of
    earlier looks is behind it.

    The model is a Brownian motion with the measured sd for the known one. limits: of the mean at each look before n,
    between which the claim goes on. By default margin - h to h, with h = t sd / sqrt(n_k) and t Student's quantile at
    1 - level with n_k - 1 degrees of freedom: L <= 0 and U >= margin, without the correction for skewness. Where the
    first is above the second, every path stops, and there is no such estimate: None. (A real claim may have gone on,
    with another sd.) So it is where no difference varies (sd is 0) after the first look.

    Raises ValueError if n is no look, looks do not ascend, or levels or limits are not as many.
    """
    planned = tuple(looks)
    if n not in planned or list(planned) != sorted(set(planned)) or len(levels) != len(planned):
        raise ValueError(f"{n} seeds, looks {planned}, levels {tuple(levels)}; needed: one of ascending looks; as many")
    before = planned[: planned.index(n)]
    if not before:
        return float(effect)
    if limits is None:
        halves = [_half(level, k) * sd for k, level in zip(before, levels, strict=False)]
        limits = [(margin - half, half) for half in halves]
    if len(limits) != len(before):
        raise ValueError(f"{len(limits)} limits for the {len(before)} looks before {n} seeds")
    if sd <= 0 or any(low >= high for low, high in limits):
        return None
    # In units of sd from here on.
    mean, between = effect / sd, [(low / sd, high / sd) for low, high in limits]
    paths, edges = [Path.start(mean)], []
    for k, (low, high) in zip(before, between, strict=True):
        paths.append(paths[-1].on(k, low, high))
        edges.append((high, k))
    edges.append((mean, n))

    def excess(theta: float) -> float:
        return sum(path.above(*edge, mean=theta) for path, edge in zip(paths, edges, strict=True)) - 0.5

    low, high, step = mean, mean, 1 / math.sqrt(before[0])
    while excess(low) > 0:
        low -= step
    while excess(high) < 0:
        high += step
    return sd * (low if low == high else float(optimize.brentq(excess, low, high, xtol=1e-10)))


def _half(level: float, n: int) -> float:
    """Student's half-width of a one-sided bound, in standard deviations."""
    return float(special.stdtrit(n - 1, 1 - level)) / math.sqrt(n)
