"""The figures of one module's arms: accuracies, spreads, training curves and gradients, ours beside the documented."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from pytest_claims.report.page.colours import Colours
from pytest_claims.report.page.intervals import of_mean, of_spread
from pytest_claims.report.page.panels import Axis, Panel, Point
from pytest_claims.report.page.style import INK, LINES, MARKERS, styled, svg

_WIDTH = 5.2  # inches
# More lines than this in one plot are told apart by nobody.
_MOST_LINES = 8


def values_figure(panel: Panel, colours: Colours, *, widest: int | None = None) -> str:
    """Every arm's seeds and mean with its interval, and the documented figure: along the axis, or an arm a row."""
    with styled():
        figure, axes = _figure(0.34 * len(panel.points) + 1.2 if panel.axis is None else 3.4)
        _draw(
            axes, panel, colours, [(point.arm.mean, *of_mean(point.arm.values)) for point in panel.points], seeds=True
        )
        _label(axes, panel, panel.measured)
        return svg(figure, f"{_title(panel)}: {panel.measured} by {_by(panel)}. {_in_words(panel)}", widest=widest)


def spread_figure(panel: Panel, colours: Colours) -> str:
    """Standard deviations over seeds with their intervals."""
    with styled():
        figure, axes = _figure(0.34 * len(panel.points) + 1.0 if panel.axis is None else 3.0)
        _draw(axes, panel, colours, [of_spread(point.arm.values) for point in panel.points], seeds=False)
        what = f"standard deviation over seeds of {panel.measured}"
        _label(axes, panel, "standard deviation over seeds, points")
        spreads = ", ".join(f"{p.name} {of_spread(p.arm.values)[0]:.2f}" for p in panel.points)
        return svg(figure, f"{_title(panel)}: {what}, by {_by(panel)}. {spreads}")


