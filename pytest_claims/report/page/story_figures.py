"""The one figure that a module's story is told with: along levels, over arms, or by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pytest_claims.judge.result import Result
from pytest_claims.report.page.colours import Colours, base, change
from pytest_claims.report.page.drawn_claim import documented_of, draw_claim, interval_of, reach
from pytest_claims.report.page.figures import at_levels
from pytest_claims.report.page.gaps import Gaps
from pytest_claims.report.page.intervals import of_mean
from pytest_claims.report.page.panels import Panel, Point
from pytest_claims.report.page.style import GRID, INK, LINES, PAPER, styled, svg
from pytest_claims.types import Cause

_WIDTH = 5.0  # inches
# Pixels: larger than other figures, so that it is the first thing seen.
SHOWN = 640
_THICK: dict[str, Any] = {"lw": 3.6, "alpha": 0.45, "solid_capstyle": "butt"}
# So that no line runs through the words.
_BEHIND: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.8}


def levels_figure(panel: Panel, gaps: Gaps, colours: Colours, *, chance: float | None) -> str:
    """Both networks and their variants along the axis, and beneath them the gap at each level with its verdict.

    chance: the accuracy of guessing, percent, where it is drawn.
    """
    if panel.axis is None:
        raise ValueError("a figure along levels needs an axis")
    series = [name for name in panel.series if base(name) in (gaps.first, gaps.second)]
    with styled():
        figure = Figure(figsize=(_WIDTH, 4.9))
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        for name in series:
            points = [point for point in panel.points if point.series == name]
            _variant(above, points, colours, series) if change(name) else _network(above, points, colours)
        if chance is not None:
            above.axhline(chance, color=INK, lw=0.8, ls=":")
            above.annotate(
                "chance", (1, chance), xycoords=above.get_yaxis_transform(), fontsize=7.5, ha="right", va="bottom"
            )
        _causes(above, panel, gaps)
        at_levels(above, panel.axis, [point.level for point in panel.points])
        above.set_ylabel(panel.measured)
        _strip(below, panel, gaps)
        below.set_xlabel(panel.axis.name)
        _legend(figure, above)
        means = "; ".join(f"{point.name} {point.arm.mean:.2f}" for point in panel.points if point.series in series)
        differences = "; ".join(f"{gap.level:g}: {gap.effect:+.2f}, {gap.result.verdict_words}" for gap in gaps.along)
        told = f"{panel.measured} by {panel.axis.name}: {means}. {gaps.first} less {gaps.second}: {differences}"
        return svg(figure, told, widest=SHOWN)


def slopes_figure(panel: Panel, claims: Sequence[Result], colours: Colours) -> str:
    """Each seed as a thin line over the arms, the means with their intervals, and the documented means; then the
    claims on these arms."""
    points, places = panel.points, range(len(panel.points))
    with styled():
        figure, axes = _with_claims(3.4, claims)
        seeds = min(len(point.arm.values) for point in points)
        for seed in range(seeds):
            label = "one seed" if seed == 0 else None
            axes.plot(places, [point.arm.values[seed] for point in points], color=INK, lw=0.6, alpha=0.4, label=label)
        told = [(place, point.arm.documented) for place, point in enumerate(points) if point.arm.documented is not None]
        if told:
            style: dict[str, Any] = {"marker": "o", "ms": 8, "mfc": "none", "color": INK, "lw": 1}
            axes.plot([at + 0.06 for at, _ in told], [value for _, value in told], "--", label="documented", **style)
        for place, point in enumerate(points):
            tint = colours.of(point.series)
            axes.plot([place] * 2, of_mean(point.arm.values), color=tint, **{**_THICK, "lw": 6})
            axes.plot([place], [point.arm.mean], marker=colours.marker(point.series), ms=8, color=tint, ls="none")
            axes.annotate(
                f"{point.arm.mean:.1f}", (place, point.arm.mean), (-9, 0), textcoords="offset points", ha="right",
                va="center", fontsize=9, bbox=_BEHIND,
            )  # fmt: skip
        axes.set_xticks(places, [point.name for point in points])
        axes.set_xlim(-0.45, len(points) - 0.6)
        axes.set_ylabel(panel.measured)
        axes.grid(visible=False, axis="x")
        _legend(figure, axes)
        means = "; ".join(f"{point.name} {point.arm.mean:.2f}" for point in points)
        return svg(figure, f"{panel.measured} of each seed over {len(points)} arms. Means: {means}", widest=SHOWN)


def story_curves_figure(panel: Panel, claims: Sequence[Result], colours: Colours, ends: Mapping[str, float]) -> str:
    """Training accuracy by epoch of every seed and in the mean; behind the last epoch, what the test came to; then the
    claims on these arms.

    ends: the documented training accuracies of the last epoch, percent, by name of the arm.
    """
    with styled():
        figure, axes = _with_claims(3.7, claims)
        epochs = max(len(stored.trained.train_accuracy) for point in panel.points for stored in point.runs)
        room = max(1.0, epochs / 12)
        for place, point in enumerate(panel.points):
            tint, marker = colours.of(point.series), colours.marker(point.series)
            curves = [stored.trained.train_accuracy for stored in point.runs]
            along = range(1, len(curves[0]) + 1)
            for curve in curves:
                axes.plot(along, curve, color=tint, lw=0.6, alpha=0.35)
            end: dict[str, Any] = {"marker": marker, "ms": 6, "markevery": [-1]}
            axes.plot(along, np.mean(curves, axis=0), color=tint, lw=2, label=point.name, **end)
            if point.name in ends:
                axes.plot([len(curves[0])], [ends[point.name]], marker=marker, ms=8, mfc="none", mec=tint, ls="none")
            at = epochs + room * (1.2 + 0.55 * place)
            axes.plot([at] * 2, of_mean(point.arm.values), color=tint, **{**_THICK, "lw": 5})
            axes.plot([at], [point.arm.mean], marker=marker, ms=6, color=tint, ls="none")
            if point.arm.documented is not None:
                axes.plot([at], [point.arm.documented], marker=marker, ms=9, mfc="none", mec=tint, ls="none")
        last = epochs + room * (1.2 + 0.55 * (len(panel.points) - 1))
        axes.axvline(epochs + room * 0.6, color=GRID, lw=1)
        ticks = [int(tick) for tick in MaxNLocator(integer=True, nbins=6).tick_values(1, epochs) if 1 <= tick <= epochs]
        axes.set_xticks([*ticks, (epochs + room * 1.2 + last) / 2], [*map(str, ticks), "test"])
        axes.set_xlim(0.5, last + room * 0.6)
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy, %")
        documented = any(point.arm.documented is not None for point in panel.points)
        if documented or ends:
            axes.plot([], [], "o", ms=8, mfc="none", color=INK, label="documented")
        _legend(figure, axes)
        told = "; ".join(f"{point.name} {point.arm.mean:.2f} in the test" for point in panel.points)
        return svg(
            figure, f"Training accuracy by epoch over {epochs} epochs, every seed and means: {told}", widest=SHOWN
        )


def _with_claims(height: float, claims: Sequence[Result]) -> tuple[Figure, Axes]:
    """A figure with room for its subject, of this height in inches, and beneath it a row a claim."""
    if not claims:
        figure = Figure(figsize=(_WIDTH, height))
        return figure, figure.subplots()
    rows = 0.27 * len(claims) + 0.35
    figure = Figure(figsize=(_WIDTH, height + rows + 0.3))
    above, below = figure.subplots(2, 1, height_ratios=(height, rows))
    low, high = reach(claims)
    for row, result in enumerate(claims):
        draw_claim(
            below,
            result,
            row,
            effect=result.verdict.effect,
            bounds=(max(result.verdict.lower, low), min(result.verdict.upper, high)),
            interval=interval_of(result),
            limits=list(result.limits.values()),
            documented=documented_of(result),
            reach=(row - 0.3, row + 0.3),
            upright=False,
        )
    below.axvline(0, color=INK, lw=0.8)
    below.set_xlim(low, high)
    below.set_ylim(len(claims) - 0.4, -0.6)
    below.set_yticks(range(len(claims)), [result.id for result in claims])
    below.grid(visible=False, axis="y")
    below.set_xlabel("effect, points", fontsize=8)
    return figure, above


def _network(axes: Axes, points: Sequence[Point], colours: Colours) -> None:
    """Means with thick intervals, a dot a seed, and the documented figures as a line of their own."""
    name = points[0].series
    tint, marker = colours.of(name), colours.marker(name)
    xs = [point.level for point in points]
    for x, point in zip(xs, points, strict=True):
        axes.plot([x] * len(point.arm.values), point.arm.values, ".", ms=2.5, alpha=0.35, color=tint)
        axes.plot([x, x], of_mean(point.arm.values), color=tint, **_THICK)
    axes.plot(xs, [point.arm.mean for point in points], color=tint, lw=2, marker=marker, ms=5, label=name)
    told = [(x, point.arm.documented) for x, point in zip(xs, points, strict=True) if point.arm.documented is not None]
    if told:
        style: dict[str, Any] = {"color": tint, "lw": 1.1, "marker": marker, "ms": 6.5, "mfc": "none"}
        axes.plot(*zip(*told, strict=True), "--", label=f"{name}, documented", **style)


def _variant(axes: Axes, points: Sequence[Point], colours: Colours, series: Sequence[str]) -> None:
    """A network with one thing changed: thin, in the network's colour."""
    name = points[0].series
    place = [other for other in series if base(other) == base(name)].index(name)
    style: dict[str, Any] = {"color": colours.of(name), "lw": 0.9, "ms": 3.5, "marker": "vPXD"[place % 4], "mew": 0.6}
    axes.plot(
        [point.level for point in points],
        [point.arm.mean for point in points],
        LINES[place % len(LINES)],
        label=name,
        **style,
    )


