"""Finished runs as JSON lines: to move them between machines, and to publish them beside the verdicts they gave.

    python -m pytest_claims.runs export STORE FILE
    python -m pytest_claims.runs import FILE STORE
    python -m pytest_claims.runs publish STORE FILE --data DIR      for the folder evidence/ (evidence.py)
    python -m pytest_claims.runs compare FIRST SECOND               of two devices, engines or kernels (compare.py)

One object a line with the columns of the store. The key of a run is a hash of what decided it; a line whose key does
not fit its content is refused. Runs of another engine version may be imported; no claim will use them.
"""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pytest_claims.data import DataError, Dataset, spec_of
from pytest_claims.data.load import from_files
from pytest_claims.errors import ExplainedError
from pytest_claims.runs import compare
from pytest_claims.runs.evidence import Labels, publish
from pytest_claims.runs.store import COLUMNS, Store, digest


class TransferError(ExplainedError):
    """A file of runs cannot be read; the text names the file, the line and what is wrong with it."""


def export_runs(store: Store, path: Path) -> int:
    """Write every run of the store to a file, in the order of their keys; returns how many."""
    rows = store.rows()
    with open(path, "w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), sort_keys=True) + "\n")
    return len(rows)


def import_runs(path: Path, store: Store) -> int:
    """Add the runs of a file to the store, all or none, and keep what it has; returns how many were new.

    Raises TransferError for a file that is damaged or not of this form, OSError if it cannot be opened.
    """
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                # Files of before runs had records have none.
                run: dict[str, Any] = {"records": "{}", **json.loads(line)}
                row = tuple(run[column] for column in COLUMNS)
                key = digest(run["configuration"], run["data"], run["numerics"], run["engine"], run["seed"])
            except (ValueError, KeyError, TypeError) as error:
                raise TransferError(f"{path}, line {number}: not a run ({error!r}); export it again") from error
            if key != run["key"]:
                raise TransferError(f"{path}, line {number}: its key does not fit its content; export it again")
            rows.append(row)
    return store.add(rows)


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


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pytest_claims.runs", description="Finished runs as JSON lines.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, names in (
        ("export", ("store", "file")),
        ("import", ("file", "store")),
        ("publish", ("store", "file")),
    ):
        sub = commands.add_parser(command)
        for name in names:
            sub.add_argument(name, type=Path)
        if command == "publish":
            sub.add_argument("--data", type=Path, required=True, help="folder of the images, for confusion counts")
    compare.add_arguments(commands.add_parser("compare", help="the same arms in two places, paired by seed"))
    options = parser.parse_args(arguments)
    if options.command == "compare":
        return compare.run(options, shlex.join(["python", "-m", "pytest_claims.runs", *arguments]))
    try:
        if options.command != "import" and not options.store.is_file():
            raise TransferError(f"{options.store}: no such store")
        store = Store(options.store)
        if options.command == "publish":
            print(f"{publish(store.rows(), options.file, _labels(options.data))} runs written to {options.file}")
        elif options.command == "export":
            print(f"{export_runs(store, options.file)} runs written to {options.file}")
        else:
            print(f"{import_runs(options.file, store)} new runs added to {options.store}")
    except (ExplainedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
