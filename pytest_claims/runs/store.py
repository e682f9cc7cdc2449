"""Every finished run is a row in an SQLite file that all workers share, and each run is trained by one of them.

The file is in WAL mode: a killed process loses the runs it was training and nothing that was finished. Who trains what
is settled by locks on single bytes of a file beside the store, which the operating system drops when their process
dies; a run left by a killed worker is therefore free at once.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime
import fcntl
import hashlib
import json
import os
import platform
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy

from pytest_claims.types import Run, Trained

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY,           -- hash of all that decides the result, see Key
    configuration TEXT NOT NULL,    -- canonical JSON of network, recipe and data set
    seed INTEGER NOT NULL,
    data TEXT NOT NULL,             -- fingerprint of the images
    numerics TEXT NOT NULL,         -- JSON: device kind, precision, seeds trained side by side
    engine INTEGER NOT NULL,
    test_accuracy REAL NOT NULL,    -- percent, as are all accuracies
    test_images INTEGER NOT NULL,
    diverged INTEGER NOT NULL,
    curves TEXT NOT NULL,           -- JSON: train_accuracy and train_loss, one value an epoch
    seconds REAL NOT NULL,
    device TEXT NOT NULL,
    versions TEXT NOT NULL,         -- JSON: python, torch, numpy
    finished TEXT NOT NULL,         -- UTC, ISO 8601
    records TEXT NOT NULL DEFAULT '{}'  -- JSON: gradients, and predictions as base64 of zlib of little-endian int16
)
"""
# Stores of before this column was.
_MIGRATION = "ALTER TABLE runs ADD COLUMN records TEXT NOT NULL DEFAULT '{}'"


_WANTED = """
CREATE TABLE IF NOT EXISTS wanted (
    session TEXT NOT NULL,          -- UTC time at which it began
    configuration TEXT NOT NULL,
    first INTEGER NOT NULL,         -- seeds first .. stop - 1
    stop INTEGER NOT NULL,
    PRIMARY KEY (session, configuration, first, stop)
)
"""

# Offset of the lock under which a store is opened, beyond those of the runs; those of workers follow it.
_OPENING = 2**60


COLUMNS = tuple(line.split()[0] for line in _SCHEMA.splitlines() if line.startswith("    "))
_MARKS = ", ".join("?" * len(COLUMNS))


class StoreError(Exception):
    """The store cannot be read or written; the text names the file, what happened and the next step."""


# What the last placebo of a scale on a kind of images found, as lines of text.
_PLACEBOS = """
CREATE TABLE IF NOT EXISTS placebos (
    scale TEXT NOT NULL,
    data TEXT NOT NULL,
    finished TEXT NOT NULL,
    lines TEXT NOT NULL,            -- JSON
    PRIMARY KEY (scale, data)
)
"""


@dataclasses.dataclass(frozen=True)
class Stored:
    """A finished run with what it was trained with. configuration: JSON of network, recipe and data set; numerics: of
    device kind, precision and width; versions: of python, torch and numpy. finished: UTC, ISO 8601."""

    trained: Trained
    configuration: dict[str, Any]
    numerics: dict[str, Any]
    engine: int
    device: str
    versions: dict[str, str]
    finished: str

    @property
    def dataset(self) -> str:
        """The name of its images."""
        return self.configuration.get("dataset", "cifar10")  # the default is not in a configuration


@dataclasses.dataclass(frozen=True)
class Key:
    """All that decides a run's result, but for its seed: the same key and seed, the same result.

    seeds_per_block: how many seeds are trained side by side (the last bits of a sum depend on it). engine: version
    of the code. tf32: whether products of float32 numbers were rounded to TF32.
    """

    run: Run
    data: str
    device: str
    seeds_per_block: int
    engine: int
    tf32: bool = False

    @property
    def numerics(self) -> str:
        precision = self.run.recipe.precision
        numerics: dict[str, object] = {"device": self.device, "precision": precision, "width": self.seeds_per_block}
        if self.tf32 and precision == "float32":
            numerics["tf32"] = True
        return json.dumps(numerics, sort_keys=True)

    def digest(self, seed: int) -> str:
        """Hex name of the run with this seed."""
        return digest(self.run.canonical, self.data, self.numerics, self.engine, seed)


def digest(configuration: str, data: str, numerics: str, engine: int, seed: int) -> str:
    """The name of a run: a hash of all that decides its result."""
    return hashlib.sha256("\n".join((configuration, data, numerics, str(engine), str(seed))).encode()).hexdigest()


