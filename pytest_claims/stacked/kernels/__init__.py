"""Which kernels compute convolutions and batch norms of seeds side by side: cuDNN's, or this project's own in Triton.

cuDNN computes a grouped convolution one group at a time. The kernels here compute all groups in one launch, on
activations as they lie, and batch norm together with the activation after it. The choice is the process's, as
torch.backends' settings are.
"""

from pytest_claims.stacked.kernels.batch_norm import fuses, normalised, slope_of
from pytest_claims.stacked.kernels.choice import KernelsError, chosen, require, use
from pytest_claims.stacked.kernels.convolution import convolution, serves

__all__ = ["KernelsError", "chosen", "convolution", "fuses", "normalised", "require", "serves", "slope_of", "use"]
