"""Put the page together: the table, a section a module of claims, and the templates beside this file."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pytest_claims.data import DataError, Dataset
from pytest_claims.defaults import TRITON
from pytest_claims.judge.result import Result
from pytest_claims.report.facts import wall_time
from pytest_claims.report.failure import failure_text
from pytest_claims.report.multiplicity import adjusted_p
from pytest_claims.report.numbers import documented_effect, short_p
from pytest_claims.report.page.figures import curves_figure, deepest, gradients_figure, spread_figure, values_figure
from pytest_claims.report.page.forest import forest
from pytest_claims.report.page.images import MOST_CLASSES, Mistaken, confusion_figure, mistaken
from pytest_claims.report.page.panels import Panel, Point, panels
from pytest_claims.report.session import Session
from pytest_claims.runs.store import Store, Stored

_TEMPLATES = Path(__file__).with_name("templates")
COLUMNS = ("Finding", "Claim", "Source", "Documented", "Measured", "Seeds", "Adjusted p", "Verdict", "Ledger")
_NUMERIC = (3, 4, 5, 6)


def write_page(
    session: Session, store: Store, folder: Path, *, root: Path, load: Callable[[str], Dataset] | None = None
) -> Path:
    """Write folder/index.html, which needs nothing beside it, and return its path.

    store: has the runs behind the evidence; what it lacks is left out of the figures. root: of the claims' modules,
    whose docstrings head the sections. load: gives the data set for a name; without it, or where that fails, the page
    has no images. Raises OSError if the folder or the file cannot be written.
    """
    names = [name for result in session.results for arm in result.arms for name in arm.runs]
    runs = store.named(dict.fromkeys(names))
    modules: dict[str, list[Result]] = {}
    for result in session.results:
        modules.setdefault(result.nodeid.split("::")[0], []).append(result)
    places = {result.nodeid: place for place, result in enumerate(session.results)}
    about = {module: _about(root / module) for module in modules}
    sections = [_section(module, found, about[module], places, runs, load) for module, found in modules.items()]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rows = [_row(*each) for each in enumerate(zip(session.results, adjusted_p(session.results), strict=True))]
    text = environment.get_template("page.html.jinja").render(
        session=session,
        sections=sections,
        rows=rows,
        measured={**session.facts, **_measured_with(runs.values())},
        columns=COLUMNS,
        numeric=_NUMERIC,
        documents=sorted({row["document"] for row in rows}),
        forests=_forests([(about[module][0], found) for module, found in modules.items()]),
        duration=wall_time(session.seconds),
        css=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        script=Markup((_TEMPLATES / "page.js").read_text(encoding="utf-8")),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(text, encoding="utf-8")
    return path


def _row(place: int, judged: tuple[Result, float | None]) -> dict[str, Any]:
    result, adjusted = judged
    verdict = result.verdict
    return {
        "place": place,
        "anchor": f"claim-{place + 1}",
        "finding": result.finding,
        "claim": result.claim,
        "document": result.source.document,
        "documented": documented_effect(result) or "–",
        "documented_value": f"{result.agreement.documented:.4f}" if result.agreement else "",
        "effect": f"{verdict.effect:.4f}",
        "measured": _measured(result),
        "n": verdict.n,
        "adjusted": "–" if adjusted is None else short_p(adjusted),
        "adjusted_value": "" if adjusted is None else f"{adjusted:.6g}",
        "verdict": str(verdict.outcome),
        "recorded": result.recorded,
    }


def _measured(result: Result) -> str:
    verdict = result.verdict
    return f"{verdict.effect:+.2f} ({verdict.lower:+.2f} to {verdict.upper:+.2f})"


def _forests(titled: Sequence[tuple[str, Sequence[Result]]]) -> list[tuple[str, str]]:
    found = []
    for title, results in titled:
        for unit in dict.fromkeys(result.unit for result in results):
            drawn = forest([result for result in results if result.unit == unit])
            found.append((title, drawn))
    return found


def _section(
    module: str,
    results: Sequence[Result],
    said: tuple[str, list[str]],
    places: Mapping[str, int],
    runs: Mapping[str, Stored],
    load: Callable[[str], Dataset] | None,
) -> dict[str, Any]:
    title, about = said
    shown = panels(results, runs)
    drawn: list[tuple[str, str]] = []
    trained: set[frozenset[tuple[str, ...]]] = set()
    for panel in shown:
        drawn += _drawn(panel, any(result.of_kind.compares_spreads for result in results))
        # The same runs train in the same way, whatever is measured of them.
        runs_of_panel = frozenset(point.arm.runs for point in panel.points)
        if runs_of_panel not in trained:
            drawn += _training(panel)
        trained.add(runs_of_panel)
    pictured, taken_wrong = _pictured([result for result in results if result.images], runs, load)
    return {
        "anchor": _anchor(module),
        "name": title.split(".")[0] if title.split(".")[0].isalnum() else title.split(":")[0],
        "title": title,
        "about": about,
        "sources": list(dict.fromkeys(str(result.source) for result in results)),
        "claims": [
            {
                "anchor": f"claim-{places[result.nodeid] + 1}",
                "finding": result.finding,
                "words": result.claim,
                "verdict": str(result.verdict.outcome),
                "measured": f"{_measured(result)} {result.unit}",
                "documented": documented_effect(result),
                "n": result.verdict.n,
                "text": failure_text(result),
            }
            for result in results
        ],
        "figures": drawn + pictured,
        "mistaken": taken_wrong,
        "arms": [_arm(point) for panel in shown for point in panel.points],
    }


def _drawn(panel: Panel, spreads: bool) -> list[tuple[str, str]]:
    """The figures of a panel with their captions."""
    of = _of(panel)
    seeds = sorted({len(point.arm.values) for point in panel.points})
    many = f"{seeds[0]} seeds" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    documented = any(point.arm.documented is not None for point in panel.points)
    told = " Large open signs: the documented figures." if documented else ""
    caption = f"{of}{panel.measured}; means with 95 % intervals over {many}, dots are seeds.{told}"
    found = [(caption, values_figure(panel))]
    if spreads and all(len(point.arm.values) > 1 for point in panel.points):
        caption = f"{of}standard deviation over seeds, with 95 % intervals (as of normal values)."
        found.append((caption, spread_figure(panel)))
    return found


def _training(panel: Panel) -> list[tuple[str, str]]:
    """How a panel's networks trained, with captions."""
    of = _of(panel)
    found = [(f"{of}training accuracy, means over seeds.", curves_figure(panel))]
    shown = deepest(panel) if panel.axis and panel.axis.path[1] == "depth" else []
    if shown:
        these = (
            f", of the {len(shown)} deepest of {len(panel.points)} networks" if len(shown) < len(panel.points) else ""
        )
        caption = f"{of}size of the gradient of each block's weights, geometric means over seeds{these}."
        found.append((caption, gradients_figure(panel, shown)))
    return found


