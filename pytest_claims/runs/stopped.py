"""Processes that were stopped (Ctrl-Z) while they trained what another session waits for.

Their leases are theirs as long as they live, so that nothing is trained twice. So the session that waits has to say for
whom.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import psutil


class Stopped:
    """Looks for them. path: the store's. session: the one that waits. Raises sqlite3.Error if it cannot be read.

    To be used by the thread that made it.
    """

    def __init__(self, path: Path, session: str) -> None:
        self._session = session
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)

    def close(self) -> None:
        self._connection.close()

    def processes(self) -> tuple[int, ...]:
        """Their ids, smallest first."""
        query = (
            "SELECT DISTINCT b.process FROM blocks_in_training AS b JOIN planned AS p ON p.key = b.key "
            "WHERE p.session = ? AND NOT p.stored AND b.session != p.session ORDER BY b.process"
        )
        return tuple(pid for (pid,) in self._connection.execute(query, (self._session,)).fetchall() if _is_stopped(pid))


def in_words(processes: Sequence[int]) -> str:
    """What a session says that waits for these; "" for none."""
    if not processes:
        return ""
    who = "process " if len(processes) == 1 else "processes "
    return f"waits for {who}{', '.join(map(str, processes))}, stopped in training: fg or kill"


def _is_stopped(process: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(process).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    return False
