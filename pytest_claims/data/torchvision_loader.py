"""Data sets that torchvision downloads, verifies and reads."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pytest_claims.data.spec import Split, Splits
from pytest_claims.data.torchvision_import import torchvision


@dataclasses.dataclass(frozen=True)
class Torchvision:
    """A Loader: the class of torchvision.datasets that reads a data set.

    name: of the class. files: what its download leaves in the folder. split: the argument that chooses between
    training and test images, with its two values. labels: the attribute that has them. channels_first: whether `data`
    is [N, channels, size, size].
    """

    name: str
    files: tuple[str, ...]
    split: tuple[str, object, object] = ("train", True, False)
    labels: str = "targets"
    channels_first: bool = False

    def read(self, folder: Path, *, download: bool) -> Splits:
        """The data set from a folder, verified as far as torchvision does.

        CIFAR's and SVHN's files are verified whenever they are read, FashionMNIST's when they are downloaded. Raises
        RuntimeError if a file is missing or not verified, OSError if a download fails, and what torchvision's parsers
        raise for files of another form.
        """
        archive = getattr(torchvision("datasets"), self.name)
        argument, *values = self.split
        with _one_download_at_a_time(folder) if download else contextlib.nullcontext():
            train, test = (archive(folder, **{argument: value}, download=download) for value in values)
        origin = f"torchvision {self.name} at {folder}"
        return Splits(origin, tuple(getattr(train, "classes", ())), self._arrays(train), self._arrays(test))

    def _arrays(self, archive: object) -> Split:
        images, labels = (np.asarray(getattr(archive, attribute)) for attribute in ("data", self.labels))
        return images.transpose(0, 2, 3, 1) if self.channels_first else images, labels


@contextlib.contextmanager
def _one_download_at_a_time(folder: Path) -> Iterator[None]:
    """Workers that all find the archive missing would write the same files; the others wait and find it there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".download-lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield
