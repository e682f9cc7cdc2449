"""A result: where its verdict turns, where it belongs in a list, and that it travels whole."""

import dataclasses

import pytest

from pytest_claims.judge.result import ArmEvidence, OnRecord, Result, Sibling
from pytest_claims.types import (
    Agreement,
    Bound,
    ChosenSettings,
    Collapses,
    Confounded,
    Doubt,
    EqualDifferences,
    HypothesisTest,
    Look,
    Method,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Source,
    Verdict,
)

AB = ("a", "b")
TEST = HypothesisTest(
    method=Method.SIGN_FLIP,
    shows=Shows.EFFECT,
    threshold=2.0,
    p=0.02,
    level=0.01,
    comparison=AB,
    quantity=Quantity.SLOPE,
    two_sided=True,
    of=3,
    times=2,
    patterns=9999,
    least=0.0001,
    fewest=7,
)
PART = Verdict(
    outcome=Outcome.TOO_SMALL,
    procedure=Procedure.SUPERIORITY,
    effect=1.0,
    lower=0.5,
    upper=1.5,
    margin=2.0,
    p=0.02,
    n=5,
    by_bounds=Outcome.TOO_SMALL,
    p_holds=0.01,
    p_fails=0.02,
    alpha=0.05,
    notes=(EqualDifferences(5),),
)
# Nothing in these is a default.
VERDICT = dataclasses.replace(
    PART,
    outcome=Outcome.INCONCLUSIVE,
    comparison=AB,
    doubt=Doubt.UNCONFIRMED,
    tests=(TEST,),
    bounds=(
        Bound("lower", 0.5, 0.0, 0.05, 1.0, AB, Quantity.SPREAD),
        Bound("upper", 1.5, 2.0, 0.025, 1.0, AB, Quantity.SPREAD),
    ),
    seeds_to_settle=12,
    detectable=7.5,
    parts=(dataclasses.replace(PART, comparison=AB, parts=(PART,)), PART),
    notes=(Collapses((("a", 1),), 5), ChosenSettings(AB, at_edge=True)),
    confounders=(Confounded("the rate", "at a lower rate", PART, PART, "batch statistics"),),
    looks=(Look(5, 0.001, Outcome.INCONCLUSIVE), Look(10, 0.02, Outcome.INCONCLUSIVE)),
    holds_by=2,
    fails_by=3,
)
ARMS = (
    ArmEvidence("a", (5, 6), (40.5, 36.0), (False, True), 40.46, ("0a", "0b"), 10_000, 12.5, True),
    ArmEvidence("b", (5, 6), (30.0, 31.0), (False, False), None, ("0c", "0d")),
)
RESULT = Result(
    nodeid="claims/test_x.py::test_y[4]",
    id="A1a-4",
    finding="A2a",
    kind="best",
    claim="a is the best",
    source=Source("A paper", "Table 1", 3),
    contrast="a − b",
    verdict=VERDICT,
    agreement=Agreement(6.65, 3.78, -13.0, 26.3, 1),
    compared="a − c",
    arms=ARMS,
    scale="documented",
    data="cifar at data",
    data_kind="cifar",
    device="cpu",
    device_kind="cpu",
    enforced=True,
    planned=(5, 10, 20),
    next_look=20,
    command="pytest --seeds 20",
    placebo={"REPRODUCED": 3, "INCONCLUSIVE": 97},
    recorded="REPRODUCED",
    measured="gradient, log2",
    unit="doublings",
    images=True,
    claims=7,
    datasets={"cifar10": "cifar10 at data"},
    contrasted=AB,
    samples=2,
    siblings=(Sibling("8", "REPRODUCED", 1.5),),
    trained="DepthCNN on cifar10: 300 images a class",
    differences=(10.5, 5.0),
    more_seeds=10,
    capabilities=("", "AVX512"),
    evidence=(OnRecord("TOO SMALL", 1.5, 0.5, 2.5, "points", 20, "cifar", "cpu", "cpu (x)", "2026-11-21"),),
    elsewhere=(OnRecord("TOO SMALL", 1.5, 0.5, 2.5, "doublings", 20, "cifar", "cuda", "cuda:0 (y)", "2026-11-22"),),
)


def kinds_inside(value):
    """All values inside a result with their types, so that an Outcome is no str and a tuple no list."""
    if dataclasses.is_dataclass(value):
        return type(value), [
            (field.name, kinds_inside(getattr(value, field.name))) for field in dataclasses.fields(value)
        ]
    if isinstance(value, tuple | list):
        return type(value), [kinds_inside(item) for item in value]
    return type(value), value


@pytest.mark.parametrize(
    "result",
    [
        RESULT,
        dataclasses.replace(RESULT, agreement=None, next_look=None, enforced=False, placebo={}, arms=ARMS[:1]),
        dataclasses.replace(RESULT, verdict=PART, images=False),
    ],
)
def test_it_travels_whole_as_json(result):
    again = Result.from_json(result.to_json())
    assert again == result
    assert kinds_inside(again) == kinds_inside(result)


