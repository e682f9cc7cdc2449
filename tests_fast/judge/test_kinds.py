"""The table of kinds: every place that depends on the kind of a claim reads it, and an unknown kind is an error."""

import dataclasses
import json

import pytest

from pytest_claims.judge.assertion import Assertion
from pytest_claims.judge.kinds import KINDS, kind_of
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.judge.result import Result
from pytest_claims.report.failure import failure_text
from pytest_claims.types import Outcome, Procedure
from tests_fast.judge import test_result
from tests_fast.judge.test_result import VERDICT


def with_seeds(arm):
    """With as many seeds as the verdict has."""
    flags, values = (False, True, False, False, False), (arm.values[0],) * 5
    return dataclasses.replace(arm, seeds=(5, 6, 7, 8, 9), values=values, collapsed=flags, runs=("0a",) * 5)


RESULT = dataclasses.replace(test_result.RESULT, arms=tuple(map(with_seeds, test_result.ARMS)))
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
UNKNOWN = f"unknown kind of claim 'louder'; known: {', '.join(repr(name) for name in KINDS)}"


def test_an_unknown_kind_is_an_error_that_names_those_that_are_known():
    for unknown in (
        lambda: kind_of("louder"),
        lambda: Assertion("louder", ("a", "b"), lambda arms, /, *, collapsed, alpha: None, "a − b"),
        lambda: dataclasses.replace(RESULT, kind="louder"),
        lambda: Result.from_json(json.dumps({**json.loads(RESULT.to_json()), "kind": "louder"})),
    ):
        with pytest.raises(ValueError, match=UNKNOWN):
            unknown()


def test_units_signs_and_spreads_are_those_of_the_kind():
    expected = {
        "effect": ("", True, False),
        "best": ("", True, False),
        "spread": ("doublings", True, True),
        "equality": ("", False, False),
        "some difference": ("", False, False),
        "speed": ("doublings", True, False),
        "no fall": ("", True, False),
    }
    found = {kind.name: (kind.unit, kind.directed, kind.compares_spreads) for kind in KINDS.values()}
    assert found == expected, "of a new kind add a line here"


ONE_SIDED, CHOSEN = "one-sided 95 % bounds", "bounds (of a pair that the data chose)"


@pytest.mark.parametrize(
    ("kind", "of_two", "of_three"),
    [
        ("effect", ONE_SIDED, ONE_SIDED),
        ("speed", ONE_SIDED, ONE_SIDED),
        ("spread", ONE_SIDED, "bounds"),
        ("best", "bounds", "bounds"),
        ("no fall", "bounds", "bounds"),
        ("equality", ONE_SIDED, CHOSEN),
        ("some difference", "bounds", CHOSEN),
    ],
)
def test_bounds_are_called_one_sided_where_they_hold_that_level(kind, of_two, of_three):
    assert KINDS[kind].bounds(dataclasses.replace(VERDICT, parts=()), 2) == of_two
    assert KINDS[kind].bounds(VERDICT, 3) == of_three


@pytest.mark.parametrize("kind", ["effect", "equality"])
def test_bounds_of_spans_hold_no_level_of_their_own(kind):
    spans = dataclasses.replace(VERDICT, parts=(), procedure=Procedure.SPANS)
    assert KINDS[kind].bounds(spans, 2) == "bounds"


@EVERY
@pytest.mark.parametrize("flagged", [False, True])
@pytest.mark.parametrize("settle", [None, 12])
@pytest.mark.parametrize("detectable", [None, 7.5])
def test_a_kind_has_advice_of_its_own_where_more_seeds_are_none(kind, flagged, settle, detectable):
    verdict = dataclasses.replace(VERDICT, seeds_to_settle=settle, detectable=detectable)
    beside_flags, short = settle is None and flagged, detectable is None
    begins, holds = {
        "equality": ("Runs collapsed, and beside them no number of seeds shows equality", beside_flags),
        "no fall": ("Runs collapsed, and beside them no number of seeds shows equality", beside_flags),
        "speed": ("Runs never came to the accuracy, and beside them more seeds settle nothing", beside_flags),
        "spread": (f"5 seeds are too few to compare spreads, whatever they show; take at least {settle}", short),
    }.get(kind.name, ("", False))
    advice = kind.unsettled(verdict, flagged)
    assert advice.startswith(begins) if holds else advice == ""


@EVERY
def test_a_placebo_counts_every_kind_of_claim(kind):
    (false, *_) = kind.group.shows
    result = dataclasses.replace(RESULT, kind=kind.name, placebo={str(false): 200})
    (line,) = placebo_result([result]).lines
    assert line.startswith(f"{kind.group.name}: {kind.group.found} in 200 of 200")


@EVERY
def test_no_outcome_both_shows_an_effect_and_settles_nothing(kind):
    for outcomes in (kind.group.shows, kind.group.excludes):
        assert outcomes
        assert Outcome.INCONCLUSIVE not in outcomes
    # What a claim is called when it holds is never what it is called when it fails.
    assert (Outcome.REPRODUCED in kind.group.shows) != (Outcome.REPRODUCED in kind.group.excludes)
    assert (Outcome.CONTRADICTED in kind.group.shows) != (Outcome.CONTRADICTED in kind.group.excludes)


@EVERY
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("flagged", [False, True])
def test_every_verdict_of_every_kind_is_told(kind, outcome, flagged):
    verdict = dataclasses.replace(RESULT.verdict, outcome=outcome, by_bounds=outcome, doubt=None, looks=())
    arms = tuple(dataclasses.replace(arm, collapsed=(flagged, *[False] * 4)) for arm in RESULT.arms)
    result = dataclasses.replace(RESULT, kind=kind.name, verdict=verdict, arms=arms, next_look=None)
    text = " ".join(failure_text(result).split())
    assert kind.says.get(outcome, "").format(margin="2 doublings") in text
    null = kind.nulls[outcome in (Outcome.TOO_SMALL, Outcome.CONTRADICTED)]
    assert f"if {null.format(margin='2 doublings')}" in text
    assert kind.power.format(detectable="7.50 doublings") in text
    assert (f"! {kind.flag}" in text) == flagged
    assert "{" not in text
    for name, value in kind.limits(2.0).items():
        assert f"^ {name} {value:+.2f}" in text or f"{name} {value:+.2f} ^" in text


@EVERY
def test_runs_that_are_all_flagged_are_told_first(kind):
    arms = tuple(dataclasses.replace(arm, collapsed=(True,) * 5) for arm in RESULT.arms)
    assert kind.all_flagged in " ".join(failure_text(dataclasses.replace(RESULT, kind=kind.name, arms=arms)).split())
