"""A name is not what a network computes: keys have its behaviour, and recorded runs keep theirs."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from models import DepthCNN
from pytest_claims import optimisers
from pytest_claims.optimisers import NOT_NEGATIVE, Optimiser, Option
from pytest_claims.runs import identity as module
from pytest_claims.runs.identity import FILE, IdentityError, identity, text_of
from pytest_claims.runs.store import Key
from pytest_claims.stacked import StackedClassifier, StackedLinear
from pytest_claims.stacked.fingerprint import behaviour
from pytest_claims.stacked.network import NetworkError
from pytest_claims.types import Recipe, Run

ROOT = Path(__file__).resolve().parents[2]
RECIPE = Recipe(4, 20, 1, "sgd", 0.01)
RECORDED = json.loads((ROOT / "models" / FILE).read_text(encoding="utf-8"))


def linear(head):
    """A frozen dataclass `Net` of one field whose layers `head` makes."""

    @dataclasses.dataclass(frozen=True)
    class Net:
        classes: int = 10

        def build(self, seeds: int = 1) -> nn.Module:
            return StackedClassifier(nn.Identity(), head(3 * 32 * 32, self.classes, seeds))

    return Net()


class Scaled(StackedLinear):
    """The same layer, whose forward pass differs in the sixth, or in the fourth, digit."""

    by = 1.0

    def forward(self, images):
        return super().forward(images) * self.by


class InEval(StackedLinear):
    def forward(self, images):
        return super().forward(images) if self.training else -super().forward(images)


class Moved(StackedLinear):
    """The same layer, written otherwise."""

    def forward(self, images):
        twice = super().forward(images) * 2
        return twice / 2


def test_networks_of_one_name_that_compute_otherwise_have_keys_of_their_own():
    first, second = linear(StackedLinear), linear(InEval)
    assert text_of(first) == text_of(second)
    one, other = (Key(Run(network, RECIPE), "data", "cpu", 1, 1) for network in (first, second))
    assert one.digest(0) != other.digest(0)
    assert json.loads(one.numerics)["network"] == behaviour(first)


@pytest.mark.parametrize("by", [1 + 1e-3, -1.0, 0.0, 2.0])
def test_another_function_is_another_behaviour(by):
    other = type("Other", (Scaled,), {"by": by})
    assert behaviour(linear(other)) != behaviour(linear(StackedLinear))


def test_code_that_is_written_otherwise_and_rounding_are_the_same_behaviour():
    assert behaviour(linear(Moved)) == behaviour(linear(StackedLinear))
    assert behaviour(linear(type("Rounded", (Scaled,), {"by": 1 + 1e-14}))) == behaviour(linear(StackedLinear))


def test_initial_values_and_names_of_parameters_are_a_part_of_it():
    class Larger(StackedLinear):
        def initialise_seeds(self, streams, scheme):
            if scheme == "xavier":
                self.weight.mul_(2)

    class Named(StackedLinear):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.register_buffer("further", torch.zeros(len(self.weight)))

    found = {behaviour(linear(head)) for head in (StackedLinear, Larger, Named)}
    assert len(found) == 3


def test_it_leaves_global_state_alone_and_does_not_depend_on_it():
    network = linear(Moved)
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with torch.no_grad():
        found = behaviour(network)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert found == behaviour(linear(type("Again", (Moved,), {})))


def test_a_network_that_does_not_run_is_named():
    class Broken(StackedLinear):
        def forward(self, images):
            raise RuntimeError("no such thing")

    network = linear(Broken)
    with pytest.raises(NetworkError, match=r"Net\(classes=10\) does not run on 3 images .*: RuntimeError: no such"):
        behaviour(network)
    # It has a key all the same: what training it says is the error that its claim reports.
    assert identity(Run(network, RECIPE)) == {"network": "does not run"}


def test_a_network_that_takes_float32_alone_is_told_apart_in_float32():
    class Constant(StackedLinear):
        by = 1.0

        def forward(self, images):
            return super().forward(images) @ (self.by * torch.eye(10))

    one, other = (linear(type("Of", (Constant,), {"by": by})) for by in (1.0, 2.0))
    assert behaviour(one) != behaviour(other)
    with pytest.raises(RuntimeError, match="dtype"):
        one.build().double()(torch.zeros(1, 3, 32, 32, dtype=torch.float64))


def test_every_network_of_the_claims_computes_what_it_did_when_runs_were_recorded():
    """Of the table only: it is complete, since new networks need no entry. Every one is built and run."""
    import models
    from pytest_claims.stacked import Norm

    kinds = {name: getattr(models, name) for name in ("DepthCNN", "NormCNN", "OrderCNN", "MLP", "SkipCNN")}

    def made(value):
        if isinstance(value, list):
            return tuple(map(made, value))
        if not isinstance(value, dict):
            return value
        fields = {name: made(part) for name, part in value.items()}
        if value["kind"] not in kinds:
            return Norm(**fields)  # which has a field of this name
        return kinds[fields.pop("kind")](**fields)

    for text, recorded in RECORDED.items():
        network = made(json.loads(text))
        assert text_of(network) == text
        assert behaviour(network) == recorded, text
        assert "network" not in identity(Run(network, RECIPE))


# One network of float64, and one whose layer takes float32 alone.
SEEN_ELSEWHERE = """
import torch
from models import DepthCNN
from pytest_claims.stacked.fingerprint import behaviour
from tests_fast.runs.test_identity import linear
from pytest_claims.stacked import StackedLinear

