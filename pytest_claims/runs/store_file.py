"""The SQLite file of a store, opened by many processes at once: finished runs, and what is noted beside them.

The file is in WAL mode, so that one process writes while others read, and a killed process damages nothing.
"""

from __future__ import annotations

import abc
import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_claims.errors import ExplainedError
from pytest_claims.runs.lock_file import LockFile


class StoreError(ExplainedError):
    """The store cannot be read or written; the text names the file, what happened and the next step."""


class StoreFile(abc.ABC):
    """One connection to the file, for the thread that made it. What is made of it has its own tables there.

    path: the file; it and its folder are made if they are missing. Raises StoreError if it cannot be opened or is not a
    store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # One at a time: SQLite's timeout does not cover the change to WAL, and workers start together.
            with contextlib.closing(LockFile(path)) as locks, locks.opening():
                # Workers wait for one another's commits, which are short.
                self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=NORMAL")
                self._prepare(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"--store {path}: {error}. Name a file that can be written and is an SQLite store of this suite "
                "(a new one is made if there is none), or move the damaged one away"
            ) from error

    @abc.abstractmethod
    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables that are not there yet; no other process does so at the same time."""

    def close(self) -> None:
        """Close the file; rows are safe without it."""
        self._connection.close()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise StoreError(
                f"the store {self.path} refused a {statement.split()[0]} ({error}). Every run finished before this is "
                "safe in it. Free disk space or check that the file can be written, and run the same command again: "
                "it trains only what is missing"
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Execute what the with-block does, all or none of it."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise

    def _one(self, query: str, values: Sequence[object] = ()) -> Any:
        """The first row that a query gives, None if there is none."""
        return self._execute(query, values).fetchone()
