"""`python -m pytest_claims.data.make_sample [FROM [TO]]`: write sample/ from whole CIFAR in data/.

Which images: the first of each class in the order in which `Dataset` keeps them, by a hash of their pixels. This order
does not depend on the file that they were read from, nor on what they show, and no seed chose it. So everyone who has
CIFAR-10 and CIFAR-100 gets these images, and the fingerprints in known.py say so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pytest_claims.data import known  # noqa: F401 (registers the package's data sets)
from pytest_claims.data.dataset import DataError, Dataset, dataset
from pytest_claims.data.kinds import SAMPLE
from pytest_claims.data.load import from_files
from pytest_claims.data.presentation import SIDE
from pytest_claims.data.sample import FORMAT, MANIFEST
from pytest_claims.data.spec import DatasetSpec, registered

# Most tiles of one file, unless one class has more, which keeps it below 3 MB; and most tiles of a row.
_TILES, _COLUMNS = 1000, 28
_TITLES = {"train": "training", "test": "test"}


def first_of_each_class(data: Dataset, train: int, test: int) -> Dataset:
    """That many training and test images of each class: the first ones in the order of a data set's images.

    Raises DataError if a class has fewer.
    """

    def chosen(images: Tensor, labels: Tensor, count: int, split: str) -> tuple[np.ndarray, np.ndarray]:
        rows = [(labels == label).nonzero().squeeze(1)[:count] for label in range(data.classes)]
        for label, found in enumerate(rows):
            if len(found) < count:
                raise DataError(
                    f"{data.name} ({data.origin}) has {len(found)} {_TITLES[split]} images of class "
                    f"{data.class_names[label]!r}, and the sample takes {count}. Give the folder of a whole data set"
                )
        taken = torch.cat(rows)
        return images[taken].permute(0, 2, 3, 1).numpy(), labels[taken].numpy()

    return dataset(
        data.name,
        data.origin,
        data.class_names,
        chosen(data.train_images, data.train_labels, train, "train"),
        chosen(data.test_images, data.test_labels, test, "test"),
        kind=SAMPLE,
    )


def write_sample(data: Dataset, train: int, test: int, folder: Path) -> dict[str, Any]:
    """Write the mosaics of a sample into folder; returns what the manifest says of it. Raises OSError.

    train, test: images a class in data.
    """
    mosaics, per_class = [], train + test
    at_once = max(1, _TILES // per_class)
    # Whole rows of one class.
    columns = max(number for number in range(1, _COLUMNS + 1) if per_class % number == 0)
    for start in range(0, data.classes, at_once):
        labels = range(start, min(data.classes, start + at_once))
        names = [data.class_names[label] for label in labels]
        parts = [
            images[of == label]
            for label in labels
            for images, of in ((data.train_images, data.train_labels), (data.test_images, data.test_labels))
        ]
        file = Path(data.name) / f"{names[0] if len(names) == 1 else f'{names[0]}-to-{names[-1]}'}.webp"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        _mosaic(torch.cat(parts).permute(0, 2, 3, 1).numpy(), columns).save(
            folder / file, lossless=True, quality=100, method=6
        )
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        mosaics.append({"file": file.as_posix(), "classes": names, "sha256": digest})
    return {
        "train": train,
        "test": test,
        "fingerprint": data.fingerprint,
        "class_names": list(data.class_names),
        "mosaics": mosaics,
    }


def _mosaic(tiles: np.ndarray, columns: int) -> Image.Image:
    """Tiles, uint8 [N, 32, 32, 3], as one picture, row by row."""
    rows = len(tiles) // columns
    pixels = tiles.reshape(rows, columns, SIDE, SIDE, 3).swapaxes(1, 2).reshape(rows * SIDE, columns * SIDE, 3)
    return Image.fromarray(pixels)


def main(arguments: Sequence[str]) -> int:
    """Write the samples of all data sets that have one; returns the exit status."""
    parser = argparse.ArgumentParser("python -m pytest_claims.data.make_sample", description=__doc__)
    parser.add_argument("source", nargs="?", type=Path, default=Path("data"), help="folder with whole data sets")
    parser.add_argument("target", nargs="?", type=Path, default=Path("sample"), help="folder to write")
    asked = parser.parse_args(arguments)
    told: dict[str, Any] = {}
    try:
        for spec in registered():
            if spec.sample:
                told[spec.name] = _of(spec, asked.source, asked.target)
                print(f"{spec.name}: fingerprint {told[spec.name]['fingerprint']}")
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps({"format": FORMAT, "datasets": told}, indent=1)
    (asked.target / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return 0


def _of(spec: DatasetSpec, source: Path, target: Path) -> dict[str, Any]:
    assert spec.sample
    train, test = spec.sample.train, spec.sample.test
    whole = from_files(spec, source, download=False)
    return write_sample(first_of_each_class(whole, train, test), train, test, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
