"""What a session plans and is training now, noted in the store's file by the processes that train.

The process that owns the terminal reads it there. Notes are for people: no result depends on one, and whatever goes
wrong with them (a full disk, a locked file) ends them for this process and leaves training alone. They have a
connection of their own, so that training never waits long for them and the store keeps its own errors; SQLite, unlike
the locks beside the store, knows of all connections of a process to a file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from pytest_claims.runs.store import Key
from pytest_claims.train.cost import CPU_CORE, DATA_CENTRE_GPU, Cost
from pytest_claims.types import Run

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS planned (
        session TEXT NOT NULL,          -- UTC time at which it began
        key TEXT NOT NULL,              -- of the run, as in the table runs
        configuration TEXT NOT NULL,    -- a hash: seeds of one network by one recipe
        work REAL NOT NULL,             -- seconds at a nominal speed, to weigh runs by
        steps INTEGER NOT NULL,
        images INTEGER NOT NULL,        -- training images, each once an epoch
        stored INTEGER NOT NULL,        -- whether there was nothing to train when the session asked for it
        PRIMARY KEY (session, key)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS blocks_in_training (
        session TEXT NOT NULL,
        worker INTEGER NOT NULL,
        key TEXT NOT NULL,              -- of the block's first run
        process INTEGER NOT NULL,       -- its id
        network TEXT NOT NULL,          -- in words
        configuration TEXT NOT NULL,
        seeds INTEGER NOT NULL,         -- how many
        work REAL NOT NULL,             -- of a seed
        began REAL NOT NULL,            -- Unix time, seconds
        PRIMARY KEY (session, worker, key)
    ) WITHOUT ROWID
    """,
)
# Nothing waits longer for other processes' commits, which are short.
_PATIENCE_SECONDS = 5.0
# A session deletes its notes; those of one that was killed go with a later one, when no session can still be running.
_KEPT_DAYS = 30
# Images a second are those of the last runs, so that they speak of now.
_RECENT_RUNS = 20

_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True)
class Block:
    """Seeds that are trained side by side, or would be. images: of training, of one seed, each once an epoch."""

    key: Key
    seeds: Sequence[int]
    cost: Cost
    images: int

    @property
    def configuration(self) -> str:
        return hashlib.sha256(self.key.run.canonical.encode()).hexdigest()[:16]

    @property
    def work(self) -> float:
        """Seconds that a seed takes at a nominal speed of the device's kind."""
        speed = CPU_CORE if self.key.device == "cpu" else DATA_CENTRE_GPU
        return speed.seconds(self.cost, self.key.seeds_per_block)


