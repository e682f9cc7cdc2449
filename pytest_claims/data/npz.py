"""A data set as one .npz file; nothing in it is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.spec import Splits

_KEYS = ("train_images", "train_labels", "test_images", "test_labels", "class_names")


def read_npz(path: Path) -> Splits:
    """Read the layout in docs/images.md: train_images, train_labels, test_images, test_labels, class_names.

    Raises DataError for a file without one of them, or that cannot be read without unpickling.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _KEYS if key not in archive]
            if missing:
                raise DataError(f"{path} has no {', '.join(missing)}; needed: {', '.join(_KEYS)} (see docs/images.md)")
            arrays = {key: archive[key] for key in _KEYS}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}). Write it again; docs/images.md has its layout") from error
    names = tuple(str(label) for label in arrays["class_names"])
    train, test = ((arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test"))
    return Splits(str(path), names, train, test)
