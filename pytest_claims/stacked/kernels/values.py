"""The values that the programs compute on: which ones they take, and how these lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from pytest_claims.defaults import TRITON
from pytest_claims.stacked.kernels.choice import chosen

_DTYPES = (torch.float32, torch.bfloat16)


def interpreted() -> bool:
    """Whether Triton's interpreter runs the programs, on a CPU; it multiplies no bfloat16."""
    import triton

    return bool(triton.knobs.runtime.interpret)


def taken(x: Tensor, weight: Tensor) -> bool:
    """Whether the Triton kernels are chosen and compute a layer with this weight on x.

    They take float32 and bfloat16 values and float32 weights, on CUDA devices (on a CPU only where Triton's interpreter
    runs them).
    """
    return (
        chosen() == TRITON
        and x.dtype in _DTYPES
        and weight.dtype == torch.float32
        and (x.device.type == "cuda" or (x.device.type == "cpu" and interpreted()))
    )


def last(x: Tensor) -> Tensor:
    """x [B, C, H, W] channels last, as the programs read it; x itself where it lies so."""
    return x.contiguous(memory_format=torch.channels_last)
