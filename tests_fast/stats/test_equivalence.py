"""Two arms within d points, and no two of several arms differing by more."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats.weightstats import ttost_paired

from pytest_claims.report.procedures import rule_text
from pytest_claims.stats import detectable, equivalence, no_difference, seeds_for, some_difference
from pytest_claims.stats.collapses import by_sign_flips, p_sign_flip
from pytest_claims.stats.interval import interval
from pytest_claims.stats.power import more_than, seeds_for_all, soonest
from pytest_claims.types import (
    Bound,
    Collapses,
    Doubt,
    EqualDifferences,
    HypothesisTest,
    Method,
    Outcome,
    Procedure,
    Shows,
    Verdict,
)

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
    assert [(bound.alpha, bound.threshold) for bound in far.bounds] == [(0.025, 1.0), (0.025, -1.0)]
    assert far.bounds[0].value > 1.0


def test_a_large_p_is_no_evidence_of_equality():
    found = equivalence([50.0, 60.0, 40.0, 55.0], [52.0, 49.0, 51.0, 50.0], within=3)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.seeds_to_settle > 4


@pytest.mark.parametrize(
    ("gain", "outcome", "p"),
    [
        (0.0, Outcome.REPRODUCED, 0),
        (0.2, Outcome.REPRODUCED, 0),
        (0.3, Outcome.CONTRADICTED, 0),
        (-0.3, Outcome.CONTRADICTED, 0),
    ],
)
def test_equal_differences_are_a_point(gain, outcome, p):
    base = np.array([60.0, 61.7, 10.1])
    found = equivalence(base + gain, base, within=0.3)
    assert (found.outcome, found.p) == (outcome, p)
    assert {found.p_holds, found.p_fails} == {0.0, 1.0}
    assert found.notes == (EqualDifferences(3),)


@given(st.integers(3, 6).flatmap(lambda n: hnp.arrays(np.float64, (3, n), elements=ACCURACY)), WIDTHS)
def test_no_difference_is_reproduced_exactly_when_every_pair_is(arms, within):
    named = dict(zip("abc", arms, strict=True))
    found = no_difference(named, within=within)
    pairs = [equivalence(named[a], named[b], within=within) for a, b in itertools.combinations("abc", 2)]
    assert list(found.parts) == [
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
    assert {part.comparison: part for part in found.parts}["a", "b"].outcome == Outcome.CONTRADICTED
    assert found.outcome == Outcome.INCONCLUSIVE
    sure = no_difference({**arms, "b": arms["b"] + 3}, within=1.8)
    assert sure.outcome == Outcome.CONTRADICTED
    # The pair that is surest to lie outside is shown, not the widest.
    assert [bound.comparison for bound in sure.bounds] == [("b", "c")] * 2
    assert [bound.alpha for bound in sure.bounds] == [0.05 / 3 / 2] * 2
    assert (sure.lower, sure.upper) == tuple(bound.value for bound in sure.bounds)
    assert sure.effect == {part.comparison: part for part in sure.parts}["b", "c"].effect
    (_, beyond) = sure.tests
    assert (beyond.comparison, beyond.times, beyond.corrected) == (("b", "c"), 3, sure.p_fails)


@st.composite
def three_arms(draw):
    """Three arms near each other or far apart, by name."""
    arms = draw(st.integers(3, 6).flatmap(lambda n: hnp.arrays(np.float64, (3, n), elements=ACCURACY)))
    apart = draw(st.lists(st.sampled_from([0, 0, 20, -300]), min_size=3, max_size=3))
    return dict(zip("abc", arms / 5 + np.array(apart)[:, None], strict=True))


LEVELS = st.sampled_from([0.05, 0.01])


@settings(max_examples=60)
@given(three_arms(), WIDTHS, LEVELS)
def test_the_widest_pair_is_shown_or_the_one_that_surely_lies_outside_with_the_bounds_that_say_so(arms, within, alpha):
    found = no_difference(arms, within=within, alpha=alpha)

    def pairs(level):
        return [equivalence(arms[a], arms[b], within=within, alpha=level) for a, b in itertools.combinations("abc", 2)]

    plain = pairs(alpha)
    surest = min(range(3), key=lambda pair: plain[pair].p_fails)
    widest = max(range(3), key=lambda pair: max(-plain[pair].lower, plain[pair].upper))
    refuted = found.outcome == Outcome.CONTRADICTED
    # Split over the three pairs and over the two sides.
    shown = pairs(alpha / 6)[surest] if refuted else plain[widest]
    assert (found.effect, found.lower, found.upper) == (shown.effect, shown.lower, shown.upper)
    assert refuted == any(max(pair.lower, -pair.upper) >= within for pair in pairs(alpha / 6))
    assert found.p_holds == max(pair.p_holds for pair in plain)
    assert found.p_fails == min(1.0, 3 * plain[surest].p_fails)
    assert found.p == (found.p_fails if refuted else found.p_holds)
    assert ["a − b", "a − c", "b − c"][surest if refuted else widest] in rule_text(found)
    spreads = [np.std(arms[a] - arms[b], ddof=1) for a, b in itertools.combinations("abc", 2)]
    assert found.detectable == pytest.approx(detectable(max(spreads), found.n, parts=6, alpha=alpha), abs=1e-9)


@given(PAIRS, WIDTHS, st.booleans())
def test_of_two_arms_no_difference_is_equivalence(pair, within, collapsed):
    flags = np.full((2, pair.shape[1]), collapsed)
    alone = equivalence(*pair, within=within, collapsed=tuple(flags))
    found = no_difference(
        dict(zip("ab", pair, strict=True)), within=within, collapsed=dict(zip("ab", flags, strict=True))
    )
    for field in ("outcome", "effect", "p", "p_holds", "p_fails", "seeds_to_settle", "detectable", "n"):
        assert getattr(found, field) == getattr(alone, field)


FLAGS = {name: np.zeros(6, dtype=bool) for name in "abc"}
FLAGGED = pytest.mark.parametrize("name", list("abc"))


def far_and_near(distance, n=6):
    """a and b alike, c this far from both."""
    noise = np.random.default_rng(5).normal(0, 0.1, (3, n))
    return dict(zip("abc", noise + np.array([[60.0], [60.0], [60.0 + distance]]), strict=True))


@FLAGGED
def test_one_collapse_anywhere_and_arms_are_not_equal(name):
    arms = far_and_near(0)
    assert no_difference(arms, within=1).outcome == Outcome.REPRODUCED
    found = no_difference(arms, within=1, collapsed={**FLAGS, name: np.arange(6) == 0})
    assert (found.outcome, found.p_holds, found.seeds_to_settle) == (Outcome.INCONCLUSIVE, 1.0, None)
    assert rule_text(found).count("runs at chance are equal whatever the arms do") == 1
    assert sum(bool(part.notes) for part in found.parts) == 2
    turned = some_difference(arms, beyond=1, collapsed={**FLAGS, name: np.arange(6) == 0})
    assert (turned.outcome, turned.p_fails) == (Outcome.INCONCLUSIVE, 1.0)


@pytest.mark.parametrize(
    ("n", "outcome"), [(5, Outcome.INCONCLUSIVE), (6, Outcome.INCONCLUSIVE), (7, Outcome.CONTRADICTED)]
)
def test_beside_a_collapse_a_pair_lies_outside_if_sign_flips_at_the_split_level_say_so(n, outcome):
    # Over two sides and three pairs, 7 seeds are the fewest: 6 / 2^7 < .05 < 6 / 2^6.
    arms = far_and_near(-30, n)
    everywhere = {name: np.ones(n, dtype=bool) for name in "abc"}
    found = no_difference(arms, within=1, collapsed=everywhere)
    assert found.outcome == outcome
    assert ("the sign-flip test does not confirm CONTRADICTED" in rule_text(found)) == (n < 7)
    assert found.p == found.p_fails == pytest.approx(6 / 2**n)
    assert n == 7 or found.seeds_to_settle == 7


# Few draws stay undecided, which is what the test is about.
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(three_arms(), WIDTHS)
def test_open_claims_are_settled_once_all_pairs_are_inside_or_one_is_surely_outside(arms, within):
    found = no_difference(arms, within=within)
    differences = [arms[a] - arms[b] for a, b in itertools.combinations("abc", 2)]
    assume(found.outcome == Outcome.INCONCLUSIVE and all(np.std(each) > 1e-3 for each in differences))
    each = [(abs(np.mean(values)), np.std(values, ddof=1)) for values in differences]
    assume(all(abs(effect - within) > 1e-6 for effect, _ in each))
    if all(effect < within for effect, _ in each):
        expected = seeds_for_all([(within + side * effect) / sd for effect, sd in each for side in (1, -1)])
    else:
        ways = [seeds_for(effect - within, sd=sd, alpha=0.05 / 6) for effect, sd in each]
        expected = min((seeds for seeds in ways if seeds is not None), default=None)
    assert found.seeds_to_settle == (None if expected is None else max(expected, found.n + 1))


def test_a_pair_without_a_collapse_may_lie_outside_where_one_with_it_cannot():
    arms = far_and_near(-30)
    arms["b"] = arms["a"] - 15
    found = no_difference(arms, within=1, collapsed={**FLAGS, "c": np.ones(6, dtype=bool)})
    assert found.outcome == Outcome.CONTRADICTED
    assert rule_text(found).startswith("a − b: ")


def test_refusals():
    with pytest.raises(ValueError, match="at least two"):
        no_difference({"a": [1.0, 2.0, 3.0]}, within=1)
    with pytest.raises(ValueError, match="c: nan at position 1"):
        no_difference({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "c": [1.0, np.nan, 3.0]}, within=1)
    with pytest.raises(ValueError, match=r"^within is 0"):
        equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], within=0)
    with pytest.raises(ValueError, match=r"^within is 0"):
        no_difference({name: [1.0, 2.0, 3.0] for name in "ab"}, within=0)
    with pytest.raises(ValueError, match="a has 3 seeds and b 4"):
        equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], within=1)


def test_numbers_are_builtins(builtin_numbers):
    rng = np.random.default_rng(0)
    arms = dict(zip("abc", rng.normal(50, 1, (3, 5)), strict=True))
    for within in (0.01, 1, np.float64(100)):
        builtin_numbers(equivalence(arms["a"], arms["b"], within=within))
        builtin_numbers(no_difference(arms, within=within))
    builtin_numbers(no_difference({**arms, "b": arms["b"] + 30}, within=1))


@given(hnp.arrays(np.float64, (3, 5), elements=ACCURACY), WIDTHS, LEVELS)
def test_some_difference_is_no_difference_turned_over(arms, beyond, alpha):
    named = dict(zip("abc", arms, strict=True))
    none, some = (
        no_difference(named, within=beyond, alpha=alpha),
        some_difference(named, beyond=beyond, alpha=alpha),
    )
    turned = {Outcome.REPRODUCED: Outcome.CONTRADICTED, Outcome.CONTRADICTED: Outcome.REPRODUCED}
    assert some.outcome == turned.get(none.outcome, none.outcome)
    assert some.by_bounds == turned.get(none.by_bounds, none.by_bounds)
    assert (some.tests, some.bounds, some.parts) == (none.tests, none.bounds, none.parts)
    assert (some.p_holds, some.p_fails) == (none.p_fails, none.p_holds)
    assert (some.effect, some.lower, some.upper) == (none.effect, none.lower, none.upper)
    # In either the p of what would be REPRODUCED, where nothing was decided.
    assert some.p == (none.p if some.outcome != Outcome.INCONCLUSIVE else none.p_fails)
    if some.outcome != Outcome.INCONCLUSIVE:
        assert some.p <= alpha


# Differences from 0 that are not symmetric, and the same about any other mean.
UNEVEN = np.array([-0.5, -0.3, -0.1, 0.1, 0.2, 0.6])
WITHIN, ALPHA = 1.0, 0.03


def two_sided(at):
    """p of "within", where the differences vary."""
    return min(1.0, 2 * min(at.p_above(WITHIN), at.p_below(-WITHIN)))


def flipped(differences):
    return min(1.0, 2 * min(p_sign_flip(differences, WITHIN), p_sign_flip(-differences, WITHIN)))


def both_beyond(at, differences, names, level, times, guarded):
    tests = HypothesisTest(
        Method.PAIRED_T, Shows.BEYOND, WITHIN, two_sided(at), level, names, two_sided=True, of=times, times=times
    )
    return (tests, by_sign_flips(tests, flipped(differences), len(differences)))[: 1 + guarded]


def bounds_of(at, names, alpha, low, high):
    return (
        Bound("lower", at.lower, low, alpha, at.effect, names),
        Bound("upper", at.upper, high, alpha, at.effect, names),
    )


@pytest.mark.parametrize("resolution", [0.0, 0.5])
@pytest.mark.parametrize("gone", [None, 0, 1])
@pytest.mark.parametrize("mean", [0.1, -0.9, 1.4, -2.0, 7.0])
def test_every_number_of_an_equivalence_is_that_of_its_two_intervals(alike, resolution, gone, mean):
    differences, rounding, names, n = UNEVEN + mean, resolution * np.sqrt(2 / 12), ("one", "other"), 6
    base = np.array([60.0, 61.0, 59.0, 60.5, 62.0, 58.0])
    flags, guarded = [np.arange(n) < (gone == at) for at in (0, 1)], gone is not None
    found = equivalence(
        base + differences,
        base,
        within=WITHIN,
        collapsed=tuple(flags),
        alpha=ALPHA,
        resolution=resolution,
        names=names,
    )
    at, wide = (interval(differences, level, rounding) for level in (ALPHA, ALPHA / 2))
    p_inside = 1.0 if guarded else max(at.p_above(-WITHIN), at.p_below(WITHIN))
    beyond = both_beyond(at, differences, names, ALPHA, 1, guarded)
    p_beyond = max(test.p for test in beyond)
    by_bounds, doubt = Outcome.INCONCLUSIVE, None
    if max(-at.lower, at.upper) < WITHIN:
        by_bounds, doubt = Outcome.REPRODUCED, Doubt.AT_CHANCE if guarded else None
    elif max(wide.lower, -wide.upper) >= WITHIN:
        by_bounds, doubt = Outcome.CONTRADICTED, Doubt.UNCONFIRMED if p_beyond > ALPHA else None
    refuted, outcome = by_bounds == Outcome.CONTRADICTED, Outcome.INCONCLUSIVE if doubt else by_bounds
    inside = None if guarded else seeds_for(WITHIN - at.effect, WITHIN + at.effect, sd=at.sd, alpha=ALPHA)
    ways = inside or seeds_for(abs(at.effect) - WITHIN, sd=at.sd, alpha=ALPHA / 2)
    settle = more_than(n, ways, flips=guarded, alpha=ALPHA / 2)
    shown = (wide, names, ALPHA / 2, WITHIN, -WITHIN) if refuted else (at, names, ALPHA, -WITHIN, WITHIN)
    expected = Verdict(
        outcome=outcome,
        procedure=Procedure.EQUIVALENCE,
        comparison=names,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=WITHIN,
        p=p_beyond if refuted else p_inside,
        n=n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_inside,
        p_fails=p_beyond,
        fails_by=2,
        alpha=ALPHA,
        tests=(
            HypothesisTest(Method.TOST, Shows.WITHIN, WITHIN, p_inside, ALPHA, names),
            *(beyond if refuted else ()),
        ),
        bounds=bounds_of(*shown),
        seeds_to_settle=settle if outcome == Outcome.INCONCLUSIVE else None,
        detectable=detectable(at.sd, n, parts=2, alpha=ALPHA),
        notes=(Collapses((("one", int(gone == 0)), ("other", int(gone == 1))), n),) * guarded,
    )
    alike(found, expected)


@pytest.mark.parametrize("resolution", [0.0, 0.5])
@pytest.mark.parametrize("gone", ["", "a", "c"])
@pytest.mark.parametrize("means", [(0.0, 0.1), (0.9, 0.0), (1.5, -0.3), (0.2, -2.2), (0.5, 9.0), (-9.0, 0.0)])
def test_every_number_of_no_difference_is_that_of_its_pairs(alike, resolution, gone, means):
    n, rounding, pairs = 6, resolution * np.sqrt(2 / 12), [("a", "b"), ("a", "c"), ("b", "c")]
    base = np.array([60.0, 61.0, 59.0, 60.5, 62.0, 58.0])
    arms = {"a": base, "b": base + UNEVEN + means[0], "c": base + 2 * UNEVEN[::-1] / 3 + means[1]}
    flags = {name: np.arange(n) < (name == gone) for name in arms}
    options = {"alpha": ALPHA, "resolution": resolution}
    found = no_difference(arms, within=WITHIN, collapsed=flags, **options)
    differences = [arms[one] - arms[other] for one, other in pairs]
    side, guarded = ALPHA / 6, [gone in pair and gone != "" for pair in pairs]
    plain, wide = ([interval(each, level, rounding) for each in differences] for level in (ALPHA, side))
    parts = tuple(
        equivalence(
            arms[one], arms[other], within=WITHIN, collapsed=(flags[one], flags[other]), names=(one, other), **options
        )
        for one, other in pairs
    )
    p_holds = 1.0 if gone else max(max(at.p_above(-WITHIN), at.p_below(WITHIN)) for at in plain)
    beyond = [part.p_fails for part in parts]
    p_fails, surest = min(1.0, 3 * min(beyond)), beyond.index(min(beyond))
    widest = max(range(3), key=lambda which: max(-plain[which].lower, plain[which].upper))
    apart = [which for which in range(3) if max(wide[which].lower, -wide[which].upper) >= WITHIN]
    confirmed = [which for which in apart if beyond[which] <= ALPHA / 3]
    by_bounds, doubt, shown = Outcome.INCONCLUSIVE, None, widest
    tests = (HypothesisTest(Method.TOST, Shows.WITHIN, WITHIN, p_holds, ALPHA, of=3),)
    bounds = bounds_of(plain[widest], pairs[widest], ALPHA, -WITHIN, WITHIN)
    if max(-plain[widest].lower, plain[widest].upper) < WITHIN:
        by_bounds, doubt = Outcome.REPRODUCED, Doubt.AT_CHANCE if gone else None
    elif apart:
        by_bounds, doubt = Outcome.CONTRADICTED, None if confirmed else Doubt.UNCONFIRMED
        shown = min(confirmed or apart, key=lambda which: beyond[which])
        tests += both_beyond(plain[surest], differences[surest], pairs[surest], ALPHA / 3, 3, guarded[surest])
        bounds = bounds_of(wide[shown], pairs[shown], side, WITHIN, -WITHIN)
    outcome = Outcome.INCONCLUSIVE if doubt else by_bounds
    if all(abs(at.effect) < WITHIN for at in plain):
        distances = [(WITHIN + sign * at.effect) / at.sd for at in plain for sign in (1, -1)]
        ways = None if gone else seeds_for_all(distances, alpha=ALPHA)
    else:
        ways = soonest(seeds_for(abs(at.effect) - WITHIN, sd=at.sd, alpha=side) for at in plain)
    settle = more_than(n, ways, flips=bool(gone), alpha=side)
    displayed = wide[shown] if outcome == Outcome.CONTRADICTED else plain[shown]
    expected = Verdict(
        outcome=outcome,
        procedure=Procedure.NO_DIFFERENCE,
        effect=displayed.effect,
        lower=displayed.lower,
        upper=displayed.upper,
        margin=WITHIN,
        p=p_fails if by_bounds == Outcome.CONTRADICTED else p_holds,
        n=n,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=6,
        alpha=ALPHA,
        tests=tests,
        bounds=bounds,
        seeds_to_settle=settle if outcome == Outcome.INCONCLUSIVE else None,
        detectable=max(detectable(at.sd, n, parts=6, alpha=ALPHA) for at in plain),
        parts=parts,
    )
    alike(found, expected)
    # Turned over, what would be shown, and by which p, is the other.
    other = {Outcome.REPRODUCED: Outcome.CONTRADICTED, Outcome.CONTRADICTED: Outcome.REPRODUCED}
    some = dataclasses.replace(
        expected,
        outcome=other.get(outcome, outcome),
        procedure=Procedure.SOME_DIFFERENCE,
        by_bounds=other.get(by_bounds, by_bounds),
        p=p_fails if outcome == Outcome.INCONCLUSIVE else expected.p,
        p_holds=p_fails,
        p_fails=p_holds,
        holds_by=6,
        fails_by=1,
    )
    alike(some_difference(arms, beyond=WITHIN, collapsed=flags, **options), some)


def test_a_difference_that_too_few_signs_confirm_is_settled_by_as_many_seeds_as_they_need():
    gone, base = np.ones(4, dtype=bool), np.array([60.0, 61.0, 59.0, 60.5])
    found = equivalence(base + 9 + UNEVEN[:4], base, within=1, collapsed=(gone, gone), alpha=0.04)
    assert (found.by_bounds, found.outcome) == (Outcome.CONTRADICTED, Outcome.INCONCLUSIVE)
    # Each of two sides has half of alpha: 2^-6 is the first below .02.
    assert found.seeds_to_settle == 6


def test_a_sign_flip_p_at_alpha_itself_confirms_a_difference():
    """All of six lie outside on one side: over both, 2 / 2^6."""
    base, n = np.array([60.0, 61.0, 59.0, 60.5, 62.0, 58.0]), 6
    gone = np.ones(n, dtype=bool)
    for less, outcome in ((0.0, Outcome.CONTRADICTED), (1e-9, Outcome.INCONCLUSIVE)):
        one = equivalence(base + 9 + UNEVEN, base, within=1, collapsed=(gone, gone), alpha=2.0**-5 - less)
        assert one.outcome == outcome
        arms = {"a": base, "b": base + 9 + UNEVEN, "c": base - 9 - UNEVEN[::-1]}
        several = no_difference(arms, within=1, collapsed=dict.fromkeys("abc", gone), alpha=3 * 2.0**-5 - 3 * less)
        assert several.outcome == outcome
