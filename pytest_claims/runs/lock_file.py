"""Locks on single bytes of the file beside a store, which the operating system drops when their process dies.

POSIX drops all of a process's locks on a file when it closes any descriptor of it (fcntl(2), "Advisory record
locking"). Whoever opens this file twice in one process, and closes one of the two, has lost every lock of the other. So
all users of a process share one descriptor, which is closed when the last of them has closed.

The file stays empty: a lock needs no byte to exist.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

# The bytes below this one are for blocks of runs. This one is locked while a process opens the store. Those above it
# say which workers are at work, and those far above whose turn it is on a device.
OPENING = 2**60


@dataclasses.dataclass
class _Shared:
    """The one descriptor of a process. held: the bytes that this process has locked, which POSIX would grant again."""

    descriptor: int
    users: int = 0
    held: set[int] = dataclasses.field(default_factory=set)
    opening: threading.Lock = dataclasses.field(default_factory=threading.Lock)


_files: dict[str, _Shared] = {}
_files_lock = threading.Lock()
# A forked process has none of its parent's locks. It opens a descriptor of its own.
os.register_at_fork(after_in_child=_files.clear)


class LockFile:
    """The lock file of a store. store: the store's path; its folder is made if it is missing.

    To be used by the thread and the process that made it. Raises OSError if the file cannot be opened.
    """

    def __init__(self, store: Path) -> None:
        # Of the store itself and not of a link to it, by whatever name it is opened.
        self._path = f"{os.path.realpath(store)}-locks"
        self._held: set[int] = set()
        self._open = True
        with _files_lock:
            if self._path not in _files:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                _files[self._path] = _Shared(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644))
            self._shared = _files[self._path]
            self._shared.users += 1

    def close(self) -> None:
        """Release what this object has locked, and nothing of others in this process."""
        if not self._open:
            return
        self._open = False
        for offset in list(self._held):
            self.release(offset)
        with _files_lock:
            self._shared.users -= 1
            if self._shared.users == 0:
                os.close(self._shared.descriptor)
                _files.pop(self._path, None)

    def acquire(self, offset: int) -> bool:
        """Lock a byte, if no one holds it: no other process, and no other user in this one."""
        if offset in self._shared.held:
            return False
        try:
            fcntl.lockf(self._shared.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        self._held.add(offset)
        self._shared.held.add(offset)
        return True

    def wait_for(self, offset: int, *, shared: bool = False) -> None:
        """Lock a byte as soon as no other process holds it. shared: together with others that ask so."""
        fcntl.lockf(self._shared.descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, 1, offset)
        self._held.add(offset)
        self._shared.held.add(offset)

    def release(self, offset: int) -> None:
        """Unlock a byte that this object has locked; does nothing for another one."""
        if offset in self._held:
            self._held.remove(offset)
            self._shared.held.remove(offset)
            fcntl.lockf(self._shared.descriptor, fcntl.LOCK_UN, 1, offset)

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Be the only one, of all threads and processes, that opens the store."""
        with self._shared.opening:
            self.wait_for(OPENING)
            try:
                yield
            finally:
                self.release(OPENING)
