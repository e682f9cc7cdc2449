"""The same arms trained in two places, paired by seed: do the places differ? Arrays of accuracies in, numbers out.

This asks for a difference where none should be. So it takes Student's plain t test, two-sided, which finds more than
the wider bounds of a claim do.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from numpy.typing import ArrayLike
from scipy import special, stats

from pytest_claims.stats.beside import correlation
from pytest_claims.stats.collapses import flagged
from pytest_claims.stats.interval import paired, rounding_of, sample


@dataclasses.dataclass(frozen=True)
class Difference:
    """Of n paired values, the second less the first. mean: points. low, high: its two-sided 95 % interval. p: of the
    paired t test, two-sided."""

    mean: float
    low: float
    high: float
    n: int
    p: float


@dataclasses.dataclass(frozen=True)
class Replica:
    """One arm in two places. difference: of its accuracies. r: their correlation over seeds, None where one does not
    vary. collapsed: runs in either place. p_collapses: two-sided, None where no run of the arm collapsed."""

    difference: Difference
    r: float | None
    collapsed: tuple[int, int]
    p_collapses: float | None


def replica(
    first: ArrayLike,
    second: ArrayLike,
    *,
    collapsed: tuple[ArrayLike, ArrayLike] | None = None,
    resolution: float = 0.0,
) -> Replica:
    """How an arm's accuracies in percent, float [n] paired by seed, differ between two places.

    collapsed: which runs collapsed, bool [n] each. Their counts are compared by McNemar's exact test: among the seeds
    where just one of the two collapsed, a binomial with rate 1/2. resolution: what one test image counts for, points;
    the variance of rounding to whole images is added to that of the differences. Raises ValueError as
    stats.interval.paired and stats.collapses.flagged.
    """
    one, two = paired(first, second, ("first", "second"))
    flags = flagged(collapsed, ("first", "second"), len(one))
    alone = int((flags[0] & ~flags[1]).sum()), int((flags[1] & ~flags[0]).sum())
    p_collapses = None
    if any(flag.any() for flag in flags):
        p_collapses = float(stats.binomtest(alone[0], sum(alone), 0.5).pvalue) if sum(alone) else 1.0
    return Replica(
        mean_difference(two - one, rounding_of(resolution, 2)),
        correlation(one, two),
        (int(flags[0].sum()), int(flags[1].sum())),
        p_collapses,
    )


def mean_difference(differences: ArrayLike, rounding: float = 0.0) -> Difference:
    """The mean of differences, float [n], n >= 3, with its 95 % interval and the p of "it is 0".

    rounding: the standard deviation that rounding alone gives them. Where neither varies, the mean is certain: p is 1
    for 0 and 0 otherwise. Raises ValueError as stats.interval.sample.
    """
    values = sample("differences", differences)
    n, mean = len(values), float(values.mean())
    error = math.hypot(float(values.std(ddof=1)), rounding) / math.sqrt(n)
    if error < 1e-9:  # float subtraction's own
        mean = round(mean, 9)
        return Difference(mean, mean, mean, n, float(mean == 0))
    half = float(special.stdtrit(n - 1, 0.975)) * error
    return Difference(mean, mean - half, mean + half, n, float(2 * special.stdtr(n - 1, -abs(mean) / error)))


def p_values(replicas: Sequence[Replica]) -> list[float]:
    """All that a table of arms tests: each arm's accuracies, and the collapses of the arms that have any.

    Give these to stats.holm together: the chance that any of them is below .05 by luck is then at most 5 %, however the
    arms depend on one another.
    """
    collapses = [each.p_collapses for each in replicas if each.p_collapses is not None]
    return [each.difference.p for each in replicas] + collapses


def mean_of_arms(differences: Sequence[float]) -> Difference | None:
    """The mean of the arms' mean differences, points, each arm counting alike; None below 3 arms.

    It finds what is too small to be seen in one arm and is in all of them. It takes the arms' differences as
    independent: give one for arms that are trained alike and only tested otherwise. Seeds that arms share do not make
    them dependent: what two places do differently to a run is rounding, which each arm amplifies by itself.
    """
    return mean_difference(differences) if len(differences) >= 3 else None
