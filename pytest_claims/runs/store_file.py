"""The SQLite file of a store, opened by many processes at once: finished runs, and what is noted beside them.

The file is in WAL mode, so that one process writes while others read, and a killed process damages nothing. It bears
the mark of this suite, and no other program's file is ever written to.
"""

from __future__ import annotations

import abc
import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_claims.errors import ExplainedError
from pytest_claims.runs.lock_file import LockFile
from pytest_claims.runs.row import COLUMNS, ORIGINAL

# SQLite's application_id of a store: "clms". Stores of before it was set have 0 there.
APPLICATION = 0x636C6D73
_MAGIC = b"SQLite format 3\0"
# SQLite itself waits so long for another process's commit. Then we wait on, in steps that Ctrl-C can end: the other one
# may have been stopped, and a finished run is worth the time.
_PATIENCE_SECONDS, _MOST_SECONDS = 5.0, 600.0


class StoreError(ExplainedError):
    """The store cannot be read or written; the text names the file, what happened and the next step."""


class DamagedError(StoreError):
    """What the store holds is not what was put there. Nothing is judged by it."""


class GoneError(StoreError):
    """The store's file was removed or replaced while it was open."""


class StoreFile(abc.ABC):
    """One connection to the file, for the thread that made it. What is made of it has its own tables there.

    path: the file; it and its folder are made if they are missing. read_only: nothing is written, made or locked; a
    file that is not there is an empty store. Raises StoreError if it cannot be opened or is not a store.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = path, read_only
        try:
            self._connection = self._reader() if read_only else self._writer()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"--store {path}: {error}. Name a file that can be {'read' if read_only else 'written'} and is an "
                "SQLite store of this suite (a new one is made if there is none), or move the damaged one away"
            ) from error
        self._identity = identity(path)

    @abc.abstractmethod
    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables that are not there yet; no other process does so at the same time."""

    def close(self) -> None:
        """Close the file; rows are safe without it."""
        self._connection.close()

    def _writer(self) -> sqlite3.Connection:
        path = self.path
        # One at a time: SQLite's timeout does not cover the change to WAL, and workers start together.
        with contextlib.closing(LockFile(path)) as locks, locks.opening():
            _refuse_foreign(path)
            connection = sqlite3.connect(path, timeout=60, isolation_level=None)
            try:
                # Not when the first run is finished: a file that cannot be written is found now.
                connection.execute("BEGIN IMMEDIATE")
                # Before the change to WAL, so that it is in the file itself from the start.
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute("COMMIT")
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                self._prepare(connection)
                connection.execute(f"PRAGMA busy_timeout = {int(1000 * _PATIENCE_SECONDS)}")
            except BaseException:
                connection.close()
                raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        # SQLite leaves an empty file where somebody looked for a store that is not there.
        if not self.path.exists() or not self.path.stat().st_size:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            self._prepare(connection)
            return connection
        _refuse_foreign(self.path)
        return _opened(self.path)

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """The rows that a statement gives."""
        until = time.monotonic() + _MOST_SECONDS
        while True:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                if _code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > until:
                    raise self._explained(statement, error) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Execute what the with-block does, all or none of it. Raises GoneError if it went to a removed file."""
        self._refuse_gone()  # what is written to a removed file may meet the log of the one in its place
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise
        self._refuse_gone()

    def _one(self, query: str, values: Sequence[object] = ()) -> Any:
        """The first row that a query gives, None if there is none."""
        return next(iter(self._execute(query, values)), None)

    def _refuse_gone(self) -> None:
        if self._identity != identity(self.path):
            raise gone(self.path)

    def _explained(self, statement: str, error: sqlite3.Error) -> StoreError:
        """The error of a statement with what happened and the next step."""
        said, code = f"the store {self.path} refused a {statement.split()[0]} ({error}). ", _code(error)
        if self._identity != identity(self.path) or code == sqlite3.SQLITE_READONLY_DBMOVED:
            return gone(self.path)
        # Text that is no UTF-8 has no code of SQLite's.
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "decode to UTF-8" in str(error):
            return damaged(self.path, str(error))
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreError(
                said
                + f"Another process has held it for {_MOST_SECONDS / 60:.0f} minutes; one that was stopped (Ctrl-Z) "
                "goes on with fg. Every run finished before this is safe in it"
            )
        return StoreError(
            said + "Every run finished before this is safe in it. Free disk space or check that the file can be "
            "written, and run the same command again: it trains only what is missing"
        )


def identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, by device and inode; None if there is none. Another one in its place has another."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def gone(path: Path) -> GoneError:
    """The error of a store that is not the file that it was."""
    return GoneError(
        f"the store {path} is gone: the file was removed or replaced while this session used it, and the runs in it "
        "went with it. Put it back, or run the same command again, which trains what is missing"
    )


def damaged(path: Path, why: str) -> DamagedError:
    """The error of a store that SQLite cannot read."""
    return DamagedError(
        f"the store {path} is damaged ({why}). Nothing is judged by what cannot be read. Put a copy in its place, or "
        "move it away and run the same command again. `python -m pytest_claims.runs export` saves its runs where they "
        "can be read"
    )


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database, whoever's. Raises OSError if it cannot be read."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _refuse_foreign(path: Path) -> None:
    """Raise StoreError for a file that is not a store of this suite; nothing is written to it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with contextlib.closing(_opened(path)) as connection:
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
    ours = {"runs", "wanted", "planned", "blocks_in_training", "placebos", "memory_needs", "device_users"}
    if mark == APPLICATION and (not columns or columns >= ORIGINAL):
        return
    # A store of before the mark has our table as it was then, or none yet.
    if mark == 0 and (ours >= set(tables) if not columns else ORIGINAL <= columns <= {*COLUMNS, "session"}):
        return
    raise StoreError(
        f"--store {path}: this is another program's database (tables: {', '.join(tables[:5]) or 'none'}). Nothing in "
        "it was changed. Name a store of this suite, or a new file, which is made"
    )


def _opened(path: Path) -> sqlite3.Connection:
    """A file that exists, to be read only. Raises sqlite3.Error."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=60, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        # In a folder that cannot be written, a file in WAL mode opens only as one that no one changes; what its log
        # holds would not be seen.
        log = Path(f"{path.resolve()}-wal")
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or (
            log.exists() and log.stat().st_size
        ):
            raise
        connection = sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code of an error, the extended one where that says more; 0 where it has none."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    return code if code == sqlite3.SQLITE_READONLY_DBMOVED else code & 0xFF
