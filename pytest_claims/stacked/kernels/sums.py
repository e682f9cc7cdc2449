"""The second stage of every sum over pixels."""

from __future__ import annotations

import math

from torch import Tensor

from pytest_claims.stacked.kernels.values import interpreted


def add_chunks(partial: Tensor, first: Tensor, second: Tensor, *, rounded: bool = False) -> None:
    """partial, float32 [chunks, N + M], summed over chunks into first (N numbers) and second (M), always in one order.

    rounded: to bfloat16 and back.
    """
    from pytest_claims.stacked.kernels import sums_program

    chunks, numbers = partial.shape
    # The interpreter takes its time for every program.
    block = 4096 if interpreted() else 128
    sums_program.add_chunks[(math.ceil(numbers / block),)](
        partial,
        first,
        second,
        chunks,
        first.numel(),
        second.numel(),
        STEPS=math.ceil(chunks / 16),
        ROUNDED=rounded,
        BLOCK=block,
        BLOCK_CHUNKS=16,
    )
