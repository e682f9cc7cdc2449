"""What a result carries for its reader: what was tested, how the arms were trained, what the next step takes."""

import numpy as np
import pytest

from pytest_claims.report.tested import tested as shown
from tests_fast.judge.planted import around, judged

ARMS = {name: around(70 - 5 * place, n=10, seed=place) for place, name in enumerate("abcd")}
LEVELS = dict(zip((1, 2, 4, 8), "abcd", strict=True))
GAPS = {1: ("b", "c"), 2: ("a", "d")}


@pytest.mark.parametrize(
    ("assertion", "arguments", "options", "pair"),
    [
        ("assert_greater", ("a", "b"), {"margin": 1}, "ab"),
        ("assert_within", ("b", "a"), {"within": 1}, "ba"),
        ("assert_falls", (LEVELS,), {"margin": 1}, "ad"),
        ("assert_rises", (LEVELS,), {"margin": 1}, "da"),
        ("assert_gap_widens", (GAPS,), {"margin": 1}, ""),
        # The data choose the pair.
        ("assert_no_difference", ("abd",), {"within": 1}, "ad"),
        ("assert_best", ("a", ["c", "b"]), {"margin": 1}, "ab"),
    ],
)
def test_the_effect_is_the_mean_of_the_differences_that_are_shown(planting, assertion, arguments, options, pair):
    result = judged(planting.lab(ARMS), assertion, *arguments, **options)
    found = shown(result)
    assert found.differences.mean() == pytest.approx(result.verdict.effect)
    assert "".join(arm.label for arm in found.pair or ()) == pair
    if pair:
        np.testing.assert_allclose(found.differences, ARMS[pair[0]] - ARMS[pair[1]])
    assert found.agreeing == 10


def test_where_the_effect_is_no_mean_of_differences_none_are_shown(planting):
    many = {"a": around(60, n=20, spread=1, seed=0), "b": around(60, n=20, spread=3, seed=1)}
    for assertion, arguments in (("assert_steadier", ("a", ["b"])), ("assert_never_falls", ({1: "a", 2: "b"},))):
        assert shown(judged(planting.lab(many), assertion, *arguments, margin=1)) is None


def test_the_next_command_names_the_claim_by_its_id_and_its_seeds_are_counted(planting):
    settled = judged(planting.lab(ARMS), "assert_greater", "b", "a", margin=1)
    assert settled.command == "pytest claims -k claims/test_p.py::test_p --scale documented --seeds 20 --first-seed 10"
    assert settled.more_seeds == 20
    assert [arm.seconds for arm in settled.arms] == [pytest.approx(0.01)] * 2
    assert settled.trained.startswith("Planted on cifar10: ")


def test_an_open_claim_s_command_goes_on_to_the_next_look(planting):
    doubtful = {"a": ARMS["a"], "b": ARMS["a"] + np.tile([3.0, -2.5], 5)}
    open_ = judged(planting.lab(doubtful, looks=(5,), planned=(5, 10)), "assert_greater", "b", "a", margin=1)
    assert open_.next_look == 10
    assert open_.more_seeds == 5
    assert open_.command.endswith(" --max-seeds 10")