def _causes(axes: Axes, panel: Panel, gaps: Gaps) -> None:
    """Beside the two networks under the change that explains their gap, what was changed."""
    for changed, found in gaps.confounders.items():
        level, confounded = found[-1]
        if any(one.cause != Cause.EXPLAINS for _, one in found):
            continue
        under = [p for p in panel.points if p.level == level and p.series in confounded.under.comparison]
        if not under:
            continue
        height = max(point.arm.mean for point in under)
        axes.annotate(
            f"{changed}\nthe gap is gone", (level, height), (14, 10), textcoords="offset points",
            fontsize=8, va="center", bbox=_BEHIND, arrowprops={"arrowstyle": "-", "lw": 0.6, "color": INK},
        )  # fmt: skip


def _strip(axes: Axes, panel: Panel, gaps: Gaps) -> None:
    """The gap at each level: interval, bounds, limits, the documented one, and the verdict's sign."""
    log = panel.axis is not None and panel.axis.log

    def around(level: float) -> tuple[float, float]:
        return (level / 2**0.35, level * 2**0.35) if log else (level - 0.35, level + 0.35)

    axes.axhline(0, color=INK, lw=0.8)
    finite = [abs(value) for gap in gaps.along for value in (gap.effect, gap.low, gap.high, *gap.limits)]
    finite += [abs(gap.documented) for gap in gaps.along if gap.documented is not None]
    most = 1.3 * max(finite)
    for gap in gaps.along:
        if len(gap.limits) > 1:
            axes.fill_between(around(gap.level), min(gap.limits), max(gap.limits), color=INK, alpha=0.08, lw=0)
        draw_claim(
            axes,
            gap.result,
            gap.level,
            effect=gap.effect,
            bounds=(max(gap.lower, -most), min(gap.upper, most)),
            interval=(gap.low, gap.high),
            limits=gap.limits,
            documented=gap.documented,
            reach=around(gap.level),
            upright=True,
        )
    axes.margins(y=0.12)
    axes.set_ylabel(f"{gaps.first}\n− {gaps.second},\npoints", fontsize=8)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2 if len(labels) > 3 else 3)
