"""The Triton programs of batch norm with an activation, forward and backward, each a walk over values as they lie.

Values are [rows, channels]: the pixels of all images, and the channels of all seeds. Only triton.* is imported here, as
in convolution_programs.
"""

from __future__ import annotations

import triton
import triton.language as tl

_SIZES = ["rows", "chunk_rows", "chunks"]


@triton.jit(do_not_specialize=_SIZES)
def moments(
    x: tl.tensor,
    partial: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    STEPS: tl.constexpr,  # noqa: N803
    BLOCK_ROWS: tl.constexpr,  # noqa: N803
    BLOCK_CHANNELS: tl.constexpr,  # noqa: N803
) -> None:
    """Of each chunk of STEPS * BLOCK_ROWS rows: the mean and the sum of squared deviations from it.

    partial: float32 [chunks, 2, channels]. Tiles are merged as Chan, Golub & LeVeque (1983) do, for sums of squares
    lose what differs in values far from 0.
    """
    blocks = tl.cdiv(channels, BLOCK_CHANNELS)
    chunk = tl.program_id(0) // blocks
    channel = tl.program_id(0) % blocks * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    mean = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    squares = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    for step in range(STEPS):
        first = (chunk * STEPS + step) * BLOCK_ROWS
        row = first + tl.arange(0, BLOCK_ROWS)
        mask = (row < rows)[:, None] & (channel < channels)[None, :]
        place = row.to(tl.int64)[:, None] * channels + channel[None, :]
        values = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        here = tl.minimum(tl.maximum(rows - first, 0), BLOCK_ROWS).to(tl.float32)
        tile_mean = tl.sum(values, axis=0) / tl.maximum(here, 1.0)
        deviation = tl.where(mask, values - tile_mean[None, :], 0.0)
        before = tl.minimum(tl.maximum(rows - chunk * STEPS * BLOCK_ROWS, 0), step * BLOCK_ROWS).to(tl.float32)
        share = here / tl.maximum(before + here, 1.0)
        delta = tile_mean - mean
        mean += delta * share
        squares += tl.sum(deviation * deviation, axis=0) + delta * delta * before * share
    place = chunk * 2 * channels + channel
    tl.store(partial + place, mean, mask=channel < channels)
    tl.store(partial + place + channels, squares, mask=channel < channels)


@triton.jit(do_not_specialize=_SIZES)
def statistics(
    partial: tl.tensor,
    mean_out: tl.tensor,
    scale_out: tl.tensor,
    running_mean: tl.tensor,
    running_var: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    chunk_rows: tl.tensor,
    chunks: tl.tensor,
    epsilon: tl.tensor,
    momentum: tl.tensor,
    STEPS: tl.constexpr,  # noqa: N803
    BLOCK_CHUNKS: tl.constexpr,  # noqa: N803
    BLOCK_CHANNELS: tl.constexpr,  # noqa: N803
) -> None:
    """Chunks become the batch's mean and 1 / standard deviation, and running statistics move towards the batch's."""
    channel = tl.program_id(0) * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    total = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    for step in range(STEPS):
        chunk = step * BLOCK_CHUNKS + tl.arange(0, BLOCK_CHUNKS)
        count = tl.minimum(tl.maximum(rows - chunk * chunk_rows, 0), chunk_rows).to(tl.float32)
        place = chunk[:, None] * (2 * channels) + channel[None, :]
        mask = (chunk < chunks)[:, None] & (channel < channels)[None, :]
        total += tl.sum(tl.load(partial + place, mask=mask, other=0.0) * count[:, None], axis=0)
    mean = total / rows
    squares = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    for step in range(STEPS):
        chunk = step * BLOCK_CHUNKS + tl.arange(0, BLOCK_CHUNKS)
        count = tl.minimum(tl.maximum(rows - chunk * chunk_rows, 0), chunk_rows).to(tl.float32)
        place = chunk[:, None] * (2 * channels) + channel[None, :]
        mask = (chunk < chunks)[:, None] & (channel < channels)[None, :]
        delta = tl.load(partial + place, mask=mask, other=0.0) - mean[None, :]
        within = tl.load(partial + place + channels, mask=mask, other=0.0)
        squares += tl.sum(tl.where(mask, within + delta * delta * count[:, None], 0.0), axis=0)
    inside = channel < channels
    tl.store(mean_out + channel, mean, mask=inside)
    tl.store(scale_out + channel, 1.0 / tl.sqrt_rn(squares / rows + epsilon), mask=inside)
    kept = tl.load(running_mean + channel, mask=inside)
    tl.store(running_mean + channel, kept + momentum * (mean - kept), mask=inside)
    kept = tl.load(running_var + channel, mask=inside)
    # The variance that runs is without bias, as torch's is.
    tl.store(running_var + channel, kept + momentum * (squares / (rows - 1) - kept), mask=inside)