class Single(StackedLinear):
    def forward(self, images):
        return torch.relu(super().forward(images) @ torch.full((10, 10), 0.3)) + super().forward(images)

found = [behaviour(DepthCNN(4, "relu")), behaviour(linear(Single))]
"""


def test_another_instruction_set_finds_the_same_behaviour():
    environment = os.environ | {"ATEN_CPU_CAPABILITY": "default", "PYTHONPATH": str(ROOT)}
    code = f"{SEEN_ELSEWHERE}\nprint(*found)"
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = {}
    exec(SEEN_ELSEWHERE, here)
    assert said.stdout.split() == here["found"]
    assert here["found"][0] == RECORDED[text_of(DepthCNN(4, "relu"))]


def no_memory(*args):
    raise MemoryError("none left")


@pytest.mark.parametrize("fails", [no_memory, lambda *args: torch.empty(2**56)])
@pytest.mark.parametrize("where", ["build", "forward"])
def test_too_little_memory_says_nothing_of_a_network(fails, where):
    short = True

    class Layer(StackedLinear):
        def __init__(self, *args):
            super().__init__(*args)
            if short and where == "build":
                fails()

        def forward(self, images):
            if short and where == "forward":
                fails()
            return super().forward(images)

    network = linear(Layer)
    with pytest.raises(IdentityError, match="cannot be run once to find what it computes, for want of memory"):
        identity(Run(network, RECIPE))
    # A moment later there is some. It is the network that it was, and not one that does not run.
    short = False
    assert identity(Run(network, RECIPE)) == {"network": behaviour(linear(StackedLinear))}


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """The file beside the networks, with this text."""

    def write(text):
        path = tmp_path / FILE
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(module, "_file_of", lambda kind: path)
        module._recorded.cache_clear()
        return path

    yield write
    module._recorded.cache_clear()


def test_a_recorded_network_that_computes_otherwise_now_has_keys_of_its_own(recorded):
    network = DepthCNN(1, "relu")
    recorded(json.dumps({text_of(network): behaviour(network)}))
    assert identity(Run(network, RECIPE)) == {}
    recorded(json.dumps({text_of(network): "0" * 16}))
    assert identity(Run(network, RECIPE)) == {"network": behaviour(network)}
    recorded("{}")
    assert identity(Run(network, RECIPE)) == {"network": behaviour(network)}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "\x00"])
def test_a_damaged_record_is_named(recorded, text):
    path = recorded(text)
    with pytest.raises(IdentityError, match=f"{path} cannot be read .* restore it from version control"):
        identity(Run(DepthCNN(1, "relu"), RECIPE))


def test_an_optimiser_that_a_claim_registered_is_told_apart_by_what_it_does(monkeypatch):
    monkeypatch.setattr(optimisers, "_REGISTERED", dict(optimisers._REGISTERED))

    def registered(name, times):
        def made(parameters, recipe, options, device):
            return torch.optim.SGD(parameters, lr=recipe.lr * times * options["more"])

        optimisers.register(Optimiser(name, made, elementwise=True, options={"more": Option(1.0, NOT_NEGATIVE)}))
        return Run(DepthCNN(1, "relu"), Recipe(4, 20, 1, name, 0.01))

    found = [identity(registered(f"own {times}", times))["optimiser"] for times in (1.0, 1.001, math.nextafter(1, 2))]
    assert found[0] == found[2] != found[1]
    # The package's own are what the engine version says.
    assert "optimiser" not in identity(Run(DepthCNN(1, "relu"), RECIPE))


def test_what_an_optimiser_begins_to_do_later_tells_it_apart(monkeypatch):
    monkeypatch.setattr(optimisers, "_REGISTERED", dict(optimisers._REGISTERED))

    class Later(torch.optim.SGD):
        def __init__(self, parameters, lr, begins):
            super().__init__(parameters, lr=lr)
            self.left = begins

        def step(self, closure=None):
            self.left -= 1
            if self.left < 0:
                self.param_groups[0]["lr"] *= 0.9
            return super().step(closure)

    def found(name, begins):
        def made(parameters, recipe, options, device):
            return Later(parameters, recipe.lr, begins)

        optimisers.register(Optimiser(name, made, elementwise=True))
        return optimisers.behaviour(Recipe(4, 20, 1, name, 0.01))

    behaviours = [found(f"begins after {steps}", steps) for steps in (2, 5, 20, 90, 1000)]
    assert len(set(behaviours)) == 5
    assert behaviours[-1] == optimisers.behaviour(Recipe(4, 20, 1, "sgd", 0.01))


def test_an_optimiser_that_fails_is_named(monkeypatch):
    monkeypatch.setattr(optimisers, "_REGISTERED", dict(optimisers._REGISTERED))

    def made(parameters, recipe, options, device):
        raise RuntimeError("no such thing")

    optimisers.register(Optimiser("broken", made, elementwise=True))
    with pytest.raises(optimisers.OptimiserError, match="optimiser 'broken' fails on a parameter of 4 x 3: RuntimeErr"):
        identity(Run(DepthCNN(1, "relu"), Recipe(4, 20, 1, "broken", 0.01)))
