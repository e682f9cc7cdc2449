"""Faults, each injected into running sessions. What a fault allows to be lost is said beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from chaos.processes import ROOT, Session


@dataclasses.dataclass
class Field:
    """What faults may touch. log: of what they did, in words, with Unix times. harmed: the store is not whole."""

    folder: Path
    store: Path
    sessions: list[Session]
    random: random.Random
    log: list[str]
    reference: Path
    harmed: float = 0.0

    def living(self) -> list[Session]:
        return [session for session in self.sessions if session.processes()]


def kill_worker(field: Field) -> None:
    _each(field, lambda session: session.signal(signal.SIGKILL, worker=True), "kill -9 of a worker")


def kill_session(field: Field) -> None:
    _each(field, lambda session: session.signal(signal.SIGKILL), "kill -9 of a session")


def kill_all(field: Field) -> None:
    for session in field.living():
        session.signal(signal.SIGKILL)
    field.log.append("kill -9 of all")


def interrupt(field: Field) -> None:
    """Ctrl-C. It must end in seconds."""

    def act(session: Session) -> bool:
        began = time.time()
        session.killed = True
        session.signal(signal.SIGINT)
        status = session.wait(60)
        field.log.append(f"Ctrl-C, ended after {time.time() - began:.1f} s with status {status}")
        return status != 124

    _each(field, act, "")


def stop(field: Field) -> None:
    seconds = field.random.uniform(0.5, 4)

    def act(session: Session) -> bool:
        session.signal(signal.SIGSTOP)
        time.sleep(seconds)
        return session.signal(signal.SIGCONT)

    _each(field, act, f"stopped for {seconds:.1f} s")


def failing_writes(field: Field) -> None:
    """Writes beyond a few kilobytes fail for a while, in all processes: the disk is full."""
    living = [process for session in field.living() for process in session.processes()]
    for process in living:
        with contextlib.suppress(psutil.Error, OSError):
            process.rlimit(resource.RLIMIT_FSIZE, (field.random.choice((1, 4096, 40_000)), resource.RLIM_INFINITY))
    time.sleep(field.random.uniform(0.5, 2))
    for process in living:
        with contextlib.suppress(psutil.Error, OSError):
            process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    field.log.append(f"writes failed in {len(living)} processes")


def full_disk(field: Field) -> None:
    """A small file system is filled for a while."""
    ballast = field.store.parent / "ballast"
    free = shutil.disk_usage(field.store.parent).free
    if free > 64 * 1024**2:
        failing_writes(field)
        return
    with contextlib.suppress(OSError), open(ballast, "wb") as file:
        while True:
            file.write(bytes(4096))
            file.flush()
    time.sleep(field.random.uniform(0.5, 2))
    ballast.unlink(missing_ok=True)
    field.log.append("the disk was full")


def clock(field: Field) -> None:
    jump = field.random.choice((-90_000, -3_600, -5, 5, 3_600, 90_000, 31_000_000))
    (field.folder / "clock").write_text(str(jump))
    field.log.append(f"the clock jumped by {jump} s")


def writer(field: Field) -> None:
    """Another writer: a part of the reference's runs is imported."""
    lines = field.reference.read_text().splitlines(keepends=True)
    part = field.folder / "part.jsonl"
    part.write_text("".join(field.random.sample(lines, field.random.randint(1, len(lines)))))
    command = [sys.executable, "-m", "pytest_claims.runs", "import", str(part), str(field.store)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    field.log.append(f"import: {(done.stdout or done.stderr).strip().split(' to /')[0][:80]}")


def remove(field: Field) -> None:
    """The store's file goes, with or without its log. Its runs go with it."""
    field.harmed = time.time()
    for name in ("", *field.random.sample(("-wal", "-shm"), field.random.randint(0, 2))):
        Path(f"{field.store}{name}").unlink(missing_ok=True)
    field.log.append("the store was removed")


def damage(field: Field) -> None:
    """Random bytes into random pages of the store."""
    if not field.store.exists():
        return
    field.harmed = time.time()
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(field.store, timeout=1)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = field.store.stat().st_size
    with open(field.store, "r+b") as file:
        for _ in range(field.random.randint(1, 6)):
            file.seek(field.random.randrange(100, max(101, size)))
            file.write(field.random.randbytes(field.random.choice((1, 16, 4096))))
        file.flush()
        os.fsync(file.fileno())
    field.log.append("the store was damaged")


def _each(field: Field, act: Callable[[Session], bool], words: str) -> None:
    living = field.living()
    if living and act(field.random.choice(living)) and words:
        field.log.append(words)


GENTLE = (kill_worker, kill_session, kill_all, interrupt, stop, failing_writes, full_disk, clock, writer)
HARMFUL = (remove, damage)
