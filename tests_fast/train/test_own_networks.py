"""Networks that a stranger brings: trained alike under any global state and in any company, gradients recorded."""

import dataclasses

import pytest
import torch
from torch import nn

from pytest_claims.stacked import Conv2d, NetworkError, StackedClassifier, StackedLinear, assemble, block
from pytest_claims.train import train
from pytest_claims.train.step import recorded_weights
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny

DATA = tiny()
RECIPE = Recipe(4, 10, 2, "sgd", 0.05, precision="float64")


class PerSeed(nn.Module):
    """A scale a channel that seeds itself; no weight of two dimensions."""

    def __init__(self, channels, seeds):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(seeds * channels))

    def initialise_seeds(self, streams, scheme):
        for stream, part in zip(streams, self.weight.chunk(len(streams)), strict=True):
            part.normal_(generator=stream("weight"))

    def forward(self, x):
        return x * self.weight.view(-1, 1, 1)


class Means(nn.Module):
    """Scaled means of stripes of the image, one a class; it has no layer that a gradient is recorded of."""

    def __init__(self, classes, seeds):
        super().__init__()
        self.seeds, self.classes, self.scale = seeds, classes, PerSeed(3, seeds)

    def forward(self, images):
        stripes = nn.functional.adaptive_avg_pool2d(self.scale(images), (self.classes, 1))
        return stripes.unflatten(1, (self.seeds, 3)).sum(2).squeeze(3).transpose(0, 1)


def linear(seeds, classes):
    return StackedClassifier(nn.Identity(), StackedLinear(3072, classes, seeds))


def convolution(seeds, classes):
    features = nn.Sequential(Conv2d(3 * seeds, 4 * seeds, 3, groups=seeds), nn.AdaptiveAvgPool2d(2), PerSeed(4, seeds))
    return StackedClassifier(features, StackedLinear(16, classes, seeds))


def blocks(seeds, classes):
    features = nn.Sequential(block(3, 4, seeds=seeds), nn.AdaptiveAvgPool2d(2))
    return StackedClassifier(features, StackedLinear(16, classes, seeds))


def spare(seeds, classes):
    module = blocks(seeds, classes)
    module.spare = nn.ModuleDict({"conv": Conv2d(seeds, seeds, 1, groups=seeds)})
    return module


def means(seeds, classes):
    return Means(classes, seeds)


MADE = {made.__name__: made for made in (linear, convolution, blocks, spare, means)}


@dataclasses.dataclass(frozen=True)
class Own:
    """A network that is made by name."""

    made: str
    classes: int = 10

    def build(self, seeds=1):
        return MADE[self.made](seeds, self.classes)


@pytest.mark.parametrize("made", MADE)
def test_neither_global_state_nor_company_changes_a_run(made):
    run = Run(Own(made), RECIPE)
    torch.manual_seed(1)
    alone = dataclasses.replace(train(run, [4], DATA)[0], seconds=0.0)
    torch.manual_seed(2)
    assert dataclasses.replace(train(run, [4], DATA)[0], seconds=0.0) == alone
    among = train(run, [9, 4, 2], DATA)[1]
    assert among.train_loss == pytest.approx(alone.train_loss, rel=1e-9)
    assert among.test_accuracy == alone.test_accuracy
    for ours, theirs in zip(among.gradients, alone.gradients, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(
    ("made", "recorded"),
    [("blocks", ["features.0.conv"]), ("linear", ["head"]), ("convolution", ["features.0", "head"]), ("means", [])],
)
def test_gradients_are_recorded_of_blocks_else_of_every_layer_with_a_matrix(made, recorded):
    module = assemble(Own(made), [0])
    assert [id(weight) for weight in recorded_weights(module)] == [
        id(module.get_submodule(name).weight) for name in recorded
    ]
    for result in train(Run(Own(made), RECIPE), [0, 1], DATA):
        assert [len(row) for row in result.gradients] == ([len(recorded)] * RECIPE.epochs if recorded else [])
        assert all(value > 0 for row in result.gradients for value in row)


def test_an_unused_layer_has_a_gradient_of_0_and_a_frozen_one_is_not_recorded():
    assert train(Run(Own("spare"), RECIPE), [0], DATA)[0].gradients[0][1] == 0
    module = assemble(Own("convolution"), [0])
    module.head.weight.requires_grad_(False)
    assert recorded_weights(module) == [module.features[0].weight]


def test_a_network_that_breaks_its_contract_is_not_trained():
    @dataclasses.dataclass(frozen=True)
    class Dropping:
        classes: int = 10

        def build(self, seeds=1):
            return StackedClassifier(nn.Dropout(0.2), StackedLinear(3072, self.classes, seeds))

    with pytest.raises(NetworkError, match=r"Dropping\(classes=10\): features \(a Dropout\) draws from global"):
        train(Run(Dropping(), RECIPE), [0], DATA)
