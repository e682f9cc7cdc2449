"""One module of claims on the page: its story, its claims one by one, and all that they were measured with."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_claims.data import DataError, Dataset
from pytest_claims.defaults import MOST_DRAWN_CLASSES, TRITON
from pytest_claims.judge.result import Result
from pytest_claims.report.failure import failure_text
from pytest_claims.report.numbers import documented_effect
from pytest_claims.report.page.colours import Colours, base
from pytest_claims.report.page.figures import curves_figure, deepest, gradients_figure, spread_figure, values_figure
from pytest_claims.report.page.images import Mistaken, confusion_figure, has_confusion, mistaken
from pytest_claims.report.page.marks import Mark, mark_of
from pytest_claims.report.page.module import Module
from pytest_claims.report.page.panels import Panel, Point, panels
from pytest_claims.report.page.sentences import claim_sentence
from pytest_claims.report.page.telling import Told, told
from pytest_claims.runs.store import Stored
from pytest_claims.types import Source

Load = Callable[[str], Dataset]


@dataclasses.dataclass(frozen=True)
class ClaimShown:
    """One claim as its section and the table show it."""

    anchor: str
    id: str
    words: str
    verdict: str
    mark: Mark
    sentence: str
    measured: str
    documented: str
    n: int
    text: str
    command: str


@dataclasses.dataclass(frozen=True)
class Section:
    """What the template shows of a module. rest: the claims that the story's figure does not give the verdicts of.
    figures: (caption, inline SVG)."""

    anchor: str
    module: Module
    story: Told
    sources: tuple[Source, ...]
    claims: tuple[ClaimShown, ...]
    rest: tuple[ClaimShown, ...]
    figures: tuple[tuple[str, str], ...]
    mistaken: tuple[tuple[str, list[Mistaken]], ...]
    arms: tuple[dict[str, str], ...]


def section(
    name: str,
    module: Module,
    results: Sequence[Result],
    anchors: Mapping[str, str],
    runs: Mapping[str, Stored],
    load: Load | None,
    colours: Colours,
) -> Section:
    """The section of one module. anchors: of the claims, by test. load: gives the data set for a name."""
    story = told(module.story, results, runs, colours)
    shown = panels(results, runs)
    drawn: list[tuple[str, str]] = []
    trained: set[frozenset[tuple[str, ...]]] = set()
    for panel in shown:
        spreads = any(result.of_kind.compares_spreads for result in results)
        drawn += _drawn(panel, colours, values=not story.has_values_of(panel), spreads=spreads)
        # The same runs train in the same way, whatever is measured of them.
        runs_of_panel = frozenset(point.arm.runs for point in panel.points)
        if runs_of_panel not in trained:
            drawn += _training(panel, colours)
        trained.add(runs_of_panel)
    pictured, taken_wrong = _pictured([result for result in results if result.images], runs, load, colours)
    claims = {result.nodeid: _claim(result, anchors[result.nodeid]) for result in results}
    of_gaps = {result.nodeid for result in story.of_gaps}
    return Section(
        anchor=Path(name).stem.replace("_", "-"),
        module=module,
        story=story,
        sources=tuple(dict.fromkeys(result.source for result in results)),
        claims=tuple(claims.values()),
        rest=tuple(claim for nodeid, claim in claims.items() if nodeid not in of_gaps),
        figures=tuple(drawn + pictured),
        mistaken=tuple(taken_wrong),
        arms=tuple(_arm(point) for panel in shown for point in panel.points),
    )


def measured_words(result: Result) -> str:
    """ "+1.00 (+0.50 to +1.50)": the effect and the bounds that decided."""
    verdict = result.verdict
    return f"{verdict.effect:+.2f} ({verdict.lower:+.2f} to {verdict.upper:+.2f})"


def trained_with(stored: Stored) -> str:
    """What a run was trained with."""
    tf32 = ", TF32" if stored.numerics.get("tf32") else ""
    kernels = ", Triton kernels" if stored.numerics.get("kernels") == TRITON else ""
    instructions = f", {stored.numerics['capability']}" if "capability" in stored.numerics else ""
    return f"{stored.device}{instructions}{tf32}{kernels}, torch {stored.versions.get('torch', '?')}"


def _claim(result: Result, anchor: str) -> ClaimShown:
    return ClaimShown(
        anchor=anchor,
        id=result.id,
        words=result.claim,
        verdict=result.badge,
        mark=mark_of(result),
        sentence=claim_sentence(result),
        measured=f"{measured_words(result)} {result.unit}",
        documented=documented_effect(result),
        n=result.verdict.n,
        text=failure_text(result),
        command=result.command,
    )


def _drawn(panel: Panel, colours: Colours, *, values: bool, spreads: bool) -> list[tuple[str, str]]:
    """The figures of a panel with their captions."""
    of = _of(panel)
    seeds = sorted({len(point.arm.values) for point in panel.points})
    many = f"{seeds[0]} seeds" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    documented = any(point.arm.documented is not None for point in panel.points)
    told = " Large open signs: the documented figures." if documented else ""
    caption = f"{of}{panel.measured}; means with 95 % intervals over {many}, dots are seeds.{told}"
    found = [(caption, values_figure(panel, colours))] if values else []
    if spreads and all(len(point.arm.values) > 1 for point in panel.points):
        caption = f"{of}standard deviation over seeds, with 95 % intervals (as of normal values)."
        found.append((caption, spread_figure(panel, colours)))
    return found


def _training(panel: Panel, colours: Colours) -> list[tuple[str, str]]:
    """How a panel's networks trained, with captions."""
    of = _of(panel)
    found = [(f"{of}training accuracy, means over seeds.", curves_figure(panel, colours))]
    shown = deepest(panel) if panel.axis and panel.axis.path[1] == "depth" else []
    if shown:
        these = (
            f", of the {len(shown)} deepest of {len(panel.points)} networks" if len(shown) < len(panel.points) else ""
        )
        caption = f"{of}size of the gradient of each block's weights, geometric means over seeds{these}."
        found.append((caption, gradients_figure(panel, colours, shown)))
    return found


