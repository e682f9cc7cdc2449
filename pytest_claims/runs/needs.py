"""How much device memory blocks took, kept in the store's file: it is known before such a block starts again."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import sqlite3
from pathlib import Path

import psutil

from pytest_claims.runs.store_file import StoreError, StoreFile
from pytest_claims.types import Run, canonical

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS memory_needs (
        device TEXT NOT NULL,       -- model, and version of what trains on it
        shape TEXT NOT NULL,        -- of a run, see shape_of
        width INTEGER NOT NULL,     -- seeds side by side
        sufficed INTEGER NOT NULL,  -- whether so many bytes were enough
        bytes INTEGER NOT NULL,
        PRIMARY KEY (device, shape, width, sufficed)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS device_users (
        device TEXT NOT NULL,       -- this very one
        process INTEGER NOT NULL,   -- its id
        free INTEGER NOT NULL,      -- bytes, before the first of these processes began
        PRIMARY KEY (device, process)
    ) WITHOUT ROWID
    """,
)
# Fields of a recipe that change how long a run takes, and not how much memory.
_TIMELY = ("epochs", "images_per_class", "test_images_per_class", "lr", "schedule", "weight_decay", "mean", "std")


def shape_of(run: Run) -> str:
    """What the memory of a run depends on: network, images, batch, precision, optimiser and what else a step does."""
    recipe = canonical(run.recipe)
    told = {key: value for key, value in recipe.items() if key not in _TIMELY}
    text = json.dumps([canonical(run.network), told, run.dataset], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class Known:
    """Of one shape on one device, by number of seeds side by side: bytes that sufficed, and bytes that did not."""

    sufficed: dict[int, int] = dataclasses.field(default_factory=dict)
    failed: dict[int, int] = dataclasses.field(default_factory=dict)

    def fits(self, width: int, size: int) -> bool:
        """Whether so many seeds are expected to fit into so many bytes; True where nothing is known.

        Memory grows with the seeds, at most in proportion. So more seeds that fitted and fewer ones in proportion show
        that these fit, and fewer ones that did not fit that these do not. Else what is left is to expect proportion.
        """
        if any(needed * max(1.0, width / other) <= size for other, needed in self.sufficed.items()):
            return True
        if any(other <= width and failed >= size for other, failed in self.failed.items()):
            return False
        nearest = min(self.sufficed, key=lambda other: abs(other - width), default=None)
        return nearest is None or self.sufficed[nearest] * width / nearest <= size


class Needs(StoreFile):
    """Of all processes that use a store. path: the store's. Raises StoreError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._joined: set[str] = set()
        super().__init__(path)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for table in _SCHEMA:
            connection.execute(table)

    def close(self) -> None:
        """Leave the devices that this process has joined, and close the file."""
        with contextlib.suppress(StoreError):
            for device in self._joined:
                self._execute("DELETE FROM device_users WHERE device = ? AND process = ?", (device, os.getpid()))
        super().close()

    def known(self, device: str, shape: str) -> Known:
        """What is known of a shape on a device model."""
        query = "SELECT width, sufficed, bytes FROM memory_needs WHERE device = ? AND shape = ?"
        found = Known()
        for width, sufficed, size in self._execute(query, (device, shape)):
            (found.sufficed if sufficed else found.failed)[width] = size
        return found

    def note(self, device: str, shape: str, width: int, size: int, *, sufficed: bool) -> None:
        """Keep that so many bytes sufficed, or did not: the least that did, and the most that did not."""
        better = "min" if sufficed else "max"
        self._execute(
            "INSERT INTO memory_needs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            f"bytes = {better}(bytes, excluded.bytes)",
            (device, shape, width, int(sufficed), size),
        )

    def join(self, device: str, free: int) -> int:
        """Say that this process uses a device; returns the bytes that were free before the first of those that do.

        free: bytes that are free now, which counts for the first one. Processes that have ended are forgotten.
        """
        with self._transaction():
            rows = self._execute("SELECT process, free FROM device_users WHERE device = ?", (device,))
            first = free
            for process, was_free in rows:
                if process != os.getpid() and psutil.pid_exists(process):
                    first = was_free
                else:
                    self._execute("DELETE FROM device_users WHERE device = ? AND process = ?", (device, process))
            self._execute("INSERT INTO device_users VALUES (?, ?, ?)", (device, os.getpid(), first))
        self._joined.add(device)
        return first
