"""What a round left, read without the project's own store: plain SQLite, plain JSON, and the witness's log."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Of a run, all that training decides.
_DECIDED = "configuration, seed, data, numerics, engine, test_accuracy, test_images, diverged, curves, records"

Rows = dict[str, tuple[Any, ...]]


def rows(store: Path) -> Rows:
    """Finished runs by key. Raises sqlite3.Error where the file cannot be read."""
    with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        return {row[0]: row[1:] for row in connection.execute(f"SELECT key, {_DECIDED} FROM runs")}


def verdicts(path: Path) -> dict[str, tuple[Any, ...]]:
    """Of a session, by test: the outcome with its numbers; empty where it wrote none."""
    if not path.exists():
        return {}
    found = {}
    for claim in json.loads(path.read_text())["claims"]:
        verdict = claim["verdict"]
        found[claim["nodeid"]] = tuple(verdict[name] for name in ("outcome", "effect", "lower", "upper", "p", "n"))
    return found


def lost_or_altered(seen: Mapping[str, Any], left: Rows, reference: Rows) -> list[str]:
    """seen: runs that were read from the store at some time. left: those that are there now."""
    told = [f"the run {key[:12]} was finished and is lost" for key in seen if key not in left]
    told += [f"the run {key[:12]} was altered" for key, row in seen.items() if key in left and left[key] != row]
    told += [f"the run {key[:12]} differs" for key, row in left.items() if reference.get(key, row) != row]
    return told


def trained_twice(log: Path, stored: Mapping[str, float]) -> list[str]:
    """Blocks that were begun after they had been stored, or by two living processes at once.

    stored: when each block was first seen to be stored, Unix time. Of a block that was never ended its process was
    killed, no one knows when.
    """
    begun: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    open_: dict[tuple[str, int], float] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        event = json.loads(line)
        place = event["block"], event["process"]
        if event["what"] == "begin":
            open_[place] = event["at"]
        elif place in open_:
            begun[event["block"]].append((open_.pop(place), event["at"], event["process"]))
    for (block, process), at in open_.items():
        begun[block].append((at, at, process))
    told = []
    for block, spans in begun.items():
        spans.sort()
        if block in stored and any(at > stored[block] for at, _, _ in spans):
            told.append(f"block {block} was trained again after it was stored")
        if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
            told.append(f"block {block} was trained by two at once")
    return told


def block_of(row: tuple[Any, ...]) -> str:
    """The witness's name of the block of a run that is trained alone."""
    return f"{hashlib.sha256(row[0].encode()).hexdigest()[:16]} {row[1]}"
