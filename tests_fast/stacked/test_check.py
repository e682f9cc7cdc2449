"""A network of stacked layers passes the check; every planted defect is caught, with the layer's name and a way out."""

import dataclasses
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.stacked import (
    ACTIVATIONS,
    BATCH,
    LAYER,
    NO_NORM,
    ORDER,
    Conv2d,
    Network,
    NetworkError,
    Norm,
    SelfSeeding,
    StackedClassifier,
    StackedDropout,
    StackedLinear,
    assemble,
    block,
    check,
    group,
    plain_state,
)
from pytest_claims.stacked.check import _check
from pytest_claims.stacked.initialise import SCHEMES
from pytest_claims.train import train
from pytest_claims.train.cost import cost
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny

CHANNELS = 4


@dataclasses.dataclass(frozen=True)
class Small:
    """Blocks, each followed by a layer that is planted by name, then a pool and the head."""

    planted: tuple[str, ...]
    norm: Norm = BATCH
    activation: str = "relu"
    order: tuple[str, ...] = ORDER
    classes: int = 3

    def build(self, seeds: int = 1) -> nn.Module:
        features, channels = nn.Sequential(), 3
        for place, name in enumerate(self.planted):
            order = self.order if place else ORDER  # no norm of two groups on the three channels of an image
            parts = {"norm": self.norm, "activation": self.activation, "order": order}
            features.add_module(f"block{place}", block(channels, CHANNELS, **parts, seeds=seeds))
            features.add_module(f"planted{place}", PLANTED[name](seeds))
            channels = CHANNELS
        features.add_module("pool", nn.AdaptiveAvgPool2d(2))
        return StackedClassifier(features, StackedLinear(4 * CHANNELS, self.classes, seeds))


class Between(nn.Module):
    """A layer between the block and the pool, which changes x by a function."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def forward(self, x):
        return self.change(x, self)


class Scale(nn.Module):
    """x times a parameter or buffer of one value a channel, as a function gives it."""

    def __init__(self, values, buffer=False):
        super().__init__()
        if buffer:
            self.register_buffer("scale", values)
        else:
            self.scale = nn.Parameter(values)

    def forward(self, x):
        return x * self.scale.view(-1, 1, 1)


class OwnScale(Scale):
    """Seeds itself: one scale a channel."""

    def __init__(self, seeds):
        super().__init__(torch.empty(seeds * CHANNELS))

    def initialise_seeds(self, streams, scheme):
        for stream, part in zip(streams, self.scale.chunk(len(streams)), strict=True):
            part.normal_(1, 0.1, generator=stream("scale"))


class PlacedScale(OwnScale):
    """Takes one stream for all seeds."""

    def initialise_seeds(self, streams, scheme):
        self.scale.normal_(1, 0.1, generator=streams[0]("scale"))


class FailingScale(OwnScale):
    def initialise_seeds(self, streams, scheme):
        raise KeyError("no such stream")


class Slices(nn.Module):
    """Attention of each seed's own channels, with no layer of the package: x [B, S*C, H, W]."""

    def __init__(self, seeds, dim):
        super().__init__()
        self.seeds, self.dim = seeds, dim

    def forward(self, x):
        own = x.unflatten(1, (self.seeds, -1))
        return (own * own.softmax(self.dim)).flatten(1, 2)


class RandomSlope(nn.RReLU):
    """Of values some of which are negative after any activation."""

    def forward(self, x):
        return super().forward(x - 0.6)