@triton.jit(do_not_specialize=_SIZES)
def normalise(
    x: tl.tensor,
    out: tl.tensor,
    mean: tl.tensor,
    scale: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    SLOPE: tl.constexpr,  # noqa: N803
    BLOCK_ROWS: tl.constexpr,  # noqa: N803
    BLOCK_CHANNELS: tl.constexpr,  # noqa: N803
) -> None:
    """out = y where y > 0, else SLOPE * y, of y = (x - mean) * scale * weight + bias."""
    blocks = tl.cdiv(channels, BLOCK_CHANNELS)
    row = tl.program_id(0) // blocks * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    channel = tl.program_id(0) % blocks * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    inside = channel < channels
    mask = (row < rows)[:, None] & inside[None, :]
    place = row.to(tl.int64)[:, None] * channels + channel[None, :]
    values = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    factor = tl.load(scale + channel, mask=inside, other=0.0) * tl.load(weight + channel, mask=inside, other=0.0)
    middle = tl.load(mean + channel, mask=inside, other=0.0)
    y = (values - middle[None, :]) * factor[None, :] + tl.load(bias + channel, mask=inside, other=0.0)[None, :]
    if SLOPE != 1.0:
        y = tl.where(y > 0, y, y * SLOPE)
    tl.store(out + place, y.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=_SIZES)
def gradient_sums(
    gradient: tl.tensor,
    x: tl.tensor,
    mean: tl.tensor,
    scale: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    partial: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    SLOPE: tl.constexpr,  # noqa: N803
    STEPS: tl.constexpr,  # noqa: N803
    BLOCK_ROWS: tl.constexpr,  # noqa: N803
    BLOCK_CHANNELS: tl.constexpr,  # noqa: N803
) -> None:
    """Of each chunk: the gradients of weight and bias. partial: float32 [chunks, 2, channels]."""
    blocks = tl.cdiv(channels, BLOCK_CHANNELS)
    chunk = tl.program_id(0) // blocks
    channel = tl.program_id(0) % blocks * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    inside = channel < channels
    middle = tl.load(mean + channel, mask=inside, other=0.0)[None, :]
    spread = tl.load(scale + channel, mask=inside, other=0.0)[None, :]
    factor = tl.load(weight + channel, mask=inside, other=0.0)[None, :]
    shift = tl.load(bias + channel, mask=inside, other=0.0)[None, :]
    of_weight = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    of_bias = tl.zeros((BLOCK_CHANNELS,), dtype=tl.float32)
    for step in range(STEPS):
        row = (chunk * STEPS + step) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
        mask = (row < rows)[:, None] & inside[None, :]
        place = row.to(tl.int64)[:, None] * channels + channel[None, :]
        normal = (tl.load(x + place, mask=mask, other=0.0).to(tl.float32) - middle) * spread
        given = tl.load(gradient + place, mask=mask, other=0.0).to(tl.float32)
        if SLOPE != 1.0:
            given = tl.where(normal * factor + shift > 0, given, given * SLOPE)
        of_weight += tl.sum(given * normal, axis=0)
        of_bias += tl.sum(given, axis=0)
    place = chunk * 2 * channels + channel
    tl.store(partial + place, of_weight, mask=inside)
    tl.store(partial + place + channels, of_bias, mask=inside)


@triton.jit(do_not_specialize=_SIZES)
def input_gradient(
    gradient: tl.tensor,
    x: tl.tensor,
    out: tl.tensor,
    mean: tl.tensor,
    scale: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    of_weight: tl.tensor,
    of_bias: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    SLOPE: tl.constexpr,  # noqa: N803
    BLOCK_ROWS: tl.constexpr,  # noqa: N803
    BLOCK_CHANNELS: tl.constexpr,  # noqa: N803
) -> None:
    """The gradient of x, of the gradient of `normalise`'s output and those of weight and bias."""
    blocks = tl.cdiv(channels, BLOCK_CHANNELS)
    row = tl.program_id(0) // blocks * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    channel = tl.program_id(0) % blocks * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    inside = channel < channels
    mask = (row < rows)[:, None] & inside[None, :]
    place = row.to(tl.int64)[:, None] * channels + channel[None, :]
    spread = tl.load(scale + channel, mask=inside, other=0.0)[None, :]
    factor = tl.load(weight + channel, mask=inside, other=0.0)[None, :]
    middle = tl.load(mean + channel, mask=inside, other=0.0)[None, :]
    normal = (tl.load(x + place, mask=mask, other=0.0).to(tl.float32) - middle) * spread
    given = tl.load(gradient + place, mask=mask, other=0.0).to(tl.float32)
    if SLOPE != 1.0:
        shift = tl.load(bias + channel, mask=inside, other=0.0)[None, :]
        given = tl.where(normal * factor + shift > 0, given, given * SLOPE)
    along = tl.load(of_weight + channel, mask=inside, other=0.0)[None, :] / rows
    level = tl.load(of_bias + channel, mask=inside, other=0.0)[None, :] / rows
    result = factor * spread * (given - level - normal * along)
    tl.store(out + place, result.to(out.dtype.element_ty), mask=mask)
