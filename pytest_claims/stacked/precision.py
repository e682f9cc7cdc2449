"""Layers whose arithmetic under bfloat16 autocast is the same on a CPU as on a GPU.

The sources trained under CUDA autocast. Two of its rules differ on a CPU, so these layers state them: group norm
computes in float32, and a convolution multiplies bfloat16 numbers and sums in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytest_claims.stacked.kernels import convolution, serves


class Conv2d(nn.Conv2d):
    """`nn.Conv2d`, by the kernels that the process uses (pytest_claims.stacked.kernels).

    Under CPU bfloat16 autocast it rounds as bfloat16 does but runs the float32 kernel.

    The product of two bfloat16 numbers is exact in float32 and bfloat16 kernels sum in float32, so rounding operands
    and result to bfloat16 around a float32 convolution gives the same function up to the order of summation (the
    casts round the gradients at the same places, too). Measured on a 2-core Xeon without AMX, torch 2.13: about 1.7
    times as fast as the native bfloat16 kernel on the convolutions of OrderCNN.
    """

    def forward(self, x: Tensor) -> Tensor:
        if serves(self, x):
            if torch.is_autocast_enabled(x.device.type):
                x = x.to(torch.get_autocast_dtype(x.device.type))
            return convolution(x, self.weight, self.bias, self.groups, int(self.padding[0]))
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            bias = None if self.bias is None else _rounded(self.bias)
            out = F.conv2d(
                _rounded(x), _rounded(self.weight), bias, self.stride, self.padding, self.dilation, self.groups
            )
        return out.to(torch.bfloat16)


class GroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` in float32 whatever the autocast, as CUDA autocast does; float64 stays float64."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.float() if x.dtype == torch.bfloat16 else x)


def _rounded(x: Tensor) -> Tensor:
    return x.to(torch.bfloat16).to(torch.float32)