def curves_figure(panel: Panel, colours: Colours) -> str:
    """Training accuracy by epoch, the mean over seeds, one plot a series."""
    groups = [[p for p in panel.points if p.series == name] for name in panel.series]
    levels = sorted({point.level for point in panel.points}) if panel.axis else []
    if panel.axis is None:
        groups = [list(panel.points[start : start + _MOST_LINES]) for start in range(0, len(panel.points), _MOST_LINES)]
    with styled():
        columns = min(2, len(groups))
        rows = math.ceil(len(groups) / columns)
        figure = Figure(figsize=(_WIDTH, 2.2 * rows + 0.7))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, group in zip(grid.flat, groups, strict=False):
            for at, point in enumerate(group):
                mean = np.mean([stored.trained.train_accuracy for stored in point.runs], axis=0)
                # A level is the same line in every plot, fainter the lower it is.
                place = at if panel.axis is None else levels.index(point.level)
                name = point.series if panel.axis is None else f"{point.level:g}"
                tint = colours.of(point.series)
                faint = 1.0 if panel.axis is None else _strength(place, len(levels))
                own = {"color": tint, "marker": MARKERS[place % 8], "label": name, "lw": 1.2, "ms": 3.5, "alpha": faint}
                own["markevery"] = max(1, len(mean) // 5)
                axes.plot(range(1, len(mean) + 1), mean, LINES[place % 4], **own)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
            axes.set_xlabel("epoch")
            if panel.axis is not None:
                axes.set_title(group[0].series)
        for axes in grid[:, 0]:
            axes.set_ylabel("training accuracy, %")
        for axes in grid.flat[len(groups) :]:
            axes.remove()
        lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
        names = sorted(lines, key=float) if panel.axis else list(lines)
        title = panel.axis.name if panel.axis else None
        most = 8 if panel.axis else 3
        figure.legend([lines[name] for name in names], names, loc="outside lower center", ncols=most, title=title)
        last = "; ".join(
            f"{p.name} {np.mean([stored.trained.train_accuracy[-1] for stored in p.runs]):.1f}" for p in panel.points
        )
        return svg(figure, f"{_title(panel)}: training accuracy by epoch, means over seeds; in the last epoch: {last}")


def deepest(panel: Panel) -> list[Point]:
    """The points that recorded gradients: of many, the eight deepest networks, which say most."""
    recorded = [point for point in panel.points if all(stored.trained.gradients for stored in point.runs)]
    return sorted(recorded, key=lambda point: -len(point.runs[0].trained.gradients[0]))[:_MOST_LINES]


def gradients_figure(panel: Panel, colours: Colours, shown: Sequence[Point]) -> str:
    """Root mean square of the gradient of each block's weights, by block, at the first step and in the last epoch."""
    with styled():
        figure = Figure(figsize=(_WIDTH, 3.4))
        grid = figure.subplots(1, 2, sharey=True)
        for axes, epoch, when in zip(grid, (0, -1), ("first step", "last epoch's first step"), strict=True):
            for at, point in enumerate(shown):
                rows = np.array([stored.trained.gradients[epoch] for stored in point.runs])
                mean = np.exp2(np.log2(np.maximum(rows, 2.0**-126)).mean(axis=0))
                style = {"marker": MARKERS[at % 8], "ms": 3.5, "color": colours.of(point.series), "label": point.name}
                style |= {"lw": 1, "alpha": _strength(len(shown) - 1 - at, len(shown))}
                axes.plot(range(1, len(mean) + 1), mean, LINES[at // 2 % 4], **style)
            axes.set_yscale("log")
            # Not Matplotlib's own powers of ten, which are formulas.
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_locator(NullLocator())
            axes.set_title(when)
            axes.set_xlabel("block, from the images on")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        grid[0].set_ylabel("gradient of the weights, RMS")
        lines = grid[0].get_lines()
        figure.legend(lines, [line.get_label() for line in lines], loc="outside lower center", ncols=4)
        names = ", ".join(point.name for point in shown)
        return svg(figure, f"{_title(panel)}: gradients by block, geometric means over seeds, of {names}")


def _strength(place: int, of: int) -> float:
    """Opacity of one of several lines of the same network: the last is the strongest."""
    return 0.35 + 0.65 * (place + 1) / of


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height))
    return figure, figure.subplots()


def _draw(
    axes: Axes, panel: Panel, colours: Colours, spans: Sequence[tuple[float, float, float]], *, seeds: bool
) -> None:
    """A panel's points. spans: (middle, low, high) of each. seeds: whether to draw every seed."""
    if panel.axis is None:
        _rows(axes, panel, colours, spans, seeds=seeds)
    else:
        _along(axes, panel, panel.axis, colours, spans, seeds=seeds)


def _along(
    axes: Axes,
    panel: Panel,
    axis: Axis,
    colours: Colours,
    spans: Sequence[tuple[float, float, float]],
    *,
    seeds: bool,
) -> None:
    """Series along the axis."""
    for place, name in enumerate(panel.series):
        members = [(p, span) for p, span in zip(panel.points, spans, strict=True) if p.series == name]
        at = _shifted(panel, axis, [p.level for p, _ in members], place)
        tint, marker = colours.of(name), colours.marker(name)
        middles = [span[0] for _, span in members]
        below, above = ([abs(span[side] - span[0]) for _, span in members] for side in (1, 2))
        axes.errorbar(
            at,
            middles,
            [below, above],
            ls=LINES[place % 4],
            lw=1.2,
            ms=4.5,
            capsize=2.5,
            label=name,
            color=tint,
            marker=marker,
        )
        if not seeds:
            continue
        for x, (point, _) in zip(at, members, strict=True):
            axes.plot([x] * len(point.arm.values), point.arm.values, ".", ms=3, alpha=0.45, color=tint)
        told = [(x, p.arm.documented) for x, (p, _) in zip(at, members, strict=True) if p.arm.documented is not None]
        if told:
            axes.plot(*zip(*told, strict=True), ls="none", marker=marker, ms=8, mfc="none", mec=tint)
    at_levels(axes, axis, [point.level for point in panel.points])


def at_levels(axes: Axes, axis: Axis, levels: Sequence[float]) -> None:
    """The scale of an axis, with a tick at every level and nowhere else."""
    if axis.log:
        axes.set_xscale("log", base=axis.log)
    axes.xaxis.set_major_locator(FixedLocator(sorted(set(levels))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _shifted(panel: Panel, axis: Axis, xs: Sequence[float], place: int) -> list[float]:
    """Series a little apart, so that none hides another."""
    by = (place - (len(panel.series) - 1) / 2) * 0.05
    return [x * 2**by if axis.log else x + by for x in xs]


def _rows(
    axes: Axes, panel: Panel, colours: Colours, spans: Sequence[tuple[float, float, float]], *, seeds: bool
) -> None:
    """An arm a row, its interval lying."""
    for place, (point, (middle, low, high)) in enumerate(zip(panel.points, spans, strict=True)):
        tint, marker = colours.of(point.series), colours.marker(point.series)
        around = [[max(0.0, middle - low)], [max(0.0, high - middle)]]
        axes.errorbar([middle], [place], xerr=around, capsize=3, ms=5.5, ls="none", color=tint, marker=marker)
        if not seeds:
            continue
        below = [place + 0.22] * len(point.arm.values)
        axes.plot(point.arm.values, below, ".", ms=3.5, alpha=0.55, color=tint)
        if point.arm.documented is not None:
            axes.plot([point.arm.documented], [place], marker=marker, ms=10, mfc="none", mec=tint)
    axes.set_yticks(range(len(panel.points)), [point.name for point in panel.points])
    axes.set_ylim(len(panel.points) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _label(axes: Axes, panel: Panel, measured: str) -> None:
    if panel.axis is None:
        axes.set_xlabel(measured)
    else:
        axes.set_xlabel(panel.axis.name)
        axes.set_ylabel(measured)
        axes.legend(loc="best")
    axes.tick_params(color=INK)


def _title(panel: Panel) -> str:
    return panel.title or "all arms"


def _by(panel: Panel) -> str:
    return panel.axis.name if panel.axis else "arm"


def _in_words(panel: Panel) -> str:
    def told(point: Point) -> str:
        documented = "" if point.arm.documented is None else f" (documented {point.arm.documented:.2f})"
        return f"{point.name} {point.arm.mean:.2f}{documented}"

    return "Means: " + "; ".join(map(told, panel.points))
