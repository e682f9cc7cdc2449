"""Images of one's own, in a folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pytest_claims.data.dataset import DataError
from pytest_claims.data.presentation import SIDE
from pytest_claims.data.spec import Split, Splits

# Pillow's names. Of what else it reads, EPS is a program that another program runs, and most formats no one has asked
# for are decoders that no one has looked at.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
# Of one image: three times a large photograph. Pillow's own limits lie above.
MOST_PIXELS = 64 * 1024**2


def read_folders(folder: Path) -> Splits:
    """Images from train/<class>/* and test/<class>/*, each scaled to 32x32 RGB.

    Of FORMATS, with MOST_PIXELS at most; hidden files and folders are left out. Raises DataError, which names the file,
    for one that is no such image or cannot be read, and for classes that differ in the splits.
    """
    try:
        return _read(folder)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read ({error.strerror or error})") from error


def _read(folder: Path) -> Splits:
    classes = {
        split: sorted(path.name for path in _shown(folder / split) if path.is_dir()) for split in ("train", "test")
    }
    names = tuple(classes["train"])
    if classes["test"] != classes["train"] or len(names) < 2:
        raise DataError(
            f"{folder}: train/ has the classes {classes['train']} and test/ {classes['test']}; needed: the same "
            "folders in both, at least two, one a class"
        )
    for name in names:
        if not name.isprintable():  # of a name that is no text, Python makes characters that cannot be written
            raise DataError(
                f"{folder / 'train' / name}: the name of this class is no text in UTF-8, or cannot be shown; rename "
                "the folder, in train/ and in test/"
            )

    def split(part: str) -> Split:
        images, labels = [], []
        for label, class_name in enumerate(names):
            for path in sorted(_shown(folder / part / class_name)):
                if path.is_file():
                    images.append(_image(path))
                    labels.append(label)
        if not images:
            raise DataError(f"{folder / part}: no images in any class folder")
        return np.stack(images), np.asarray(labels)

    return Splits(str(folder), names, split("train"), split("test"))


def _shown(folder: Path) -> list[Path]:
    """What a folder holds, without what is hidden, as .ipynb_checkpoints is."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _image(path: Path) -> np.ndarray:
    """An image of any size as uint8 [32, 32, 3]. Raises DataError."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise DataError(f"{path} has {image.width} x {image.height} pixels; allowed: {MOST_PIXELS:,} in all")
            return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    except DataError:
        raise
    except Exception as error:  # whatever a decoder raises for a damaged file
        raise DataError(
            f"{path} is not an image of {', '.join(FORMATS)} that can be read ({error}); remove or replace it"
        ) from error
