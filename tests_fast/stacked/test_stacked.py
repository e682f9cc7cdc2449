"""S seeds side by side are S plain networks: outputs, gradients, running statistics, optimiser steps."""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.stacked import ACTIVATIONS, BATCH, LAYER, NO_NORM, ORDER, block, group, initialise, plain_state
from pytest_claims.streams import stream
from reference.networks import load, plain_block, plain_network

NORMS = st.sampled_from((BATCH, LAYER, NO_NORM, group(2), group(4)))
ACTIVATION = st.sampled_from(sorted(ACTIVATIONS))
# Norms of 2 and 4 groups do not fit the 3 channels of an image, so a network's first block begins with its convolution.
CONV_FIRST = st.permutations(ORDER).map(tuple).filter(lambda order: order[0] == "conv")
NETWORKS = st.one_of(
    st.builds(DepthCNN, st.integers(1, 3), ACTIVATION, NORMS, CONV_FIRST, width=st.sampled_from((4, 8))),
    st.builds(NormCNN, st.tuples(NORMS, NORMS, NORMS), classes=st.sampled_from((2, 10))),
    st.builds(OrderCNN, CONV_FIRST, ACTIVATION),
    # Dropout has a test of its own.
    st.builds(SkipCNN, st.sampled_from((BATCH, LAYER, group(2))), dropout=st.just(0.0)),
    st.builds(MLP, CONV_FIRST, ACTIVATION, NORMS, depth=st.integers(1, 2), width=st.sampled_from((4, 8))),
)
OPTIMIZERS = {
    "sgd": lambda parameters, fused: torch.optim.SGD(parameters, 0.05, momentum=0.9, weight_decay=5e-4, fused=fused),
    "adamw": lambda parameters, fused: torch.optim.AdamW(parameters, 1e-3, fused=fused),
}


def built(network, seeds):
    """The network for these seeds in float64, so that only real differences are differences."""
    module = network.build(len(seeds))
    initialise(module, [functools.partial(stream, "weights", seed) for seed in seeds])
    return module.double()


def batches(seeds, steps, size, classes):
    """Per step: images [size, S, 3, 32, 32] and targets [S, size], each seed's from its own stream."""
    generators = {seed: stream("test images", seed) for seed in seeds}
    for _ in range(steps):
        images = [torch.randn(size, 3, 32, 32, generator=generators[seed], dtype=torch.float64) for seed in seeds]
        targets = [torch.randint(classes, (size,), generator=generators[seed]) for seed in seeds]
        yield torch.stack(images, 1), torch.stack(targets)


def trained(network, seeds, optimizer, steps=3, size=4):
    """State of every seed after a few steps side by side, with the last outputs and gradients."""
    module = built(network, seeds)
    stepper = OPTIMIZERS[optimizer](module.parameters(), True)
    for images, targets in batches(seeds, steps, size, network.classes):
        logits = module(images.flatten(1, 2))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view(len(seeds), -1).mean(1)
        stepper.zero_grad()
        loss.sum().backward()
        stepper.step()
    gradients = {name: parameter.grad.chunk(len(seeds)) for name, parameter in module.named_parameters()}
    return [
        {"output": logits[at], **plain_state(module, at)}
        | {f"{name}.grad": parts[at] for name, parts in gradients.items()}
        for at in range(len(seeds))
    ]


def plainly_trained(network, seed, optimizer, steps=3, size=4):
    """The same for one seed of the network written with torch.nn alone."""
    module = plain_network(network).double()
    load(module, plain_state(built(network, [seed]), 0))
    stepper = OPTIMIZERS[optimizer](module.parameters(), False)
    for images, targets in batches([seed], steps, size, network.classes):
        logits = module(images.squeeze(1))
        stepper.zero_grad()
        F.cross_entropy(logits, targets.squeeze(0)).backward()
        stepper.step()
    gradients = {f"{name}.grad": parameter.grad for name, parameter in module.named_parameters()}
    return {"output": logits, **module.state_dict(), **gradients}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name].reshape(value.shape), value, rtol=1e-7, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}"
        )


@given(NETWORKS, st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True), st.sampled_from(sorted(OPTIMIZERS)))
def test_seeds_side_by_side_are_plain_networks(network, seeds, optimizer):
    together = trained(network, seeds, optimizer)
    for seed, state in zip(seeds, together, strict=True):
        assert_same(state, plainly_trained(network, seed, optimizer))


@given(NETWORKS, st.integers(0, 50), st.lists(st.integers(51, 99), max_size=3), st.integers(0, 3))
def test_a_seed_does_not_notice_its_neighbours(network, seed, neighbours, position):
    position = min(position, len(neighbours))
    alone = trained(network, [seed], "sgd", steps=2)[0]
    among = trained(network, [*neighbours[:position], seed, *neighbours[position:]], "sgd", steps=2)[position]
    assert_same(among, alone)


@pytest.mark.parametrize("norm", [BATCH, group(4), LAYER])
def test_a_diverged_neighbour_spreads_to_no_other_seed(norm):
    network = NormCNN((norm, norm, norm))
    module, healthy = built(network, [0, 1, 2]), built(network, [0])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.chunk(3)[1].fill_(torch.nan)
    (images, _), *_ = batches([0, 1, 2], 1, 4, 10)
    logits = module(images.flatten(1, 2))
    logits.sum((1, 2))[torch.tensor([0, 2])].sum().backward()
    assert logits[1].isnan().all()
    torch.testing.assert_close(logits[0], healthy(images[:, 0])[0])
    for name, parameter in module.named_parameters():
        first, _, last = parameter.grad.chunk(3)
        assert first.isfinite().all(), name
        assert last.isfinite().all(), name


@given(
    st.integers(1, 8),
    st.integers(1, 3),
    NORMS,
    ACTIVATION,
    st.permutations(ORDER).map(tuple),
    st.integers(1, 4),
    st.data(),
)
def test_a_block_of_any_order_equals_torch_layers(inputs, quarter, norm, activation, order, seeds, data):
    outputs = 4 * quarter
    inputs = 4 * inputs if order.index("norm") < order.index("conv") else inputs
    stacked = block(inputs, outputs, norm=norm, activation=activation, order=order, seeds=seeds).double()
    size = data.draw(st.integers(2, 5))
    images = torch.randn(size, seeds * inputs, 6, 5, dtype=torch.float64, generator=stream("block", inputs, outputs))
    found = stacked(images)
    assert found.shape == (size, seeds * outputs, 6, 5)
    for at in range(seeds):
        plain = plain_block(inputs, outputs, norm, activation, order).double()
        state = {name: v if v.ndim == 0 else v.chunk(seeds)[at] for name, v in stacked.state_dict().items()}
        # Running statistics of before the forward pass: torch's own start.
        for name in state:
            if name.endswith(("running_mean", "running_var", "num_batches_tracked")):
                state[name] = plain.state_dict()[name]
        plain.load_state_dict(state)
        expected = plain(images.chunk(seeds, 1)[at])
        torch.testing.assert_close(found.chunk(seeds, 1)[at], expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("first", ["conv", "norm", "activation"])
def test_a_block_leaves_its_input_alone(first):
    order = (first, *(part for part in ORDER if part != first))
    images = torch.randn(2, 4, 5, 5, generator=stream("untouched"))
    before = images.clone()
    block(4, 4, order=order)(images)
    assert torch.equal(images, before)
