"""A result names, as data, the arms that its contrast and its confounders speak of."""

import pytest

from pytest_claims.types import ChosenSettings
from tests_fast.judge.planted import around, judged

ARMS = {name: around(70 - 10 * place, n=24, seed=place) for place, name in enumerate("abcd")}
LEVELS = dict(zip((1, 2, 4, 8), "abcd", strict=True))


@pytest.mark.parametrize(
    ("assertion", "arguments", "options", "contrasted"),
    [
        ("assert_greater", ("a", "b"), {"margin": 1}, "ab"),
        ("assert_within", ("a", "b"), {"within": 1}, "ab"),
        ("assert_best", ("a", ["b", "c"]), {"margin": 1}, "a"),
        ("assert_steadier", ("c", ["a", "b"]), {"margin": 1}, "cab"),
        ("assert_spans_less", ("abc", "bcd"), {"margin": 1}, "bdac"),
        # The data choose the arms, or they stand along levels.
        ("assert_ranks", ("abc",), {"margin": 1}, ""),
        ("assert_no_difference", ("abc",), {"within": 1}, ""),
        ("assert_falls", (LEVELS,), {"margin": 1}, ""),
        ("assert_never_falls", (LEVELS,), {"margin": 1}, ""),
    ],
)
def test_the_arms_of_the_contrast(planting, assertion, arguments, options, contrasted):
    result = judged(planting.lab(ARMS), assertion, *arguments, **options)
    assert result.contrasted == tuple(contrasted)
    labels = {arm.label for arm in result.arms}
    assert set(result.contrasted) <= labels
    if not contrasted and "falls" not in assertion:
        assert {label for bound in result.verdict.bounds for label in bound.comparison} <= labels


@pytest.mark.parametrize(("best", "at_edge"), [(0.2, False), (0.1, True)])
def test_the_settings_that_were_chosen_are_a_note_of_labels(planting, best, at_edge):
    rates = (0.1, 0.2, 0.3, 0.4)
    arms = {(network, rate): around(60 + rate, seed=place) for network in "xy" for place, rate in enumerate(rates)}
    choosing = {("x", rate): 70.0 if rate == best else 60.0 for rate in rates}
    choosing |= {("y", rate): 70.0 if rate == 0.3 else 60.0 for rate in rates}
    lab = planting.lab(arms, choosing=choosing)
    needing, than = ({rate: (network, rate) for rate in rates} for network in "xy")
    found = judged(lab, "assert_needs_lower", needing, than, margin=1).verdict
    assert found.notes == (ChosenSettings((f"x {best}", "y 0.3"), at_edge),)
