"""Images of one's own, in a folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.presentation import SIDE
from pytest_claims.data.spec import Split, Splits


def read_folders(folder: Path) -> Splits:
    """Images from train/<class>/* and test/<class>/*, each scaled to 32x32 RGB.

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

    def split(part: str) -> Split:
        images, labels = [], []
        for label, class_name in enumerate(names):
            for path in sorted((folder / part / class_name).iterdir()):
                if path.name.startswith(".") or not path.is_file():
                    continue
                try:
                    with Image.open(path) as image:
                        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
                except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
                    raise DataError(
                        f"{path} is not an image that Pillow can read ({error}); remove or replace it"
                    ) from error
                images.append(np.asarray(small))
                labels.append(label)
        if not images:
            raise DataError(f"{folder / part}: no images in any class folder")
        return np.stack(images), np.asarray(labels)

    return Splits(str(folder), names, split("train"), split("test"))
