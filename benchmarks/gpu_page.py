"""The page of what `python -m benchmarks.on_gpu` found, of whatever its parts have left so far."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# The whole documented scale with 10 seeds an arm on one H100 or H200.
GOAL_MINUTES = 10
# Lines of a log that a failure shows.
_LAST_LINES = 15
# Parts whose JSON is no session of claims.
_OTHERS = ("kernels", "speed")
_STEP = re.compile(r"(?P<run>.+), (?P<seeds>\d+) seeds, (?P<kernels>cudnn|triton), ms a seed and step")


def gpu_page(
    folder: Path,
    machine: str,
    date: str,
    ended: Sequence[tuple[str, str | None]],
    failed: Sequence[str],
    seconds: Mapping[str, float],
) -> str:
    """The page as Markdown.

    folder: has what the parts wrote. ended: of each part its name and how it ended in words, None for one that was not
    run. failed: the parts that did not end well. seconds: that each part took. A section whose files are damaged says
    so; one without files is left out.
    """
    lines = [f"# On a GPU, {date}", "", f"{machine}. Made by `python -m benchmarks.on_gpu`.", ""]
    lines += [f"- {words or f'{name}: not run; the same command again goes on here'}" for name, words in ended]
    for section in (
        lambda: _claims(folder, seconds),
        lambda: _steps(folder),
        lambda: _errors(folder),
        lambda: _compared(folder, [name for name, words in ended if words and name.startswith("compare")]),
    ):
        lines += _safely(section)
    if (folder / "speed.md").is_file():
        lines += ["", "## Against a notebook's loop", "", "[speed.md](speed.md)"]
    for name in failed:
        log = folder / f"{name}.log"
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:] if log.is_file() else []
        lines += ["", f"## {name} did not end well", "", f"The end of {log.name}:", "", "```text", *last, "```"]
    return "\n".join(lines) + "\n"


def _safely(section: Callable[[], list[str]]) -> list[str]:
    """A section; where its files are not what they should be, what is wrong with them."""
    try:
        return section()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return ["", f"A section is left out, since its files cannot be read ({type(error).__name__}: {error})."]


def _claims(folder: Path, seconds: Mapping[str, float]) -> list[str]:
    lines = []
    for name in seconds:
        path = folder / f"{name}.json"
        if name in _OTHERS or not path.is_file():
            continue
        document = json.loads(path.read_text(encoding="utf-8"))
        totals = document["totals"]
        counts = ", ".join(f"{count} {called}" for called, count in totals.items() if count)
        took = f"{seconds[name] / 60:.1f} minutes in all sessions"
        trained = f"{document['runs_trained']} runs trained in the last session, {took}"
        shown = f"[{name}]({name}.md)" if path.with_suffix(".md").is_file() else name
        shown += f", [page]({name}/index.html)" if (folder / name / "index.html").is_file() else ""
        lines.append(f"- {shown}: {counts}; {trained}")
        if name == "claims" and document["facts"]["scale"].startswith("documented"):
            lines.append(f"  (the goal for the whole documented scale with 10 seeds an arm is {GOAL_MINUTES} minutes)")
        for each in document["disagreements"]:
            verdicts = ", ".join(f"{kind} {verdict}" for kind, verdict in each["verdicts"].items())
            lines.append(f"  - another verdict than the ledger's on another kind of device: {each['id']} ({verdicts})")
    return ["", "## Claims", "", *lines] if lines else []


def _steps(folder: Path) -> list[str]:
    found = _kernels(folder)
    times: dict[str, dict[tuple[str, int], float]] = {}
    for name, value in found.items():
        told = _STEP.fullmatch(name)
        if told and isinstance(value, int | float):
            times.setdefault(told["run"], {})[told["kernels"], int(told["seeds"])] = value
    if not times:
        return []
    seeds = sorted({many for row in times.values() for _, many in row})
    heads = [f"{kernels}, S = {many}" for kernels in ("cudnn", "triton") for many in seeds]
    heads += [f"ratio, S = {many}" for many in seeds]
    lines = [
        "",
        "## Step times",
        "",
        "Milliseconds a seed and training step, captured and replayed, S seeds side by side.",
    ]
    lines += ["", f"| | {' | '.join(heads)} |", "|" + " --- |" * (len(heads) + 1)]
    for run, row in times.items():
        cells = [_number(row.get((kernels, many))) for kernels in ("cudnn", "triton") for many in seeds]
        pairs = [(row.get(("cudnn", many)), row.get(("triton", many))) for many in seeds]
        cells += [f"{one / other:.1f}" if one and other else "-" for one, other in pairs]
        lines.append(f"| {run} | {' | '.join(cells)} |")
    return lines


def _errors(folder: Path) -> list[str]:
    """The largest errors of all layers, by precision, and what failed."""
    found = _kernels(folder)
    worst: dict[str, dict[str, float]] = {}
    changing = []
    for name, value in found.items():
        if not (name.startswith("errors of ") and isinstance(value, dict) and "triton" in value):
            continue
        precision = "bfloat16" if "bfloat16" in name else "float32"
        for kernels in ("triton", "torch"):
            before = worst.setdefault(precision, {}).get(kernels, 0.0)
            worst[precision][kernels] = max(before, *value[kernels])
        changing += [] if value["same"] else [name.removeprefix("errors of ")]
    failed = [name for name, value in found.items() if isinstance(value, dict) and "failed" in value]
    if not (worst or failed):
        return []
    lines = ["", "## Errors of the kernels", "", "The largest, against float64, as a share of the largest value.", ""]
    lines += [
        f"- {precision}: Triton's {errors['triton']:.1e}, torch's own {errors['torch']:.1e}"
        for precision, errors in worst.items()
    ]
    lines += [f"- two calls give other bits: {', '.join(changing)}"] if changing else []
    return lines + [f"- failed: {name}" for name in failed]


def _compared(folder: Path, names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        said = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        page = f" ([page]({name}.md))" if (folder / f"{name}.md").is_file() else ""
        lines.append(f"- {name.removeprefix('compare-')}: {said[-1] if said else 'nothing was said'}{page}")
    return ["", "## Paired by seed", "", *lines] if lines else []


def _kernels(folder: Path) -> dict[str, Any]:
    path = folder / "kernels.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no object")
    return found


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