def test_what_a_result_is_not_told_is_empty():
    empty = {
        **dict.fromkeys(("recorded", "trained"), ""),
        **dict.fromkeys(("contrasted", "siblings", "differences", "evidence", "elsewhere", "capabilities"), ()),
        "placebo": {},
        "datasets": {},
        "measured": "test accuracy, %",
        "unit": "points",
        "images": False,
        "claims": 1,
        "samples": 1,
        "more_seeds": 0,
    }
    told = {field.name for field in dataclasses.fields(Result)} - empty.keys()
    found = Result(**{name: getattr(RESULT, name) for name in told})
    assert {name: getattr(found, name) for name in empty} == empty
    plain = ArmEvidence("a", (5,), (40.5,), (False,), None)
    assert (plain.runs, plain.test_images, plain.seconds, plain.at_chance) == ((), 0, 0.0, False)


def test_what_is_recorded_has_its_unit():
    assert RESULT.evidence[0].measured == "TOO SMALL +1.50 [+0.50, +2.50]"
    assert RESULT.elsewhere[0].measured == "TOO SMALL +1.50 [+0.50, +2.50] doublings"


def test_claims_speak_of_one_effect_if_its_size_its_unit_and_the_runs_that_decide_are_the_same():
    three = (*ARMS, dataclasses.replace(ARMS[0], label="c", runs=("0e",)))

    def effect(value, arms=three, named=AB, unit="points"):
        bounds = tuple(dataclasses.replace(bound, comparison=named) for bound in VERDICT.bounds)
        verdict = dataclasses.replace(VERDICT, effect=value, bounds=bounds)
        return dataclasses.replace(RESULT, verdict=verdict, arms=arms, unit=unit).measured_effect

    assert effect(1.2) == ("points", 1.2, frozenset({"0a", "0b", "0c", "0d"}))
    assert effect(1.2) == effect(-1.2) == effect(1.2000001)
    assert effect(1.2) != effect(1.200001)
    assert effect(1.2) != effect(1.2, unit="doublings")
    assert effect(1.2) == effect(1.2, arms=ARMS)
    # Where the bounds name no arm, all decide.
    assert effect(1.2, named=()) == ("points", 1.2, frozenset({"0a", "0b", "0c", "0d", "0e"}))


def test_the_result_that_travels_has_no_field_at_its_default():
    for value in (RESULT, VERDICT, ARMS[0]):
        for field in dataclasses.fields(value):
            empty = {} if field.default_factory is dict else field.default
            assert getattr(value, field.name) != empty, f"{field.name} could be lost on the way and no one would see"


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        *[(kind, {"margin": 2.0}) for kind in ("effect", "best", "spread")],
        *[(kind, {"lower limit": -2.0, "upper limit": 2.0}) for kind in ("equality", "some difference")],
        ("no fall", {"limit": -2.0}),
    ],
)
def test_the_limits_of_each_kind_of_claim(kind, limits):
    assert dataclasses.replace(RESULT, kind=kind).limits == limits


@pytest.mark.parametrize(
    ("kind", "enforced", "comparable"),
    [
        ("cifar", True, True),
        ("cifar+svhn", True, True),
        ("cifar", False, False),
        ("sample", True, True),
        ("sample", False, False),
        ("folders", True, False),
    ],
)
def test_figures_of_the_source_are_compared_on_real_images_by_its_recipe_alone(kind, enforced, comparable):
    assert dataclasses.replace(RESULT, data_kind=kind, enforced=enforced).comparable is comparable


def test_places_are_by_finding_first_then_by_the_numbers_in_the_words():
    def place(finding, claim):
        return dataclasses.replace(RESULT, finding=finding, claim=claim).place

    places = [
        place("A1", "batch 2, depth 10"),
        place("A1", "batch 16, depth 4"),
        place("A1", "batch 16, depth 12"),
        place("A1", "batch norm"),
        place("B1", "1 arm"),
        place("B1", "at batch 2"),
    ]
    turned = list(reversed(places))
    assert sorted(turned) == places


def test_the_mean_of_an_arm():
    assert ARMS[0].mean == 38.25


@pytest.mark.parametrize(
    ("outcome", "doubt", "next_look", "elsewhere", "words"),
    [
        (Outcome.REPRODUCED, None, None, False, "REPRODUCED"),
        (Outcome.REPRODUCED, None, None, True, "TRANSFERS"),
        (Outcome.TOO_SMALL, None, None, False, "TOO SMALL"),
        (Outcome.TOO_SMALL, None, None, True, "DOES NOT TRANSFER"),
        (Outcome.CONTRADICTED, None, None, True, "DOES NOT TRANSFER"),
        (Outcome.INCONCLUSIVE, None, None, True, "INCONCLUSIVE"),
        (Outcome.INCONCLUSIVE, None, 10, True, "OPEN 5/20"),
        (Outcome.INCONCLUSIVE, Doubt.NOT_COMPARABLE, 10, False, "OPEN 5/20"),
        (Outcome.INCONCLUSIVE, Doubt.NOT_COMPARABLE, None, False, "NOT COMPARABLE (at chance)"),
        (Outcome.INCONCLUSIVE, Doubt.UNCONFIRMED, None, False, "INCONCLUSIVE"),
    ],
)
def test_what_a_claim_is_called(outcome, doubt, next_look, elsewhere, words):
    verdict = dataclasses.replace(VERDICT, outcome=outcome, doubt=doubt, confounders=())
    source = dataclasses.replace(RESULT.source, elsewhere=elsewhere)
    found = dataclasses.replace(RESULT, verdict=verdict, source=source, next_look=next_look)
    assert found.verdict_words == found.badge == words
    assert words.startswith(found.called)
