"""The convolution of many groups as one operator, with gradients, that captures and FLOP counters see."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import register_flop_formula

from pytest_claims.stacked.kernels.sums import add_chunks
from pytest_claims.stacked.kernels.tiles import Tiles, chunk_of, of_convolution, of_weight_gradient
from pytest_claims.stacked.kernels.values import interpreted, last, taken


def serves(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether the Triton kernels are chosen and compute this layer on x.

    They compute square kernels with stride 1, zero padding and no dilation. `taken` says on which values.
    """
    height, width = layer.kernel_size
    return (
        taken(x, layer.weight)
        and height == width
        and layer.stride == (1, 1)
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and isinstance(layer.padding, tuple)
        and layer.padding[0] == layer.padding[1] < height
    )


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, padding: int) -> Tensor:
    """F.conv2d with stride 1, in Triton: x [B, G*in, H, W] and weight [G*out, in, k, k] -> [B, G*out, H', W'].

    x: float32 or bfloat16; the result has its dtype. weight, bias [G*out]: float32. Products in float32 have its
    accuracy (three TF32 products each). With x in bfloat16, weights and bias are rounded to bfloat16, and sums are
    float32. Gradients are as autocast's: bfloat16 values, those of weight and bias in float32 tensors. The result is
    channels last. padding: 0 up to k - 1.
    """
    out: Tensor = torch.ops.pytest_claims.grouped_convolution(x, weight, bias, groups, padding)
    return out


def _out_shape(x: Tensor, weight: Tensor, padding: int) -> tuple[int, int, int, int]:
    shrink = weight.shape[-1] - 1 - 2 * padding
    return x.shape[0], weight.shape[0], x.shape[2] - shrink, x.shape[3] - shrink


def _empty(shape: tuple[int, ...], like: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device=like.device, memory_format=torch.channels_last)


def launch_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    out: Tensor,
    groups: int,
    padding: int,
    *,
    transposed: bool = False,
    tiles: Tiles | None = None,
) -> None:
    """Run `programs.convolve` on channels-last tensors. tiles: the module's own choice by default."""
    from pytest_claims.stacked.kernels import convolution_programs as programs

    batch, outputs, height, width = out.shape
    inputs, outputs, kernel = x.shape[1] // groups, outputs // groups, weight.shape[-1]
    pixels = batch * height * width
    tiles = tiles or of_convolution(pixels, inputs * kernel**2, inputs, outputs, x.element_size())
    programs_ = math.ceil(pixels / tiles.pixels) * math.ceil(outputs / tiles.out) * groups
    with torch.cuda.device_of(x):
        programs.convolve[(programs_,)](
            x,
            weight,
            weight if bias is None else bias,
            out,
            groups,
            pixels,
            x.shape[2],
            x.shape[3],
            height,
            width,
            IN=inputs,
            OUT=outputs,
            KERNEL=kernel,
            PADDING=padding,
            TRANSPOSED=transposed,
            BIASED=bias is not None,
            BLOCK_PIXELS=tiles.pixels,
            BLOCK_INNER=tiles.inner,
            BLOCK_OUT=tiles.out,
            PRECISION=tiles.precision,
            UPCAST=interpreted(),
            num_warps=tiles.warps,
            num_stages=tiles.stages,
        )


def launch_weight_gradient(
    x: Tensor,
    gradient: Tensor,
    weight: Tensor,
    bias: Tensor,
    groups: int,
    padding: int,
    *,
    tiles: Tiles | None = None,
) -> None:
    """Run both stages of the weight gradient into weight and bias, on channels-last tensors."""
    from pytest_claims.stacked.kernels import convolution_programs as programs

    batch, outputs, height, width = gradient.shape
    inputs, outputs, kernel = x.shape[1] // groups, outputs // groups, weight.shape[-1]
    pixels, inner = batch * height * width, inputs * kernel**2
    tiles = tiles or of_weight_gradient(inner, outputs, x.element_size())
    each = chunk_of(pixels)
    chunks = math.ceil(pixels / each)
    partial = torch.empty(chunks, weight.numel() + bias.numel(), device=x.device, dtype=torch.float32)
    blocks = math.ceil(inner / tiles.inner) * math.ceil(outputs / tiles.out)
    with torch.cuda.device_of(x):
        programs.weight_gradient[(chunks * blocks * groups,)](
            x,
            gradient,
            partial,
            groups,
            pixels,
            x.shape[2],
            x.shape[3],
            height,
            width,
            IN=inputs,
            OUT=outputs,
            KERNEL=kernel,
            PADDING=padding,
            CHUNK_PIXELS=each,
            OUT_FIRST=tiles.out_first,
            BLOCK_PIXELS=tiles.pixels,
            BLOCK_INNER=tiles.inner,
            BLOCK_OUT=tiles.out,
            PRECISION=tiles.precision,
            UPCAST=interpreted(),
            num_warps=tiles.warps,
            num_stages=tiles.stages,
        )
        add_chunks(partial, weight, bias, rounded=x.dtype == torch.bfloat16)


