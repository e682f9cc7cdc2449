"""What options default to: numbers and places, in a module that loads at once, for pytest reads it in every session."""

from __future__ import annotations

from pathlib import Path

# The folder of claims, below the root.
CLAIMS_FOLDER = "claims"
DEFAULT_STORE = Path(".claims") / "runs.sqlite"
# These scales, and a placebo, take a fixed number of seeds; otherwise seeds are added until a verdict stands.
FIXED_SEEDS = {"quick": 5, "rehearsal": 3}
PLACEBO_SEEDS = 5
# What may compute convolutions and batch norms on CUDA devices, the default first: see pytest_claims.stacked.kernels.
CUDNN, TRITON = "cudnn", "triton"
KERNELS = (CUDNN, TRITON)

# The kinds of device that train (torch.device.type), as runs, ledgers and --runs-of name them.
DEVICE_KINDS = ("cpu", "cuda")

# More classes than this make no confusion matrix that anybody could read.
MOST_DRAWN_CLASSES = 20
