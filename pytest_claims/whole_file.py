"""Files that are written whole or not at all: a full disk leaves what was there before."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write text, in parts, to a file beside this one, and then put it in its place.

    A link is followed, and an earlier file's permissions are kept. What is no file, such as /dev/stdout, is written to
    as it is. Raises OSError, which names the path; what was there before is then as it was.
    """
    try:
        before = os.stat(path)
    except OSError:
        before = None
    if before and not stat.S_ISREG(before.st_mode):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(parts)
        return
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        with open(beside, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if before:
            os.chmod(beside, stat.S_IMODE(before.st_mode))
        os.replace(beside, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(beside)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