@torch.library.custom_op(
    "pytest_claims::grouped_convolution",
    mutates_args=(),
    schema="(Tensor x, Tensor weight, Tensor? bias, int groups, int padding) -> Tensor",
)
def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, padding: int) -> Tensor:
    out = _empty(_out_shape(x, weight, padding), x, x.dtype)
    launch_convolution(last(x), last(weight), bias, out, groups, padding)
    return out


@_forward.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, padding: int) -> Tensor:
    return _empty(_out_shape(x, weight, padding), x, x.dtype)


@torch.library.custom_op(
    "pytest_claims::grouped_convolution_backward",
    mutates_args=(),
    schema="(Tensor gradient, Tensor x, Tensor weight, int groups, int padding, bool of_input, bool of_weight)"
    " -> (Tensor, Tensor, Tensor)",
)
def _backward(
    gradient: Tensor, x: Tensor, weight: Tensor, groups: int, padding: int, of_input: bool, of_weight: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias; empty where not wanted."""
    by_input, by_weight, by_bias = _empty_gradients(x, weight, of_input, of_weight)
    gradient = last(gradient)
    if of_input:
        turned = weight.shape[-1] - 1 - padding
        launch_convolution(gradient, last(weight), None, by_input, groups, turned, transposed=True)
    if of_weight:
        launch_weight_gradient(last(x), gradient, by_weight, by_bias, groups, padding)
    return by_input, by_weight, by_bias


@_backward.register_fake
def _(
    gradient: Tensor, x: Tensor, weight: Tensor, groups: int, padding: int, of_input: bool, of_weight: bool
) -> tuple[Tensor, Tensor, Tensor]:
    return _empty_gradients(x, weight, of_input, of_weight)


def _empty_gradients(x: Tensor, weight: Tensor, of_input: bool, of_weight: bool) -> tuple[Tensor, Tensor, Tensor]:
    by_input = _empty(tuple(x.shape), x, x.dtype) if of_input else x.new_empty(0)
    by_weight = _empty(tuple(weight.shape), weight, weight.dtype) if of_weight else weight.new_empty(0)
    return by_input, by_weight, weight.new_empty(weight.shape[0] if of_weight else 0)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.groups, ctx.padding = inputs
    ctx.biased = bias is not None
    ctx.save_for_backward(x, weight)


def _differentiate(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
    x, weight = ctx.saved_tensors
    of_input, of_weight, of_bias = ctx.needs_input_grad[:3]
    by_input, by_weight, by_bias = torch.ops.pytest_claims.grouped_convolution_backward(
        gradient, x, weight, ctx.groups, ctx.padding, of_input, of_weight or of_bias
    )
    return by_input if of_input else None, by_weight if of_weight else None, by_bias if of_bias else None, None, None


_forward.register_autograd(_differentiate, setup_context=_keep)


@register_flop_formula(torch.ops.pytest_claims.grouped_convolution)
def _flops(x: Any, weight: Any, bias: Any, groups: int, padding: int, *, out_shape: Any, **_: Any) -> int:
    return int(2 * math.prod(out_shape) * math.prod(weight[1:]))


@register_flop_formula(torch.ops.pytest_claims.grouped_convolution_backward)
def _flops_backward(
    gradient: Any, x: Any, weight: Any, groups: int, padding: int, of_input: bool, of_weight: bool, **_: Any
) -> int:
    return int(2 * math.prod(gradient) * math.prod(weight[1:]) * (of_input + of_weight))
