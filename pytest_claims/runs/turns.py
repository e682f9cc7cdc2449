"""Whose turn it is on a device: workers train beside one another, and one that needs all of its memory trains alone."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from pytest_claims.runs.lock_file import OPENING, LockFile

# Above all bytes that say which workers are at work (leases.py).
_TURNS = OPENING + 2**58


class Turns:
    """Of one process on one device, among all that use the same store. store: its path. device: its identity.

    Two bytes of the store's lock file. Who trains shares the second one. Who wants to train alone waits at the first
    one, which everyone passes to begin, until all others have finished their blocks. Raises OSError as LockFile.
    """

    def __init__(self, store: Path, device: str) -> None:
        self._locks = LockFile(store)
        self._gate = _TURNS + 2 * int(hashlib.sha256(device.encode()).hexdigest()[:10], 16)
        self._device = self._gate + 1

    def close(self) -> None:
        """Give back what is held."""
        self._locks.close()

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Train beside others; waits while one trains alone, or waits to."""
        self._locks.wait_for(self._gate)
        try:
            self._locks.wait_for(self._device, shared=True)
        finally:
            self._locks.release(self._gate)
        try:
            yield
        finally:
            self._locks.release(self._device)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Train alone: waits until the others have finished what they train."""
        self._locks.wait_for(self._gate)
        try:
            self._locks.wait_for(self._device)
            try:
                yield
            finally:
                self._locks.release(self._device)
        finally:
            self._locks.release(self._gate)
