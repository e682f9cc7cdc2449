"""Finished runs: rows of an SQLite file that all workers share, each named by a hash of all that decides it."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import hashlib
import json
import platform
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from pytest_claims.defaults import CUDNN
from pytest_claims.runs.store_file import StoreFile
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
    records TEXT NOT NULL DEFAULT '{}'  -- JSON: gradients, predictions as base64 of zlib of '<i2', at_once, ...
)
"""
# Stores of before this column was.
_MIGRATION = "ALTER TABLE runs ADD COLUMN records TEXT NOT NULL DEFAULT '{}'"

COLUMNS = tuple(line.split()[0] for line in _SCHEMA.splitlines() if line.startswith("    "))
_MARKS = ", ".join("?" * len(COLUMNS))


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
        return str(self.configuration.get("dataset", "cifar10"))  # the default is not in a configuration


@dataclasses.dataclass(frozen=True)
class Key:
    """All that decides a run's result, but for its seed: the same key and seed, the same result.

    What the run's names stand for is a part of it (identity.py), which is found when a digest is asked for.

    seeds_per_block: how many seeds belong together: they are trained side by side, unless memory or speed ask for
    fewer at once (the last bits of a sum depend on it; see CONTRIBUTING.md). engine: version of the code. tf32: whether
    products of float32 numbers were rounded to TF32. kernels: what computed convolutions and batch norms
    (pytest_claims.stacked.kernels); in float64 it is always torch.
    """

    run: Run
    data: str
    device: str
    seeds_per_block: int
    engine: int
    tf32: bool = False
    kernels: str = CUDNN

    # Kept, as Run.canonical is: the name of every seed is asked for whenever the store is looked at.
    @functools.cached_property
    def numerics(self) -> str:
        precision = self.run.recipe.precision
        numerics: dict[str, object] = {"device": self.device, "precision": precision, "width": self.seeds_per_block}
        if self.tf32 and precision == "float32":
            numerics["tf32"] = True
        if self.kernels != CUDNN and precision != "float64":
            numerics["kernels"] = self.kernels
        from pytest_claims.runs.identity import identity  # with torch, which who only reads a store does without

        return json.dumps(numerics | identity(self.run), sort_keys=True)

    def digest(self, seed: int) -> str:
        """Hex name of the run with this seed."""
        return digest(self.run.canonical, self.data, self.numerics, self.engine, seed)


def digest(configuration: str, data: str, numerics: str, engine: int, seed: int) -> str:
    """The name of a run: a hash of all that decides its result."""
    return hashlib.sha256("\n".join((configuration, data, numerics, str(engine), str(seed))).encode()).hexdigest()


