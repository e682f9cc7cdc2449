"""What a data set is, and the registry in which an arm's data set is looked up by its name.

The data sets of the package are in known.py. One of your own is registered before the first test is collected, in
`conftest.py` beside the claims:

    from pytest_claims.data import DatasetSpec, register

    register(DatasetSpec("letters", classes=26, training_images=20_000, test_images=4_000, channels=1, size=28))

Then `Arm(..., dataset="letters")` trains on `letters.npz` in the folder that --data names, or in data/.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Protocol

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.kinds import FOLDERS, SAMPLE
from pytest_claims.data.presentation import SIDE

# Images and labels of one part of a data set.
Split = tuple[np.ndarray, np.ndarray]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclasses.dataclass(frozen=True)
class Splits:
    """A data set as its source has it.

    origin: where it was read, for people. class_names: in the order of labels; empty where the source names none.
    train, test: images, uint8 [N, size, size, channels] ([N, size, size] for grey ones), and integer labels [N] from 0.
    """

    origin: str
    class_names: tuple[str, ...]
    train: Split
    test: Split


class Loader(Protocol):
    """Reads a data set from the form in which others publish it."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files or folders, as paths below a folder: where all of them are, the data set is on disk. One at least."""

    def read(self, folder: Path, *, download: bool) -> Splits:
        """The data set from a folder. download: fetch what is missing first. Raises any exception where it cannot."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """A part of a data set that ships with the claims (sample.py), known by the fingerprint of its images.

    train, test: images of each class.
    """

    fingerprint: str
    train: int
    test: int


@dataclasses.dataclass(frozen=True)
class DatasetSpec:
    """A data set by name.

    name: of an arm's data set and of its file, `<name>.npz`. family: the kind of its images (kinds.py), which a
    ledger's file is named by; "" is the name. classes: number of classes. training_images, test_images: of the whole
    set; scale full needs that many training images. channels (1 or 3) and size (pixels a side, at most 32): of the
    source's images; presentation.py says how networks see them. class_names: in the order of labels, where the source
    does not name them. loader: reads what is published, None where there is only the .npz. sample: which of its images
    are the sample of it, None where there is none. fingerprint: of the whole set (dataset.py), by which it is known
    from whatever file it was read: other images under the name are images of one's own. "" where the name alone says
    what it is.

    Raises ValueError for other values.
    """

    name: str
    classes: int
    training_images: int
    test_images: int
    family: str = ""
    channels: int = 3
    size: int = SIDE
    class_names: tuple[str, ...] = ()
    loader: Loader | None = None
    sample: Sample | None = None
    fingerprint: str = ""

    def __post_init__(self) -> None:
        def check(name: str, ok: bool, allowed: str) -> None:
            if not ok:
                raise ValueError(f"DatasetSpec.{name} is {getattr(self, name)!r}; allowed: {allowed}")

        words = "small letters, digits and _, a letter first"
        check("name", bool(_NAME.fullmatch(self.name)), words)
        if not self.family:
            object.__setattr__(self, "family", self.name)
        reserved = (SAMPLE, FOLDERS)
        check("family", bool(_NAME.fullmatch(self.family)) and self.family not in reserved, f"{words}; not {reserved}")
        check("classes", 2 <= self.classes <= 256, "from 2 to 256")
        check("training_images", self.training_images >= self.classes, "at least one a class")
        check("test_images", self.test_images >= self.classes, "at least one a class")
        check("channels", self.channels in (1, 3), "1 (grey) or 3 (RGB)")
        check("size", 1 <= self.size <= SIDE, f"from 1 to {SIDE}; scale larger images down first")
        check("class_names", len(self.class_names) in (0, self.classes), f"none or {self.classes}")
        check("loader", self.loader is None or bool(self.loader.files), "None, or one whose `files` are not empty")

    def kind_of(self, fingerprint: str) -> str:
        """The kind of images under this name: those with the sample's fingerprint are the sample, and those that are
        neither the sample nor the whole set, where that is known, are one's own."""
        if self.sample is not None and fingerprint == self.sample.fingerprint:
            return SAMPLE
        return self.family if self.fingerprint in ("", fingerprint) else FOLDERS

    def on_disk(self, folder: Path) -> bool:
        """Whether a folder has this data set, as an .npz or as its loader reads it."""
        # What cannot be looked at is not there; unlike Path's, these raise nothing.
        published = self.loader is not None and all(os.path.exists(folder / file) for file in self.loader.files)
        return published or os.path.isfile(folder / f"{self.name}.npz")

    @property
    def ways(self) -> str:
        """How a person comes by this data set: the end of an error's text."""
        fetched, published = "", ""
        if self.loader is not None:
            fetched = f"`python -m pytest_claims.data data {self.name}`, which downloads it into data/; "
            published = f", {' and '.join(self.loader.files)},"
        return (
            f"Ways to get it: {fetched}{self.name}.npz in data/, or --data PATH with a folder that holds it (layout in "
            "docs/images.md)"
            f"{published} or train/<class>/* and test/<class>/* of your own images"
        )


_registered: dict[str, DatasetSpec] = {}


def register(spec: DatasetSpec) -> None:
    """Make a data set known by its name. Raises ValueError if another one has the name."""
    if _registered.setdefault(spec.name, spec) != spec:
        raise ValueError(
            f"the data set {spec.name!r} is registered already, with other values: {_registered[spec.name]}. "
            "Give yours another name"
        )


def registered() -> tuple[DatasetSpec, ...]:
    """All that are known, in the order of registration."""
    return tuple(_registered.values())


def spec_of(name: str) -> DatasetSpec:
    """The data set of this name. Raises DataError if none has it."""
    if not isinstance(name, str) or name not in _registered:
        raise DataError(
            f"unknown data set {name!r}; known: {', '.join(sorted(_registered))}. Correct the arm's `dataset`, or "
            "register it in conftest.py: pytest_claims.data.register(DatasetSpec(...))"
        )
    return _registered[name]
