"""One claim against 0, its margin and the documented value: in a forest a row, beneath a figure a column."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from pytest_claims.judge.result import Result
from pytest_claims.report.page.intervals import of_mean
from pytest_claims.report.page.marks import mark_of
from pytest_claims.report.page.style import INK
from pytest_claims.report.procedures import PROCEDURES
from pytest_claims.report.tested import deciding_pair


def draw_claim(
    axes: Axes,
    result: Result,
    at: float,
    *,
    effect: float,
    bounds: tuple[float, float],
    interval: tuple[float, float] | None,
    limits: Sequence[float],
    documented: float | None,
    reach: tuple[float, float],
    upright: bool,
) -> None:
    """Thin: the bounds that decided. Thick: the 95 % interval, where there is one. The verdict's sign at the effect.

    Short bars across: limits. Open circle: documented. reach: from where to where along the other axis the short bars
    go. upright: whether `at` is a place along x.
    """
    mark = mark_of(result)

    def plot(along: Sequence[float], across: Sequence[float], *form: str, **style: object) -> None:
        pair = (across, along) if upright else (along, across)
        axes.plot(*pair, *form, **style)  # type: ignore[arg-type]

    plot(bounds, [at, at], color=mark.colour, lw=0.9)
    if interval:
        plot(interval, [at, at], color=mark.colour, lw=3.2, alpha=0.55, solid_capstyle="butt")
    for limit in limits:
        plot([limit, limit], reach, color=INK, lw=1.2)
    if documented is not None:
        plot([documented], [at], "o", ms=7.5, mfc="none", mec=INK, mew=0.9)
    inside = mark.colour if mark.filled else "none"
    plot([effect], [at], marker=mark.marker, ms=5.5, color=mark.colour, ls="none", mfc=inside)


def interval_of(result: Result) -> tuple[float, float] | None:
    """The 95 % t interval of the effect, of a claim on the means of two arms; None of others."""
    pair = deciding_pair(result)
    if pair is None or not PROCEDURES[result.verdict.procedure].of_means:
        return None
    return of_mean([one - other for one, other in zip(pair[0].values, pair[1].values, strict=True)])


def documented_of(result: Result) -> float | None:
    """The source's effect, where it is of the same pair and may be held beside ours."""
    agreement = result.agreement
    return agreement.documented if agreement and result.comparable and not result.compared else None


def reach(results: Sequence[Result]) -> tuple[float, float]:
    """What of the scale claims take: all that is finite, with a little room; an infinite bound runs out of it."""
    values = [0.0]
    for result in results:
        verdict = result.verdict
        values += [verdict.effect, verdict.lower, verdict.upper, *result.limits.values()]
        documented = documented_of(result)
        if documented is not None:
            values.append(documented)
    finite = [value for value in values if math.isfinite(value)]
    room = 0.05 * (max(finite) - min(finite)) or 1.0
    return min(finite) - room, max(finite) + room