class Notes:
    """Of one process that trains. path: the store's, which is open. session: the time at which it began, its name.

    since: rows of runs finished before are not seen ("" sees all). Raises nothing: the first error ends the notes.
    """

    def __init__(self, path: Path, session: str, worker: int, since: str = "") -> None:
        self._session, self._worker, self._since = session, worker, since
        self._connection: sqlite3.Connection | None = None
        self._noted: set[str] = set()
        with contextlib.suppress(sqlite3.Error):
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        self._try(self._prepare)

    def has_plan(self) -> bool:
        """Whether a process of this session has noted its plan."""
        first = "SELECT 1 FROM planned WHERE session = ? LIMIT 1"
        return bool(self._try(lambda connection: connection.execute(first, (self._session,)).fetchall()))

    def plan(self, blocks: Iterable[Block], also_stored: Callable[[Block], bool] = lambda block: False) -> None:
        """Note that the session needs these, but for those that are noted; whether they are stored is seen now.

        also_stored: whether a block need not be trained, although its own keys have no runs.
        """

        def write(connection: sqlite3.Connection) -> None:
            rows = []
            for block in blocks:
                keys = [block.key.digest(seed) for seed in block.seeds]
                if self._noted.issuperset(keys):
                    continue
                self._noted.update(keys)
                told = block.configuration, block.work, block.cost.steps, block.images
                stored = all(self._is_finished(connection, key) for key in keys) or also_stored(block)
                rows += [(self._session, key, *told, stored) for key in keys]
            if rows:
                with _transaction(connection):
                    connection.executemany("INSERT OR IGNORE INTO planned VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

        self._try(write)

    @contextlib.contextmanager
    def training(self, block: Block) -> Iterator[None]:
        """Note that a block is being trained, as long as the with-block runs; there may be several at once."""

        place = self._session, self._worker, block.key.digest(block.seeds[0])

        def begin(connection: sqlite3.Connection) -> None:
            told = in_words(block.key.run), block.configuration, len(block.seeds), block.work
            row = (*place, os.getpid(), *told, time.time())
            connection.execute("INSERT OR REPLACE INTO blocks_in_training VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

        def end(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM blocks_in_training WHERE session = ? AND worker = ? AND key = ?", place)

        self._try(begin)
        try:
            yield
        finally:
            self._try(end)

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")  # as the store: a commit waits for no disk
        for table in _SCHEMA:
            connection.execute(table)

    def _is_finished(self, connection: sqlite3.Connection, key: str) -> bool:
        row = connection.execute("SELECT 1 FROM runs WHERE key = ? AND finished >= ?", (key, self._since)).fetchone()
        return row is not None

    def _try(self, use: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """What this use of the file gives; None, and no further one, if it fails, whatever the reason."""
        if self._connection is None:
            return None
        try:
            return use(self._connection)
        except Exception:
            self._connection = None
            return None


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def forget(path: Path, session: str) -> None:
    """Delete a session's notes, and those of sessions long past; does nothing where that fails."""
    past = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=_KEPT_DAYS)).isoformat()
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_connect(path, "rw")) as connection:
        for table in ("planned", "blocks_in_training"):
            connection.execute(f"DELETE FROM {table} WHERE session = ? OR session < ?", (session, past))
        connection.commit()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a session needs. runs: seeds of all networks, in whole blocks; stored: those not to be trained. steps: of
    optimisers, of the runs to be trained."""

    networks: int
    runs: int
    stored: int
    steps: int


@dataclasses.dataclass(frozen=True)
class Group:
    """Seeds of one configuration that the session trains. work: of a seed, nominal. seconds: that a seed took, mean of
    those done, None before the first."""

    configuration: str
    work: float
    runs: int
    done: int
    seconds: float | None


@dataclasses.dataclass(frozen=True)
class InTraining:
    """A block that is trained now. worker, process: who trains it. work: of a seed, nominal. began: Unix time, s."""

    worker: int
    process: int
    network: str
    configuration: str
    seeds: int
    work: float
    began: float


@dataclasses.dataclass(frozen=True)
class State:
    """Of a session's training. speed: training images a second of one process, over the last runs; None before."""

    groups: tuple[Group, ...]
    in_training: tuple[InTraining, ...]
    speed: float | None

    @property
    def runs(self) -> int:
        return sum(group.runs for group in self.groups)

    @property
    def done(self) -> int:
        return sum(group.done for group in self.groups)


class Reader:
    """Reads a session's notes, and writes nothing. Raises sqlite3.Error if the file cannot be read.

    To be used by the thread that made it.
    """

    def __init__(self, path: Path, session: str) -> None:
        self._session = session
        self._connection = _connect(path, "ro")
        self._version: int | None = None
        self._state = State((), (), None)

    def close(self) -> None:
        self._connection.close()

    def plan(self) -> Plan:
        """What has been planned so far."""
        row = self._connection.execute(
            "SELECT count(DISTINCT configuration), count(*), total(stored), total(steps * (NOT stored)) "
            "FROM planned WHERE session = ?",
            (self._session,),
        ).fetchone()
        return Plan(*map(int, row))

    def state(self) -> State:
        """What is done and in training; without what dead processes were training."""
        # Counts commits of other connections: nothing is read again while nothing changes, which is most of the time.
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._state, self._version = self._read(), version
        alive = tuple(row for row in self._state.in_training if _is_alive(row.process))
        return dataclasses.replace(self._state, in_training=alive)

    def _read(self) -> State:
        trained = "FROM planned AS p {} JOIN runs AS r ON r.key = p.key AND r.finished >= p.session "
        of_session = "WHERE p.session = ? AND NOT p.stored "
        groups = self._connection.execute(
            "SELECT p.configuration, p.work, count(*), count(r.key), avg(r.seconds) "
            + trained.format("LEFT")
            + of_session
            + "GROUP BY p.configuration",
            (self._session,),
        ).fetchall()
        recent = self._connection.execute(
            "SELECT p.images, r.seconds " + trained.format("") + of_session + "ORDER BY r.finished DESC LIMIT ?",
            (self._session, _RECENT_RUNS),
        ).fetchall()
        training = self._connection.execute(
            "SELECT worker, process, network, configuration, seeds, work, began FROM blocks_in_training "
            "WHERE session = ? ORDER BY worker, began",
            (self._session,),
        ).fetchall()
        images, seconds = (sum(column) for column in zip(*recent, strict=True)) if recent else (0, 0)
        return State(
            tuple(Group(*row) for row in groups),
            tuple(InTraining(*row) for row in training),
            images / seconds if seconds else None,
        )


def in_words(run: Run) -> str:
    """A run's network and batch for people, e.g. "NormCNN(batch) batch 2"."""
    parts = [
        _words(getattr(run.network, field.name))
        for field in dataclasses.fields(run.network)
        if field.name != "classes" and getattr(run.network, field.name) != field.default
    ]
    name = type(run.network).__name__ + (f"({', '.join(parts)})" if parts else "")
    return f"{name} batch {run.recipe.batch}"


def _words(value: object) -> str:
    """A field of a network: of a norm its kind, of equal values one."""
    if isinstance(value, tuple | list):
        return "-".join(dict.fromkeys(map(_words, value)))
    return str(getattr(value, "kind", value))


def _is_alive(process: int) -> bool:
    try:
        # One that was killed remains until its parent has asked for its exit status.
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """To a store that exists; where it was moved away, no new one is made."""
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS)
