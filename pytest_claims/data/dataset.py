"""A labelled image set in canonical order, with a fingerprint of its content."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import torch
from torch import Tensor

from pytest_claims.errors import ExplainedError


class DataError(ExplainedError):
    """The data cannot be used; the text names the file or folder, what is wrong with it and the next step."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Images and labels on one device.

    name: of the registered data set that these are or serve as. origin: where they came from, for people. kind: of
    the images (kinds.py). train_images, test_images: uint8 [N, 3, 32, 32]. train_labels, test_labels: int64 [N].
    fingerprint: hex digest of the content, independent of the order in which a file holds the images.
    """

    name: str
    origin: str
    class_names: tuple[str, ...]
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    fingerprint: str
    kind: str

    @property
    def classes(self) -> int:
        return len(self.class_names)

    def to(self, device: torch.device) -> Dataset:
        """The same data set with its tensors on this device."""
        tensors = ("train_images", "train_labels", "test_images", "test_labels")
        return dataclasses.replace(self, **{name: getattr(self, name).to(device) for name in tensors})


def dataset(
    name: str,
    origin: str,
    class_names: tuple[str, ...],
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    kind: str,
) -> Dataset:
    """A Dataset on the CPU from (images uint8 [N, 32, 32, 3], integer labels [N]) pairs.

    Raises DataError for wrong shapes or types, labels outside the class names, or a class without images.
    """
    splits = {"train": train, "test": test}
    for split, (images, labels) in splits.items():
        _check(f"{origin}: {split}", images, labels, len(class_names))
        labels = labels.astype(np.int64)
        order = _canonical_order(images, labels)
        splits[split] = (images[order], labels[order])
    digest = hashlib.sha256(f"{len(class_names)} classes".encode())
    for images, labels in splits.values():
        digest.update(f"{images.shape}".encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(labels.data)

    def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)

    of_splits = (*tensors(*splits["train"]), *tensors(*splits["test"]))
    return Dataset(name, origin, class_names, *of_splits, digest.hexdigest(), kind)


def _check(where: str, images: np.ndarray, labels: np.ndarray, classes: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (32, 32, 3):
        raise DataError(f"{where} images are {images.dtype} {list(images.shape)}; needed: uint8 [N, 32, 32, 3]")
    if labels.ndim != 1 or len(labels) != len(images) or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"{where} labels are {labels.dtype} {list(labels.shape)}; needed: integers [{len(images)}], one an image"
        )
    if len(labels) and (labels.min() < 0 or labels.max() >= classes):
        raise DataError(f"{where} labels run {labels.min()}..{labels.max()}; {classes} classes need 0..{classes - 1}")
    missing = np.flatnonzero(np.bincount(labels.astype(np.int64), minlength=classes) == 0)
    if len(missing):
        raise DataError(f"{where} has no image of class {missing[0]}; every class needs at least one")


def _canonical_order(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices that sort by label, then by a hash of the pixels.

    Files differ in the order of their images, and a subset drawn by position would differ with it. In this order the
    same images give the same subsets and the same fingerprint, whichever file they came from.
    """
    words = np.ascontiguousarray(images).reshape(len(images), -1).view(np.uint64)
    weights = np.random.Generator(np.random.PCG64(0)).integers(0, 2**63, words.shape[1], dtype=np.uint64) | np.uint64(1)
    hashes = np.zeros(len(images), dtype=np.uint64)
    for column, weight in zip(words.T, weights, strict=True):
        hashes += (column ^ (column >> np.uint64(29))) * weight
    return np.lexsort((hashes, labels))
