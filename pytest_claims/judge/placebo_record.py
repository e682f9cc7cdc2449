"""What the last placebo of a scale on a kind of images found, kept in the store's file for later sessions to say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pytest_claims.runs.store import now
from pytest_claims.runs.store_file import StoreFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS placebos (
    scale TEXT NOT NULL,
    data TEXT NOT NULL,
    finished TEXT NOT NULL,
    lines TEXT NOT NULL,            -- JSON
    PRIMARY KEY (scale, data)
)
"""


class PlaceboRecord(StoreFile):
    """path: the store's. Raises StoreError if the file cannot be opened, read or written."""

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(_SCHEMA)

    def keep(self, scale: str, data: str, lines: Sequence[str]) -> None:
        """Record what a placebo found at a scale on a kind of images, in words, in the place of what was there."""
        values = (scale, data, now(), json.dumps(list(lines)))
        self._execute("INSERT OR REPLACE INTO placebos VALUES (?, ?, ?, ?)", values)

    def last(self, scale: str, data: str) -> tuple[str, ...]:
        """What the last placebo at this scale on this kind of images found, with its date; empty if there was none."""
        if not self._execute("SELECT 1 FROM sqlite_master WHERE name = 'placebos'"):
            return ()  # a file that is only read and had no placebo
        row = self._one("SELECT finished, lines FROM placebos WHERE scale = ? AND data = ?", (scale, data))
        return tuple(f"{row[0][:10]}: {line}" for line in json.loads(row[1])) if row else ()
