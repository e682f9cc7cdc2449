"""Trends along levels, and never falling along them."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pytest_claims.stats import detectable, never_falls, seeds_for, superiority, trend
from pytest_claims.stats.collapses import by_sign_flips, more_collapses, p_sign_flip
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import interval
from pytest_claims.stats.levels import contrasts_along
from pytest_claims.stats.power import more_than, seeds_for_all, soonest
from pytest_claims.types import (
    Bound,
    Collapses,
    Doubt,
    EqualDifferences,
    HypothesisTest,
    Method,
    MonotoneTrend,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Verdict,
)

ACCURACY = st.integers(0, 1000).map(lambda count: count / 100)
GRIDS = st.tuples(st.integers(3, 8), st.integers(2, 5)).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=ACCURACY)
)
MARGINS = st.sampled_from([0.5, 2.0, 5.0])
# The source's runs, one row a repetition, depths 1 to 8.
SIGMOID = np.array(
    [
        [20.29, 21.42, 22.04, 22.77, 24.96, 23.68, 16.90, 18.87],
        [18.91, 20.46, 21.53, 24.91, 21.72, 23.20, 20.60, 19.00],
        [18.49, 21.69, 20.77, 20.65, 21.55, 24.45, 23.64, 15.63],
        [21.03, 23.34, 23.81, 23.75, 19.78, 21.10, 21.50, 19.50],
        [16.30, 21.83, 21.86, 22.69, 21.64, 20.30, 23.28, 19.94],
    ]
)
RELU = np.array(
    [
        [23.88, 29.90, 32.82, 32.75, 34.11, 36.33, 38.52, 42.19],
        [21.63, 28.89, 33.84, 36.78, 33.76, 36.89, 38.43, 35.46],
        [24.09, 30.01, 33.49, 33.65, 35.36, 35.27, 36.67, 38.76],
        [23.15, 26.13, 30.74, 36.28, 37.24, 38.46, 37.38, 32.96],
        [22.29, 31.01, 32.27, 36.46, 35.44, 34.03, 36.43, 38.69],
    ]
)
DEPTHS = range(1, 9)


def levels_of(values):
    return [2**index for index in range(values.shape[1])]


@given(GRIDS, MARGINS, st.sampled_from([1, -1]))
def test_the_compound_rule_of_a_trend(values, margin, direction):
    found = trend(levels_of(values), values, direction=direction, margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-9)
    x = np.arange(values.shape[1])
    slopes = np.array([direction * np.polyfit(x, row, 1)[0] for row in values])
    low = interval(slopes).lower
    if np.std(slopes) < 1e-9:
        rises = slopes.mean() > 1e-9
    else:
        assume(abs(low) > 1e-9)
        rises = low > 0
        # Student's bound is never the stricter one.
        assert low <= stats.ttest_1samp(slopes, 0, alternative="greater").confidence_interval(0.95).low + 1e-9
    ends = direction * (values[:, -1] - values[:, 0])
    alone = superiority(ends, np.zeros(len(ends)), margin=margin).outcome
    if rises:
        assert found.outcome == alone
    else:
        without = {Outcome.REPRODUCED: Outcome.INCONCLUSIVE, Outcome.TOO_SMALL: Outcome.CONTRADICTED}
        assert found.outcome == without.get(alone, alone)


@given(GRIDS, MARGINS)
def test_falling_is_rising_upside_down(values, margin):
    down = trend(levels_of(values), values, direction=-1, margin=margin)
    up = trend(levels_of(values), -values, direction=1, margin=margin)
    assert (down.outcome, down.effect, down.p) == (up.outcome, up.effect, up.p)


def test_the_source_figures_of_depth():
    assert trend(DEPTHS, RELU, direction=1, margin=2).outcome == Outcome.REPRODUCED
    # "Deteriorates with depth": the source's own figures rise before they fall, and do not settle it.
    assert trend(DEPTHS, SIGMOID, direction=-1, margin=2).outcome == Outcome.INCONCLUSIVE
    peak_on = trend(range(4, 9), SIGMOID[:, 3:], direction=-1, margin=2)
    assert peak_on.outcome == Outcome.REPRODUCED


def test_pages_test_is_a_note():
    found = trend(DEPTHS, RELU, direction=1, margin=2)
    assert stats.page_trend_test(RELU).pvalue < 1e-4
    assert MonotoneTrend(float(stats.page_trend_test(RELU).pvalue)) in found.notes
    falling = trend(range(4, 9), SIGMOID[:, 3:], direction=-1, margin=2)
    expected = stats.page_trend_test(SIGMOID[:, :2:-1]).pvalue
    assert falling.notes == (MonotoneTrend(float(expected)),)
    assert trend([1, 2], RELU[:, :2], direction=1, margin=2).notes == ()


def test_ends_that_differ_without_a_slope_are_not_a_trend():
    rng = np.random.default_rng(0)
    values = np.array([0.0, 6.0, 6.0, -6.0, -6.0, 2.0]) + rng.normal(0, 0.1, (5, 6))
    found = trend(levels_of(values), values, direction=1, margin=1)
    assert found.lower > 0
    assert found.outcome == Outcome.INCONCLUSIVE
    *_, slope = found.bounds
    assert (slope.quantity, slope.value <= 0) == (Quantity.SLOPE, True)
    assert found.seeds_to_settle is None
    assert trend(levels_of(values), values, direction=1, margin=5).outcome == Outcome.CONTRADICTED


def test_collapsed_runs_of_a_trend_need_the_sign_flip():
    values = np.array([[40.0, 30.0, 10.0], [41.0, 31.0, 10.0], [42.0, 31.0, 10.5], [41.0, 30.5, 10.0]])
    assert trend([1, 2, 4], values, direction=-1, margin=2).outcome == Outcome.REPRODUCED
    found = trend([1, 2, 4], values, direction=-1, margin=2, collapsed=values < 11)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.doubt == Doubt.UNCONFIRMED
    assert found.notes[0] == Collapses((("1", 0), ("2", 0), ("4", 4)), 4)
    # The level that is claimed to be higher comes first.
    assert (found.notes[1].labels, found.notes[1].counts, found.notes[1].alone) == (("1", "4"), (0, 4), (0, 4))
    assert found.seeds_to_settle == 5


@given(GRIDS, MARGINS)
def test_never_falls_looks_at_every_two_levels(values, margin):
    found = never_falls(levels_of(values), values, margin=margin)
    k = values.shape[1]
    spans = sorted(itertools.combinations(range(k), 2), key=lambda span: (span[1] - span[0], span))
    outcomes = [part.outcome for part in found.parts]
    assert len(outcomes) == len(spans)
    assert (found.outcome == Outcome.REPRODUCED) == (set(outcomes) == {Outcome.REPRODUCED})
    assert (found.outcome == Outcome.REPRODUCED) == (found.lower > -margin)
    assert (found.outcome == Outcome.CONTRADICTED) == (found.upper < -margin)
    assert found.lower <= found.effect <= found.upper
    for part, (before, after) in zip(found.parts, spans, strict=True):
        assert part.comparison == (str(2**before), str(2**after))
        change = values[:, after] - values[:, before]
        assert part.p_holds == interval(change).p_above(-margin)
        assert part.p == (part.p_fails if part.outcome == Outcome.CONTRADICTED else part.p_holds)
        if np.std(change) > 1e-3:
            student = stats.ttest_1samp(change, -margin, alternative="greater").pvalue
            assert part.p_holds >= student - 1e-9


@given(
    st.lists(st.integers(1, 300), min_size=2, max_size=4).map(
        lambda half: np.array([*half, *(-h for h in half)]) / 100
    ),
    st.integers(-400, 400).map(lambda count: count / 100),
    MARGINS,
)
def test_of_symmetric_changes_never_falls_has_students_p(deviations, centre, margin):
    change = centre + deviations
    found = never_falls([1, 2], np.column_stack([np.full(len(change), 30.0), 30.0 + change]), margin=margin)
    expected = stats.ttest_1samp(change, -margin, alternative="greater").pvalue
    assert found.p_holds == pytest.approx(expected, abs=1e-9)
    assert found.p_fails == pytest.approx(1 - expected, abs=1e-9)


@given(GRIDS, MARGINS)
def test_a_wider_margin_never_harms_never_falls(values, margin):
    order = [Outcome.CONTRADICTED, Outcome.INCONCLUSIVE, Outcome.REPRODUCED]
    narrow, wide = (never_falls(levels_of(values), values, margin=m).outcome for m in (margin, 2 * margin))
    assert order.index(wide) >= order.index(narrow)


def test_never_falls_on_plain_figures():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.2, (5, 4))
    assert never_falls([1, 2, 4, 8], noise + np.array([30, 33, 34, 34]), margin=1).outcome == Outcome.REPRODUCED
    dip = never_falls([1, 2, 4, 8], noise + np.array([30, 33, 29, 36]), margin=1)
    assert dip.outcome == Outcome.CONTRADICTED
    assert dip.bounds[1].comparison == ("2", "4")
    # No step falls by more than the margin, but together they do.
    creep = never_falls([1, 2, 4, 8], noise + np.array([30, 29.3, 28.6, 27.9]), margin=1)
    assert creep.outcome == Outcome.CONTRADICTED
    assert creep.bounds[1].comparison == ("1", "8")
    unsure = never_falls([1, 2, 4, 8], rng.normal(0, 3, (5, 4)), margin=1)
    assert unsure.outcome == Outcome.INCONCLUSIVE
    assert unsure.seeds_to_settle > 5


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_between_a_rise_and_the_end_is_seen(seed):
    """No step falls by more than 1.8 and the ends rise: by these alone "no fall of more than 2" was REPRODUCED."""
    means = np.array([50, 60, 58.2, 56.4, 54.6, 52.8, 51.0, 50.5])
    values = means + np.random.default_rng(seed).normal(0, 0.15, (20, 8))
    found = never_falls(levels_of(values), values, margin=2)
    assert found.outcome == Outcome.CONTRADICTED
    # From the top to the last: neither a step nor the ends.
    assert {bound.comparison for bound in found.bounds} == {("2", "128")}
    assert found.effect == pytest.approx(-9.5, abs=0.2)
    steps = [part for part in found.parts if int(part.comparison[1]) == 2 * int(part.comparison[0])]
    ends = never_falls([1, 128], values[:, [0, -1]], margin=2)
    assert {part.outcome for part in (*steps, ends)} == {Outcome.REPRODUCED}


@pytest.mark.parametrize(
    "procedure",
    [lambda *a, **b: trend(*a, **b, direction=1, margin=1), lambda *a, **b: never_falls(*a, **b, margin=1)],
)
class TestRefusals:
    @pytest.mark.parametrize("levels", [[1, 1, 2], [2, 1, 3], [0, 1, 2], [-1, 1, 2], [1, 2, np.inf]])
    def test_levels(self, procedure, levels):
        with pytest.raises(ValueError, match="positive and ascending"):
            procedure(levels, RELU[:, :3])

    def test_shape(self, procedure):
        with pytest.raises(ValueError, match=r"values have shape \[5, 8\]; needed: \[seeds, 2\]"):
            procedure([1, 2], RELU)

    def test_nan_is_named_by_level_and_position(self, procedure):
        values = RELU[:, :3].copy()
        values[4, 1] = np.nan
        with pytest.raises(ValueError, match="level 2: nan at position 4"):
            procedure([1, 2, 3], values)

    def test_flags_of_another_shape(self, procedure):
        for flags in (np.zeros((5, 2), dtype=bool), np.zeros(5, dtype=bool)):
            with pytest.raises(ValueError, match=r"collapsed has shape \[5.*needed: that of values, \[5, 3\]"):
                procedure([1, 2, 3], RELU[:, :3], collapsed=flags)

    def test_seeds(self, procedure):
        with pytest.raises(ValueError, match="2 seeds; at least 3"):
            procedure([1, 2, 3], RELU[:2, :3])


def test_refused_directions_and_margins():
    with pytest.raises(ValueError, match="direction is 0"):
        trend([1, 2], RELU[:, :2], direction=0, margin=1)
    with pytest.raises(ValueError, match="margin is 0"):
        trend([1, 2], RELU[:, :2], direction=1, margin=0)
    with pytest.raises(ValueError, match="margin is -1"):
        never_falls([1, 2], RELU[:, :2], margin=-1)


def test_constant_values_are_a_point():
    flat = np.full((4, 3), 50.0)
    assert trend([1, 2, 4], flat, direction=1, margin=1).outcome == Outcome.CONTRADICTED
    steady = never_falls([1, 2, 4], flat, margin=1)
    assert (steady.outcome, steady.p) == (Outcome.REPRODUCED, 0.0)


def test_numbers_are_builtins(builtin_numbers):
    for values in (RELU, SIGMOID, np.full((4, 8), 50.0), -RELU):
        builtin_numbers(trend(DEPTHS, values, direction=1, margin=np.float64(2)))
        builtin_numbers(never_falls(DEPTHS, values, margin=np.int64(2)))


# Five seeds at three levels, of which the last lies two doublings above the second.
SPACED = (2, 4, 16)
ROWS = np.array([[0.0, 0.4, 1.1], [0.3, 0.1, 1.9], [0.2, 0.9, 1.0], [0.5, 0.6, 2.2], [0.1, 0.2, 1.4]])
RESOLUTIONS = pytest.mark.parametrize("resolution", [0.0, 0.5])
# Flags of one run at each of these levels.
GONE = pytest.mark.parametrize("gone", [(), (0,), (1,), (2,)])


def collapsed_at(columns):
    flags = np.zeros(ROWS.shape, dtype=bool)
    flags[0, list(columns)] = True
    return flags


def counts_of(flags):
    return (Collapses(tuple(zip(("2", "4", "16"), flags.sum(axis=0).tolist(), strict=True)), 5),) * bool(flags.any())


@RESOLUTIONS
@GONE
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("margin", [0.3, 6.0])
def test_every_number_of_a_trend_is_that_of_its_ends_and_of_its_line(alike, resolution, gone, direction, margin):
    flags, alpha, span = collapsed_at(gone), 0.02, ("2", "16")
    found = trend(SPACED, ROWS, direction=direction, margin=margin, collapsed=flags, alpha=alpha, resolution=resolution)
    x = np.array([0.0, 1.0, 3.0])
    ends = direction * (ROWS[:, 2] - ROWS[:, 0])
    slopes = direction * np.array([np.polyfit(x, row, 1)[0] for row in ROWS])
    # An accuracy is uniform over an image. The weights of a slope are those of least squares.
    image = resolution / np.sqrt(12)
    of_ends, of_slope = np.sqrt(2) * image, image / np.sqrt(((x - x.mean()) ** 2).sum())
    contrasts = [
        Contrast(ends, bool(flags[:, [0, 2]].any()), span, rounding=of_ends),
        Contrast(3 * slopes, bool(flags.any()), span, Quantity.SLOPE, 3 * of_slope),
    ]
    at, slope = interval(ends, alpha, of_ends), interval(slopes, alpha, of_slope)
    labels, low, high = (span, 0, 2) if direction < 0 else (span[::-1], 2, 0)
    page = stats.page_trend_test(ROWS if direction > 0 else ROWS[:, ::-1]).pvalue
    expected = Verdict(
        **decide(contrasts, contrasts[:1], margin, alpha),
        procedure=Procedure.TREND,
        comparison=span,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        n=5,
        bounds=(
            Bound("lower", at.lower, 0.0, alpha, at.effect, span),
            Bound("upper", at.upper, margin, alpha, at.effect, span),
            Bound("lower", slope.lower, 0.0, alpha, slope.effect, span, Quantity.SLOPE),
        ),
        notes=(
            *counts_of(flags),
            *[more_collapses(flags[:, low], flags[:, high], labels)] * bool(flags[:, [0, 2]].any()),
            MonotoneTrend(float(page)),
        ),
    )
    alike(found, expected)
    if not gone:
        defaults = trend(SPACED, ROWS, direction=direction, margin=margin, alpha=alpha, resolution=resolution)
        alike(defaults, expected)


# So much more from level to level: no fall, an open question with the effect on either side of the margin, a fall.
@pytest.mark.parametrize(("resolution", "gone"), [(0.0, ()), (0.5, ()), (0.5, (0,)), (0.0, (1,)), (0.5, (2,))])
@pytest.mark.parametrize("shift", [0.0, -0.6, -0.9, -1.4, -9.0])
def test_every_number_of_no_fall_is_that_of_all_its_changes(alike, resolution, gone, shift):
    flags, alpha, margin = collapsed_at(gone), 0.12, 0.5
    rows = ROWS + shift * np.arange(3)
    found = never_falls(SPACED, rows, margin=margin, collapsed=flags, alpha=alpha, resolution=resolution)
    spans, names = [(0, 1), (1, 2), (0, 2)], [("2", "4"), ("4", "16"), ("2", "16")]
    changes = [rows[:, after] - rows[:, before] for before, after in spans]
    rounding, share, guarded = resolution * np.sqrt(2 / 12), alpha / 3, bool(gone)
    plain, strict = ([interval(change, level, rounding) for change in changes] for level in (alpha, share))

    def no_fall(p, comparison=(), of=1):
        return HypothesisTest(Method.PAIRED_T, Shows.NO_FALL, -margin, p, alpha, comparison, of=of)

    def fall(which, level, times):
        p, name = plain[which].p_below(-margin), names[which]
        by_t = HypothesisTest(Method.PAIRED_T, Shows.FALL, -margin, p, level, name, of=times, times=times)
        if times == 1 or not flags[:, list(spans[which])].any():
            return (by_t,)
        return by_t, by_sign_flips(by_t, p_sign_flip(-changes[which], margin), 5)

    def alone(which):
        at, name = plain[which], names[which]
        outcome = Outcome.REPRODUCED if at.lower > -margin else Outcome.INCONCLUSIVE
        outcome = Outcome.CONTRADICTED if at.upper < -margin else outcome
        p_holds, falls = at.p_above(-margin), fall(which, alpha, 1)
        settle = more_than(5, seeds_for(abs(at.effect + margin), sd=at.sd, alpha=alpha))
        return Verdict(
            outcome=outcome,
            procedure=Procedure.CHANGE,
            comparison=name,
            effect=at.effect,
            lower=at.lower,
            upper=at.upper,
            margin=margin,
            p=falls[0].p if outcome == Outcome.CONTRADICTED else p_holds,
            n=5,
            by_bounds=outcome,
            p_holds=p_holds,
            p_fails=falls[0].p,
            alpha=alpha,
            tests=(no_fall(p_holds, name), *falls * (outcome == Outcome.CONTRADICTED)),
            bounds=(
                Bound("lower", at.lower, -margin, alpha, at.effect, name),
                Bound("upper", at.upper, -margin, alpha, at.effect, name),
            ),
            seeds_to_settle=settle if outcome == Outcome.INCONCLUSIVE else None,
            detectable=detectable(at.sd, 5, alpha=alpha),
        )

    falls = [fall(which, share, 3) for which in range(3)]
    p_fall = [max(test.p for test in tests) for tests in falls]
    p_holds, p_fails = 1.0 if gone else max(at.p_above(-margin) for at in plain), min(1.0, 3 * min(p_fall))
    deepest = min(range(3), key=lambda which: plain[which].lower)
    surest = min(range(3), key=lambda which: strict[which].upper)
    effect, doubt, by_bounds = min(at.effect for at in plain), None, Outcome.INCONCLUSIVE
    if plain[deepest].lower > -margin:
        by_bounds, doubt = Outcome.REPRODUCED, Doubt.AT_CHANCE if gone else None
    elif strict[surest].upper < -margin:
        shown = any(at.upper < -margin and p <= share for at, p in zip(strict, p_fall, strict=True))
        by_bounds, doubt = Outcome.CONTRADICTED, None if shown else Doubt.UNCONFIRMED
    refuted, outcome = by_bounds == Outcome.CONTRADICTED, Outcome.INCONCLUSIVE if doubt else by_bounds
    if effect > -margin:
        settle = None if gone else seeds_for_all([(at.effect + margin) / at.sd for at in plain], alpha=alpha)
    else:
        settle = soonest(seeds_for(-margin - at.effect, sd=at.sd, alpha=share) for at in plain)
    settle = more_than(5, settle, flips=guarded, alpha=share)
    expected = Verdict(
        outcome=outcome,
        procedure=Procedure.NO_FALL,
        effect=effect,
        lower=plain[deepest].lower,
        upper=strict[surest].upper,
        margin=margin,
        p=p_fails if refuted else p_holds,
        n=5,
        by_bounds=by_bounds,
        doubt=doubt,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=3,
        alpha=alpha,
        tests=(no_fall(p_holds, of=3), *(falls[p_fall.index(min(p_fall))] * refuted)),
        bounds=(
            Bound("lower", plain[deepest].lower, -margin, alpha, plain[deepest].effect, names[deepest]),
            Bound("upper", strict[surest].upper, -margin, share, strict[surest].effect, names[surest]),
        ),
        seeds_to_settle=settle if outcome == Outcome.INCONCLUSIVE else None,
        detectable=max(detectable(at.sd, 5, parts=3, alpha=alpha) for at in plain),
        parts=tuple(map(alone, range(3))),
        notes=counts_of(flags),
    )
    alike(found, expected)


def test_a_change_that_is_the_same_in_every_seed_is_noted():
    rows = np.array([[1.0, 2.0], [3.0, 4.0], [4.0, 5.0]])
    assert never_falls([1, 2], rows, margin=1).parts[0].notes == (EqualDifferences(3),)
    assert trend([1, 2], rows, direction=1, margin=1).notes == (EqualDifferences(3),)


def test_a_sign_flip_p_of_a_fall_at_its_part_of_alpha_confirms():
    rows, flags = ROWS - 20 * np.arange(3), collapsed_at((0,))
    # All five fall, and each of three changes has a third of alpha.
    for alpha, outcome in ((3 * 2.0**-5, Outcome.CONTRADICTED), (3 * 2.0**-5 - 1e-9, Outcome.INCONCLUSIVE)):
        gone = np.ones(ROWS.shape, dtype=bool)
        assert never_falls(SPACED, rows, margin=0.5, collapsed=gone, alpha=alpha).outcome == outcome
        # The change between the other two levels needs no signs.
        assert never_falls(SPACED, rows, margin=0.5, collapsed=flags, alpha=alpha).outcome == Outcome.CONTRADICTED


def test_a_fall_of_just_the_margin_in_every_seed_is_neither_excluded_nor_shown():
    rows = np.array([[1.0, 0.0], [3.0, 2.0], [4.0, 3.0]])
    found = never_falls([1, 2], rows, margin=1)
    assert {found.outcome, found.by_bounds, found.parts[0].outcome} == {Outcome.INCONCLUSIVE}
    assert {found.seeds_to_settle, found.parts[0].seeds_to_settle} == {None}


def test_a_fall_that_too_few_signs_confirm_is_settled_by_as_many_seeds_as_they_need():
    found = never_falls(SPACED, ROWS[:4] - 20 * np.arange(3), margin=0.5, collapsed=np.ones((4, 3), dtype=bool))
    assert (found.by_bounds, found.outcome) == (Outcome.CONTRADICTED, Outcome.INCONCLUSIVE)
    # Each of three changes has a third of .05: 2^-6 is the first below.
    assert found.seeds_to_settle == 6


def test_flags_may_be_ones_and_zeros():
    flags = collapsed_at((0, 2))
    for judge in (
        lambda of: trend(SPACED, ROWS, direction=1, margin=1, collapsed=of),
        lambda of: never_falls(SPACED, ROWS, margin=1, collapsed=of),
    ):
        assert judge(flags.astype(float).tolist()) == judge(flags)


def test_changes_of_many_experiments_at_once_are_those_of_each():
    many = np.stack([ROWS, ROWS[::-1], 2 * ROWS, -ROWS])
    found = contrasts_along(many)
    assert found.shape == (4, 3, 5)
    for each, rows in zip(found, many, strict=True):
        assert each.tolist() == contrasts_along(rows).tolist()


def test_small_whole_numbers_do_not_wrap():
    levels, values = np.array([1, 2, 4], dtype=np.uint8), np.array([[50, 40, 30], [51, 43, 30], [50, 41, 33]], np.uint8)
    for judge in (functools.partial(trend, direction=-1), never_falls):
        assert judge(levels, values, margin=1) == judge([1, 2, 4], values.astype(float), margin=1)
        with pytest.raises(ValueError, match="positive and ascending"):
            judge(levels[::-1], values, margin=1)
