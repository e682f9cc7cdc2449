"""A data set as one .npz file; nothing in it is unpickled, and no more is unpacked than it declares."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.spec import Splits

_NAMES = "class_names"
_KEYS = ("train_images", "train_labels", "test_images", "test_labels", _NAMES)
# Unpacked, of all arrays together: eleven times what CIFAR takes. A few megabytes can unpack to as many gigabytes.
MOST_BYTES = 2 * 1024**3
# Names, of which each becomes a text of its own: as many as ImageNet's full set has classes, and more.
MOST_CLASSES = 2**15


def read_npz(path: Path, most_bytes: int = MOST_BYTES, *, named: bool = True) -> Splits:
    """Read the layout in docs/images.md: train_images, train_labels, test_images, test_labels, class_names.

    most_bytes: that all of them may unpack to. named: whether it must have class names. Raises DataError, which names
    the file, for one without one of them, that cannot be read without unpickling, that unpacks to more, or whose class
    names are no list of texts.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            keys = [key for key in _KEYS if named or key != _NAMES or f"{key}.npy" in members]
            missing = [key for key in keys if f"{key}.npy" not in members]
            if missing:
                raise DataError(f"{path} has no {', '.join(missing)}; needed: {', '.join(keys)} (see docs/images.md)")
            declared = {key: _declared_bytes(archive, key) for key in keys}
            if sum(declared.values()) > most_bytes:
                sizes = ", ".join(f"{key} {size:,}" for key, size in declared.items())
                raise DataError(
                    f"{path} unpacks to more than {most_bytes:,} bytes ({sizes}); take fewer images, of 32 x 32 pixels"
                )
            arrays = {}
            for key in keys:
                with archive.open(f"{key}.npy") as member:
                    arrays[key] = np.lib.format.read_array(member, allow_pickle=False)
    except DataError:
        raise
    except Exception as error:  # of a damaged, encrypted or unreadable file, whatever its parsers raise
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}: {error}). Write it again with numpy.savez, without a "
            "password and objects; docs/images.md has its layout"
        ) from error
    train, test = ((arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test"))
    return Splits(str(path), _names(path, arrays[_NAMES]) if _NAMES in arrays else (), train, test)


def _declared_bytes(archive: zipfile.ZipFile, key: str) -> int:
    """How large an array says that it is, before it is unpacked. Raises ValueError for one of objects."""
    with archive.open(f"{key}.npy") as member:
        shape, dtype = _header(member)
    if dtype.hasobject:
        raise ValueError(f"{key} holds objects, which are pickles")
    if any(size < 0 for size in shape):
        raise ValueError(f"{key} says that its shape is {list(shape)}")
    return math.prod(shape) * dtype.itemsize


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    else:
        raise ValueError(f"an array is in version {version} of NumPy's format; needed: 1.0 or 2.0")
    return shape, dtype


def _names(path: Path, names: np.ndarray) -> tuple[str, ...]:
    """The class names as texts. Raises DataError."""
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(f"{path}: class_names are {names.dtype} {list(names.shape)}; needed: texts [classes]")
    if len(names) > MOST_CLASSES:
        raise DataError(f"{path}: {len(names):,} class_names; allowed: {MOST_CLASSES:,} at most")
    try:
        return tuple(name.decode("utf-8") if isinstance(name, bytes) else str(name) for name in names.tolist())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: class_names have a name that is not UTF-8 ({error}); write them as texts") from error
