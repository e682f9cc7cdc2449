"""The four-way rule: what must be confirmed beside collapsed runs, which p is told, how many seeds settle."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.stats import detectable, seeds_for
from pytest_claims.stats.collapses import p_sign_flip
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import interval
from pytest_claims.stats.power import seeds_for_all
from pytest_claims.types import Doubt, Method, Outcome, Quantity, Shows

MARGIN = 5.0
# Of a contrast where a run collapsed, and of one where none did.
GUARDED, PLAIN = True, False


def about(mean, n=5, spread=0.1):
    """Differences that lie symmetrically about a mean."""
    return mean + spread * (np.arange(n) - (n - 1) / 2)


def decided(directions, sizes, alpha=0.05):
    contrasts = [[Contrast(*contrast) for contrast in of] for of in (directions, sizes)]
    return SimpleNamespace(**decide(*contrasts, MARGIN, alpha))


def unconfirmed(found):
    """The sign-flip tests that could not give a p as small as needed: (least p, fewest seeds) of each."""
    flips = [test for test in found.tests if test.method == Method.SIGN_FLIP and test.fewest]
    return [(test.least, test.fewest) for test in flips]


@pytest.mark.parametrize(
    ("mean", "outcome"), [(9, Outcome.REPRODUCED), (1, Outcome.TOO_SMALL), (-1, Outcome.CONTRADICTED)]
)
@pytest.mark.parametrize("direction", [PLAIN, GUARDED])
@pytest.mark.parametrize("size", [PLAIN, GUARDED])
@pytest.mark.parametrize("n", [4, 5])
def test_exclusions_that_the_verdict_rests_on_need_5_seeds_beside_a_collapse(mean, outcome, direction, size, n):
    found = decided([(about(mean, n), direction)], [(about(mean, n), size)])
    rests_on = {Outcome.REPRODUCED: [direction], Outcome.CONTRADICTED: [size]}.get(outcome, [direction, size])
    stands = n == 5 or GUARDED not in rests_on
    assert found.by_bounds == outcome
    assert found.outcome == (outcome if stands else Outcome.INCONCLUSIVE)
    assert found.doubt == (None if stands else Doubt.UNCONFIRMED)


def test_a_sign_flip_p_at_alpha_itself_confirms():
    assert decided([(about(9), GUARDED)], [(about(9), GUARDED)], alpha=2**-5).outcome == Outcome.REPRODUCED
    assert decided([(about(9), GUARDED)], [(about(9), GUARDED)], alpha=2**-5 - 1e-9).outcome == Outcome.INCONCLUSIVE


def test_the_doubt_names_the_seeds_that_the_failing_exclusion_needs_where_there_are_fewer():
    at_four = decided([(about(9, 4), GUARDED)], [(about(9, 4), GUARDED)])
    assert unconfirmed(at_four) == [(1 / 16, 5)]
    # Each of two sizes is excluded at half of alpha, which takes a seed more.
    split = decided([(about(-1), GUARDED)], [(about(-1), GUARDED)] * 2)
    assert unconfirmed(split)[-1] == (1 / 32, 6)
    # Five are enough, but these do not agree.
    apart = np.array([-0.01, 0.6, 0.6, 0.6, 1.2])
    found = decided([(apart, GUARDED)], [(apart + MARGIN, PLAIN)])
    assert (found.by_bounds, found.outcome) == (Outcome.REPRODUCED, Outcome.INCONCLUSIVE)
    assert unconfirmed(found) == []


def test_every_direction_must_hold_and_one_size_excluded_is_enough():
    large, small, wrong = ((about(mean), PLAIN) for mean in (9, 1, -1))
    assert decided([large, large], [large, large]).outcome == Outcome.REPRODUCED
    assert decided([large, small], [large, small]).outcome == Outcome.TOO_SMALL
    assert decided([large, wrong], [large, wrong]).outcome == Outcome.CONTRADICTED
    assert decided([large, wrong], [large, large]).outcome == Outcome.INCONCLUSIVE


CONTRASTS = st.lists(
    st.tuples(st.sampled_from([-3, 0.5, 1, 4, 4.8, 9]), st.sampled_from([0.1, 1.0, 3.0]), st.booleans()),
    min_size=1,
    max_size=3,
)


@given(CONTRASTS, CONTRASTS)
def test_p_is_that_of_what_the_verdict_rests_on(first, second):
    directions, sizes = ([(about(mean, 6, sd), flag) for mean, sd, flag in drawn] for drawn in (first, second))
    found = decided(directions, sizes)

    def p(differences, flag):
        by_t = interval(differences).p_above(0)
        return max(by_t, p_sign_flip(differences, 0)) if flag else by_t

    holds = max(p(differences, flag) for differences, flag in directions)
    fails = min(1.0, len(sizes) * min(p(MARGIN - differences, flag) for differences, flag in sizes))
    expected = {Outcome.CONTRADICTED: fails, Outcome.TOO_SMALL: max(holds, fails)}.get(found.outcome, holds)
    assert found.p == pytest.approx(expected)
    assert (found.p_holds, found.p_fails) == pytest.approx((holds, fails))


@pytest.mark.parametrize("outcome", [Outcome.TOO_SMALL, Outcome.CONTRADICTED])
@pytest.mark.parametrize(("direction", "size"), [(0.1, 1.0), (1.0, 0.1)])
def test_p_of_a_size_is_times_the_sizes_and_of_too_small_the_larger(outcome, direction, size):
    mean = 2 if outcome == Outcome.TOO_SMALL else -2
    found = decided([(about(mean, spread=direction), PLAIN)], [(about(2, spread=size), PLAIN)] * 3)
    assert found.outcome == outcome
    holds = interval(about(mean, spread=direction)).p_above(0)
    fails = 3 * interval(MARGIN - about(2, spread=size)).p_above(0)
    assert found.p == pytest.approx(max(holds, fails) if outcome == Outcome.TOO_SMALL else fails)


@pytest.mark.parametrize(("mean", "spread", "n"), [(2.0, 3.0, 5), (3.2, 3.0, 5), (1.4, 4.0, 7)])
def test_an_open_verdict_names_the_seeds_at_which_it_holds_or_a_size_is_excluded(mean, spread, n):
    differences = about(mean, n, spread)
    found = decided([(differences, PLAIN)] * 2, [(differences, PLAIN)] * 2)
    assert found.outcome == Outcome.INCONCLUSIVE
    sd = np.std(differences, ddof=1)
    ways = seeds_for_all([mean / sd] * 2), seeds_for(MARGIN - mean, sd=sd, alpha=0.025)
    assert found.seeds_to_settle == min(ways)


def test_what_is_open_beside_a_collapse_is_settled_by_no_fewer_seeds_than_sign_flips_need():
    # At this level 14, of any direction's and of a size's.
    small, large, wrong = (about(mean, 4, 0.001) for mean in (1, 9, -1))
    for directions, sizes in (
        ([(large, GUARDED), (large, PLAIN)], [(large, PLAIN)]),
        ([(wrong, PLAIN)], [(small, GUARDED)]),
    ):
        found = decided(directions, sizes, alpha=2.0**-14)
        assert found.outcome == Outcome.INCONCLUSIVE
        assert found.seeds_to_settle == 14


@pytest.mark.parametrize("mean", [1, -1])
def test_tests_say_against_which_value_they_are_of_what_and_at_which_level(mean):
    found = decided([(about(mean), PLAIN)], [(about(mean), PLAIN)] * 2, alpha=0.02)
    told = {(test.shows, test.threshold, test.level, test.of, test.times) for test in found.tests}
    assert told == {(Shows.EFFECT, 0.0, 0.02, 1, 1), (Shows.BELOW_MARGIN, MARGIN, 0.01, 2, 2)}
    # A contrast that names nothing else is a difference.
    assert {(test.comparison, test.quantity) for test in found.tests} == {((), Quantity.DIFFERENCE)}


def test_tests_are_of_the_contrast_that_decided_and_each_has_its_own_p():
    uneven = np.array([-2.0, 1.0, 1.5, 3.0, 0.5, 2.0])
    contrasts = [
        Contrast(differences, GUARDED, names, Quantity.SLOPE)
        for differences, names in ((uneven, ("a", "b")), (uneven + 2, ("c", "d")))
    ]
    found = SimpleNamespace(**decide(contrasts, contrasts, 9.0, 0.05))
    assert {test.quantity for test in found.tests} == {Quantity.SLOPE}
    # The weakest direction, and the size that is furthest from the margin.
    assert [(test.method, test.comparison) for test in found.tests] == [
        (method, ("a", "b")) for _ in range(2) for method in (Method.PAIRED_T, Method.SIGN_FLIP)
    ]
    expected = [p for side in (uneven, 9 - uneven) for p in (interval(side).p_above(0), p_sign_flip(side, 0))]
    assert [test.p for test in found.tests] == pytest.approx(expected)


def test_of_several_directions_all_are_detectable_together():
    near, far = about(2.0, 5, 1.0), about(2.0, 5, 3.0)
    found = decided([(near, PLAIN), (far, PLAIN)], [(near, PLAIN)], alpha=0.01)
    assert found.detectable == pytest.approx(detectable(np.std(far, ddof=1), 5, parts=2, alpha=0.01))


def test_seeds_for_all_directions_are_those_of_the_level_asked_for():
    differences = about(0.6, 5, 1.0)
    sd = np.std(differences, ddof=1)
    found = decided([(differences, PLAIN)] * 2, [(differences + 5, PLAIN)], alpha=0.01)
    assert found.seeds_to_settle == seeds_for_all([0.6 / sd] * 2, alpha=0.01) != seeds_for_all([0.6 / sd] * 2)


def test_what_is_detectable_is_so_at_the_level_asked_for():
    differences = about(2.0, 5, 3.0)
    for alpha in (0.05, 0.01):
        found = decided([(differences, PLAIN)], [(differences, PLAIN)], alpha=alpha)
        assert found.detectable == detectable(np.std(differences, ddof=1), 5, alpha=alpha)


def test_what_the_bounds_leave_open_is_open_without_a_doubt():
    found = decided([(about(2.0, 5, 3.0), GUARDED)], [(about(2.0, 5, 3.0), GUARDED)])
    assert (found.by_bounds, found.outcome, found.doubt) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, None)
