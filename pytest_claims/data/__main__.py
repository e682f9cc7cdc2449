"""`python -m pytest_claims.data [FOLDER [NAME ...]]`: download data sets into a folder (default: CIFAR, into data)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_claims.data.dataset import DataError
from pytest_claims.data.load import from_loader
from pytest_claims.data.spec import registered, spec_of


def main(arguments: Sequence[str]) -> int:
    """Download what is named; returns the exit status."""
    names = [spec.name for spec in registered() if spec.loader]
    parser = argparse.ArgumentParser("python -m pytest_claims.data", description="Download data sets.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data"), help="where to (default: data)")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        default=["cifar10", "cifar100"],
        help=f"which, of {', '.join(names)} (default: cifar10 cifar100)",
    )
    asked = parser.parse_args(arguments)
    try:
        # All names are checked before the first download.
        for spec in [spec_of(name) for name in asked.names]:
            data = from_loader(spec, asked.folder, download=True)
            counts = f"{len(data.train_labels)} training and {len(data.test_labels)} test images"
            print(f"{spec.name}: {counts} in {asked.folder}")
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
