"""Where images come from: torchvision's CIFAR, .npz files, class folders, or synthetic images."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pytest_claims.data.dataset import DataError, Dataset, dataset
from pytest_claims.data.synthetic import VERSION, synthetic
from pytest_claims.data.torchvision_import import torchvision

CLASSES = {"cifar10": 10, "cifar100": 100}
# Of the real sets, whole.
TRAINING_IMAGES = 50_000
_KEYS = ("train_images", "train_labels", "test_images", "test_labels", "class_names")
_TORCHVISION = {"cifar10": ("CIFAR10", "cifar-10-batches-py"), "cifar100": ("CIFAR100", "cifar-100-python")}
# Synthetic training and test images a class: what the recipes ask for at most, since making more takes time.
SYNTHETIC_SIZES = {
    ("cifar10", "rehearsal"): (100, 50),
    ("cifar100", "rehearsal"): (10, 5),
    ("cifar10", "documented"): (500, 200),
    ("cifar100", "documented"): (200, 20),
    ("cifar10", "full"): (1000, 200),
    ("cifar100", "full"): (200, 20),
}

# What --data takes beside a path.
NAMED = ("auto", "cifar", "synthetic")

WAYS = (
    "Ways to get it: `make data` (downloads CIFAR-10 and CIFAR-100 by torchvision into data/, about 330 MB); "
    "--data PATH with a folder that holds cifar10.npz and cifar100.npz (layout in the README), torchvision's unpacked "
    "archives, or train/<class>/* and test/<class>/* of your own images; or --data synthetic for synthetic images, on "
    "which verdicts say nothing about CIFAR"
)


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which data a session uses, decided before anything is loaded.

    kind: "cifar", "synthetic" or "folders" (class folders of images). folder: where the files are; None for
    synthetic images. why: the reason, for the header. scale: of the recipes that it must suffice for. download: fetch
    what is missing by torchvision. rest: synthetic images serve for what is missing.
    """

    kind: str
    folder: Path | None
    why: str
    scale: str = "documented"
    download: bool = False
    rest: bool = False

    @property
    def offline(self) -> Choice:
        """The same images, as far as they are on disk."""
        return dataclasses.replace(self, download=False)

    def __str__(self) -> str:
        where = "synthetic images" if self.folder is None else f"{self.kind} at {self.folder}"
        return f"{where} ({self.why})"


def choose(option: str, scale: str, home: Path) -> Choice:
    """Decide what --data means at this scale; home is the folder into which `make data` downloads.

    auto: CIFAR-10 if it is in home; else at scale rehearsal synthetic images, and at other scales a download into home.
    Raises DataError if a PATH is missing or holds nothing that can be used.
    """
    if option == "synthetic":
        return Choice("synthetic", None, "as asked with --data synthetic", scale)
    if option == "cifar":
        return Choice("cifar", home, "as asked with --data cifar", scale, download=True)
    if option != "auto":
        folder = Path(option).expanduser()
        if not folder.is_dir():
            allowed = "auto, cifar, synthetic, or the path of an existing folder"
            raise DataError(f"--data {option}: no such folder. Allowed: {allowed}. {WAYS}")
        if (folder / "train").is_dir() and (folder / "test").is_dir():
            return Choice("folders", folder, "class folders, as asked with --data", scale)
        if not any(_on_disk(name, folder) for name in CLASSES):
            raise DataError(
                f"--data {option}: the folder holds none of cifar10.npz, cifar100.npz, cifar-10-batches-py, "
                f"cifar-100-python, train/ and test/. {WAYS}"
            )
        return Choice("cifar", folder, "as asked with --data", scale)
    missing = [name for name in CLASSES if not _on_disk(name, home)]
    if "cifar10" not in missing:
        if not missing:
            return Choice("cifar", home, "found on disk", scale)
        if scale == "rehearsal":
            return Choice(
                "cifar", home, "CIFAR-10 found on disk; synthetic images for CIFAR-100, which is not", scale, rest=True
            )
        return Choice("cifar", home, "CIFAR-10 found on disk; CIFAR-100 is to be downloaded", scale, download=True)
    if scale == "rehearsal":
        return Choice("synthetic", None, f"no CIFAR in {home}; a rehearsal downloads nothing unasked", scale)
    return Choice("cifar", home, f"scale {scale} needs CIFAR", scale, download=True)


