"""Who trains what: leases on blocks of runs, and which of a session's workers are still at work.

A lease is a lock on a byte of the file beside the store. The operating system drops it when its process dies, so what a
killed worker was training is free at once.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from pytest_claims.runs.lock_file import OPENING, LockFile
from pytest_claims.runs.store_file import StoreError


@dataclasses.dataclass(frozen=True)
class Lease:
    """The right to train a block of a run, held until release() or the end of the process."""

    _locks: LockFile
    _offset: int

    def release(self) -> None:
        """Give the right back; does nothing the second time."""
        self._locks.release(self._offset)


class Leases:
    """Of one process on one store. path: the store's.

    The lock file is opened for the first lease or mark: who trains nothing needs none. Raises StoreError if it cannot
    be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @functools.cached_property
    def _locks(self) -> LockFile:
        try:
            return LockFile(self._path)
        except OSError as error:
            raise StoreError(f"--store {self._path}: {error}. Name a file in a folder that can be written") from error

    def close(self) -> None:
        """Give back every lease of this object, and its workers' marks."""
        if self._is_open:
            self._locks.close()

    @property
    def _is_open(self) -> bool:
        return "_locks" in self.__dict__

    def take(self, name: str) -> Lease | None:
        """The right to train a block, None while anyone has it. name: of its first seed's run (Key.digest)."""
        # 60 bits: below OPENING. Two blocks that meet on one byte would only wait for one another.
        offset = int(name[:15], 16)
        return Lease(self._locks, offset) if self._locks.acquire(offset) else None

    def work(self, session: str, worker: int) -> None:
        """Say that this worker of a session is at work, until rest() or the end of its process."""
        # Waits, for a worker that looks whether this one is at work locks its byte for that moment.
        self._locks.wait_for(_place(session, worker))

    def rest(self, session: str, worker: int) -> None:
        """Say that this worker has no more work of its own."""
        if self._is_open:
            self._locks.release(_place(session, worker))

    def at_work(self, session: str, workers: Iterable[int]) -> bool:
        """Whether one of these workers of the session is at work."""
        for place in (_place(session, worker) for worker in workers):
            if not self._locks.acquire(place):
                return True
            self._locks.release(place)
        return False


def _place(session: str, worker: int) -> int:
    """The byte whose lock says that a worker is at work."""
    return OPENING + 1 + int(hashlib.sha256(f"{session} {worker}".encode()).hexdigest()[:14], 16)
