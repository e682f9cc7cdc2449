"""A sample of a data set that ships with a repository of claims: the folder sample/, which make_sample.py writes.

    sample/manifest.json               what is there, with checksums
    sample/cifar10/airplane.webp       lossless mosaics of 32x32 tiles, RGB

A mosaic holds whole classes, one after the other: of each first its training images, then its test images, row by row.
So a tile's place tells its label, and no file of labels is needed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.presentation import SIDE
from pytest_claims.data.spec import DatasetSpec, Splits

# Below the repository root.
FOLDER = Path("sample")
MANIFEST = "manifest.json"
FORMAT = "pytest-claims sample 1"


@dataclasses.dataclass(frozen=True)
class Mosaic:
    """A file of a sample. file: its path below the folder. sha256: of its bytes. classes: those that it holds."""

    file: str
    sha256: str
    classes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a manifest says of one data set.

    train, test: images a class. class_names: in the order of labels. fingerprint: of the images as a Dataset has them.
    """

    train: int
    test: int
    class_names: tuple[str, ...]
    fingerprint: str
    mosaics: tuple[Mosaic, ...]


def is_there(folder: Path) -> bool:
    """Whether a folder holds a sample."""
    return (folder / MANIFEST).is_file()


def read_sample(folder: Path, spec: DatasetSpec) -> Splits:
    """The sample of a data set. Raises DataError, which names the file, if one is missing or was changed."""
    contents = _contents(folder, spec)
    per_class = contents.train + contents.test
    train: dict[str, np.ndarray] = {}
    test: dict[str, np.ndarray] = {}
    for mosaic in contents.mosaics:
        tiles = _tiles(folder, mosaic, per_class, spec)
        for name, of_class in zip(mosaic.classes, tiles, strict=True):
            train[name], test[name] = of_class[: contents.train], of_class[contents.train :]
    names, labels = contents.class_names, np.arange(len(contents.class_names))
    return Splits(
        f"sample at {folder}",
        names,
        (np.concatenate([train[name] for name in names]), np.repeat(labels, contents.train)),
        (np.concatenate([test[name] for name in names]), np.repeat(labels, contents.test)),
    )


def way_out(folder: Path, spec: DatasetSpec) -> str:
    """What to do about a sample that cannot be used: the end of an error's text."""
    fetched = f"; or fetch the whole set, `python -m pytest_claims.data data {spec.name}`" if spec.loader else ""
    return f"Restore it from version control, `git checkout -- {folder}`{fetched}. Stored runs are not touched"


def _contents(folder: Path, spec: DatasetSpec) -> Contents:
    """What the manifest says of a data set. Raises DataError."""
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"there is no sample of {spec.name}: {path} is missing. A sample belongs to the repository of the claims "
            f"and not to the installed package. {spec.ways}"
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']!r}, and this version reads {FORMAT!r}")
        return _decoded(document["datasets"][spec.name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no list of a sample of {spec.name} ({error!r}). {way_out(folder, spec)}") from error


def _decoded(told: dict[str, Any]) -> Contents:
    mosaics = tuple(Mosaic(each["file"], each["sha256"], tuple(each["classes"])) for each in told["mosaics"])
    names = tuple(told["class_names"])
    if sorted(name for mosaic in mosaics for name in mosaic.classes) != sorted(names):
        raise ValueError("its mosaics do not hold each of its classes once")
    return Contents(int(told["train"]), int(told["test"]), names, str(told["fingerprint"]), mosaics)


def _tiles(folder: Path, mosaic: Mosaic, per_class: int, spec: DatasetSpec) -> np.ndarray:
    """The images of a mosaic, uint8 [classes, per_class, 32, 32, 3]. Raises DataError."""
    from PIL import Image

    path = folder / mosaic.file
    if not path.is_file():
        raise DataError(f"{path} is missing, a part of the sample of {spec.name}. {way_out(folder, spec)}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != mosaic.sha256:
        raise DataError(
            f"{path} was changed: its content is not what the checksum in {folder / MANIFEST} was made of. "
            f"{way_out(folder, spec)}"
        )
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
        tiles = pixels.reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2)
        return tiles.reshape(len(mosaic.classes), per_class, SIDE, SIDE, 3)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no mosaic of {spec.name} ({error}). {way_out(folder, spec)}") from error