class Store:
    """Finished runs by key and seed. path is the SQLite file; its folder is made if it is missing.

    A process that trains opens one Store on a file and keeps it: POSIX drops all of a process's locks on a file when
    it closes any descriptor of it.

    since: rows finished before this time (UTC, ISO 8601) are not seen and will be replaced; "" sees all of them.
    Raises StoreError if the file cannot be opened or is not a store.
    """

    def __init__(self, path: Path, *, since: str = "") -> None:
        self.path, self.since = path, since
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._locks = os.open(f"{path}-locks", os.O_RDWR | os.O_CREAT, 0o644)
            # Workers wait for one another's commits, which are short.
            self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
            # One at a time: SQLite's timeout does not cover the change to WAL, and workers start together.
            fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, _OPENING)
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=NORMAL")
                self._connection.execute(_SCHEMA)
                if "records" not in [row[1] for row in self._connection.execute("PRAGMA table_info(runs)")]:
                    self._connection.execute(_MIGRATION)
                self._connection.execute(_WANTED)
                self._connection.execute(_PLACEBOS)
            finally:
                fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, _OPENING)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"--store {path}: {error}. Name a file that can be written and is an SQLite store of this suite "
                "(a new one is made if there is none), or move the damaged one away"
            ) from error

    def close(self) -> None:
        """Close the file; rows are safe without it."""
        self._connection.close()
        os.close(self._locks)

    def get(self, key: Key, seeds: Iterable[int]) -> dict[int, Trained]:
        """The finished runs among these seeds."""
        found = {}
        for seed in seeds:
            row = self._execute(
                "SELECT test_accuracy, curves, diverged, seconds, test_images, records FROM runs "
                "WHERE key = ? AND finished >= ?",
                (key.digest(seed), self.since),
            ).fetchone()
            if row:
                found[seed] = _trained(seed, row)
        return found

    def named(self, names: Iterable[str]) -> dict[str, Stored]:
        """The runs of these names (Key.digest), whenever they were finished; those that are not here are left out."""
        found = {}
        for name in names:
            row = self._execute(
                "SELECT test_accuracy, curves, diverged, seconds, test_images, records, seed, configuration, numerics, "
                "engine, device, versions, finished FROM runs WHERE key = ?",
                (name,),
            ).fetchone()
            if row:
                seed, configuration, numerics, engine, device, versions, finished = row[6:]
                configuration, numerics, versions = map(json.loads, (configuration, numerics, versions))
                found[name] = Stored(_trained(seed, row), configuration, numerics, engine, device, versions, finished)
        return found

    def put(self, key: Key, results: Sequence[Trained], device: str) -> None:
        """Record finished runs, all or none, replacing what was there. Raises StoreError, a full disk included."""
        import torch  # by now it is; who only reads a store does without its second of loading

        versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}
        self._execute("BEGIN IMMEDIATE")
        for result in results:
            # Python's json writes NaN as NaN and reads it back: a diverged loss is a result.
            curves = json.dumps({"train_accuracy": result.train_accuracy, "train_loss": result.train_loss})
            self._execute(
                f"INSERT OR REPLACE INTO runs ({', '.join(COLUMNS)}) VALUES ({_MARKS})",
                (
                    key.digest(result.seed),
                    key.run.canonical,
                    result.seed,
                    key.data,
                    key.numerics,
                    key.engine,
                    result.test_accuracy,
                    result.test_images,
                    int(result.diverged),
                    curves,
                    result.seconds,
                    device,
                    json.dumps(versions),
                    max(now(), self.since),  # a clock set back must not hide what was trained just now
                    _written(result),
                ),
            )
        self._execute("COMMIT")

    @contextlib.contextmanager
    def training(self, key: Key, seeds: Sequence[int]) -> Iterator[bool]:
        """Hold the right to train these seeds while the block runs; yields False if another process holds it."""
        # One byte a run, at an offset that its name gives. The file stays empty: locks need no bytes to exist.
        offset = int(key.digest(seeds[0])[:15], 16)
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, offset)

    def want(self, session: str, wanted: Iterable[tuple[str, range]]) -> None:
        """Tell the session's other workers which seeds of which configurations (canonical text) a claim waits for."""
        self._execute("BEGIN IMMEDIATE")
        # A session's wishes end with it; those of one that was killed go here.
        yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        self._execute("DELETE FROM wanted WHERE session < ?", (yesterday.isoformat(),))
        for configuration, seeds in wanted:
            row = (session, configuration, seeds.start, seeds.stop)
            self._execute("INSERT OR IGNORE INTO wanted VALUES (?, ?, ?, ?)", row)
        self._execute("COMMIT")

    def wanted(self, session: str) -> list[tuple[str, range]]:
        """What the workers of a session said they want, in the order in which they did."""
        rows = self._execute(
            "SELECT configuration, first, stop FROM wanted WHERE session = ? ORDER BY rowid", (session,)
        )
        return [(configuration, range(first, stop)) for configuration, first, stop in rows]

    def work(self, session: str, worker: int) -> None:
        """Say that this worker of a session is at work, until rest() or the end of its process."""
        fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, self._place(session, worker))

    def rest(self, session: str, worker: int) -> None:
        """Say that this worker has no more work of its own."""
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, self._place(session, worker))

    def at_work(self, session: str, workers: Iterable[int]) -> bool:
        """Whether one of these other workers of the session is at work."""
        for worker in workers:
            place = self._place(session, worker)
            try:
                fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                return True
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, place)
        return False

    @staticmethod
    def _place(session: str, worker: int) -> int:
        """The byte whose lock says that a worker is at work."""
        return _OPENING + 1 + int(hashlib.sha256(f"{session} {worker}".encode()).hexdigest()[:14], 16)

    def keep_placebo(self, scale: str, data: str, lines: Sequence[str]) -> None:
        """Record what a placebo found at a scale on a kind of images, in words."""
        values = (scale, data, now(), json.dumps(list(lines)))
        self._execute("INSERT OR REPLACE INTO placebos VALUES (?, ?, ?, ?)", values)

    def last_placebo(self, scale: str, data: str) -> tuple[str, ...]:
        """What the last placebo at this scale on this kind of images found, with its date; empty if there was none."""
        query = "SELECT finished, lines FROM placebos WHERE scale = ? AND data = ?"
        row = self._execute(query, (scale, data)).fetchone()
        return tuple(f"{row[0][:10]}: {line}" for line in json.loads(row[1])) if row else ()

    def older(self, names: Iterable[str], than: str) -> int:
        """How many of the runs of these names were finished before a time (UTC, ISO 8601)."""
        query = "SELECT count(*) FROM runs WHERE key = ? AND finished < ?"
        return sum(self._execute(query, (name, than)).fetchone()[0] for name in set(names))

    def rows(self) -> list[tuple[Any, ...]]:
        """Every run, in the order of keys, as values of COLUMNS."""
        return self._execute(f"SELECT {', '.join(COLUMNS)} FROM runs ORDER BY key").fetchall()

    def add(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Add runs given as values of COLUMNS, all or none, where their key is not there yet; returns how many."""
        before = self.count()
        self._execute("BEGIN IMMEDIATE")
        for row in rows:
            self._execute(f"INSERT OR IGNORE INTO runs ({', '.join(COLUMNS)}) VALUES ({_MARKS})", row)
        self._execute("COMMIT")
        return self.count() - before

    def count(self) -> int:
        """How many finished runs this store object sees."""
        return self._execute("SELECT count(*) FROM runs WHERE finished >= ?", (self.since,)).fetchone()[0]

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise StoreError(
                f"the store {self.path} refused a {statement.split()[0]} ({error}). Every run finished before this is "
                "safe in it. Free disk space or check that the file can be written, and run the same command again: "
                "it trains only what is missing"
            ) from error


def _trained(seed: int, row: Sequence[Any]) -> Trained:
    """A result from test_accuracy, curves, diverged, seconds, test_images and records, as the store keeps them."""
    curves = json.loads(row[1])
    accuracy, loss = (tuple(curves[name]) for name in ("train_accuracy", "train_loss"))
    return Trained(seed, row[0], accuracy, loss, bool(row[2]), row[3], row[4], *_read(row[5]))


def _written(result: Trained) -> str:
    """What a run recorded beside its accuracies, as the store keeps it."""
    predictions = base64.b64encode(zlib.compress(numpy.array(result.predictions, dtype="<i2").tobytes())).decode()
    return json.dumps({"gradients": result.gradients, "predictions": predictions if result.predictions else ""})


def _read(text: str) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
    """gradients and predictions; empty where a run was recorded before they were."""
    records = json.loads(text)
    gradients = tuple(tuple(row) for row in records.get("gradients", ()))
    packed = records.get("predictions", "")
    predictions = numpy.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype="<i2").tolist() if packed else ()
    return gradients, tuple(predictions)


def now() -> str:
    """The time as the store writes it: UTC, ISO 8601 to the microsecond, so that text order is time order."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
