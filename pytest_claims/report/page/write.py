"""Put the page together: a story a module of claims, the table of all, and the templates beside this file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pytest_claims.data import Dataset
from pytest_claims.judge.result import Called, Result
from pytest_claims.report.devices import device_lines
from pytest_claims.report.facts import number, wall_time
from pytest_claims.report.multiplicity import adjusted_p
from pytest_claims.report.numbers import documented_effect, short_p
from pytest_claims.report.page.colours import Colours
from pytest_claims.report.page.forest import forest
from pytest_claims.report.page.marks import MARKS, mark_of
from pytest_claims.report.page.module import read
from pytest_claims.report.page.section import measured_words, section, trained_with
from pytest_claims.report.session import Session
from pytest_claims.runs.store import Store, Stored
from pytest_claims.whole_file import write_whole

_TEMPLATES = Path(__file__).with_name("templates")
COLUMNS = ("Claim", "In words", "Source", "Documented", "Measured", "Seeds", "Adjusted p", "Verdict", "Ledger")
_NUMERIC = (3, 4, 5, 6)
# Anchors of the page itself.
_TAKEN = ("table", "forest", "placebo", "measured", "claims", "filter", "source", "words", "sort", "shown")


def write_page(
    session: Session, store: Store, folder: Path, *, root: Path, load: Callable[[str], Dataset] | None = None
) -> Path:
    """Write folder/index.html, which needs nothing beside it, and return its path.

    store: has the runs behind the evidence; what it lacks is left out of the figures. root: of the claims' modules,
    whose docstrings head the sections and whose STORY says how they are told. load: gives the data set for a name;
    without it, or where that fails, the page has no images. Raises OSError if the folder or the file cannot be written.
    """
    names = [name for result in session.results for arm in result.arms for name in arm.runs]
    runs = store.named(dict.fromkeys(names))
    of_module: dict[str, list[Result]] = {}
    for result in session.results:
        of_module.setdefault(result.nodeid.split("::")[0], []).append(result)
    anchors, colours = anchors_of(session.results), Colours()
    modules = {name: read(root / name) for name in of_module}
    sections = [section(name, modules[name], found, anchors, runs, load, colours) for name, found in of_module.items()]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    judged = zip(session.results, adjusted_p(session.results), strict=True)
    rows = [_row(place, *each, anchors) for place, each in enumerate(judged)]
    text = environment.get_template("page.html.jinja").render(
        session=session,
        number=number,
        totals={MARKS[Called(called)]: count for called, count in session.totals.items() if count},
        marks=MARKS.values(),
        sections=sections,
        rows=rows,
        measured={**session.facts, **_measured_with(runs.values())},
        columns=COLUMNS,
        numeric=_NUMERIC,
        documents=sorted({row["document"] for row in rows}),
        forests=_forests([(modules[name].title, found) for name, found in of_module.items()]),
        devices=device_lines(session.results),
        duration=wall_time(session.seconds),
        css=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        script=Markup((_TEMPLATES / "page.js").read_text(encoding="utf-8")),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    write_whole(path, [text])
    return path


def anchors_of(results: Sequence[Result]) -> dict[str, str]:
    """Where each claim stands on the page, by its test: its id, as far as an address can hold it."""
    found: dict[str, str] = {}
    taken = set(_TAKEN)
    for place, result in enumerate(results):
        anchor = re.sub(r"[^\w.-]+", "-", result.id)
        found[result.nodeid] = anchor if anchor not in taken else f"{anchor}-{place + 1}"
        taken.add(found[result.nodeid])
    return found


def _row(place: int, result: Result, adjusted: float | None, anchors: Mapping[str, str]) -> dict[str, Any]:
    verdict = result.verdict
    return {
        "place": place,
        "anchor": anchors[result.nodeid],
        "id": result.id,
        "claim": result.claim,
        "document": result.source.document,
        "url": result.source.url,
        "documented": documented_effect(result) or "–",
        "documented_value": f"{result.agreement.documented:.4f}" if result.agreement else "",
        "effect": f"{verdict.effect:.4f}",
        "measured": measured_words(result),
        "n": verdict.n,
        "adjusted": "–" if adjusted is None else short_p(adjusted),
        "adjusted_value": "" if adjusted is None else f"{adjusted:.6g}",
        "verdict": result.verdict_words,
        "mark": mark_of(result),
        "recorded": _ledger_words(result),
    }


def _ledger_words(result: Result) -> str:
    """The verdicts in the ledger: of the same kind of device by itself, of others by their names."""
    others = [f"{other.device_kind.upper()}: {other.verdict}" for other in result.elsewhere]
    return "; ".join([*filter(None, [result.recorded]), *others])


def _forests(titled: Sequence[tuple[str, Sequence[Result]]]) -> list[tuple[str, str]]:
    found = []
    for title, results in titled:
        for unit in dict.fromkeys(result.unit for result in results):
            drawn = forest([result for result in results if result.unit == unit])
            found.append((title, drawn))
    return found


def _measured_with(runs: Iterable[Stored]) -> dict[str, str]:
    """What all the runs behind a page were trained with, and when: not always what the page was written with."""
    runs = list(runs)
    if not runs:
        return {}
    counted = Counter(map(trained_with, runs))
    days = sorted(stored.finished[:10] for stored in runs)
    return {
        "runs trained on": "; ".join(f"{count} on {what}" for what, count in counted.most_common()),
        "runs finished": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
    }