def _of(panel: Panel) -> str:
    """What a caption begins with."""
    return f"{panel.title}: " if panel.title and panel.title not in panel.measured else ""


def _pictured(
    results: Sequence[Result], runs: Mapping[str, Stored], load: Load | None, colours: Colours
) -> tuple[list[tuple[str, str]], list[tuple[str, list[Mistaken]]]]:
    """Confusion matrices of every arm of these claims, and images taken for something else where they are at hand."""
    drawn, taken_wrong = [], []
    for names, label in {arm.runs: arm.label for result in results for arm in result.arms}.items():
        found = [runs[name] for name in names if name in runs]
        data = _data(found[0], load) if found and load else None
        counted = [stored for stored in found if has_confusion(stored, data)]
        if counted and _classes(counted[0], data) <= MOST_DRAWN_CLASSES:
            figure = confusion_figure(label, counted, data, colours.of(base(label)))
            drawn.append((f"What {label} takes images for.", figure))
        predicted = [stored for stored in found if stored.trained.predictions]
        if predicted and data is not None:
            taken_wrong.append((label, mistaken(predicted, data)))
    return drawn, taken_wrong


def _classes(stored: Stored, data: Dataset | None) -> int:
    return round(len(stored.trained.confusion) ** 0.5) if data is None else data.classes


def _data(stored: Stored, load: Load) -> Dataset | None:
    """The images that a run was tested on; None where they are not at hand."""
    try:
        return load(stored.dataset)
    except DataError:
        return None


def _arm(point: Point) -> dict[str, str]:
    stored, values = point.runs[0], point.arm.values
    seeds = point.arm.seeds
    return {
        "name": point.name,
        "network": _in_words(stored.configuration["network"]),
        "recipe": _in_words({**stored.configuration["recipe"], "dataset": stored.configuration.get("dataset", "")}),
        "seeds": f"{seeds[0]} to {seeds[-1]}",
        "mean": f"{point.arm.mean:.2f}",
        "sd": f"{statistics.stdev(values):.2f}" if len(values) > 1 else "–",
        "documented": "–" if point.arm.documented is None else f"{point.arm.documented:.2f}",
        "device": "; ".join(dict.fromkeys(map(trained_with, point.runs))),
    }


def _in_words(fields: Mapping[str, Any]) -> str:
    """Canonical fields as text; what has its default is not among them."""
    told = [str(fields.get("kind", ""))] if fields.get("kind") not in (None, "Recipe") else []
    for name, value in fields.items():
        if name == "kind" or value in ("", None):
            continue
        told.append(f"{name} {_value(value)}")
    return ", ".join(told)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_in_words(value)})"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
