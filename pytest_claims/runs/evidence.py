"""Recorded runs that ship with the project, and are judged without their images: the folder evidence/.

A file is JSON lines, so that a run more is a line more in a diff:

    {"format": "pytest-claims evidence 1", "runs": 3, "sha256": "..."}      of all bytes after this line
    {"configuration": {...}, "data": "...", "numerics": {...}, "engine": 1, "test_images": 10000, "device": "...", ...}
    {"seed": 0, "accuracy": 45.18, "train": [...], "loss": [...], "seconds": 6.1, "finished": "...", ...}

A line with a configuration stands for all runs below it, up to the next one. A run has no predictions of single images;
their counts by true and by predicted class are in "confusion", row by row, where they were recorded. Curves and
gradients have seven significant digits, about those of a float32.

    python -m pytest_claims.runs publish STORE FILE [--data DIR]
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_claims.defaults import MOST_DRAWN_CLASSES
from pytest_claims.errors import ExplainedError
from pytest_claims.runs.row import COLUMNS, digest, imported, predictions_of
from pytest_claims.runs.store import ConflictError, Store
from pytest_claims.whole_file import write_whole

FOLDER = Path("evidence")
FORMAT = "pytest-claims evidence 1"
_GROUP = ("configuration", "data", "numerics", "engine", "test_images", "device", "versions")

Row = tuple[Any, ...]
# The labels of a data set's test images, by its name and fingerprint; None where they are not at hand.
Labels = Callable[[str, str], np.ndarray | None]


class EvidenceError(ExplainedError):
    """A file of evidence cannot be read; the text names the file, the line, what is wrong and the way out."""


def publish(rows: Iterable[Row], path: Path, labels: Labels) -> int:
    """Write runs, given as values of the store's COLUMNS, as a file of evidence; returns how many.

    labels: of which the confusion counts are made. A run whose labels are not at hand has none.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        run = dict(zip(COLUMNS, row, strict=True))
        head = {name: run[name] for name in _GROUP}
        for name in ("configuration", "numerics", "versions"):
            head[name] = json.loads(head[name])
        groups.setdefault(_compact(head), []).append(_published(run, labels))
    lines = []
    for group in sorted(groups):
        lines += [group, *(_compact(run) for run in sorted(groups[group], key=lambda run: run["seed"]))]
    body = "".join(f"{line}\n" for line in lines)
    runs = sum(len(group) for group in groups.values())
    first = {"format": FORMAT, "runs": runs, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    write_whole(path, [_compact(first), "\n", body])
    return runs


def files(folder: Path) -> list[Path]:
    """The files of evidence in a folder, in the order of their names; none if there is no such folder."""
    return sorted(folder.glob("*.jsonl"))


def read(path: Path) -> list[Row]:
    """The runs of a file of evidence, as values of the store's COLUMNS. Raises EvidenceError."""
    try:
        first, _, body = path.read_bytes().partition(b"\n")
        head = json.loads(first)
        if head["format"] != FORMAT:
            raise EvidenceError(
                f"{path}: its format is {head['format']!r}; this version reads {FORMAT!r}. {_way_out()}"
            )
        if hashlib.sha256(body).hexdigest() != head["sha256"]:
            raise EvidenceError(f"{path} is damaged: its content is not what its checksum was made of. {_way_out()}")
        lines = body.decode().splitlines()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceError(f"{path} is no file of evidence ({error!r}). {_way_out()}") from error
    rows: list[Row] = []
    group: dict[str, Any] = {}
    for number, line in enumerate(lines, start=2):
        try:
            values = json.loads(line)
            if "configuration" in values:
                group = {name: values[name] for name in _GROUP}
            else:
                rows.append(_row(group, values))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EvidenceError(f"{path}, line {number}: not a run ({error!r}). {_way_out()}") from error
    if len(rows) != head["runs"]:
        raise EvidenceError(f"{path} has {len(rows)} runs; its first line says {head['runs']}. {_way_out()}")
    return rows


def store_of(folder: Path, beside: Path) -> Store | None:
    """The runs of a folder of evidence as a store, made once for its content beside another file; None for no folder.

    In memory where it cannot be written. Raises EvidenceError for a damaged file, and for two that contradict.
    """
    found = files(folder)
    if not found:
        return None
    content = hashlib.sha256()
    for path in found:
        content.update(path.read_bytes())
    target = beside.parent / f"evidence-{content.hexdigest()[:16]}.sqlite"
    if target.exists():
        return Store(target, read_only=True)
    rows = [(path, row) for path in found for row in read(path)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: other workers may look at the same time.
        with tempfile.TemporaryDirectory(dir=target.parent) as made:
            part = Store(Path(made) / target.name)
            _fill(part, rows)
            part.close()
            os.replace(Path(made) / target.name, target)
    except OSError:
        # A folder that cannot be written is no reason not to judge: then they are read anew for each session.
        memory = Store(target, read_only=True)
        _fill(memory, rows)
        return memory
    return Store(target, read_only=True)


def _fill(store: Store, rows: Sequence[tuple[Path, Row]]) -> None:
    try:
        store.add(row for _, row in rows)
    except ConflictError as error:
        path, row = rows[error.place]
        raise EvidenceError(
            f"{path} has another result of the run {row[0]} than another file of evidence. {_way_out()}"
        ) from error


def _published(run: dict[str, Any], labels: Labels) -> dict[str, Any]:
    curves, records = json.loads(run["curves"]), json.loads(run["records"])
    told: dict[str, Any] = {
        "seed": run["seed"],
        "accuracy": run["test_accuracy"],
        "train": _short(curves["train_accuracy"]),
        "loss": _short(curves["train_loss"]),
        "seconds": round(run["seconds"], 2),
        "finished": run["finished"],
    }
    if run["diverged"]:
        told["diverged"] = True
    if "at_once" in records:
        told["at_once"] = records["at_once"]
    if records.get("gradients"):
        told["gradients"] = [_short(row) for row in records["gradients"]]
    if records.get("test_accuracy_by_epoch"):
        told["by_epoch"] = records["test_accuracy_by_epoch"]
    predicted = predictions_of(records, run["test_images"])
    true = labels(json.loads(run["configuration"]).get("dataset", "cifar10"), run["data"]) if predicted else None
    if records.get("confusion"):
        told["confusion"] = records["confusion"]
    elif true is not None and len(predicted) == len(true):
        classes = int(true.max()) + 1
        # The counts of more classes would take most of the file.
        if classes <= MOST_DRAWN_CLASSES:
            counts = np.bincount(true * classes + np.array(predicted), minlength=classes**2)
            told["confusion"] = counts.tolist()
    return told


def _row(group: dict[str, Any], run: dict[str, Any]) -> Row:
    """A run as values of the store's COLUMNS. Raises ValueError, KeyError or TypeError for what is none."""
    accuracy, counts = run["accuracy"], run.get("confusion", [])
    records = {"gradients": run.get("gradients", []), "predictions": ""}
    records |= {"confusion": counts} if counts else {}
    records |= {"test_accuracy_by_epoch": run["by_epoch"]} if "by_epoch" in run else {}
    records |= {"at_once": int(run["at_once"])} if "at_once" in run else {}
    texts = {name: json.dumps(group[name], sort_keys=True) for name in ("numerics", "versions")}
    configuration = json.dumps(group["configuration"], sort_keys=True, separators=(",", ":"))
    values = {
        "key": digest(configuration, group["data"], texts["numerics"], group["engine"], run["seed"]),
        "configuration": configuration,
        "seed": run["seed"],
        "data": group["data"],
        "numerics": texts["numerics"],
        "engine": group["engine"],
        "test_accuracy": accuracy,
        "test_images": group["test_images"],
        "diverged": int(run.get("diverged", False)),
        "curves": json.dumps({"train_accuracy": run["train"], "train_loss": run["loss"]}),
        "seconds": run["seconds"],
        "device": group["device"],
        "versions": texts["versions"],
        "finished": run["finished"],
        "records": json.dumps(records),
        "checksum": "",  # the file has one
    }
    row = tuple(values[column] for column in COLUMNS)
    imported(row)
    return row


def _short(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _way_out() -> str:
    return "Restore it from version control, or remove it: the runs of other files are judged without it"
