"""The Triton programs: one convolution of many groups as an implicit matrix product.

Activations are [B, H, W, G*C]: channels last, each group's channels together. A program computes a tile of output
pixels of one group, or a tile of one group's weight gradient. It gathers the values under the kernel's taps while it
multiplies; nothing is copied and no layout changes. Weights are [G, out, taps, in]. No program waits for another one
and none adds to memory, so that equal inputs give equal bits.

This module imports triton, so it is imported only where triton is used. Under TRITON_INTERPRET=1, which must be set
before that, Triton runs the programs on CPU tensors.
"""

from __future__ import annotations

import triton
import triton.language as tl

# Sizes that change from call to call: one compiled program serves all of them.
_SIZES = ["groups", "pixels", "in_height", "in_width", "out_height", "out_width"]


@triton.jit(do_not_specialize=_SIZES)
def convolve(
    x: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    out: tl.tensor,
    groups: tl.tensor,
    pixels: tl.tensor,
    in_height: tl.tensor,
    in_width: tl.tensor,
    out_height: tl.tensor,
    out_width: tl.tensor,
    IN: tl.constexpr,  # noqa: N803  # constants of a program are written so in Triton
    OUT: tl.constexpr,  # noqa: N803
    KERNEL: tl.constexpr,  # noqa: N803
    PADDING: tl.constexpr,  # noqa: N803
    TRANSPOSED: tl.constexpr,  # noqa: N803
    BIASED: tl.constexpr,  # noqa: N803
    BLOCK_PIXELS: tl.constexpr,  # noqa: N803
    BLOCK_INNER: tl.constexpr,  # noqa: N803
    BLOCK_OUT: tl.constexpr,  # noqa: N803
    PRECISION: tl.constexpr,  # noqa: N803
    UPCAST: tl.constexpr,  # noqa: N803
) -> None:
    """out[pixel, n] = bias[n] + the sum over taps and channels c of x[pixel + tap, c] * weight[n, tap, c].

    TRANSPOSED: weights are those of the convolution whose input gradient this is: [G, IN, taps, OUT], taps reversed.
    pixels: of out, B * out_height * out_width. The inner dimension, taps * IN, is walked in steps of BLOCK_INNER.
    """
    inner_size: tl.constexpr = KERNEL * KERNEL * IN
    program = tl.program_id(0)
    # Groups run fastest: programs at work together share whole rows of memory.
    group = program % groups
    out_blocks: tl.constexpr = (OUT + BLOCK_OUT - 1) // BLOCK_OUT
    out_block = (program // groups) % out_blocks
    pixel = (program // groups // out_blocks) * BLOCK_PIXELS + tl.arange(0, BLOCK_PIXELS)
    n = out_block * BLOCK_OUT + tl.arange(0, BLOCK_OUT)
    # The input pixel under the first tap; outside of the image where it is negative.
    left = pixel % out_width - PADDING
    row = pixel // out_width
    top = row % out_height - PADDING
    stride = groups * IN
    start = ((row // out_height * in_height + top) * in_width + left).to(tl.int64) * stride + group * IN
    weights = weight + group * (OUT * inner_size)
    acc = tl.zeros((BLOCK_PIXELS, BLOCK_OUT), dtype=tl.float32)
    for first in range(0, inner_size, BLOCK_INNER):
        inner = first + tl.arange(0, BLOCK_INNER)
        if IN % BLOCK_INNER == 0:
            # One tap a step.
            tap = first // IN
            dy, dx = tap // KERNEL, tap % KERNEL
            channel = (first - tap * IN) + tl.arange(0, BLOCK_INNER)
            inside = (top + dy >= 0) & (top + dy < in_height) & (left + dx >= 0) & (left + dx < in_width)
            mask = (inside & (pixel < pixels))[:, None]
        else:
            tap = inner // IN
            dy, dx = tap // KERNEL, tap % KERNEL
            channel = inner - tap * IN
            y, across = top[:, None] + dy[None, :], left[:, None] + dx[None, :]
            mask = (y >= 0) & (y < in_height) & (across >= 0) & (across < in_width)
            mask = mask & (pixel < pixels)[:, None] & (inner < inner_size)[None, :]
        offset = (dy * in_width + dx) * stride + channel
        a = tl.load((x + start)[:, None] + offset[None, :], mask=mask, other=0.0)
        if TRANSPOSED:
            at = channel * (KERNEL * KERNEL * OUT) + (KERNEL * KERNEL - 1 - tap) * OUT
            place = at[:, None] + n[None, :]
        else:
            place = inner[:, None] + n[None, :] * inner_size
        b = tl.load(weights + place, mask=(inner < inner_size)[:, None] & (n < OUT)[None, :], other=0.0)
        b = b.to(a.dtype)
        if UPCAST:
            a, b = a.to(tl.float32), b.to(tl.float32)
        acc = tl.dot(a, b, acc, input_precision=PRECISION)
    if BIASED:
        offset_of = tl.load(bias + group * OUT + n, mask=n < OUT, other=0.0)
        acc += offset_of.to(out.dtype.element_ty).to(tl.float32)[None, :]
    place = pixel.to(tl.int64)[:, None] * (groups * OUT) + (group * OUT + n)[None, :]
    tl.store(out + place, acc.to(out.dtype.element_ty), mask=(pixel < pixels)[:, None] & (n < OUT)[None, :])


@triton.jit(do_not_specialize=_SIZES)
def weight_gradient(
    x: tl.tensor,
    gradient: tl.tensor,
    partial: tl.tensor,
    groups: tl.tensor,
    pixels: tl.tensor,
    in_height: tl.tensor,
    in_width: tl.tensor,
    out_height: tl.tensor,
    out_width: tl.tensor,
    IN: tl.constexpr,  # noqa: N803
    OUT: tl.constexpr,  # noqa: N803
    KERNEL: tl.constexpr,  # noqa: N803
    PADDING: tl.constexpr,  # noqa: N803
    CHUNK_PIXELS: tl.constexpr,  # noqa: N803
    OUT_FIRST: tl.constexpr,  # noqa: N803
    BLOCK_PIXELS: tl.constexpr,  # noqa: N803
    BLOCK_INNER: tl.constexpr,  # noqa: N803
    BLOCK_OUT: tl.constexpr,  # noqa: N803
    PRECISION: tl.constexpr,  # noqa: N803
    UPCAST: tl.constexpr,  # noqa: N803
) -> None:
    """The first stage of the gradient of weights and biases: sums over one chunk of pixels.

    partial: float32 [chunks, G*OUT*taps*IN + G*OUT], of weights [G, OUT, taps, IN] and then of biases. OUT_FIRST: the
    product is of gradients by values, and not of values by gradients; which of them is quicker depends on the dtype.
    """
    inner_size: tl.constexpr = KERNEL * KERNEL * IN
    inner_blocks: tl.constexpr = (inner_size + BLOCK_INNER - 1) // BLOCK_INNER
    out_blocks: tl.constexpr = (OUT + BLOCK_OUT - 1) // BLOCK_OUT
    program = tl.program_id(0)
    group = program % groups
    rest = program // groups
    inner_block = rest % inner_blocks
    out_block = (rest // inner_blocks) % out_blocks
    chunk = rest // inner_blocks // out_blocks
    inner = inner_block * BLOCK_INNER + tl.arange(0, BLOCK_INNER)
    n = out_block * BLOCK_OUT + tl.arange(0, BLOCK_OUT)
    tap = inner // IN
    channel = inner - tap * IN
    dy, dx = tap // KERNEL - PADDING, tap % KERNEL - PADDING
    stride = groups * IN
    offset = (dy * in_width + dx) * stride + group * IN + channel
    if OUT_FIRST:
        acc = tl.zeros((BLOCK_OUT, BLOCK_INNER), dtype=tl.float32)
    else:
        acc = tl.zeros((BLOCK_INNER, BLOCK_OUT), dtype=tl.float32)
    sums = tl.zeros((BLOCK_OUT,), dtype=tl.float32)
    for first in range(0, CHUNK_PIXELS, BLOCK_PIXELS):
        pixel = chunk * CHUNK_PIXELS + first + tl.arange(0, BLOCK_PIXELS)
        left, row = pixel % out_width, pixel // out_width
        top = row % out_height
        y, across = top[:, None] + dy[None, :], left[:, None] + dx[None, :]
        mask = (y >= 0) & (y < in_height) & (across >= 0) & (across < in_width)
        mask = mask & (pixel < pixels)[:, None] & (inner < inner_size)[None, :]
        start = ((row // out_height * in_height + top) * in_width + left).to(tl.int64) * stride
        a = tl.load(x + (start[:, None] + offset[None, :]), mask=mask, other=0.0)
        place = pixel.to(tl.int64)[:, None] * (groups * OUT) + (group * OUT + n)[None, :]
        b = tl.load(gradient + place, mask=(pixel < pixels)[:, None] & (n < OUT)[None, :], other=0.0)
        if UPCAST:
            a, b = a.to(tl.float32), b.to(tl.float32)
        if OUT_FIRST:
            acc = tl.dot(tl.trans(b), a, acc, input_precision=PRECISION)
        else:
            acc = tl.dot(tl.trans(a), b, acc, input_precision=PRECISION)
        sums += tl.sum(b.to(tl.float32), axis=0)
    weights = groups * OUT * inner_size
    here = partial + chunk.to(tl.int64) * (weights + groups * OUT)
    if OUT_FIRST:
        place = (group * OUT + n)[:, None] * inner_size + inner[None, :]
        tl.store(here + place, acc, mask=(inner < inner_size)[None, :] & (n < OUT)[:, None])
    else:
        place = (group * OUT + n)[None, :] * inner_size + inner[:, None]
        tl.store(here + place, acc, mask=(inner < inner_size)[:, None] & (n < OUT)[None, :])
    tl.store(here + weights + group * OUT + n, sums, mask=(n < OUT) & (inner_block == 0))
