"""Random changes of training images, from each run's own generators, applied to whole batches on the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from pytest_claims.streams import stream
from pytest_claims.types import Augmentation

# Columns of a table of parameters.
_COLUMNS = ("shift_x", "shift_y", "scale", "degrees", "brightness", "contrast")


def augmentation_table(augmentation: Augmentation, images: int, epoch: int, seed: int) -> Tensor:
    """What happens to each image that one epoch passes, in the order in which it does: float32 [images, 6], on the CPU.

    Columns: shift in x and y (share of the side), scale and rotation (factor, degrees), brightness and contrast
    (factors). An image that is left alone has 0, 0, 1, 0, 1, 1. From stream("augmentation", seed, epoch), so that every
    arm with this seed and number of images sees the same changes.
    """
    generator = stream("augmentation", seed, epoch)
    drawn = torch.rand(images, len(_COLUMNS), generator=generator) * 2 - 1
    chance = torch.rand(images, 2, generator=generator)
    a = augmentation
    most = torch.tensor([a.shift, a.shift, a.scale, a.degrees, a.brightness, a.contrast])
    happens = torch.stack([chance[:, 0] < a.affine_probability] * 4 + [chance[:, 1] < a.jitter_probability] * 2, dim=1)
    return drawn * most * happens + torch.tensor([0.0, 0, 1, 0, 1, 1])


def augment(pixels: Tensor, table: Tensor) -> Tensor:
    """pixels, float [N, 3, H, W] in [0, 1], changed by the rows of a table [N, 6]; same shape, in [0, 1].

    Rotation (clockwise about the centre), scale, then shift, in one bilinear resampling whose outside mirrors the
    image; then brightness and contrast. Image by image this is torchvision's `affine`, with mirrored edges, then its
    `adjust_brightness` and `adjust_contrast` (v2.functional), which take one set of parameters for a whole batch.
    """
    table = table.to(pixels.dtype)
    shift, (scale, degrees, brightness, contrast) = table[:, :2], table[:, 2:].unbind(1)
    angle = degrees * (math.pi / 180)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # From output to input, in coordinates from -1 to 1: undo the shift, then rotation and scale.
    turn = torch.stack([cos, sin, -sin, cos], dim=1).view(-1, 2, 2)
    moved = -(turn @ (2 * shift)[:, :, None])
    grid = F.affine_grid(torch.cat([turn, moved], dim=2), list(pixels.shape), align_corners=False)
    changed = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    changed = (changed * brightness.view(-1, 1, 1, 1)).clamp_(0, 1)
    # Luma as torchvision's rgb_to_grayscale weighs it; no tensor is made of the weights, for which a device would wait.
    grey = 0.2989 * changed[:, 0] + 0.587 * changed[:, 1] + 0.114 * changed[:, 2]
    mean, factor = grey.mean((1, 2)).view(-1, 1, 1, 1), contrast.view(-1, 1, 1, 1)
    return (mean + (changed - mean) * factor).clamp_(0, 1)
