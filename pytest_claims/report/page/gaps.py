"""What two arms differ by at each level of a panel, as the claims on them were judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.page.intervals import of_mean
from pytest_claims.report.page.panels import Axis, Panel, Point, placed
from pytest_claims.report.procedures import PROCEDURES
from pytest_claims.runs.store import Stored
from pytest_claims.types import Confounded


@dataclasses.dataclass(frozen=True)
class Gap:
    """One claim on two arms at one level, its numbers being of the first series less the second.

    effect: mean over seeds. lower, upper: the bounds that decided. low, high: of the 95 % t interval. limits: where
    the verdict turns beside 0. documented: the source's own, where it may be held beside ours.
    """

    result: Result
    level: float
    effect: float
    lower: float
    upper: float
    low: float
    high: float
    limits: tuple[float, ...]
    documented: float | None


@dataclasses.dataclass(frozen=True)
class Gaps:
    """The gaps of two series along a panel's axis, in its order. first, second: their names."""

    first: str
    second: str
    along: tuple[Gap, ...]

    @property
    def confounders(self) -> dict[str, list[tuple[float, Confounded]]]:
        """What was found of every confounder, by what it changes, with its level."""
        found: dict[str, list[tuple[float, Confounded]]] = {}
        for gap in self.along:
            for confounded in gap.result.verdict.confounders:
                found.setdefault(confounded.change, []).append((gap.level, confounded))
        return found


def gaps(panel: Panel, results: Sequence[Result], runs: Mapping[str, Stored], pair: tuple[str, ...]) -> Gaps | None:
    """The claims on two of a panel's series, one a level; None where there are none, or where it has no axis.

    pair: names of the series, the first less the second; () is what the first such claim compares.
    """
    if panel.axis is None:
        return None
    trained = {point.trained for point in panel.points}
    found: dict[float, Gap] = {}
    for result in results:
        if not PROCEDURES[result.verdict.procedure].of_means or result.measured != panel.measured:
            continue
        ends = _ends(result, panel.axis, runs)
        if ends is None or not {end.trained for end in ends} <= trained:
            continue
        names = tuple(end.series for end in ends)
        pair = pair or names
        if sorted(names) == sorted(pair):
            found.setdefault(ends[0].level, _gap(result, ends, turned=names != pair))
    return Gaps(pair[0], pair[1], tuple(found[level] for level in sorted(found))) if found else None


def _ends(result: Result, axis: Axis, runs: Mapping[str, Stored]) -> tuple[Point, Point] | None:
    """The two arms that a verdict compares, where they stand at one level."""
    arms = {arm.label: arm for arm in result.arms}
    labels = result.verdict.comparison
    if len(labels) != 2 or not set(labels) <= set(arms):
        return None
    first, second = (_point(arms[label], axis, runs) for label in labels)
    if first is None or second is None or first.x is None or first.x != second.x:
        return None
    return first, second


def _point(arm: ArmEvidence, axis: Axis, runs: Mapping[str, Stored]) -> Point | None:
    stored = tuple(runs[name] for name in arm.runs if name in runs)
    return placed(Point(arm, stored, arm.label, None), axis) if stored else None


def _gap(result: Result, ends: tuple[Point, Point], *, turned: bool) -> Gap:
    """The numbers of a verdict, turned round where it compares the second series with the first."""
    verdict, agreement = result.verdict, result.agreement
    differences = [one - other for one, other in zip(ends[0].arm.values, ends[1].arm.values, strict=True)]
    low, high = of_mean(differences)
    documented = agreement.documented if agreement and result.comparable and not result.compared else None
    limits = tuple(result.limits.values())
    if turned:
        return Gap(
            result,
            ends[0].level,
            -verdict.effect,
            -verdict.upper,
            -verdict.lower,
            -high,
            -low,
            tuple(-limit for limit in limits),
            None if documented is None else -documented,
        )
    return Gap(result, ends[0].level, verdict.effect, verdict.lower, verdict.upper, low, high, limits, documented)
