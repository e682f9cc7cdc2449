"""Finished runs as JSON lines: to move them between machines, and to publish them beside the verdicts they gave.

    python -m pytest_claims.runs export STORE FILE
    python -m pytest_claims.runs import FILE STORE
    python -m pytest_claims.runs publish STORE FILE --data DIR      for the folder evidence/ (evidence.py)
    python -m pytest_claims.runs check STORE [--remove]             names damaged runs, or deletes them
    python -m pytest_claims.runs compare FIRST SECOND               of two devices, engines or kernels (compare.py)

One object a line with the columns of the store. The key of a run is a hash of what decided it, and its checksum one of
the whole line. A line that either does not fit is refused, and the whole file with it (row.py). Runs of another engine
version may be imported; no claim will use them.
"""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pytest_claims.data import DataError, Dataset, spec_of
from pytest_claims.data.load import from_files
from pytest_claims.errors import ExplainedError
from pytest_claims.runs import compare
from pytest_claims.runs.evidence import Labels, publish
from pytest_claims.runs.row import COLUMNS, MOST_CHARACTERS, imported
from pytest_claims.runs.store import ConflictError, Store
from pytest_claims.runs.store_file import is_database
from pytest_claims.whole_file import write_whole


class TransferError(ExplainedError):
    """A file of runs cannot be read; the text names the file, the line and what is wrong with it."""


def export_runs(store: Store, path: Path) -> int:
    """Write every run of the store to a file, in the order of their keys; returns how many.

    The file is replaced when all is written. Raises OSError if it cannot be, TransferError if it is a database.
    """
    _refuse_database(path)
    rows = store.rows()
    write_whole(path, (json.dumps(dict(zip(COLUMNS, row, strict=True)), sort_keys=True) + "\n" for row in rows))
    return len(rows)


def import_runs(path: Path, store: Store) -> int:
    """Add the runs of a file to the store, all or none, and keep what it has; returns how many were new.

    Raises TransferError, which names file and line, for a file that is damaged or not of this form, and for a run with
    another result than the stored one of its key. Raises OSError if the file cannot be opened.
    """
    try:
        return store.add(_read(path))
    except ConflictError as error:
        raise TransferError(f"{path}, line {error.place + 1}: {error}. Nothing was added") from error


def _read(path: Path) -> Iterator[tuple[Any, ...]]:
    """The runs of a file, one a line, as values of COLUMNS, checked."""
    with open(path, "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_CHARACTERS + 1), b""), start=1):
            try:
                if len(line) > MOST_CHARACTERS:
                    raise ValueError(f"longer than {MOST_CHARACTERS} bytes")
                run = json.loads(line.decode())
                if not isinstance(run, dict):
                    raise ValueError("no JSON object")
                # Files of earlier versions lack some columns.
                run = {"records": "{}", "checksum": "", **run}
                row = tuple(run[column] for column in COLUMNS)
                imported(row)
            except KeyError as error:
                raise TransferError(f"{path}, line {number}: not a run (it has no {error}); {_AGAIN}") from error
            except (ValueError, RecursionError) as error:
                raise TransferError(f"{path}, line {number}: not a run ({error}); {_AGAIN}") from error
            yield row


_AGAIN = "export it again. Nothing was added"


def _refuse_database(path: Path) -> None:
    """Raise TransferError for a file that is a store, and is not to be replaced by lines of text."""
    if is_database(path):
        raise TransferError(f"{path} is a database and is not written over; name another file")


def _labels(folder: Path) -> Labels:
    """The labels of test images in this folder, where their data set has the fingerprint that a run was trained on."""

    @functools.cache
    def of(name: str) -> Dataset | None:
        try:
            return from_files(spec_of(name), folder, download=False)
        except DataError:
            return None

    def labels(name: str, fingerprint: str) -> np.ndarray | None:
        found = of(name)
        return found.test_labels.numpy() if found and found.fingerprint == fingerprint else None

    return labels


def _check(store: Store, *, remove: bool) -> int:
    """Name the damaged runs of a store; returns the exit status."""
    found = store.damaged_runs()
    for key, why in found.items():
        print(f"{key}: {why}")
    if remove:
        store.remove(found)
        print(f"{len(found)} damaged runs deleted from {store.path}, of {store.count() + len(found)}")
        return 0
    print(f"{len(found)} of {store.count()} runs in {store.path} are damaged")
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pytest_claims.runs", description="Finished runs as JSON lines.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, names in (
        ("export", ("store", "file")),
        ("import", ("file", "store")),
        ("publish", ("store", "file")),
        ("check", ("store",)),
    ):
        sub = commands.add_parser(command)
        for name in names:
            sub.add_argument(name, type=Path)
        if command == "publish":
            sub.add_argument("--data", type=Path, required=True, help="folder of the images, for confusion counts")
        if command == "check":
            sub.add_argument("--remove", action="store_true", help="delete them, so that they are trained again")
    compare.add_arguments(commands.add_parser("compare", help="the same arms in two places, paired by seed"))
    options = parser.parse_args(arguments)
    if options.command == "compare":
        return compare.run(options, shlex.join(["python", "-m", "pytest_claims.runs", *arguments]))
    try:
        if options.command == "import":
            if not options.file.is_file():
                raise TransferError(f"{options.file}: no such file")
            store = Store(options.store)
            print(f"{import_runs(options.file, store)} new runs added to {options.store}")
            return 0
        if not options.store.is_file():
            raise TransferError(f"{options.store}: no such store")
        store = Store(options.store, read_only=not (options.command == "check" and options.remove))
        if options.command == "check":
            return _check(store, remove=options.remove)
        if options.command == "publish":
            _refuse_database(options.file)
            print(f"{publish(store.rows(), options.file, _labels(options.data))} runs written to {options.file}")
        else:
            print(f"{export_runs(store, options.file)} runs written to {options.file}")
    except (ExplainedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
