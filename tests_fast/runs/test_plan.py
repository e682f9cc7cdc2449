"""Which runs claims need before anything is known of them."""

import dataclasses

import pytest
import torch

from models import DepthCNN
from pytest_claims.data import Choice
from pytest_claims.runs.plan import needed, plan
from pytest_claims.runs.store import Store
from pytest_claims.settings import TUNING_SEED, Settings
from pytest_claims.types import LOOKS, Arm, Claim, Recipe, Run, Source
from tests_fast.images import tiny
from tests_fast.runs.executors import Planted

RECIPE = Recipe(1, 10, 1, "sgd", 0.01)


def arm(width, **more):
    return Arm(DepthCNN(1, "relu", width=width), {"documented": RECIPE}, **more)


def claim(tunes=False):
    return Claim("P1", "planted", Source("A paper", "Table 1"), dict, tunes=tunes)


@pytest.fixture
def settings(tmp_path):
    return Settings(
        device=torch.device("cpu"),
        ray="",
        tf32=False,
        kernels="cudnn",
        scale="documented",
        data=Choice("files", tmp_path, "documented"),
        looks=LOOKS,
        planned=LOOKS,
        first_seed=3,
        placebo=False,
        store=tmp_path / "runs.sqlite",
        ledger=None,
        since="",
        only_stored=False,
        evidence=None,
        runs_of="",
        mix_capabilities=False,
        prefix=("pytest",),
        options=(),
    )


def asked(claims, settings, **which):
    """The seeds of each width, as (first, number), once for each time that it is listed."""
    runs = needed(claims, settings, **{"at_most": True, **which})
    return sorted((run.network.width, seeds.start, len(seeds)) for run, seeds in runs)


PLAIN, FALLEN = arm(1), arm(2, may_collapse=True)


def test_each_claim_is_counted_with_its_own_first_look(settings):
    claims = [(claim(), [PLAIN, arm(3)]), (claim(), [FALLEN, arm(4)])]
    assert asked(claims, settings) == [(1, 3, 5), (2, 3, 10), (3, 3, 5), (4, 3, 10)]
    assert asked(claims, settings, last=True) == [(width, 3, 20) for width in (1, 2, 3, 4)]


def test_an_arm_of_two_claims_is_needed_as_often_as_the_later_first_look_asks(settings):
    claims = [(claim(), [PLAIN, arm(3)]), (claim(), [FALLEN, PLAIN])]
    for order in (claims, claims[::-1]):
        assert asked(order, settings) == [(1, 3, 10), (2, 3, 10), (3, 3, 5)]


@pytest.mark.parametrize(("looks", "fallen"), [(LOOKS[:2], []), (LOOKS[:3], [(2, 3, 10)]), (LOOKS[:4], [(2, 3, 14)])])
def test_a_claim_that_the_session_ends_before_needs_nothing(settings, looks, fallen):
    capped = dataclasses.replace(settings, looks=looks)
    claims = [(claim(), [PLAIN]), (claim(), [FALLEN])]
    assert asked(claims, capped, last=True) == [(1, 3, looks[-1]), *fallen]


def test_a_fixed_number_of_seeds_is_that_number(settings):
    fixed = dataclasses.replace(settings, looks=(4,), planned=(4,))
    for last in (False, True):
        assert asked([(claim(), [PLAIN, FALLEN])], fixed, last=last) == [(1, 3, 4), (2, 3, 4)]


def test_settings_are_chosen_on_as_many_seeds_as_the_first_look_has(settings):
    tuned = [(claim(tunes=True), [PLAIN, FALLEN])]
    choosing = [(width, TUNING_SEED, 10) for width in (1, 2)]
    assert asked(tuned, settings, at_most=False) == choosing
    assert asked(tuned, settings) == sorted([*choosing, (1, 3, 10), (2, 3, 10)])


def test_a_network_of_other_classes_is_in_the_way_and_all_are_planned(settings, monkeypatch):
    monkeypatch.setattr("pytest_claims.runs.plan.load", lambda choice, name: tiny())
    runs = [(Run(DepthCNN(1, "relu", width=2, classes=classes), RECIPE), range(3)) for classes in (7, 10)]
    planned, obstacles = plan(runs, settings, Store(settings.store), Planted(lambda run, seed: None))
    assert [each.to_train for each in planned] == [5, 5]  # whole blocks
    assert obstacles == [
        "DepthCNN has classes=7, and the data set 'cifar10' has 10 classes. Give the network classes=10, or the arm "
        "another data set"
    ]
