"""Which arms belong into one figure, and along what: read from the stored configurations behind them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.runs.store import Stored

_LEAST_LEVELS = 3
# What sets figures apart: settings of the test beside numbers, kind of network, images, measure.
_Group = tuple[str, str, str, str]


@dataclasses.dataclass(frozen=True)
class Axis:
    """What accuracy is drawn along. path: into a configuration. name: with its unit. log: base of the axis, or None."""

    path: tuple[str, str]
    name: str
    log: int | None


# In the order in which they are tried.
AXES = (
    Axis(("network", "depth"), "depth, blocks", None),
    Axis(("recipe", "batch"), "batch size, images", 2),
    Axis(("recipe", "lr"), "peak learning rate", 2),
)


@dataclasses.dataclass(frozen=True)
class Point:
    """One arm in a figure: its evidence and stored runs, the series that it belongs to and its place along the axis."""

    arm: ArmEvidence
    runs: tuple[Stored, ...]
    series: str
    x: float | None

    @property
    def name(self) -> str:
        """The arm, named without its neighbours: "group norm 64"."""
        return self.series if self.x is None else f"{self.series} {self.x:g}"

    @property
    def trained(self) -> str:
        """What the arm is trained with, as text, whatever its seeds."""
        return trained_as(self.runs[0])

    @property
    def level(self) -> float:
        """x, where the figure has an axis. Raises ValueError where it has none."""
        if self.x is None:
            raise ValueError(f"{self.series} has no place along an axis")
        return self.x


@dataclasses.dataclass(frozen=True)
class Panel:
    """The arms of one figure. title: what sets them apart from the module's other panels, "" for nothing. axis: None
    where they have no common scale. measured: what their values are."""

    title: str
    axis: Axis | None
    points: tuple[Point, ...]
    measured: str

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the series, in the order of first appearance."""
        return tuple(dict.fromkeys(point.series for point in self.points))


def panels(results: Sequence[Result], runs: Mapping[str, Stored]) -> list[Panel]:
    """The figures of one module's claims: every arm once, with the most seeds that a claim judged it on.

    runs: by name. Arms are one figure's if their claims have the same settings beside numbers, and the same kind of
    network, images and measure. A figure whose arms are all in another one is left out.
    """
    groups: dict[_Group, dict[str, Point]] = {}
    best: dict[tuple[str, ...], tuple[ArmEvidence, tuple[Stored, ...]]] = {}
    for result in results:
        for arm in result.arms:
            stored = tuple(runs[name] for name in arm.runs if name in runs)
            if not stored:
                continue
            if not result.comparable:
                arm = dataclasses.replace(arm, documented=None)
            network, dataset = str(stored[0].configuration["network"]["kind"]), stored[0].dataset
            key = (_setting(result.nodeid), network, dataset, result.measured)
            point = Point(arm, stored, arm.label, None)
            # With the first of its seeds, in which the arms of a placebo differ.
            identity = repr((point.trained, arm.seeds[0]))
            groups.setdefault(key, {}).setdefault(identity, point)
            # Whichever claim judged it on the most seeds, in whichever figure.
            most = best.setdefault((*key[1:], identity), (arm, stored))
            if len(most[1]) < len(stored):
                best[(*key[1:], identity)] = arm, stored
    kept = [
        (key, members)
        for key, members in groups.items()
        if not any(set(members) < set(other) and key[1:] == beside[1:] for beside, other in groups.items())
    ]
    found, seen = [], set()
    for key, members in kept:
        if (key[1:], frozenset(members)) in seen:
            continue
        seen.add((key[1:], frozenset(members)))
        varied = [part for place, part in enumerate(key[:3]) if len({other[place] for other, _ in kept}) > 1 and part]
        points = []
        for identity, point in members.items():
            arm, stored = best[(*key[1:], identity)]
            points.append(dataclasses.replace(point, arm=arm, runs=stored))
        found.append(_panel(", ".join(varied), tuple(points), key[3]))
    return found


def _panel(title: str, points: tuple[Point, ...], measured: str) -> Panel:
    for axis in AXES:
        # A field that has its default is not in a configuration; the arm's name may have it.
        known = any(_field(point, axis) is not None for point in points)
        along = tuple(placed(point, axis) for point in points) if known else ()
        levels: dict[str, set[float]] = {}
        for point in along:
            if point.x is not None:
                levels.setdefault(point.series, set()).add(point.x)
        if any(point.x is None for point in along) or not levels:
            continue
        if max(map(len, levels.values())) >= _LEAST_LEVELS:
            return Panel(title, axis, tuple(sorted(along, key=lambda point: point.level)), measured)
    return Panel(title, None, points, measured)


def _field(point: Point, axis: Axis) -> float | None:
    value: float | None = point.runs[0].configuration[axis.path[0]].get(axis.path[1])
    return value


def placed(point: Point, axis: Axis) -> Point:
    """The point on an axis, in the series that is its label without that number; without an x where it has no place."""
    words, x = point.series.split(), _field(point, axis)
    if x is None:
        numbers = [word for word in words if re.fullmatch(r"\d+(\.\d+)?", word)]
        if len(numbers) != 1:
            return point
        x = float(numbers[0])
    series = " ".join(word for word in words if not _is(word, float(x)))
    return dataclasses.replace(point, x=float(x), series=series or point.series)


def _is(word: str, value: float) -> bool:
    try:
        return float(word) == value
    except ValueError:
        return False


def trained_as(stored: Stored) -> str:
    """What a run was trained with, as text, whatever its seed."""
    return repr(sorted(stored.configuration.items()))


def _setting(nodeid: str) -> str:
    """The settings of a test's name that are no numbers: "base" of "test_x[4-base]"."""
    found = re.search(r"\[(.*)\]$", nodeid)
    parts = re.split(r"-(?=\d)|(?<=\d)-", found.group(1)) if found else []
    return " ".join(part for part in parts if not re.fullmatch(r"[\d.]+", part))
