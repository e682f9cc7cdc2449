"""Batch norm in training with the activation after it as one operator: three walks over the values, five backward.

Apart, they are five and eight: a norm and an activation each read and write all values again.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from pytest_claims.stacked.kernels.sums import add_chunks
from pytest_claims.stacked.kernels.values import last, taken

# Rows of a tile.
_ROWS = 64


def fuses(norm: nn.Module, x: Tensor) -> bool:
    """Whether the Triton kernels are chosen and compute this layer's training step on x.

    They compute batch norm with weights and a fixed momentum. `taken` says on which values.
    """
    return (
        isinstance(norm, nn.BatchNorm2d)
        and norm.training
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
        and x.ndim == 4
        and len(x) * x.shape[2] * x.shape[3] > 1
        and taken(x, norm.weight)
    )


def slope_of(activation: nn.Module | None) -> float | None:
    """What the activation multiplies negative values by, 1 for none; None for one that is not of this kind."""
    if activation is None:
        return 1.0
    if isinstance(activation, nn.ReLU):
        return 0.0
    return float(activation.negative_slope) if isinstance(activation, nn.LeakyReLU) else None


def normalised(norm: nn.BatchNorm2d, x: Tensor, slope: float) -> Tensor:
    """The layer's training step on x [B, C, H, W], then y where y > 0 and slope * y elsewhere; running statistics move.

    The result is channels last, in x's dtype; statistics and gradients of weight and bias are float32. `fuses` says for
    which layers and values this is.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    running = norm.running_mean, norm.running_var
    out = _Differentiable.apply(  # type: ignore[no-untyped-call]  # of torch
        x, norm.weight, norm.bias, running, norm.eps, norm.momentum, slope
    )
    return cast(Tensor, out)


def _sizes(x: Tensor) -> tuple[int, int, int]:
    """Rows, channels, and how many channels a program takes."""
    batch, channels, height, width = x.shape
    block = next((block for block in (64, 32, 16) if channels % block == 0), 32)
    return batch * height * width, channels, block


def _steps(rows: int) -> int:
    """Tiles of a chunk: a power of two, for at most some 256 chunks."""
    return 1 << max(0, math.ceil(rows / _ROWS / 256) - 1).bit_length()


@torch.library.custom_op(
    "pytest_claims::batch_norm_activation",
    mutates_args=("running_mean", "running_var"),
    schema="(Tensor x, Tensor weight, Tensor bias, Tensor(a!) running_mean, Tensor(b!) running_var, float epsilon, "
    "float momentum, float slope) -> (Tensor, Tensor, Tensor)",
)
def _forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    epsilon: float,
    momentum: float,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The output, and the batch's mean and 1 / standard deviation."""
    from pytest_claims.stacked.kernels import batch_norm_programs as programs

    x = last(x)
    out, mean, scale = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(weight)
    rows, channels, block = _sizes(x)
    blocks, steps = math.ceil(channels / block), _steps(rows)
    chunks = math.ceil(rows / (_ROWS * steps))
    partial = torch.empty(chunks, 2, channels, device=x.device)
    with torch.cuda.device_of(x):
        programs.moments[(chunks * blocks,)](
            x, partial, rows, channels, STEPS=steps, BLOCK_ROWS=_ROWS, BLOCK_CHANNELS=block
        )
        programs.statistics[(math.ceil(channels / 16),)](
            partial,
            mean,
            scale,
            running_mean,
            running_var,
            rows,
            channels,
            _ROWS * steps,
            chunks,
            epsilon,
            momentum,
            STEPS=math.ceil(chunks / 64),
            BLOCK_CHUNKS=64,
            BLOCK_CHANNELS=16,
        )
        programs.normalise[(math.ceil(rows / _ROWS) * blocks,)](
            x, out, mean, scale, weight, bias, rows, channels, SLOPE=slope, BLOCK_ROWS=_ROWS, BLOCK_CHANNELS=block
        )
    return out, mean, scale


@_forward.register_fake
def _(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    epsilon: float,
    momentum: float,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(last(x)), torch.empty_like(weight), torch.empty_like(weight)


@torch.library.custom_op(
    "pytest_claims::batch_norm_activation_backward",
    mutates_args=(),
    schema="(Tensor gradient, Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor scale, float slope)"
    " -> (Tensor, Tensor, Tensor)",
)
def _backward(
    gradient: Tensor, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias."""
    from pytest_claims.stacked.kernels import batch_norm_programs as programs

    gradient, x = last(gradient), last(x)
    by_x, by_weight, by_bias = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(bias)
    rows, channels, block = _sizes(x)
    blocks, steps = math.ceil(channels / block), _steps(rows)
    chunks = math.ceil(rows / (_ROWS * steps))
    partial = torch.empty(chunks, 2 * channels, device=x.device)
    with torch.cuda.device_of(x):
        programs.gradient_sums[(chunks * blocks,)](
            gradient,
            x,
            mean,
            scale,
            weight,
            bias,
            partial,
            rows,
            channels,
            SLOPE=slope,
            STEPS=steps,
            BLOCK_ROWS=_ROWS,
            BLOCK_CHANNELS=block,
        )
        add_chunks(partial, by_weight, by_bias)
        programs.input_gradient[(math.ceil(rows / _ROWS) * blocks,)](
            gradient,
            x,
            by_x,
            mean,
            scale,
            weight,
            bias,
            by_weight,
            by_bias,
            rows,
            channels,
            SLOPE=slope,
            BLOCK_ROWS=_ROWS,
            BLOCK_CHANNELS=block,
        )
    return by_x, by_weight, by_bias


@_backward.register_fake
def _(
    gradient: Tensor, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(last(x)), torch.empty_like(weight), torch.empty_like(bias)


class _Differentiable(torch.autograd.Function):
    """The two operators as one step of autograd, which takes no formula for an operator that changes its arguments."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, running: tuple[Tensor, Tensor], *scalars: float
    ) -> Tensor:
        out, mean, scale = torch.ops.pytest_claims.batch_norm_activation(x, weight, bias, *running, *scalars)
        ctx.slope = scalars[-1]
        ctx.save_for_backward(x, weight, bias, mean, scale)
        return cast(Tensor, out)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        by_x, by_weight, by_bias = torch.ops.pytest_claims.batch_norm_activation_backward(
            *gradients, *ctx.saved_tensors, ctx.slope
        )
        return by_x, by_weight, by_bias, None, None, None, None