class Clip(torch.autograd.Function):
    """Changes nothing forward; backward, gradients of the whole are scaled to norm 1."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient / gradient.norm()


GLOBAL = "is drawn from global random state, so that a run cannot be repeated; give it its values from"
PLACE = "depends on the seed's place beside others, not on the seed alone; give it its values from"
MIXES = "mixes seeds side by side: in training a seed's logits changed when its neighbour had other images and weights"

KEEPING = {
    "nothing": lambda seeds: nn.Identity(),
    "constant": lambda seeds: Scale(torch.full((seeds * CHANNELS,), 0.5)),
    "constant a channel": lambda seeds: Scale(torch.arange(1.0, CHANNELS + 1).repeat(seeds), buffer=True),
    "one value for all": lambda seeds: Scale(torch.tensor(2.0), buffer=True),
    "own scale": OwnScale,
    "softmax of each seed": lambda seeds: Slices(seeds, 2),
    "stacked dropout": lambda seeds: StackedDropout(0.4, seeds),
    "frozen": lambda seeds: Conv2d(seeds * CHANNELS, seeds * CHANNELS, 1, groups=seeds).requires_grad_(False),
}


def by_numpy(seeds):
    return Scale(torch.from_numpy(np.random.randn(seeds * CHANNELS)).float())


def normalised(seeds):
    return nn.utils.parametrizations.weight_norm(Conv2d(seeds * CHANNELS, seeds * CHANNELS, 1, groups=seeds))


def secret(x, _):
    return x + torch.randn(x.shape, generator=torch.Generator().manual_seed(random.SystemRandom().getrandbits(60)))


# How it is made, who is to be named, and what is to be said.
BREAKING = {
    "drawn parameter": (lambda n: Scale(torch.randn(n * CHANNELS)), ".scale (of a Scale)", GLOBAL),
    "drawn buffer": (lambda n: Scale(torch.randn(n * CHANNELS), buffer=True), ".scale (of a Scale)", GLOBAL),
    "drawn by numpy": (by_numpy, ".scale (of a Scale)", GLOBAL),
    "drawn by Python": (
        lambda n: Scale(torch.full((n * CHANNELS,), random.random())),
        ".scale (of a Scale)",
        GLOBAL,
    ),
    "transposed convolution": (
        lambda n: nn.ConvTranspose2d(n * CHANNELS, n * CHANNELS, 3, padding=1, groups=n),
        ".weight (of a ConvTranspose2d)",
        GLOBAL,
    ),
    "weight norm": (normalised, ".parametrizations.weight.original0 (of a ParametrizationList)", GLOBAL),
    "never set": (lambda n: Scale(torch.empty(n * CHANNELS)), ".scale (of a Scale)", "was never set; give it"),
    "one stream for all": (PlacedScale, ".scale (of a PlacedScale)", PLACE),
    "a seed that is fixed": (
        lambda n: Scale(torch.randn(n * CHANNELS, generator=torch.Generator().manual_seed(0))),
        ".scale (of a Scale)",
        PLACE,
    ),
    "fails to seed itself": (FailingScale, " (a FailingScale)", "cannot set its initial values: KeyError: 'no such"),
    "no slices": (lambda n: Scale(torch.ones(CHANNELS)), ".scale (of a Scale)", "has shape [4] for one seed and [4]"),
    "an odd number of values": (lambda n: Scale(torch.ones(1)), ".scale (of a Scale)", "needed: 2 equal slices"),
    "one wide convolution": (
        lambda n: Conv2d(n * CHANNELS, n * CHANNELS, 1),
        ".weight (of a Conv2d)",
        "[4, 4, 1, 1] for one seed and [8, 8, 1, 1] for two; needed for two: [8, 4, 1, 1]",
    ),
    "lazy": (
        lambda n: nn.LazyConv2d(n * CHANNELS, 1),
        ".weight (of a LazyConv2d)",
        "is lazy; give its layer the sizes",
    ),
    "dropout": (lambda n: nn.Dropout(0.1), " (a Dropout)", "in training, so that a run would depend"),
    "dropout of channels": (lambda n: nn.Dropout2d(0.1), " (a Dropout2d)", "use StackedDropout(p, seeds)"),
    "random slope": (lambda n: RandomSlope(), " (a RandomSlope)", "take chance from keys of each seed's own"),
    "dropout as a function": (
        lambda n: Between(lambda x, layer: F.dropout(x, 0.1, layer.training)),
        " (a Between)",
        "draws from global random state in training",
    ),
    "noise of numpy": (
        lambda n: Between(lambda x, _: x + float(np.random.randn())),
        " (a Between)",
        "draws from global random state in training",
    ),
    "noise when tested": (
        lambda n: Between(lambda x, layer: x if layer.training else x + torch.randn(1)),
        " (a Between)",
        "draws from global random state in eval mode",
    ),
    "noise from nowhere": (lambda n: Between(secret), "", "the logits of two equal passes in training differ"),
    "layer norm": (lambda n: nn.GroupNorm(1, n * CHANNELS), " (a GroupNorm)", MIXES),
    "softmax": (lambda n: nn.Softmax(1), " (a Softmax)", MIXES),
    "centred when tested": (
        lambda n: Between(lambda x, layer: x if layer.training else x - x.mean(1, keepdim=True)),
        " (a Between)",
        "mixes seeds side by side: in eval mode a seed's logits changed",
    ),
    "nought times the neighbour": (
        lambda n: Between(lambda x, _: x + 0 * x.sum()),
        " (a Between)",
        "changed when its neighbour had NaN for images and weights",
    ),
    "coupled gradients": (
        lambda n: Between(lambda x, _: Clip.apply(x)),
        "",
        "in training a seed's gradient of features.block",
    ),
    "another function": (
        lambda n: Between(lambda x, _: x.abs() ** (x.shape[1] // CHANNELS)),
        "",
        "is another function for two seeds side by side than for one alone",
    ),
    "made for one seed": (lambda n: StackedDropout(0.4), " (a StackedDropout)", "for 1 seeds and not for 2"),
    "fails": (
        lambda n: nn.Conv2d(n * 7, n * CHANNELS, 1, groups=n),
        " (a Conv2d)",
        "fails on images [3, 6, 32, 32] of 2",
    ),
}
PLANTED = KEEPING | {name: make for name, (make, _, _) in BREAKING.items()}
SMALL = st.builds(
    Small,
    st.lists(st.sampled_from(sorted(KEEPING)), min_size=1, max_size=3).map(tuple),
    st.sampled_from((BATCH, LAYER, NO_NORM, group(2))),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.permutations(ORDER).map(tuple),
    classes=st.integers(2, 5),
)


@given(SMALL, st.sampled_from(SCHEMES))
def test_networks_of_stacked_layers_pass(network, scheme):
    check(network, scheme)


@pytest.mark.parametrize(
    "network",
    [DepthCNN(2, "relu"), NormCNN((group(4),) * 3), OrderCNN(("norm", "conv", "activation")), SkipCNN(BATCH), MLP()],
    ids=lambda network: type(network).__name__,
)
def test_the_networks_of_the_findings_pass(network):
    assert isinstance(network, Network)
    check(network)


@pytest.mark.parametrize("defect", BREAKING)
@settings(max_examples=3)
@given(st.data())
def test_a_defect_anywhere_in_a_network_is_caught_with_its_layer_and_a_way_out(defect, data):
    network = data.draw(SMALL)
    place = data.draw(st.integers(0, len(network.planted) - 1))
    planted = (*network.planted[:place], defect, *network.planted[place + 1 :])
    _, layer, said = BREAKING[defect]
    with pytest.raises(NetworkError) as caught:
        check(dataclasses.replace(network, planted=planted))
    assert "Small(planted=" in str(caught.value)
    assert said in str(caught.value)
    if layer:
        assert f"features.planted{place}{layer}" in str(caught.value)


def test_a_parameter_of_the_module_itself_is_named():
    @dataclasses.dataclass(frozen=True)
    class Token:
        classes: int = 2

        def build(self, seeds=1):
            module = StackedClassifier(nn.Identity(), StackedLinear(3072, 2, seeds))
            module.token = nn.Parameter(torch.randn(seeds))
            return module

    with pytest.raises(NetworkError, match=r"token \(of a StackedClassifier\) is drawn from global random state"):
        check(Token())


def test_a_layer_that_seeds_itself_has_its_values_in_any_company():
    network = Small(("own scale",))
    assert isinstance(OwnScale(1), SelfSeeding)
    alone, among = plain_state(assemble(network, [7]), 0), plain_state(assemble(network, [3, 7]), 1)
    assert all(torch.equal(alone[name], among[name]) for name in alone)
    scale = alone["features.planted0.scale"]
    twice = plain_state(assemble(Small(("own scale", "own scale")), [7]), 0)
    # The stream's name holds the place: the first is the same, the second another one.
    assert torch.equal(twice["features.planted0.scale"], scale)
    assert not torch.equal(twice["features.planted1.scale"], scale)


def test_a_network_is_checked_once_and_leaves_global_state_alone():
    _check.cache_clear()
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    check(Small(("stacked dropout",)))
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    check(Small(("stacked dropout",)))
    check(Small(("stacked dropout",)), "xavier")
    assert (_check.cache_info().hits, _check.cache_info().misses) == (1, 2)


class Plain:
    classes = 10

    def build(self, seeds=1):
        return nn.Identity()


@dataclasses.dataclass
class Thawed(Plain):
    classes: int = 10


@dataclasses.dataclass(frozen=True)
class Unclassed:
    width: int = 4


@dataclasses.dataclass(frozen=True)
class Argumentless:
    classes: int = 10

    def build(self):
        return nn.Identity()


@dataclasses.dataclass(frozen=True)
class Listed(Plain):
    widths: list
    classes: int = 10


@dataclasses.dataclass(frozen=True)
class Giving(Plain):
    """Builds what a test names."""

    what: str
    classes: int = 10

    def build(self, seeds=1):
        return GIVEN[self.what](seeds)


class Seeded(nn.Module):
    """A parameter of one value a seed, and a forward pass that a test gives."""

    def __init__(self, seeds, logits):
        super().__init__()
        self.seeds, self.logits = seeds, logits
        self.weight = nn.Parameter(torch.ones(seeds, 1))

    def forward(self, x):
        return self.logits(x, self.weight)


class Chained(nn.Sequential):
    """Layers one after the other, taken for a head."""

    def __init__(self, first, second, seeds):
        super().__init__(first, second)
        self.seeds = seeds


GIVEN = {
    "nothing": lambda n: None,
    "no seeds": lambda n: nn.Identity(),
    "wrong seeds": lambda n: Seeded(1, None),
    "no parameters": lambda n: StackedClassifier(nn.Identity(), StackedLinear(3072, 10, n).requires_grad_(False)),
    "an error": lambda n: 1 / 0,
    "images first": lambda n: Seeded(n, lambda x, w: (x.mean((1, 2, 3)).view(-1, 1, 1) * w).expand(-1, n, 10)),
    "no tensor": lambda n: Seeded(n, lambda x, w: (x, w)),
    "plain linear": lambda n: StackedClassifier(
        nn.Sequential(nn.Flatten(), nn.Linear(3072, 8)), StackedLinear(8, 10, n)
    ),
    "plain convolution": lambda n: StackedClassifier(nn.Conv2d(3, 2, 32), StackedLinear(2, 10, n)),
    "two heads": lambda n: StackedClassifier(
        nn.Identity(), Chained(StackedLinear(3072, 8, n), StackedLinear(8, 10, n), n)
    ),
    "groups": lambda n: StackedClassifier(
        nn.Sequential(Conv2d(3 * n, 8 * n, 32, groups=n), nn.GroupNorm(2, 8 * n)), StackedLinear(8, 10, n)
    ),
    "no gradient": lambda n: Seeded(n, lambda x, w: torch.zeros(n, len(x), 10)),
}


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (DepthCNN, r"DepthCNN is a class; give an instance of it, as DepthCNN\(...\)"),
        (nn.Linear(2, 2), "Linear is a torch module, which holds weights; a network is a frozen dataclass with"),
        (Plain(), "Plain is no frozen dataclass"),
        (Thawed(), "Thawed is no frozen dataclass"),
        (Unclassed(), "Unclassed has no field `classes`; give it `classes: int`"),
        (Giving("nothing", classes=2.0), "Giving.classes is 2.0; give it `classes: int`"),
        (
            Argumentless(),
            r"Argumentless has no method build that takes a number of seeds .*write `def build\(self, seeds",
        ),
        (Listed([1]), r"Listed.widths is \[1\]; allowed in a network's fields, which are the key"),
        (Giving("nothing"), "gives a NoneType; needed: a torch.nn.Module"),
        (
            Giving("no seeds"),
            r"Giving\(what='no seeds', classes=10\).*attribute `seeds` is missing; needed: 2.*StackedClassifier\(",
        ),
        (Giving("wrong seeds"), "attribute `seeds` is 1; needed: 2"),
        (Giving("no parameters"), "has no parameter to train"),
        (Giving("an error"), "does not build for 2 seeds: ZeroDivisionError"),
        (
            Giving("images first"),
            r"makes torch.float32 \[3, 2, 10\] of images .*; needed: floats of shape \[2, 3, 10\]",
        ),
        (Giving("no tensor"), "makes tuple of images"),
        (Giving("no gradient"), "has no backward pass"),
    ],
    ids=lambda value: None if isinstance(value, str) else getattr(value, "what", None) or type(value).__name__,
)
def test_what_is_no_network_is_refused_by_check_engine_and_cost_alike(network, message):
    run = Run(network, Recipe(2, 10, 1, "sgd", 0.1))
    for attempt in (lambda: check(network), lambda: train(run, [0, 1], tiny())):
        with pytest.raises(NetworkError, match=message):
            attempt()
    with pytest.raises(NetworkError):
        cost(run, 100, 100)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            Giving("plain linear"),
            r"features.1.weight \(of a Linear\) .*; take StackedLinear\(..., seeds\), or for a",
        ),
        (
            Giving("plain convolution"),
            r"weight \(of a Conv2d\) .*; take Conv2d\(seeds \* before, seeds \* after, ..., groups=seeds\) of",
        ),
        (
            Giving("two heads"),
            r"head.1 .*StackedLinear was given \[2, 3, 8\]; needed: \[images, 2 seeds, features\]. It",
        ),
        (Giving("groups"), r"for one alone, from features.1 \(a GroupNorm\) on; .*norm's groups, must grow with"),
    ],
    ids=lambda value: getattr(value, "what", None),
)
def test_a_layer_that_holds_one_seed_is_named_with_what_takes_its_place(network, message):
    with pytest.raises(NetworkError, match=message):
        check(network)
