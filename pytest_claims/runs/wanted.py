"""What the claims of a session still wait for, told by its workers to one another through the store's file.

So a worker that is free trains what another worker's claim needs at its next look.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from pytest_claims.runs.store_file import StoreFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS wanted (
    session TEXT NOT NULL,          -- UTC time at which it began
    configuration TEXT NOT NULL,
    first INTEGER NOT NULL,         -- seeds first .. stop - 1
    stop INTEGER NOT NULL,
    PRIMARY KEY (session, configuration, first, stop)
)
"""


class Wanted(StoreFile):
    """Of one session. path: the store's. session: the time at which it began (UTC, ISO 8601), its name.

    Raises StoreError if the file cannot be opened, read or written.
    """

    def __init__(self, path: Path, session: str) -> None:
        self._session = session
        super().__init__(path)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(_SCHEMA)

    def add(self, wanted: Iterable[tuple[str, range]]) -> None:
        """Say which seeds of which configurations (canonical text) a claim waits for."""
        with self._transaction():
            # What a session wants ends with it; what one wanted that was killed goes here.
            yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
            self._execute("DELETE FROM wanted WHERE session < ?", (yesterday.isoformat(),))
            for configuration, seeds in wanted:
                row = (self._session, configuration, seeds.start, seeds.stop)
                self._execute("INSERT OR IGNORE INTO wanted VALUES (?, ?, ?, ?)", row)

    def all(self) -> list[tuple[str, range]]:
        """What all workers of the session have said, in the order in which they did."""
        query = "SELECT configuration, first, stop FROM wanted WHERE session = ? ORDER BY rowid"
        rows = self._execute(query, (self._session,))
        return [(configuration, range(first, stop)) for configuration, first, stop in rows]
