"""Initial weights: PyTorch's default distribution, from each seed's own streams."""

import functools

import pytest
import torch
from scipy import stats
from torch import nn

from models import DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.stacked import BATCH, ORDER, group, initialise, plain_state
from pytest_claims.streams import stream
from pytest_claims.train.engine import build
from pytest_claims.types import Recipe, Run


def built(network, seeds):
    module = network.build(len(seeds))
    initialise(module, [functools.partial(stream, "weights", seed) for seed in seeds])
    return module


def test_weights_follow_torchs_default_initialisation():
    module = built(OrderCNN(ORDER), [0, 1, 2])
    torch.manual_seed(0)  # of the reference alone
    for index, (inputs, outputs) in enumerate(((3, 16), (16, 32), (32, 64), (64, 128)), start=1):
        ours = module.features.get_submodule(f"block{index}.conv")
        theirs = nn.Conv2d(inputs, outputs, 3)
        bound = 1 / (inputs * 9) ** 0.5
        for name in ("weight", "bias"):
            values, expected = (getattr(layer, name).detach().flatten() for layer in (ours, theirs))
            assert values.abs().max() <= bound
            assert expected.abs().max() <= bound
        # Against the whole distribution, not just its range; the alarm of a right initialisation is 1 in 10,000.
        assert stats.kstest(ours.weight.detach().flatten(), "uniform", (-bound, 2 * bound)).pvalue > 1e-4
        assert stats.ks_2samp(ours.weight.detach().flatten(), theirs.weight.detach().flatten()).pvalue > 1e-4
    head, reference = module.head.weight.detach(), nn.Linear(40, 10).weight
    assert head.abs().max() <= 1 / 40**0.5
    assert stats.ks_2samp(head.flatten(), reference.detach().flatten()).pvalue > 1e-4


def test_norms_begin_as_identity():
    state = built(NormCNN((BATCH, group(4), group(8))), [0, 1]).state_dict()
    for name, value in state.items():
        if ".norm." in name and not name.endswith("num_batches_tracked"):
            ones = name.endswith(("weight", "running_var"))
            assert torch.equal(value, torch.full_like(value, float(ones)))


def test_arms_share_weights_where_place_and_shape_match():
    relu, sigmoid, deeper = (
        plain_state(built(network, [7]), 0)
        for network in (DepthCNN(2, "relu"), DepthCNN(2, "sigmoid"), DepthCNN(4, "relu"))
    )
    assert all(torch.equal(relu[name], sigmoid[name]) for name in relu)
    assert all(torch.equal(relu[name], deeper[name]) for name in relu)
    orders = [plain_state(built(OrderCNN(order), [7]), 0) for order in (ORDER, ("conv", "activation", "norm"))]
    assert all(torch.equal(orders[0][name], orders[1][name]) for name in orders[0])


def test_a_seed_has_its_weights_in_any_company():
    network = DepthCNN(2, "relu")
    alone, among = plain_state(built(network, [3]), 0), plain_state(built(network, [1, 3, 2]), 1)
    assert all(torch.equal(alone[name], among[name]) for name in alone)
    other = plain_state(built(network, [4]), 0)
    assert not torch.equal(alone["features.block1.conv.weight"], other["features.block1.conv.weight"])


def test_global_random_state_plays_no_part():
    run = Run(DepthCNN(1, "relu"), Recipe(images_per_class=1, batch=1, epochs=1, optimizer="sgd", lr=1.0))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = build(run, [0]).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    second = build(run, [0]).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_xavier_follows_torchs_and_its_biases_are_zero():
    run = Run(SkipCNN(BATCH), Recipe(1, 1, 1, "sgd", 1.0, initialisation="xavier"))
    module = build(run, [0, 1])
    for name, reference in (
        ("features.skip1.0.conv", nn.Conv2d(32, 32, 3)),
        ("features.reduce2", nn.Conv2d(32, 16, 1)),
        ("head", nn.Linear(32, 10)),
    ):
        nn.init.xavier_uniform_(reference.weight, generator=stream("reference"))
        ours = module.get_submodule(name)
        bound = reference.weight.abs().max().item()
        # The largest of many uniform draws lies just below the bound, in either.
        assert ours.weight.abs().max().item() == pytest.approx(bound, rel=0.05)
        assert stats.ks_2samp(ours.weight.detach().flatten(), reference.weight.detach().flatten()).pvalue > 1e-4
        assert not ours.bias.any()


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="allowed: default, xavier"):
        initialise(DepthCNN(1, "relu").build(), [functools.partial(stream, "weights", 0)], "he")
