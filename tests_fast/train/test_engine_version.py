"""What keys know by a word alone is pinned here: a change of it gives other runs under the keys of recorded ones.

Networks and optimisers that a claim brings are told apart by what they do (runs/identity.py). Schedules, augmentation,
subsets, dropout and the package's own optimisers are not: the engine's version stands for them. So where a test of this
module fails, and the change is meant, raise ENGINE_VERSION, let version_of() give it to the runs that changed and to no
others, and only then write the new values here. Initial weights are pinned by models/behaviours.json.
"""

import dataclasses
import hashlib

import pytest
import torch

from models import DepthCNN, SkipCNN
from pytest_claims import optimisers
from pytest_claims.data.augment import augment, augmentation_table
from pytest_claims.data.subset import rows_of_test_set, training_table
from pytest_claims.stacked import BATCH, StackedDropout
from pytest_claims.train import ENGINE_VERSION
from pytest_claims.train.engine import version_of
from pytest_claims.train.schedule import learning_rates
from pytest_claims.types import Augmentation, Recipe, Run
from tests_fast.images import tiny

RECIPE = Recipe(2, 20, 6, "sgd", 0.5)
CHANGES = Augmentation(0.1, 0.2, 30.0, 0.8, 0.3, 0.4, 0.7)


def told(values) -> str:
    """Numbers as a short text, float64 to five digits, so that it is the same on every processor."""
    flat = torch.as_tensor(values).double().flatten().tolist()
    return hashlib.sha256(" ".join(f"{value + 0.0:.4e}" for value in flat).encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (("constant",), [0.5] * 6),
        (("cosine", 0.1), [0.5, 0.473205, 0.4, 0.3, 0.2, 0.126795]),
        (("step", 2, 0.1), [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]),
        (("linear", 0, 0.2, 2, 1.0, 4, 0.5), [0.1, 0.3, 0.5, 0.375, 0.25, 0.25]),
    ],
)
def test_schedules(schedule, rates):
    assert learning_rates(dataclasses.replace(RECIPE, schedule=schedule)) == pytest.approx(rates, abs=1e-6)


PINNED = {
    "which images in which order": "f7f48fd51337",
    "test images": "a96b850150f4",
    "what augmentation draws": "9c67db646be9",
    "what augmentation makes of an image": "4cfc9e948fe4",
    "what dropout leaves": "cd25b336ef87",
}


def parts():
    """What each part makes of fixed input."""
    data, generator = tiny(), torch.Generator().manual_seed(0)
    image = torch.rand(3, 3, 32, 32, generator=generator, dtype=torch.float64)
    table = torch.tensor([[0.1, -0.2, 1.3, 20.0, 1.2, 0.7], [0, 0, 1, 0, 1, 1], [-0.3, 0.1, 0.8, -45.0, 0.6, 1.4]])
    dropout = StackedDropout(0.3, 2)
    dropout.set_keys(torch.tensor([7, 12345]))
    return {
        "which images in which order": training_table(data, RECIPE, 3),
        "test images": rows_of_test_set(data, 2),
        "what augmentation draws": augmentation_table(CHANGES, 5, 1, 3),
        "what augmentation makes of an image": augment(image, table),
        "what dropout leaves": torch.stack([dropout(torch.ones(2, 4, 3, 3)) for _ in range(2)]),
    }


def test_parts_that_a_word_names():
    assert {name: told(value) for name, value in parts().items()} == PINNED


OPTIMISERS = {
    "sgd": "7b73e7ab1546",
    "adamw": "d46978cda41d",
    "adam": "46cc7bc0a9a2",
    "rmsprop": "676ea68c706a",
    "adafactor": "d74c70c8753d",
}


def test_the_packages_own_optimisers():
    assert set(OPTIMISERS) == set(optimisers.OWN), "a new one: add its value to OPTIMISERS; ENGINE_VERSION stays"
    found = {}
    for name in OPTIMISERS:
        has_momentum = optimisers.registered(name).momentum is not None
        recipe = Recipe(4, 20, 1, name, 0.01, momentum=0.9 * has_momentum, weight_decay=0.01)
        found[name] = optimisers.behaviour(recipe)[:12]
    assert found == OPTIMISERS


@pytest.mark.parametrize(
    ("run", "version"),
    [
        (Run(DepthCNN(1, "relu"), RECIPE), 1),
        (Run(DepthCNN(1, "relu"), dataclasses.replace(RECIPE, schedule=("cosine", 0.1), optimizer="adamw")), 1),
        (Run(DepthCNN(1, "relu"), dataclasses.replace(RECIPE, augmentation=CHANGES)), 2),
        (Run(SkipCNN(BATCH, 0.25), RECIPE), 2),
        (Run(SkipCNN(BATCH, 0.0), RECIPE), 1),
    ],
)
def test_a_run_has_the_version_of_the_parts_that_it_uses(run, version):
    assert version_of(run) == version <= ENGINE_VERSION
