"""The images that serve as a data set, loaded as the session's choice says."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import torch

from pytest_claims.data.choice import Choice
from pytest_claims.data.dataset import DataError, Dataset, dataset
from pytest_claims.data.folders import read_folders
from pytest_claims.data.kinds import FOLDERS, SAMPLE
from pytest_claims.data.npz import MOST_BYTES, read_npz
from pytest_claims.data.presentation import SIDE, presented
from pytest_claims.data.sample import read_sample, way_out
from pytest_claims.data.spec import DatasetSpec, Splits, spec_of

# The origin of images that are not here: their runs are.
AS_RECORDED = "as recorded"


def load(choice: Choice, name: str) -> Dataset:
    """What serves as the data set of this name, on the CPU. Raises DataError, also for an unknown name."""
    spec, chosen = spec_of(name), choice.of(name)
    if chosen.kind == SAMPLE:
        return from_sample(spec, chosen.folder)
    if chosen.kind == FOLDERS:
        own = read_folders(chosen.folder)
        return dataset(name, own.origin, own.class_names, own.train, own.test, kind=FOLDERS)
    found = from_files(spec, chosen.folder, download=chosen.download)
    if choice.scale == "full" and len(found.train_labels) < spec.training_images:
        raise DataError(
            f"{name} in {chosen.folder} has {len(found.train_labels)} training images; scale full is about the whole "
            f"training set of {spec.training_images}. Select claims on other data with -k, or get it whole. {spec.ways}"
        )
    return found


def from_files(spec: DatasetSpec, folder: Path, *, download: bool) -> Dataset:
    """A data set from a folder: `<name>.npz`, else what its loader reads. Raises DataError."""
    npz = folder / f"{spec.name}.npz"
    if os.path.isfile(npz):
        # A large set of one's own is registered with its size.
        registered = 2 * (spec.training_images + spec.test_images) * SIDE * SIDE * 3
        found = _real(spec, read_npz(npz, max(MOST_BYTES, registered), named=not spec.class_names))
        _as_registered(spec, found)
        return found
    if spec.loader is not None and (download or spec.on_disk(folder)):
        return from_loader(spec, folder, download=download)
    raise DataError(f"{spec.name} is not in {folder}. {spec.ways}")


def from_loader(spec: DatasetSpec, folder: Path, *, download: bool) -> Dataset:
    """A data set as it is published. Raises DataError if it has no loader, or the loader cannot read it."""
    if spec.loader is None:
        raise DataError(f"{spec.name} has no loader, so nothing can be downloaded. {spec.ways}")
    try:
        splits = spec.loader.read(folder, download=download)
    except Exception as error:  # whatever a parser raises for a damaged file
        said = str(error) or type(error).__name__
        raise DataError(f"{spec.name} at {folder}: {said.rstrip('.')}. {spec.ways}") from error
    return _real(spec, splits)


def from_sample(spec: DatasetSpec, folder: Path) -> Dataset:
    """The sample of a data set. Raises DataError if a file of it is missing or was changed, or it is another sample."""
    if spec.sample is None:
        raise DataError(f"{spec.name} has no sample. {spec.ways}")
    found = _real(spec, read_sample(folder, spec))
    if found.kind != SAMPLE:
        raise DataError(
            f"{folder} holds other images than the sample of {spec.name} that this version knows (fingerprint "
            f"{found.fingerprint[:16]}...). {way_out(folder, spec)}"
        )
    return found


def _real(spec: DatasetSpec, splits: Splits) -> Dataset:
    """The images of a registered data set; their kind is decided here and nowhere else.

    The sample, and CIFAR's whole sets, are known by their fingerprints, from whichever file they were read.
    """
    names = splits.class_names or spec.class_names or _numbered(spec.classes)
    train, test = (
        (presented(images, f"{splits.origin}: {part}", channels=spec.channels, size=spec.size), labels)
        for part, (images, labels) in (("train", splits.train), ("test", splits.test))
    )
    found = dataset(spec.name, splits.origin, names, train, test, kind=spec.family)
    return dataclasses.replace(found, kind=spec.kind_of(found.fingerprint))


def _as_registered(spec: DatasetSpec, found: Dataset) -> None:
    """Raises DataError where the file of a set that has no other form is not what the set is registered as.

    A published set may be there in part. Of one that is known by its fingerprint, other images are images of one's own.
    """
    if spec.fingerprint or spec.sample or spec.loader:
        return
    has = {
        "classes": found.classes,
        "training_images": len(found.train_labels),
        "test_images": len(found.test_labels),
    }
    wrong = {name: number for name, number in has.items() if number != getattr(spec, name)}
    if wrong:
        is_ = ", ".join(f"{name}={number}" for name, number in wrong.items())
        said = ", ".join(f"{name}={getattr(spec, name)}" for name in wrong)
        raise DataError(
            f"{found.origin} has {is_}, and {spec.name!r} is registered with {said}. Correct its DatasetSpec, or the "
            "file"
        )


def as_recorded(name: str, fingerprint: str) -> Dataset:
    """A data set without its images, which runs were recorded on: enough to judge them. fingerprint: of the images, by
    which its sample is known."""
    spec, images, labels = (
        spec_of(name),
        torch.zeros(0, 3, 32, 32, dtype=torch.uint8),
        torch.zeros(0, dtype=torch.int64),
    )
    names = spec.class_names or _numbered(spec.classes)
    parts = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}
    return Dataset(name, AS_RECORDED, names, fingerprint=fingerprint, kind=spec.kind_of(fingerprint), **parts)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {label}" for label in range(classes))
