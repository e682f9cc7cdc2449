"""Finished runs: rows of an SQLite file that all workers share, each named by a hash of all that decides it."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import json
import os
import platform
import sqlite3
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy

from pytest_claims.defaults import CUDNN
from pytest_claims.runs.row import COLUMNS, LATER, SCHEMA, Stored, agree, digest, latest, sealed, stored
from pytest_claims.runs.store_file import DamagedError, StoreError, StoreFile, damaged
from pytest_claims.types import Run, Trained

__all__ = ["COLUMNS", "DamagedRunError", "Key", "Store", "Stored", "digest", "now"]

# torch.device.type of a CPU.
CPU = "cpu"

_MARKS = ", ".join("?" * (len(COLUMNS) + 1))


class ConflictError(StoreError):
    """A run to be added has another result than the stored one of its key. place: among the runs to be added."""

    def __init__(self, text: str, place: int) -> None:
        self.place = place
        super().__init__(text)


class DamagedRunError(DamagedError):
    """A stored run is none that can be: it was changed, or the file was damaged. The text names it."""


@dataclasses.dataclass(frozen=True)
class Key:
    """All that decides a run's result, but for its seed: the same key and seed, the same result.

    What the run's names stand for is a part of it (identity.py), which is found when a digest is asked for.

    seeds_per_block: how many seeds belong together: they are trained side by side, unless memory or speed ask for
    fewer at once (the last bits of a sum depend on it; see CONTRIBUTING.md). engine: version of the code. tf32: whether
    products of float32 numbers were rounded to TF32. kernels: what computed convolutions and batch norms
    (pytest_claims.stacked.kernels); in float64 it is always torch. capability: the instruction set of a CPU
    (pytest_claims.train.device.capability), "" for a run that does not say it, as runs of before it was recorded.
    """

    run: Run
    data: str
    device: str
    seeds_per_block: int
    engine: int
    tf32: bool = False
    kernels: str = CUDNN
    capability: str = ""

    # Kept, as Run.canonical is: the name of every seed is asked for whenever the store is looked at.
    @functools.cached_property
    def numerics(self) -> str:
        precision = self.run.recipe.precision
        numerics: dict[str, object] = {"device": self.device, "precision": precision, "width": self.seeds_per_block}
        if self.tf32 and precision == "float32":
            numerics["tf32"] = True
        if self.kernels != CUDNN and precision != "float64":
            numerics["kernels"] = self.kernels
        if self.capability:
            numerics["capability"] = self.capability
        from pytest_claims.runs.identity import identity  # with torch, which who only reads a store does without

        return json.dumps(numerics | identity(self.run), sort_keys=True)

    def digest(self, seed: int) -> str:
        """Hex name of the run with this seed."""
        return digest(self.run.canonical, self.data, self.numerics, self.engine, seed)


class Store(StoreFile):
    """Finished runs by key and seed.

    path: the SQLite file. since: rows finished before this time (UTC, ISO 8601) are not seen and will be replaced; ""
    sees all of them. session: what puts runs into it, by the time at which it began. beside: another store that runs
    are read from where this one does not have them. mix: a run that is not here is looked for among those of other
    instruction sets, too. read_only: nothing is written; a file that is not there is an empty
    store. Raises StoreError if the file cannot be opened or is not a store. What is read is checked (row.py), and
    DamagedRunError raised for what no run can be.
    """

    def __init__(
        self,
        path: Path,
        *,
        since: str = "",
        session: str = "",
        beside: Store | None = None,
        mix: bool = False,
        read_only: bool = False,
    ) -> None:
        self.since, self.session, self.beside, self._mix = since, session, beside, mix
        super().__init__(path, read_only=read_only)
        there = {row[1] for row in self._execute("PRAGMA table_info(runs)")}
        # A file that is only read may be an older one.
        self._columns = ", ".join(
            column if column in there else f"{LATER.get(column, column)} AS {column}" for column in COLUMNS
        )
        self._has_sessions = "session" in there

    @classmethod
    def empty(cls) -> Store:
        """A store without runs, in memory, for who needs one where the real one cannot be read."""
        return cls(Path(os.devnull, "no store"), read_only=True)

    def close(self) -> None:
        """Close the file, and the one beside it; rows are safe without it."""
        super().close()
        if self.beside:
            self.beside.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(SCHEMA)
        there = {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
        for column, default in LATER.items():
            if column not in there:
                connection.execute(f"ALTER TABLE runs ADD COLUMN {column} TEXT NOT NULL DEFAULT {default}")

    def names(self, key: Key, seeds: Iterable[int]) -> dict[int, str]:
        """The names (Key.digest) of the finished runs among these seeds; with mix, of another instruction set where
        the key's own has none."""
        found: dict[int, str] = {}
        seeds = list(seeds)
        for each in self._alike(key):
            for seed in seeds:
                if seed not in found and self._sees(name := each.digest(seed)):
                    found[seed] = name
        return found

    def get(self, key: Key, seeds: Iterable[int]) -> dict[int, Trained]:
        """The finished runs among these seeds."""
        names = self.names(key, seeds)
        runs = self.named(names.values())
        return {seed: runs[name].trained for seed, name in names.items() if name in runs}

    def holds(self, key: Key, seeds: Sequence[int]) -> bool:
        """Whether the runs of all these seeds are finished."""
        return len(self.names(key, seeds)) == len(seeds)

    def _alike(self, key: Key) -> Iterator[Key]:
        """The keys under which a run is looked for."""
        yield key
        if self._mix and key.device == CPU:
            for kind, capability in self._kinds_at_first:
                if kind == CPU and capability != key.capability:
                    yield dataclasses.replace(key, capability=capability)

    @functools.cached_property
    def _kinds_at_first(self) -> list[tuple[str, str]]:
        """What the runs were trained on that the session began with, most runs first."""
        kinds = self.kinds()
        return sorted(kinds, key=lambda kind: (-kinds[kind], kind))

    def _sees(self, name: str) -> bool:
        query = "SELECT 1 FROM runs WHERE key = ? AND finished BETWEEN ? AND ?"
        return bool(self._one(query, (name, *self._span()))) or (self.beside is not None and self.beside._sees(name))

    def devices(self, names: Iterable[str]) -> list[str]:
        """On which devices the runs of these names were trained, in words, each once."""
        found = {name: self._one("SELECT device FROM runs WHERE key = ?", (name,)) for name in names}
        missing = [name for name, row in found.items() if not row]
        devices = [str(row[0]) for row in found.values() if row]
        return list(dict.fromkeys(devices + (self.beside.devices(missing) if self.beside and missing else [])))

    def capabilities(self, names: Iterable[str]) -> list[str]:
        """The instruction sets of the CPUs that runs of these names were trained on, each once, sorted; "" where it is
        not recorded."""
        of = self.numerics(names).values()
        return sorted({str(found.get("capability", "")) for found in of if found["device"] == CPU})

    def numerics(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the runs of these names were computed with (Key.numerics), by name."""
        found = {}
        for name in names:
            row = self._one("SELECT numerics FROM runs WHERE key = ?", (name,))
            if row:
                found[name] = self.parsed(row[0])
            elif self.beside:
                found |= self.beside.numerics([name])
        return found

    def kinds(self) -> Counter[tuple[str, str]]:
        """How many runs were trained on each kind of device and instruction set: ("cpu", "AVX512"), ("cuda", "")."""
        found: Counter[tuple[str, str]] = Counter()
        for text, count in self._execute("SELECT numerics, count(*) FROM runs GROUP BY numerics"):
            numerics = self.parsed(text)
            found[numerics["device"], str(numerics.get("capability", ""))] += count
        return found + self.beside.kinds() if self.beside else found

    def groups(self) -> list[tuple[str, str, str, int]]:
        """How many runs there are of each configuration, images and numerics, as texts."""
        columns = "configuration, data, numerics"
        found = self._execute(f"SELECT {columns}, count(*) FROM runs GROUP BY {columns}")
        return found + (self.beside.groups() if self.beside else [])

    def decided(self, names: Iterable[str]) -> list[tuple[str, str, str]]:
        """Configuration, images and numerics of the runs of these names, each once."""
        wanted, found = list(names), []
        missing = []
        for name in wanted:
            row = self._one("SELECT configuration, data, numerics FROM runs WHERE key = ?", (name,))
            found.append(tuple(row)) if row else missing.append(name)
        found += self.beside.decided(missing) if self.beside and missing else []
        return list(dict.fromkeys(found))

    def parsed(self, text: str) -> dict[str, Any]:
        """The numerics of a row (Key.numerics). Raises DamagedError for what is none."""
        try:
            found = json.loads(text)
            if not isinstance(found["device"], str):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise damaged(self.path, f"numerics of a run are {text!r}") from error
        return dict(found)

    def fingerprints(self, dataset: str) -> set[str]:
        """Of the images that runs on a data set of this name were trained on."""
        query = "SELECT DISTINCT data FROM runs WHERE coalesce(json_extract(configuration, '$.dataset'), 'cifar10') = ?"
        found = {str(data) for (data,) in self._execute(query, (dataset,))}
        return found | (self.beside.fingerprints(dataset) if self.beside else set())

    def named(self, names: Iterable[str]) -> dict[str, Stored]:
        """The runs of these names (Key.digest), whenever they were finished; those that are not here are left out."""
        found, wanted = {}, list(names)
        for name in wanted:
            row = self._one(f"SELECT {self._columns} FROM runs WHERE key = ?", (name,))
            if row:
                found[name] = self._checked(row)
        if self.beside and (others := [name for name in wanted if name not in found]):
            found |= self.beside.named(others)
        return found

    def put(self, key: Key, results: Sequence[Trained], device: str, *, at_once: int | None = None) -> None:
        """Record finished runs, all or none, replacing what was there.

        at_once: how many were trained side by side, where that is less than the key's seeds_per_block. It is recorded
        and not a part of the key: it changes the order of sums on a device where that is not fixed anyway.
        Raises StoreError: for a full disk, for a file that is gone, and for results that no run can have.
        """
        import torch  # by now it is; who only reads a store does without its second of loading

        versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}
        finished = max(now(), self.since)  # a clock set back must not hide what was trained just now
        rows = []
        for result in results:
            try:
                row = sealed((*_values(key, result, device, json.dumps(versions), finished, at_once), ""))
                stored(row)
            except (ValueError, TypeError) as error:
                raise StoreError(
                    f"seed {result.seed} of {key.run.network} is not recorded: {error}. What trained it gave a result "
                    "that no run can have"
                ) from error
            rows.append(row)
        with self._transaction():
            for row in rows:
                self._insert(row, self.session)

    def older(self, names: Collection[str], than: str) -> int:
        """How many of the runs of these names were finished before a time (UTC, ISO 8601)."""
        finished = {name: self._one("SELECT finished FROM runs WHERE key = ?", (name,)) for name in names}
        missing = [name for name, row in finished.items() if not row]
        found = sum(str(row[0]) < than for row in finished.values() if row)
        return found + (self.beside.older(missing, than) if self.beside else 0)

    def rows(self) -> list[tuple[Any, ...]]:
        """Every run, in the order of keys, as values of COLUMNS, unchecked."""
        return self._execute(f"SELECT {self._columns} FROM runs ORDER BY key")

    def add(self, rows: Iterable[tuple[Any, ...]]) -> int:
        """Add runs given as values of COLUMNS, all or none, where their key is not there yet; returns how many.

        rows: that row.stored has let pass, or that raise where they do not. Raises ConflictError for one that has
        another result than the stored run of its key.
        """
        added = 0
        with self._transaction():
            for place, row in enumerate(rows):
                there = self._one(f"SELECT {self._columns} FROM runs WHERE key = ?", (row[0],))
                if there is None:
                    self._insert(sealed(row), "")
                    added += 1
                elif not agree(self._checked(there), stored(row)):
                    one, other = (dict(zip(COLUMNS, each, strict=True))["test_accuracy"] for each in (row, there))
                    raise ConflictError(
                        f"the run {row[0]} has another result than the one in {self.path} (test accuracy {one} and "
                        f"{other}, or their curves). Keep the two apart, in stores of their own, or leave one out",
                        place,
                    )
        return added

    def count(self, session: str | None = None) -> int:
        """How many finished runs this store object sees; with session, those that this session trained."""
        if session is not None:
            if not self._has_sessions:
                return 0
            return int(self._one("SELECT count(*) FROM runs WHERE session = ?", (session,))[0])
        return int(self._one("SELECT count(*) FROM runs WHERE finished BETWEEN ? AND ?", self._span())[0])

    def damaged_runs(self) -> dict[str, str]:
        """The keys of runs that cannot be judged, and why."""
        found = {}
        for row in self.rows():
            try:
                stored(row)
            except ValueError as error:
                found[str(row[0])] = str(error)
        return found

    def remove(self, names: Iterable[str]) -> None:
        """Delete the runs of these keys, so that they are trained again."""
        with self._transaction():
            for name in names:
                self._execute("DELETE FROM runs WHERE key = ?", (name,))

    def _insert(self, row: Sequence[Any], session: str) -> None:
        columns = ", ".join((*COLUMNS, "session"))
        self._execute(f"INSERT OR REPLACE INTO runs ({columns}) VALUES ({_MARKS})", (*row, session))

    def _span(self) -> tuple[str, str]:
        """When a run that is seen was finished. Where older ones are trained again, no forged time makes one new."""
        return (self.since, latest()) if self.since else ("", "~")

    def _checked(self, row: Sequence[Any]) -> Stored:
        try:
            return stored(row)
        except ValueError as error:
            raise DamagedRunError(
                f"the run {row[0]} in the store {self.path} is damaged: {error}. It is not judged. "
                f"`python -m pytest_claims.runs check {self.path} --remove` deletes it and its like; then the same "
                "command trains them again"
            ) from error


def _values(
    key: Key, result: Trained, device: str, versions: str, finished: str, at_once: int | None
) -> tuple[Any, ...]:
    """A run as values of COLUMNS, but for its checksum."""
    # Python's json writes NaN as NaN and reads it back: a diverged loss is a result.
    curves = json.dumps({"train_accuracy": result.train_accuracy, "train_loss": result.train_loss})
    told = key.digest(result.seed), key.run.canonical, result.seed, key.data, key.numerics, key.engine
    measured = float(result.test_accuracy), result.test_images, int(result.diverged), curves, float(result.seconds)
    return (*told, *measured, device, versions, finished, _written(result, at_once))


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


def now() -> str:
    """The time as the store writes times: UTC, ISO 8601 to the microsecond, so that text order is time order."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
