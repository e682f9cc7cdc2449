"""Optimisers equal a plain loop's, share a parameter between seeds only where they may, and refuse what they lack."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import NormCNN
from pytest_claims import optimisers
from pytest_claims.optimisers import NOT_NEGATIVE, Optimiser, OptimiserError, Option, register
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.stacked import group, plain_state
from pytest_claims.train.engine import build, train
from pytest_claims.train.step import optimizer_of
from pytest_claims.types import Recipe, Run
from reference.networks import load, plain_network
from reference.training import plain_training
from tests_fast.images import tiny

DATA = tiny()
SMALL = NormCNN((group(2),) * 3, widths=(4, 4, 8))
# Every optimiser, its fields and options at their defaults and away from them.
RECIPES = [
    Recipe(8, 32, 2, "sgd", 0.02),
    Recipe(8, 32, 2, "sgd", 0.02, momentum=0.9, weight_decay=0.01, optimizer_options=(("nesterov", 1),)),
    Recipe(8, 32, 2, "adamw", 1e-3, weight_decay=0.01),
    Recipe(8, 32, 2, "adamw", 1e-3, optimizer_options=(("beta1", 0.8), ("beta2", 0.9), ("eps", 1e-4))),
    Recipe(8, 32, 2, "adam", 1e-3, weight_decay=0.01, optimizer_options=(("beta1", 0.8),)),
    Recipe(8, 32, 2, "rmsprop", 1e-3),
    Recipe(
        8,
        32,
        2,
        "rmsprop",
        1e-3,
        momentum=0.9,
        weight_decay=0.01,
        optimizer_options=(("alpha", 0.9), ("centered", 1), ("eps", 1e-4)),
    ),
    Recipe(8, 32, 2, "adafactor", 0.02),
    Recipe(
        8,
        32,
        2,
        "adafactor",
        0.02,
        weight_decay=0.01,
        optimizer_options=(("beta2_decay", -0.5), ("d", 2.0), ("eps2", 1e-2)),
    ),
]


def named(recipe: Recipe) -> str:
    return "-".join([recipe.optimizer, *(name for name, _ in recipe.optimizer_options)])


def at_once(recipe: Recipe) -> list[list[int]]:
    """Seeds 0 and 1, side by side where the optimiser allows it."""
    return [[0, 1]] if optimisers.registered(recipe.optimizer).elementwise else [[0], [1]]


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_equals_the_plain_loop_with_torchs_own_defaults(recipe):
    run = Run(SMALL, dataclasses.replace(recipe, precision="float64", schedule=("cosine", recipe.lr / 10)))
    for seeds in at_once(recipe):
        for result in train(run, seeds, DATA):
            network = load(plain_network(SMALL), plain_state(build(run, [result.seed]), 0))
            plain = plain_training(network, run.recipe, DATA, result.seed, torch.float64)
            assert result.train_loss == pytest.approx(plain.losses, rel=1e-7)
            assert result.test_accuracy == pytest.approx(plain.test_accuracy)


def test_every_registered_optimiser_is_held_against_the_plain_loop():
    assert {recipe.optimizer for recipe in RECIPES} == set(optimisers.names())


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_seeds_share_a_block_only_with_an_elementwise_optimiser(recipe):
    elementwise = optimisers.registered(recipe.optimizer).elementwise
    run = Run(SMALL, dataclasses.replace(recipe, batch=8))
    assert all((seeds_per_block(run, device) > 1) == elementwise for device in ("cpu", "cuda"))


@pytest.fixture
def registry(monkeypatch):
    """Names registered by a test are forgotten after it."""
    monkeypatch.setattr(optimisers, "_REGISTERED", dict(optimisers._REGISTERED))


class RowScaled(torch.optim.SGD):
    """Steps of unit length for the whole of each parameter, as LARS and LAMB scale them."""

    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad /= parameter.grad.norm()
        return super().step(closure)


class Clipped(torch.optim.SGD):
    """Gradients clipped by their norm over all parameters together."""

    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_(self.param_groups[0]["params"], 1.0)
        return super().step(closure)


class Noisy(torch.optim.SGD):
    """Langevin dynamics: noise from the global generator in every step."""

    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad += torch.randn_like(parameter)
        return super().step(closure)


@pytest.mark.parametrize("elementwise", [False, True])
def test_an_optimiser_that_takes_chance_from_global_state_is_refused(elementwise, registry):
    def make(parameters, recipe, options, device):
        return Noisy(parameters, lr=recipe.lr)

    register(Optimiser("noisy", make, elementwise=elementwise))
    before = torch.get_rng_state()
    with pytest.raises(OptimiserError, match="'noisy' draws from global random state, so that a run would depend on"):
        train(Run(SMALL, Recipe(10, 25, 1, "noisy", 0.1)), [0], DATA)
    assert torch.equal(torch.get_rng_state(), before)


def test_chance_that_only_begins_later_is_found(registry):
    class Late(torch.optim.SGD):
        steps = 0

        def step(self, closure=None):
            self.steps += 1
            if self.steps > 40:
                torch.randn(1)
            return super().step(closure)

    register(Optimiser("late", lambda parameters, recipe, *_: Late(parameters, lr=recipe.lr), elementwise=True))
    with pytest.raises(OptimiserError, match="'late' draws from global random state"):
        train(Run(SMALL, Recipe(10, 25, 1, "late", 0.1)), [0], DATA)


@pytest.mark.parametrize("kind", [RowScaled, Clipped])
def test_an_optimiser_that_couples_seeds_is_not_taken_for_elementwise(kind, registry):
    def make(parameters, recipe, options, device):
        return kind(parameters, lr=recipe.lr)

    register(Optimiser("coupling", make, elementwise=True))
    register(Optimiser("alone", make, elementwise=False))
    run = Run(SMALL, Recipe(2, 10, 1, "coupling", 0.1))
    # Also of a batch that is trained one seed at a time.
    for seeds in ([0, 1], [0]):
        with pytest.raises(OptimiserError, match="'coupling' is registered as elementwise, but a seed's steps depend"):
            train(run, seeds, DATA)
    alone = Run(SMALL, Recipe(2, 10, 1, "alone", 0.1))
    assert len(train(alone, [0], DATA)) == 1
    with pytest.raises(OptimiserError, match="'alone' is not elementwise; it trains one seed at a time, not 2"):
        train(alone, [0, 1], DATA)
    assert {seeds_per_block(alone, device) for device in ("cpu", "cuda")} == {1}


def test_a_strangers_optimiser_needs_its_registration_alone(registry):
    def make(parameters, recipe, options, device):
        return torch.optim.Adagrad(parameters, lr=recipe.lr, eps=options["eps"], weight_decay=recipe.weight_decay)

    adagrad = Optimiser(
        "adagrad", make, elementwise=True, weight_decay=NOT_NEGATIVE, options={"eps": Option(1e-10, NOT_NEGATIVE)}
    )
    register(adagrad)
    result = train(Run(SMALL, Recipe(8, 8, 6, "adagrad", 0.02)), [0, 1], DATA)
    assert all(seed.train_loss[-1] < seed.train_loss[0] for seed in result)
    register(dataclasses.replace(adagrad))  # as when pytest imports its module twice
    with pytest.raises(OptimiserError, match="another optimiser is registered as 'adagrad'; choose another name"):
        register(dataclasses.replace(adagrad, elementwise=False))


def test_the_same_module_imported_twice_registers_the_same(registry):
    text = "from pytest_claims import optimisers as o\n"
    text += "o.register(o.Optimiser('twice', lambda parameters, recipe, options, device: None, elementwise=True))\n"
    for name in ("once", "again"):
        exec(compile(text, "claims/lion.py", "exec"), {"__name__": name})
    with pytest.raises(OptimiserError, match="another optimiser is registered as 'twice'"):
        exec(compile(text.replace("None", "1"), "claims/other.py", "exec"), {"__name__": "other"})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"optimizer": "lion"}, r"optimizer is 'lion'; allowed: 'sgd', 'adamw'.*optimisers.register adds another"),
        ({"optimizer": "adamw", "momentum": 0.9}, "momentum is 0.9; allowed: 0, for 'adamw' has none"),
        ({"momentum": 1.0}, r"momentum is 1.0; allowed with 'sgd': \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0; allowed with 'sgd': >= 0"),
        ({"weight_decay": float("nan")}, "weight_decay is nan"),
        ({"optimizer_options": (("beta1", 0.9),)}, r"names 'beta1'; allowed with 'sgd': nesterov \(0 \(off\) or 1"),
        ({"optimizer_options": (("nesterov", 2),)}, r"nesterov = 2; allowed with 'sgd': 0 \(off\) or 1 \(on\)"),
        ({"optimizer_options": (("nesterov", "yes"),)}, "nesterov = 'yes'"),
        ({"optimizer_options": {"nesterov": 1}}, "allowed: a tuple of pairs"),
        ({"optimizer_options": (("nesterov", 1), ("nesterov", 0))}, "each name once"),
        ({"optimizer_options": (("nesterov",),)}, "allowed: a tuple of pairs"),
    ],
)
def test_what_an_optimiser_does_not_take_is_refused_with_what_it_does(fields, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{"images_per_class": 1, "batch": 1, "epochs": 1, "optimizer": "sgd", "lr": 0.1, **fields})


@given(st.permutations([("beta1", 0.8), ("beta2", 0.999), ("eps", 1)]), st.integers(0, 3))
def test_equal_options_make_equal_recipes(pairs, number):
    options = tuple(pairs[:number])
    recipe = Recipe(1, 1, 1, "adamw", 0.1, optimizer_options=options)
    assert recipe == Recipe(1, 1, 1, "adamw", 0.1, optimizer_options=tuple(reversed(options)))
    assert Run(SMALL, recipe).canonical == Run(SMALL, dataclasses.replace(recipe)).canonical
    # A default that is spelled out is the default, and the key of the runs that were stored before it was.
    assert "beta2" not in Run(SMALL, recipe).canonical
    assert ("optimizer_options" in Run(SMALL, recipe).canonical) == bool({"beta1", "eps"} & dict(options).keys())


def test_recipes_are_checked_without_torch():
    program = "import sys, pytest_claims.types as t; t.Recipe(1, 1, 1, 'adamw', 0.1); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_making_and_checking_leave_global_random_state_alone():
    before = torch.get_rng_state()
    recipe = Recipe(1, 1, 1, "adamw", 0.0625)
    optimizer_of(build(Run(SMALL, recipe), [0, 1]), recipe, torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before)
