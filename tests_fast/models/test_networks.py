"""The networks are the sources': parameter counts, shapes, groups, and torchvision's block where it has one."""

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.data.torchvision_import import torchvision
from pytest_claims.stacked import BATCH, LAYER, NO_NORM, ORDER, Norm, StackedDropout, block, group


def parameters(network, seeds=1):
    return sum(parameter.numel() for parameter in network.build(seeds).parameters())


@given(st.integers(1, 8), st.sampled_from(("relu", "sigmoid")), st.integers(1, 3))
def test_depth_network_has_the_sources_parameters(depth, activation, seeds):
    # 3x3 convolution with bias, scale and shift a channel; 32 -> 10 head
    expected = (3 * 9 * 32 + 32 + 64) + (depth - 1) * (32 * 9 * 32 + 32 + 64) + (32 * 10 + 10)
    assert parameters(DepthCNN(depth, activation), seeds) == seeds * expected


@pytest.mark.parametrize("norms", [(BATCH,) * 3, (group(4), group(8), group(8)), (group(16), group(32), group(32))])
def test_norm_network_has_the_sources_parameters(norms):
    convolutions = sum(i * 9 * o + o + 2 * o for i, o in ((3, 16), (16, 32), (32, 64)))
    assert parameters(NormCNN(norms)) == convolutions + 1024 * 10 + 10 == 34_058


def test_order_network_has_the_sources_parameters():
    widths = (3, 16, 32, 64, 128, 64, 32, 16, 10)
    convolutions = sum(i * 9 * o + o + 2 * o for i, o in itertools.pairwise(widths))
    assert parameters(OrderCNN(ORDER)) == convolutions + 40 * 10 + 10 == 196_904


@pytest.mark.parametrize("norm", [BATCH, group(2), LAYER])
def test_skip_network_has_the_sources_48178_parameters_and_two_skips(norm):
    module = SkipCNN(norm).build()
    assert parameters(SkipCNN(norm)) == 48_178 < 50_000
    assert parameters(SkipCNN(norm), seeds=3) == 3 * 48_178
    assert sum(type(layer).__name__ == "Skip" for layer in module.modules()) == 2


def dropped(p, seeds, shape, keys):
    layer = StackedDropout(p, seeds)
    layer.set_keys(torch.tensor(keys))
    return layer, torch.ones(shape)


def test_dropout_zeroes_its_share_scales_the_rest_and_rests_in_eval_mode():
    layer, values = dropped(0.25, 2, (100, 2 * 8, 6, 6), [1, 2])
    found = layer(values)
    assert sorted(found.unique().tolist()) == pytest.approx([0.0, 4 / 3])
    # Four standard errors of 28,800 draws a seed.
    for part in found.chunk(2, 1):
        assert (part == 0).double().mean().item() == pytest.approx(0.25, abs=0.011)
    assert torch.equal(layer.eval()(values), values)
    with pytest.raises(RuntimeError, match="dropout has no keys"):
        StackedDropout(0.25)(values)
    with pytest.raises(ValueError, match=r"got keys of shape \[1\]; needed: one a seed"):
        StackedDropout(0.25, 2).set_keys(torch.tensor([1]))


def test_dropout_masks_are_each_seeds_own_and_new_at_each_step():
    keys = [5, 2**31 - 1, 0]
    layer, values = dropped(0.5, 3, (64, 3 * 4, 8, 8), keys)
    steps = torch.stack([torch.stack(layer(values).chunk(3, 1)) for _ in range(4)]) > 0  # [steps, seeds, ...]
    masks = steps.flatten(2).flatten(0, 1).double()
    correlation = torch.corrcoef(masks) - torch.eye(len(masks))
    # Five standard errors of 16,384 values.
    assert correlation.abs().max() < 5 / 16_384**0.5
    # Nor do neighbours in a mask go together.
    for lag in (1, 8, 64, 256):
        assert torch.corrcoef(torch.stack([masks[0, lag:], masks[0, :-lag]]))[0, 1].abs() < 5 / 16_384**0.5
    for place, key in enumerate(keys):
        alone, image = dropped(0.5, 1, (64, 4, 8, 8), [key])
        for step in range(4):
            assert torch.equal(alone(image) > 0, steps[step, place])


@given(
    st.sampled_from(
        (
            DepthCNN(2, "relu"),
            DepthCNN(3, "relu", pools=(1, 3, 9)),
            NormCNN((LAYER,) * 3),
            NormCNN((group(8),) * 3, widths=(8, 16, 32)),
            OrderCNN(("conv", "activation", "norm")),
            SkipCNN(LAYER, dropout=0.0),
            MLP(),
        )
    ),
    st.integers(1, 3),
    st.integers(2, 4),
    st.integers(2, 100),
)
def test_logits_are_seeds_by_batch_by_classes(network, seeds, batch, classes):
    module = dataclasses.replace(network, classes=classes).build(seeds)
    nn.init.normal_(module.head.weight)
    assert module(torch.zeros(batch, seeds * 3, 32, 32)).shape == (seeds, batch, classes)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_block_equals_torchvisions(activation):
    layer = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU}[activation]
    theirs = torchvision("ops").Conv2dNormActivation(3, 8, 3, activation_layer=layer, inplace=None, bias=True)
    ours = block(3, 8, activation=activation)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(4, 3, 8, 8)
    assert torch.equal(ours(images), theirs(images))
    ours.eval(), theirs.eval()
    assert torch.equal(ours(images), theirs(images))


def test_layer_norm_is_group_norm_with_one_group():
    images = torch.randn(2, 6, 4, 4)
    expected = nn.functional.layer_norm(images, images.shape[1:])
    torch.testing.assert_close(LAYER.build(6)(images), expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Norm("instance"), "'batch', 'group', 'layer', 'none'"),
        (lambda: Norm("group"), "needs a number of groups"),
        (lambda: Norm("batch", 4), "only 'group' takes groups"),
        (lambda: group(0), ">= 1"),
        (lambda: group(32).build(16), "32 groups do not divide 16 channels"),
        (lambda: block(3, 8, activation="gelu"), "allowed: relu, leaky_relu, sigmoid, tanh"),
        (lambda: block(3, 8, order=("conv", "norm")), "a permutation of"),
        (lambda: block(0, 8), "must be at least 1"),
        (lambda: DepthCNN(0, "relu").build(), "it must be at least 1"),
        (lambda: DepthCNN(1, "relu", pools=(2, 2)).build(), "at most five different numbers from 1 on"),
        (lambda: DepthCNN(1, "relu", pools=(0,)).build(), "at most five different numbers from 1 on"),
        (lambda: MLP(depth=0).build(), "it must be at least 1"),
        (lambda: block(3, 8, kernel=2), "it must be odd"),
        (lambda: StackedDropout(1.0), "needed: from 0 up to below 1"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_none_is_no_layer():
    assert NO_NORM.build(8) is None
    assert [name for name, _ in block(3, 8, norm=NO_NORM).named_children()] == ["conv", "activation"]
