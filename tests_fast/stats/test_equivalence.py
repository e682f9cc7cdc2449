"""Two arms within d points, and no two of several arms differing by more."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats.weightstats import ttost_paired

from harness.claim import Outcome
from harness.stats import equivalence, no_difference, some_difference

ACCURACY = st.integers(0, 1000).map(lambda count: count / 100)
PAIRS = st.integers(3, 9).flatmap(lambda n: hnp.arrays(np.float64, (2, n), elements=ACCURACY))
WIDTHS = st.sampled_from([0.5, 1.0, 3.0, 6.0])


@st.composite
def mirrored(draw):
    """Two arms whose differences lie symmetrically about their mean: there no correction for skewness is due."""
    half = draw(st.lists(st.integers(1, 300), min_size=2, max_size=4))
    middle, centre = [0] * draw(st.integers(0, 1)), draw(st.integers(-400, 400))
    differences = np.array([centre + step for step in (*half, *middle, *(-step for step in half))]) / 100
    other = draw(hnp.arrays(np.float64, len(differences), elements=ACCURACY))
    return np.stack([other + differences, other])


@given(mirrored(), WIDTHS)
def test_of_symmetric_differences_p_is_statsmodels_tost(pair, within):
    found = equivalence(*pair, within=within)
    tost = float(ttost_paired(*pair, -within, within)[0])
    assert found.p_holds == pytest.approx(tost, abs=1e-9)
    assume(abs(tost - 0.05) > 1e-6)
    assert (found.outcome == Outcome.REPRODUCED) == (tost < 0.05)


@given(PAIRS, WIDTHS)
def test_p_is_never_below_statsmodels_tost_and_agrees_with_the_interval(pair, within):
    assume(np.std(pair[0] - pair[1]) > 1e-3)
    found = equivalence(*pair, within=within)
    assume(min(abs(found.lower + within), abs(found.upper - within)) > 1e-9)
    assert found.p_holds >= float(ttost_paired(*pair, -within, within)[0]) - 1e-9
    assert (found.outcome == Outcome.REPRODUCED) == (found.p_holds < 0.05)
    assert (found.outcome == Outcome.REPRODUCED) == (-within < found.lower and found.upper < within)
    assert found.p == (found.p_fails if found.outcome == Outcome.CONTRADICTED else found.p_holds)


def test_one_seed_far_out_on_one_side_is_not_equivalent_though_students_tost_says_so():
    a, b = np.array([50.0, 51.0, 49.0, 50.5, 50.0]), np.array([50.0, 51.0, 49.0, 50.5, 49.0])
    assert ttost_paired(a, b, -0.9, 0.9)[0] < 0.05
    assert equivalence(a, b, within=0.9).outcome == Outcome.INCONCLUSIVE


@given(PAIRS, WIDTHS, st.floats(1.01, 5))
def test_a_wider_margin_never_harms(pair, within, factor):
    order = [Outcome.CONTRADICTED, Outcome.INCONCLUSIVE, Outcome.REPRODUCED]
    narrow, wide = equivalence(*pair, within=within), equivalence(*pair, within=within * factor)
    assert order.index(wide.outcome) >= order.index(narrow.outcome)


@given(PAIRS, WIDTHS, st.floats(-20, 20))
def test_neither_order_of_arms_nor_seeds_nor_a_common_shift_changes_it(pair, within, shift):
    found = equivalence(*pair, within=within)
    assume(min(abs(abs(found.lower) - within), abs(abs(found.upper) - within)) > 1e-6)
    for other in (
        equivalence(*pair[::-1], within=within),
        equivalence(*pair[:, ::-1], within=within),
        equivalence(*(pair + shift), within=within),
    ):
        assert other.outcome == found.outcome
        assert other.p == pytest.approx(found.p, abs=1e-8)


def test_contradicted_takes_the_two_sided_95_percent_interval():
    # Bounds of the 90 % interval lie just outside 1, those of the 95 % interval do not.
    differences = np.array([1.0, 2.0, 3.0, 4.0, 5.0]) * 0.5 + 0.3
    found = equivalence(differences, np.zeros(5), within=1.0)
    assert found.lower > 1.0
    assert found.outcome == Outcome.INCONCLUSIVE
    far = equivalence(differences + 1, np.zeros(5), within=1.0)
    assert far.outcome == Outcome.CONTRADICTED
    assert far.p < 0.05
    assert "95 % interval" in far.rule


def test_a_large_p_is_no_evidence_of_equality():
    found = equivalence([50.0, 60.0, 40.0, 55.0], [52.0, 49.0, 51.0, 50.0], within=3)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.seeds_to_settle > 4


@pytest.mark.parametrize(
    ("gain", "outcome", "p"),
    [(0.0, Outcome.REPRODUCED, 0), (0.2, Outcome.REPRODUCED, 0), (0.3, Outcome.CONTRADICTED, 0)],
)
def test_equal_differences_are_a_point(gain, outcome, p):
    base = np.array([60.0, 61.7, 10.1])
    found = equivalence(base + gain, base, within=0.3)
    assert (found.outcome, found.p) == (outcome, p)
    assert "all 3 differences are equal" in found.notes[0]


@given(st.integers(3, 6).flatmap(lambda n: hnp.arrays(np.float64, (3, n), elements=ACCURACY)), WIDTHS)
def test_no_difference_is_reproduced_exactly_when_every_pair_is(arms, within):
    named = dict(zip("abc", arms, strict=True))
    found = no_difference(named, within=within)
    pairs = [equivalence(named[a], named[b], within=within) for a, b in itertools.combinations("abc", 2)]
    assert [part for _, part in found.parts] == [
        equivalence(named[a], named[b], within=within, names=(a, b)) for a, b in itertools.combinations("abc", 2)
    ]
    outcomes = {pair.outcome for pair in pairs}
    assert (found.outcome == Outcome.REPRODUCED) == (outcomes == {Outcome.REPRODUCED})
    if found.outcome == Outcome.CONTRADICTED:
        assert Outcome.CONTRADICTED in outcomes
        assert found.p <= 0.05


def test_no_difference_corrects_contradiction_for_the_number_of_pairs():
    rng = np.random.default_rng(3)
    base = rng.normal(50, 1, 5)
    # One pair contradicted at 5 %, but at 5 % / 3 it is not.
    ahead = np.array([2.2, 3.0, 2.0, 3.9, 3.1])
    arms = {"a": base, "b": base + ahead, "c": base + ahead / 2}
    found = no_difference(arms, within=1.8)
    assert dict(found.parts)["a − b"].outcome == Outcome.CONTRADICTED
    assert found.outcome == Outcome.INCONCLUSIVE
    sure = no_difference({**arms, "b": arms["b"] + 3}, within=1.8)
    assert sure.outcome == Outcome.CONTRADICTED
    # The pair that is surest to lie outside is shown, not the widest.
    assert sure.rule.startswith("b − c: the 98.33 % interval (split over 3 pairs)")
    assert sure.effect == dict(sure.parts)["b − c"].effect


def test_refusals():
    with pytest.raises(ValueError, match="at least two"):
        no_difference({"a": [1.0, 2.0, 3.0]}, within=1)
    with pytest.raises(ValueError, match="c: nan at position 1"):
        no_difference({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "c": [1.0, np.nan, 3.0]}, within=1)
    with pytest.raises(ValueError, match="within is 0"):
        equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], within=0)
    with pytest.raises(ValueError, match="a has 3 seeds and b 4"):
        equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], within=1)


def test_numbers_are_builtins(builtin_numbers):
    rng = np.random.default_rng(0)
    arms = dict(zip("abc", rng.normal(50, 1, (3, 5)), strict=True))
    for within in (0.01, 1, np.float64(100)):
        builtin_numbers(equivalence(arms["a"], arms["b"], within=within))
        builtin_numbers(no_difference(arms, within=within))
    builtin_numbers(no_difference({**arms, "b": arms["b"] + 30}, within=1))


@given(hnp.arrays(np.float64, (3, 5), elements=ACCURACY), WIDTHS)
def test_some_difference_is_no_difference_turned_over(arms, beyond):
    named = dict(zip("abc", arms, strict=True))
    none, some = no_difference(named, within=beyond), some_difference(named, beyond=beyond)
    turned = {Outcome.REPRODUCED: Outcome.CONTRADICTED, Outcome.CONTRADICTED: Outcome.REPRODUCED}
    assert some.outcome == turned.get(none.outcome, none.outcome)
    assert (some.p_holds, some.p_fails) == (none.p_fails, none.p_holds)
    assert (some.effect, some.lower, some.upper) == (none.effect, none.lower, none.upper)
    if some.outcome != Outcome.INCONCLUSIVE:
        assert some.p <= 0.05
