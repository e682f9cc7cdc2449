"""Random changes of one image by torchvision's operators."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pytest_claims.data.torchvision_import import torchvision


def plainly_augmented(
    image: Tensor, right: float, down: float, scale: float, degrees: float, brightness: float, contrast: float
) -> Tensor:
    """One image, float [3, H, W] in [0, 1], moved, scaled and turned, then made brighter and richer in contrast.

    right, down: shares of the side. degrees: clockwise. scale, brightness, contrast: factors. What lies outside the
    image is its mirror image, which is padded on first.
    """
    transforms = torchvision("transforms.v2")
    height, width = image.shape[1:]
    padding = ((0, 0), (height // 2, height // 2), (width // 2, width // 2))
    padded = torch.from_numpy(np.pad(image.numpy(), padding, mode="symmetric"))
    moved = transforms.functional.affine(
        padded,
        angle=degrees,
        translate=[right * width, down * height],
        scale=scale,
        shear=[0.0, 0.0],
        interpolation=transforms.InterpolationMode.BILINEAR,
    )
    inner = moved[:, height // 2 : -(height // 2), width // 2 : -(width // 2)].clamp(0, 1)
    bright = transforms.functional.adjust_brightness(inner, brightness)
    rich: Tensor = transforms.functional.adjust_contrast(bright, contrast)
    return rich
