"""The placebo: what is counted as found where nothing is, and how often it may be."""

import dataclasses
import math

import pytest

from pytest_claims.judge.placebo import placebo_result
from pytest_claims.types import Outcome
from tests_fast.judge.test_result import RESULT

DIRECTIONAL = ("effect", "best", "spread", "some difference")
ABSENCE = ("equality", "no fall")
KINDS = pytest.mark.parametrize(
    ("kind", "false"),
    [
        *[(kind, {Outcome.REPRODUCED, Outcome.TOO_SMALL}) for kind in DIRECTIONAL],
        *[(kind, {Outcome.CONTRADICTED}) for kind in ABSENCE],
    ],
)


def most(drawn):
    """The fewest findings that a 5 % error rate exceeds in at most 1 % of sessions, by summing the binomial."""
    total = 0.0
    for found in range(drawn + 1):
        total += math.comb(drawn, found) * 0.05**found * 0.95 ** (drawn - found)
        if total >= 0.99:
            return found
    raise AssertionError


def judged(kind, drawn, **found):
    """A claim of this kind, on whose results so many verdicts were drawn: those found, the rest INCONCLUSIVE."""
    outcomes = {str(Outcome[name]): count for name, count in found.items()}
    outcomes["INCONCLUSIVE"] = drawn - sum(outcomes.values())
    return dataclasses.replace(RESULT, kind=kind, placebo=outcomes)


def test_200_verdicts_may_find_18():
    assert most(200) == 18


@KINDS
@pytest.mark.parametrize("drawn", [200, 1000])
def test_each_kind_of_claim_may_find_what_chance_gives_and_no_more(kind, false, drawn):
    for outcome in false:
        for found, passed in ((most(drawn), True), (most(drawn) + 1, False)):
            result = placebo_result([judged(kind, drawn, **{outcome.name: found})])
            assert result.passed == passed
            (line,) = result.lines
            assert f"found in {found} of {drawn} verdicts on results reassigned at random ({found / drawn:.1%})" in line
            assert f"at most {most(drawn)} in 99 % of such sessions: " in line
            assert line.endswith(": holds") == passed
            assert ("DOES NOT HOLD" in line) == (not passed)


@KINDS
def test_other_outcomes_are_no_finding(kind, false):
    for outcome in set(Outcome) - false - {Outcome.INCONCLUSIVE}:
        result = placebo_result([judged(kind, 200, **{outcome.name: 200})])
        assert result.passed
        assert "found in 0 of 200 verdicts" in result.lines[0]


def test_too_small_and_reproduced_are_counted_together_and_over_claims():
    claims = [judged("effect", 100, REPRODUCED=9), judged("best", 100, TOO_SMALL=9)]
    assert placebo_result(claims).passed
    result = placebo_result([*claims, judged("spread", 1, REPRODUCED=1)])
    assert "an effect found in 19 of 201 verdicts" in result.lines[0]
    assert not result.passed


def test_each_group_of_claims_has_a_bound_of_its_own():
    quiet, loud = judged("effect", 2000), judged("equality", 200, CONTRADICTED=19)
    for claims in ([quiet, loud], [judged("equality", 2000), judged("effect", 200, REPRODUCED=19)]):
        result = placebo_result(claims)
        assert not result.passed
        assert [line.split(":")[0] for line in result.lines] == [
            "directional claims",
            "claims of equality or of no fall",
        ]
        assert sorted(line.endswith(": holds") for line in result.lines) == [False, True]
    assert placebo_result([quiet, judged("no fall", 200, CONTRADICTED=18)]).passed


def test_fewer_than_200_verdicts_are_too_few_to_pass():
    few = placebo_result([judged("effect", 199)])
    assert few.passed is False
    (line,) = few.lines
    assert line.endswith(
        "found in 0 of 199 verdicts on results reassigned at random (0.0%): too few to judge; 200 are needed"
    )
    # Nor do they pass beside others of which there are enough.
    beside = placebo_result([judged("effect", 199), judged("equality", 200)])
    assert not beside.passed
    assert beside.lines[1].endswith(": holds")
    assert len(beside.lines) == 2


@pytest.mark.parametrize("results", [[], [dataclasses.replace(RESULT, placebo={})]])
def test_nothing_judged_is_not_passed(results):
    result = placebo_result(results)
    assert not result.passed
    assert result.lines == ("nothing was judged: select claims that run, at least one",)
