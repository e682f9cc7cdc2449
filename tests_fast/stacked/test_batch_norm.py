"""Batch norm with a faster backward pass: nn.BatchNorm2d's results to the bit, whatever lies how in memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pytest_claims.stacked.batch_norm import BatchNorm2d

LAYOUTS = {
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "plane by plane": lambda x: x.contiguous(),
    # As the gradient of an average over a plane.
    "expanded": lambda x: x.mean((2, 3), keepdim=True).expand(x.shape),
}


def steps(kind, images, gradients, weights, bfloat16):
    """Outputs, gradients and statistics of two steps in training, and the output after them in eval mode."""
    norm = kind(images.shape[1]).to(images.dtype)
    found = []
    with torch.no_grad():
        norm.weight.copy_(weights)
    for gradient in gradients:
        x = images.clone(memory_format=torch.preserve_format)
        x = (x.bfloat16() if bfloat16 else x).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            out = norm(x)
        out.backward(gradient.to(out.dtype))
        found += [out.detach(), x.grad, norm.weight.grad.clone(), norm.bias.grad.clone()]
    return [*found, *norm.buffers(), norm.eval()(images)]


@pytest.mark.parametrize("images", [1, 2, 5])
@pytest.mark.parametrize("of_gradient", sorted(LAYOUTS))
@pytest.mark.parametrize("layout", ["channels last", "plane by plane"])
@given(
    rest=st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(1, 6)).filter(lambda rest: rest[1] * rest[2] > 1),
    precision=st.sampled_from(["float32", "float64", "bfloat16"]),
    seed=st.integers(0, 2**31),
)
def test_equals_torch_to_the_bit(images, layout, of_gradient, rest, precision, seed):
    shape = (images, *rest)
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.float64 if precision == "float64" else torch.float32
    values, *gradients = (torch.randn(shape, generator=generator, dtype=dtype) for _ in range(3))
    values = LAYOUTS[layout](values * 3 + 1)
    gradients = [LAYOUTS[of_gradient](gradient) for gradient in gradients]
    weights = torch.randn(shape[1], generator=generator, dtype=dtype)
    arguments = (values, gradients, weights, precision == "bfloat16")
    for ours, theirs in zip(steps(BatchNorm2d, *arguments), steps(nn.BatchNorm2d, *arguments), strict=True):
        assert torch.equal(ours, theirs), (ours, theirs)


def test_gradients_that_come_plane_by_plane_are_taken_channel_by_channel(monkeypatch):
    """At the size at which it pays, too: an average pool behind a sigmoid behind the norm."""
    given_to = []
    taken = torch.ops.aten.native_batch_norm_backward
    monkeypatch.setattr(
        torch.ops.aten,
        "native_batch_norm_backward",
        lambda gradient, x, *rest: given_to.append(x.stride()) or taken(gradient, x, *rest),
    )

    def gradient_of(kind):
        images = torch.randn(64, 32, 32, 32, generator=torch.Generator().manual_seed(1))
        x = images.contiguous(memory_format=torch.channels_last).requires_grad_()
        nn.Sequential(kind(32), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1))(x).square().sum().backward()
        return x.grad

    assert torch.equal(gradient_of(BatchNorm2d), gradient_of(nn.BatchNorm2d))
    assert given_to == [(32 * 32, 64 * 32 * 32, 32, 1)]


def test_one_value_a_channel_is_refused_as_by_torch():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        BatchNorm2d(3)(torch.randn(1, 3, 1, 1))


def test_another_number_of_channels_is_refused_as_by_torch():
    with pytest.raises(RuntimeError, match="running_mean should contain 20 elements not 4"):
        BatchNorm2d(4)(torch.randn(2, 20, 4, 4))


def test_without_a_count_of_batches_it_is_torchs():
    ours, theirs = BatchNorm2d(3), nn.BatchNorm2d(3)
    ours.num_batches_tracked = theirs.num_batches_tracked = None
    x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_mean, theirs.running_mean)
