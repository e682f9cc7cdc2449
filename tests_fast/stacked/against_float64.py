"""The Triton convolution and its gradients beside PyTorch's own in float64, on random numbers."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from pytest_claims.stacked.kernels import convolution

NAMES = ("out", "of x", "of weight", "of bias")


def operands(
    groups: int, batch: int, shape: tuple[int, int, int, int], size: tuple[int, int], dtype: torch.dtype, device: str
) -> tuple[Tensor, Tensor, Tensor]:
    """x, weight and bias of a convolution of this shape, that require gradients; weights of about unit variance out."""
    inputs, outputs, kernel, _ = shape
    generator = torch.Generator().manual_seed(inputs * outputs + batch)
    x = torch.randn(batch, groups * inputs, *size, generator=generator).to(device, dtype)
    weight = torch.randn(groups * outputs, inputs, kernel, kernel, generator=generator).to(device)
    bias = torch.randn(groups * outputs, generator=generator).to(device)
    last = torch.channels_last
    scaled = (weight / (inputs * kernel**2) ** 0.5).contiguous(memory_format=last)
    return x.contiguous(memory_format=last).requires_grad_(), scaled.requires_grad_(), bias.requires_grad_()


def by_triton(x: Tensor, weight: Tensor, bias: Tensor, groups: int, padding: int) -> tuple[Tensor, ...]:
    """Output and gradients, in the order of NAMES."""
    out = convolution(x, weight, bias, groups, padding)
    return out.detach(), *torch.autograd.grad(out, (x, weight, bias), gradient_of(out))


def by_torch(
    x: Tensor, weight: Tensor, bias: Tensor, groups: int, padding: int, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, ...]:
    """The same by F.conv2d in dtype, on operands rounded to x's dtype."""
    each = [value.detach().to(x.dtype).to(dtype).requires_grad_() for value in (x, weight, bias)]
    out = F.conv2d(*each, padding=padding, groups=groups)
    gradient = gradient_of(out.to(x.dtype)).to(dtype)
    return out.detach(), *torch.autograd.grad(out, each, gradient)


def gradient_of(out: Tensor) -> Tensor:
    """A gradient for this output: the same values whatever computed it."""
    generator = torch.Generator().manual_seed(out.numel())
    return torch.randn(out.shape, generator=generator).to(out.device, out.dtype)


def errors(found: tuple[Tensor, ...], reference: tuple[Tensor, ...]) -> Iterator[float]:
    """The largest error of each, relative to the largest value."""
    for ours, exact in zip(found, reference, strict=True):
        assert ours.shape == exact.shape
        yield ((ours.double() - exact).abs().max() / exact.abs().max()).item()
