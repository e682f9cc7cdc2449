"""The process's choice of kernels."""

from __future__ import annotations

import importlib.util

from pytest_claims.defaults import CUDNN, KERNELS, TRITON
from pytest_claims.errors import ExplainedError

_chosen = CUDNN


class KernelsError(ExplainedError):
    """The kernels that were asked for are not there; the text names them and the next step."""


def require(kernels: str) -> None:
    """Raise KernelsError if these kernels cannot be used in this environment, ValueError for an unknown name."""
    if kernels not in KERNELS:
        raise ValueError(f"kernels {kernels!r}; allowed: {', '.join(KERNELS)}")
    if kernels == TRITON and importlib.util.find_spec("triton") is None:
        raise KernelsError(
            "--kernels triton needs the package triton, which is not installed. It comes with torch's CUDA builds for "
            "Linux. Install one of them, or leave the option out"
        )


def use(kernels: str) -> None:
    """Compute by these kernels in this process from now on. Raises what `require` raises."""
    global _chosen
    require(kernels)
    _chosen = kernels


def chosen() -> str:
    """The kernels that this process uses: one of KERNELS."""
    return _chosen
