"""A round: sessions on one store, faults at random times, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from chaos import faults
from chaos.check import Rows, block_of, lost_or_altered, rows, trained_twice, verdicts
from chaos.processes import ROOT, Session

# A finished block is seen in the store so long after its commit, at most.
_SEEN_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Reference:
    """What an undisturbed session came to. lines: its runs, exported."""

    rows: Rows
    verdicts: dict[str, tuple[object, ...]]
    lines: Path


@dataclasses.dataclass(frozen=True)
class Round:
    """What a round came to. findings: what did not hold; none in a good one."""

    number: int
    seed: int
    sessions: str
    log: tuple[str, ...]
    runs: int
    seconds: float
    findings: tuple[str, ...]


def undisturbed(folder: Path) -> Reference:
    """Train all once, without faults."""
    store, lines = folder / "reference.sqlite", folder / "reference.jsonl"
    session = Session(folder, store, "reference", 0)
    if session.wait(600) not in (0, 1):
        raise RuntimeError(f"the undisturbed session failed:\n{session.text}")
    command = [sys.executable, "-m", "pytest_claims.runs", "export", str(store), str(lines)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return Reference(rows(store), verdicts(session.json), lines)


def run(folder: Path, place: Path, reference: Reference, number: int, seed: int) -> Round:
    """One round with a store in place, an empty folder."""
    began, chance = time.time(), random.Random(seed)
    for name in ("log.jsonl", "clock"):
        (folder / name).unlink(missing_ok=True)
    store = place / "runs.sqlite"
    field = faults.Field(folder, store, [], chance, [], reference.lines)
    harmful = number % 4 == 3
    kinds = [*chance.sample(faults.GENTLE, chance.randint(1, 3)), *([chance.choice(faults.HARMFUL)] if harmful else [])]
    for index in range(chance.choice((1, 2, 2, 3))):
        field.sessions.append(Session(folder, store, f"round-{index}", chance.choice((0, 0, 2))))
    watch = _Watch(store)
    for kind in kinds:
        # The first fault falls where training has begun, or is about to.
        watch.look(chance.uniform(0.2, 4.0) if field.log else chance.uniform(2.0, 12.0))
        if not field.living() and kind is not faults.writer:
            field.sessions.append(Session(folder, store, f"round-{len(field.sessions)}", chance.choice((0, 2))))
            watch.look(chance.uniform(3.0, 9.0))
        kind(field)
    statuses = []
    for session in field.sessions:
        while session.process.poll() is None and time.time() - began < 240:
            watch.look(0.3)
        statuses.append(session.wait(60))
    findings = [f"session {n} did not end" for n, status in enumerate(statuses) if status == 124]
    findings += _crashed(field.sessions)
    if harmful and field.harmed:
        findings += _after_harm(field, reference, statuses)
    else:
        (folder / "clock").unlink(missing_ok=True)
        findings += _after(field, reference, watch)
    told = f"{len(field.sessions)} ({', '.join(f'-n {each.workers}' for each in field.sessions)})"
    left = 0
    with contextlib.suppress(sqlite3.Error):
        left = len(rows(store))
    return Round(number, seed, told, tuple(field.log), left, time.time() - began, tuple(findings))


class _Watch:
    """Reads the store again and again: what was there once was finished."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.seen: Rows = {}
        self.at: dict[str, float] = {}

    def look(self, seconds: float) -> None:
        until = time.time() + seconds
        while True:
            if self._store.exists():
                with contextlib.suppress(sqlite3.Error):
                    found = rows(self._store)
                    for key in found.keys() - self.seen.keys():
                        self.seen[key] = found[key]
                        self.at[block_of(found[key])] = time.time() + _SEEN_SECONDS
            if time.time() >= until:
                return
            time.sleep(0.1)


def _after(field: faults.Field, reference: Reference, watch: _Watch) -> list[str]:
    """After faults that may lose nothing: an undisturbed session ends with the reference's verdicts."""
    watch.look(0)
    told = []
    last = Session(field.folder, field.store, "last", 0)
    if last.wait(300) not in (0, 1):
        told.append(f"the session after the faults failed: {last.text[-300:]}")
    left = rows(field.store)
    told += lost_or_altered(watch.seen, left, reference.rows)
    told += [f"the run {key[:12]} is missing" for key in reference.rows if key not in left]
    if verdicts(last.json) != reference.verdicts:
        told.append("the verdicts differ from an undisturbed session's")
    # A claim whose runs could not be stored has none.
    told += [
        f"a session among the faults called {test} otherwise"
        for session in field.sessions
        for test, verdict in verdicts(session.json).items()
        if verdict != reference.verdicts[test]
    ]
    for session in field.sessions:
        session.json.unlink(missing_ok=True)
    return told + trained_twice(field.folder / "log.jsonl", watch.at)


def _after_harm(field: faults.Field, reference: Reference, statuses: list[int]) -> list[str]:
    """After harm to the file itself: no verdict is another than the reference's, and no run is."""
    told = []
    for session, status in zip(field.sessions, statuses, strict=True):
        for test, verdict in verdicts(session.json).items():
            if verdict != reference.verdicts[test]:
                told.append(f"a session on a harmed store called {test} otherwise")
        removed = "the store was removed" in field.log
        if removed and status in (0, 1) and session.began + 15 < field.harmed and "gone" not in session.text:
            told.append("a session did not say that its store was gone")
        session.json.unlink(missing_ok=True)
    judged = Session(field.folder, field.store, "judged", 0, "--stored")
    judged.wait(120)
    for test, verdict in verdicts(judged.json).items():
        if verdict != reference.verdicts[test]:
            told.append(f"a harmed store was judged: {test}")
    told += _crashed([judged])
    judged.json.unlink(missing_ok=True)
    return told


def _crashed(sessions: list[Session]) -> list[str]:
    words = ("INTERNALERROR", "sqlite3.", "database is locked")
    return [
        f"a session's text has {word!r}: {session.text[max(0, session.text.find(word) - 200) :][:400]}"
        for session in sessions
        for word in words
        if word in session.text
    ]


def empty(place: Path) -> None:
    """Empty a folder, which may be a file system of its own."""
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
