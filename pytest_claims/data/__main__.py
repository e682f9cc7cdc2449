"""`python -m pytest_claims.data [FOLDER]`: download CIFAR by torchvision into a folder (default: data)."""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_claims.data.dataset import DataError
from pytest_claims.data.load import CLASSES, from_torchvision


def main(arguments: list[str]) -> int:
    """Download both; returns the exit status."""
    folder = Path(arguments[0] if arguments else "data")
    try:
        for name in CLASSES:
            data = from_torchvision(folder, name, download=True)
            print(f"{name}: {len(data.train_labels)} training and {len(data.test_labels)} test images in {folder}")
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