class Store(StoreFile):
    """Finished runs by key and seed.

    path: the SQLite file. since: rows finished before this time (UTC, ISO 8601) are not seen and will be replaced; ""
    sees all of them. beside: another store that runs are read from where this one does not have them. Raises StoreError
    if the file cannot be opened or is not a store.
    """

    def __init__(self, path: Path, *, since: str = "", beside: Store | None = None) -> None:
        self.since, self.beside = since, beside
        super().__init__(path)

    def close(self) -> None:
        """Close the file, and the one beside it; rows are safe without it."""
        super().close()
        if self.beside:
            self.beside.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(_SCHEMA)
        if "records" not in [row[1] for row in connection.execute("PRAGMA table_info(runs)")]:
            connection.execute(_MIGRATION)

    def get(self, key: Key, seeds: Iterable[int]) -> dict[int, Trained]:
        """The finished runs among these seeds."""
        found, seeds = {}, list(seeds)
        for seed in seeds:
            row = self._one(
                "SELECT test_accuracy, curves, diverged, seconds, test_images, records FROM runs "
                "WHERE key = ? AND finished >= ?",
                (key.digest(seed), self.since),
            )
            if row:
                found[seed] = _trained(seed, row)
        if self.beside and (others := [seed for seed in seeds if seed not in found]):
            found |= self.beside.get(key, others)
        return found

    def holds(self, key: Key, seeds: Iterable[int]) -> bool:
        """Whether the runs of all these seeds are finished."""
        query = "SELECT 1 FROM runs WHERE key = ? AND finished >= ?"
        missing = [seed for seed in seeds if not self._one(query, (key.digest(seed), self.since))]
        return not missing or (self.beside is not None and self.beside.holds(key, missing))

    def devices(self, names: Iterable[str]) -> list[str]:
        """On which devices the runs of these names were trained, in words, each once."""
        found = {name: self._one("SELECT device FROM runs WHERE key = ?", (name,)) for name in names}
        missing = [name for name, row in found.items() if not row]
        devices = [str(row[0]) for row in found.values() if row]
        return list(dict.fromkeys(devices + (self.beside.devices(missing) if self.beside and missing else [])))

    def kinds(self) -> set[str]:
        """The kinds of device that runs were trained on: "cpu", "cuda"."""
        found = {json.loads(numerics)["device"] for (numerics,) in self._execute("SELECT DISTINCT numerics FROM runs")}
        return found | (self.beside.kinds() if self.beside else set())

    def fingerprints(self, dataset: str) -> set[str]:
        """Of the images that runs on a data set of this name were trained on."""
        query = "SELECT DISTINCT data FROM runs WHERE coalesce(json_extract(configuration, '$.dataset'), 'cifar10') = ?"
        found = {str(data) for (data,) in self._execute(query, (dataset,))}
        return found | (self.beside.fingerprints(dataset) if self.beside else set())

    def named(self, names: Iterable[str]) -> dict[str, Stored]:
        """The runs of these names (Key.digest), whenever they were finished; those that are not here are left out."""
        found, wanted = {}, list(names)
        for name in wanted:
            row = self._one(
                "SELECT test_accuracy, curves, diverged, seconds, test_images, records, seed, configuration, numerics, "
                "engine, device, versions, finished FROM runs WHERE key = ?",
                (name,),
            )
            if row:
                seed, configuration, numerics, engine, device, versions, finished = row[6:]
                configuration, numerics, versions = map(json.loads, (configuration, numerics, versions))
                found[name] = Stored(_trained(seed, row), configuration, numerics, engine, device, versions, finished)
        if self.beside and (others := [name for name in wanted if name not in found]):
            found |= self.beside.named(others)
        return found

    def put(self, key: Key, results: Sequence[Trained], device: str, *, at_once: int | None = None) -> None:
        """Record finished runs, all or none, replacing what was there. Raises StoreError, a full disk included.

        at_once: how many were trained side by side, where that is less than the key's seeds_per_block. It is recorded
        and not a part of the key: it changes the order of sums on a device where that is not fixed anyway.
        """
        import torch  # by now it is; who only reads a store does without its second of loading

        versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}
        with self._transaction():
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
                        _written(result, at_once),
                    ),
                )

    def older(self, names: Collection[str], than: str) -> int:
        """How many of the runs of these names were finished before a time (UTC, ISO 8601)."""
        finished = {name: self._one("SELECT finished FROM runs WHERE key = ?", (name,)) for name in names}
        missing = [name for name, row in finished.items() if not row]
        found = sum(str(row[0]) < than for row in finished.values() if row)
        return found + (self.beside.older(missing, than) if self.beside else 0)

    def rows(self) -> list[tuple[Any, ...]]:
        """Every run, in the order of keys, as values of COLUMNS."""
        return self._execute(f"SELECT {', '.join(COLUMNS)} FROM runs ORDER BY key").fetchall()

    def add(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Add runs given as values of COLUMNS, all or none, where their key is not there yet; returns how many."""
        before = self.count()
        with self._transaction():
            for row in rows:
                self._execute(f"INSERT OR IGNORE INTO runs ({', '.join(COLUMNS)}) VALUES ({_MARKS})", row)
        return self.count() - before

    def count(self, since: str = "") -> int:
        """How many finished runs this store object sees; with since, those finished at that time or later."""
        return int(self._one("SELECT count(*) FROM runs WHERE finished >= ?", (max(since, self.since),))[0])


def _trained(seed: int, row: Sequence[Any]) -> Trained:
    """A result from test_accuracy, curves, diverged, seconds, test_images and records, as the store keeps them."""
    curves = json.loads(row[1])
    accuracy, loss = (tuple(curves[name]) for name in ("train_accuracy", "train_loss"))
    return Trained(seed, row[0], accuracy, loss, bool(row[2]), row[3], row[4], *_read(row[5]))


def _written(result: Trained, at_once: int | None) -> str:
    """What a run recorded beside its accuracies, as the store keeps it."""
    predictions = base64.b64encode(zlib.compress(numpy.array(result.predictions, dtype="<i2").tobytes())).decode()
    records: dict[str, object] = {
        "gradients": result.gradients,
        "predictions": predictions if result.predictions else "",
    }
    if at_once is not None:
        records["at_once"] = at_once
    if result.test_accuracy_by_epoch:
        records["test_accuracy_by_epoch"] = result.test_accuracy_by_epoch
    return json.dumps(records)


def _read(text: str) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
    """gradients, predictions, test accuracies by epoch and confusion counts; empty where they were not recorded."""
    records = json.loads(text)
    gradients = tuple(tuple(row) for row in records.get("gradients", ()))
    by_epoch, confusion = (tuple(records.get(name, ())) for name in ("test_accuracy_by_epoch", "confusion"))
    return gradients, unpacked_predictions(records), by_epoch, confusion


def unpacked_predictions(records: Mapping[str, Any]) -> tuple[int, ...]:
    """The predictions among a run's records, none where there are none."""
    packed = records.get("predictions", "")
    return tuple(numpy.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype="<i2").tolist()) if packed else ()


def now() -> str:
    """The time as the store writes it: UTC, ISO 8601 to the microsecond, so that text order is time order."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
