"""How networks see the images of every data set: RGB, 32x32, uint8."""

from __future__ import annotations

import numpy as np

from pytest_claims.data.dataset import DataError

SIDE = 32


def presented(images: np.ndarray, where: str, *, channels: int, size: int) -> np.ndarray:
    """Images of one split, uint8 [N, 32, 32, 3], whose pixels are those of the source.

    images: uint8 [N, size, size, channels] as the source has them, [N, size, size] where channels is 1, or
    [N, 32, 32, 3] where they are presented already. Smaller images are padded with zeros (black), as much on the left
    as on the right and above as below; of an odd number the right and the lower side get one more. Grey values are
    repeated over the three channels. where: names the images in an error.

    Raises DataError for images of another shape or type.
    """
    forms = [(SIDE, SIDE, 3), (size, size, channels)] + [(size, size)] * (channels == 1)
    if images.dtype != np.uint8 or images.shape[1:] not in forms:
        needed = " or ".join(f"[N, {', '.join(map(str, form))}]" for form in dict.fromkeys(forms))
        raise DataError(f"{where} images are {images.dtype} {list(images.shape)}; needed: uint8 {needed}")
    if images.shape[1:] == forms[0]:
        return images
    if images.ndim == 3:
        images = images[..., None]
    before = (SIDE - size) // 2
    around = (before, SIDE - size - before)
    padded = np.pad(images, ((0, 0), around, around, (0, 0)))
    return np.repeat(padded, 3, axis=3) if channels == 1 else padded
