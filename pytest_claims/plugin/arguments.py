"""What the command-line options take: each type checks its text and says what is allowed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_claims.cluster.address import cluster_address
from pytest_claims.types import LOOKS


def seed_count(text: str) -> int:
    """The type of --seeds: an integer from 3 to 1000."""
    value = _integer(text)
    if not 3 <= value <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seeds; allowed: 3 to 1000 (below 3 there is no spread to test against)"
        )
    return value


def most_seeds(text: str) -> int:
    """The type of --max-seeds: an integer that at least the first of the planned looks does not exceed."""
    value = _integer(text)
    if not LOOKS[0] <= value <= LOOKS[-1]:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a cap on the looks at {', '.join(map(str, LOOKS))} seeds; allowed: {LOOKS[0]} to "
            f"{LOOKS[-1]} (for another number of seeds fix it: --seeds N)"
        )
    return value


def seed_number(text: str) -> int:
    """The type of --first-seed: an integer of at least 0."""
    value = _integer(text)
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; allowed: 0 to 1000000")
    return value


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


def store_path(text: str) -> Path:
    """The type of --store: a path that is not a folder."""
    path = Path(text).expanduser()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name an SQLite file, e.g. {path / 'runs.sqlite'}")
    return path


def cluster(text: str) -> str:
    """The type of --ray: auto, local or ray://HOST:PORT."""
    try:
        return cluster_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def file_to_write(text: str) -> Path:
    """The type of --results and --claims-json: a path in a folder that exists."""
    path = Path(text).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder that exists")
    return path


def folder_to_write(text: str) -> Path:
    """The type of --claims-html: a folder, or one that can be made."""
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name a folder, which is made if need be")
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot be made: nothing may be written in {there}; name another folder"
        )
    return path