def _of(panel: Panel) -> str:
    """What a caption begins with."""
    return f"{panel.title}: " if panel.title and panel.title not in panel.measured else ""


def _pictured(
    results: Sequence[Result], runs: Mapping[str, Stored], load: Callable[[str], Dataset] | None
) -> tuple[list[tuple[str, str]], list[tuple[str, list[Mistaken]]]]:
    """Confusion matrices and images taken for something else, of every arm of these claims that kept predictions."""
    drawn, taken_wrong = [], []
    for names, label in {arm.runs: arm.label for result in results for arm in result.arms}.items():
        stored = [runs[name] for name in names if name in runs and runs[name].trained.predictions]
        data = _data(stored[0], load) if stored and load else None
        if data is None:
            continue
        if data.classes <= MOST_CLASSES:
            drawn.append((f"What {label} takes images for.", confusion_figure(label, stored, data)))
        taken_wrong.append((label, mistaken(stored, data)))
    return drawn, taken_wrong


def _data(stored: Stored, load: Callable[[str], Dataset]) -> Dataset | None:
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
        "device": "; ".join(dict.fromkeys(map(_with, point.runs))),
    }


def _with(stored: Stored) -> str:
    """What a run was trained with."""
    tf32 = ", TF32" if stored.numerics.get("tf32") else ""
    kernels = ", Triton kernels" if stored.numerics.get("kernels") == TRITON else ""
    return f"{stored.device}{tf32}{kernels}, torch {stored.versions.get('torch', '?')}"


def _measured_with(runs: Iterable[Stored]) -> dict[str, str]:
    """What all the runs behind a page were trained with, and when: not always what the page was written with."""
    runs = list(runs)
    if not runs:
        return {}
    counted = Counter(map(_with, runs))
    days = sorted(stored.finished[:10] for stored in runs)
    return {
        "runs trained on": "; ".join(f"{count} on {what}" for what, count in counted.most_common()),
        "runs finished": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
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


def _about(module: Path) -> tuple[str, list[str]]:
    """A module's title and further paragraphs, from its docstring; its name where it has none."""
    try:
        text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    except (OSError, SyntaxError):
        text = None
    if not text:
        words = module.stem.removeprefix("test_").replace("_", " ")
        return words[:1].upper() + words[1:], []
    title, *paragraphs = text.split("\n\n")
    return " ".join(title.split()), [" ".join(paragraph.split()) for paragraph in paragraphs]


def _anchor(module: str) -> str:
    return Path(module).stem.replace("_", "-")