def load(choice: Choice, name: str) -> Dataset:
    """The data set that serves as `name` ("cifar10" or "cifar100"), on the CPU. Raises DataError."""
    if choice.folder is None:
        return synthetic_dataset(name, choice.scale)
    if choice.kind == "folders":
        return from_folders(choice.folder, name)
    found = _cifar(choice, name)
    if choice.scale == "full" and len(found.train_labels) < TRAINING_IMAGES:
        raise DataError(
            f"{name} in {choice.folder} has {len(found.train_labels)} training images; scale full is about the whole "
            f"training set of {TRAINING_IMAGES}. Select claims on other data with -k, or get it whole. {WAYS}"
        )
    return found


def _cifar(choice: Choice, name: str) -> Dataset:
    if choice.rest and not _on_disk(name, choice.folder):
        return synthetic_dataset(name, choice.scale)
    if (choice.folder / f"{name}.npz").is_file():
        return from_npz(choice.folder / f"{name}.npz", name)
    if choice.download or _on_disk(name, choice.folder):
        return from_torchvision(choice.folder, name, download=choice.download)
    raise DataError(f"{name} is not in {choice.folder}. {WAYS}")


def _on_disk(name: str, folder: Path) -> bool:
    return (folder / f"{name}.npz").is_file() or (folder / _TORCHVISION[name][1]).is_dir()


def synthetic_dataset(name: str, scale: str) -> Dataset:
    """Synthetic images with as many classes as the data set has whose place they take, sized for a scale's recipes."""
    train, test = SYNTHETIC_SIZES[name, scale]
    images = synthetic(CLASSES[name], train_per_class=train, test_per_class=test)
    names = tuple(f"class {label}" for label in range(CLASSES[name]))
    return dataset(name, f"synthetic images, version {VERSION}", names, images[:2], images[2:])


def from_npz(path: Path, name: str) -> Dataset:
    """Read the documented .npz layout; nothing in it is unpickled. Raises DataError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _KEYS if key not in archive]
            if missing:
                raise DataError(f"{path} has no {', '.join(missing)}; needed: {', '.join(_KEYS)} (see the README)")
            arrays = {key: archive[key] for key in _KEYS}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read ({error}). Write it again; the README has its layout. {WAYS}"
        ) from error
    names = tuple(str(label) for label in arrays["class_names"])
    splits = [(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test")]
    return dataset(name, str(path), names, *splits)


def from_torchvision(folder: Path, name: str, *, download: bool) -> Dataset:
    """CIFAR from torchvision's archive, whose checksum torchvision verifies. Raises DataError if it is not whole."""
    kind = getattr(torchvision("datasets"), _TORCHVISION[name][0])
    try:
        with _one_download_at_a_time(folder) if download else contextlib.nullcontext():
            train, test = (kind(folder, train=part, download=download) for part in (True, False))
    except (RuntimeError, OSError) as error:
        raise DataError(f"{name} at {folder}: {error}. {WAYS}") from error
    splits = [(split.data, np.asarray(split.targets)) for split in (train, test)]
    return dataset(name, f"torchvision {kind.__name__} at {folder}", tuple(train.classes), *splits)


@contextlib.contextmanager
def _one_download_at_a_time(folder: Path) -> Iterator[None]:
    """Workers that all find the archive missing would write the same files; the others wait and find it there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".download-lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield


def from_folders(folder: Path, name: str) -> Dataset:
    """Images of one's own from train/<class>/* and test/<class>/*, each scaled to 32x32 RGB.

    Any format that Pillow reads. Raises DataError for a file that is no image or classes that differ in the splits.
    """
    from PIL import Image, UnidentifiedImageError

    classes = {
        split: sorted(path.name for path in (folder / split).iterdir() if path.is_dir()) for split in ("train", "test")
    }
    names = tuple(classes["train"])
    if classes["test"] != classes["train"] or len(names) < 2:
        raise DataError(
            f"{folder}: train/ has the classes {classes['train']} and test/ {classes['test']}; needed: the same "
            "folders in both, at least two, one a class"
        )

    def split(part: str) -> tuple[np.ndarray, np.ndarray]:
        images, labels = [], []
        for label, class_name in enumerate(names):
            for path in sorted((folder / part / class_name).iterdir()):
                if path.name.startswith(".") or not path.is_file():
                    continue
                try:
                    with Image.open(path) as image:
                        small = image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)
                except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
                    raise DataError(
                        f"{path} is not an image that Pillow can read ({error}); remove or replace it"
                    ) from error
                images.append(np.asarray(small))
                labels.append(label)
        if not images:
            raise DataError(f"{folder / part}: no images in any class folder")
        return np.stack(images), np.asarray(labels)

    return dataset(name, str(folder), names, split("train"), split("test"))
