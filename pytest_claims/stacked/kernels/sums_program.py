"""The Triton program that adds up what others summed over chunks."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["chunks", "weights", "biases"])
def add_chunks(
    partial: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    chunks: tl.tensor,
    weights: tl.tensor,
    biases: tl.tensor,
    STEPS: tl.constexpr,  # noqa: N803
    ROUNDED: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
    BLOCK_CHUNKS: tl.constexpr,  # noqa: N803
) -> None:
    """The second stage: partial [chunks, weights + biases] added over chunks, always in the same order.

    Chunks are taken in STEPS steps of BLOCK_CHUNKS. ROUNDED: to bfloat16 and back, as autocast rounds gradients.
    """
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), dtype=tl.float32)
    for step in range(STEPS):
        chunk = step * BLOCK_CHUNKS + tl.arange(0, BLOCK_CHUNKS)
        at = chunk.to(tl.int64)[:, None] * (weights + biases) + place[None, :]
        mask = (chunk < chunks)[:, None] & (place < weights + biases)[None, :]
        acc += tl.sum(tl.load(partial + at, mask=mask, other=0.0), axis=0)
    if ROUNDED:
        acc = acc.to(tl.bfloat16).to(tl.float32)
    tl.store(weight + place, acc, mask=place < weights)
    tl.store(bias + place - weights, acc, mask=(place >= weights) & (place < weights + biases))
