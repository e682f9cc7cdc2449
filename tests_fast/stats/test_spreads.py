"""Which arm varies less from seed to seed: the Brown-Forsythe test one-sided, behind a gate of power."""

import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize, stats

from pytest_claims.stats import fewest_for_spread, spread
from pytest_claims.types import (
    Bound,
    Collapses,
    Deviations,
    Doubt,
    HypothesisTest,
    Method,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Verdict,
)

NEEDED = fewest_for_spread(0.05)
ACCURACY = st.integers(0, 3000).map(lambda count: 30 + count / 100)
MARGINS = st.sampled_from([0.5, 2.0, 8.0])


@st.composite
def arms(draw, names="ab", fewest=3, most=24):
    """Accuracies by name, some arms much steadier than others."""
    n = draw(st.integers(fewest, most))
    values = draw(hnp.arrays(np.float64, (len(names), n), elements=ACCURACY))
    factors = draw(st.lists(st.sampled_from([0.1, 0.4, 1.0]), min_size=len(names), max_size=len(names)))
    found = {name: factor * row for name, factor, row in zip(names, factors, values, strict=True)}
    for row in found.values():
        assume(np.ptp(np.abs(row - np.median(row))) > 1e-3)
    return found


def one_sided_levene(steady, other):
    """SciPy's p is of either direction; of ours it is half where the samples differ that way."""
    both = stats.levene(steady, other, center="median").pvalue
    deviations = [np.abs(values - np.median(values)).mean() for values in (steady, other)]
    return both / 2 if deviations[1] > deviations[0] else 1 - both / 2


@given(arms())
def test_p_is_half_of_scipys_levene_about_the_median(named):
    found = spread(named, steady="a", margin=8.0)
    assert found.p_holds == pytest.approx(one_sided_levene(named["a"], named["b"]), abs=1e-9)


@given(arms(), MARGINS)
def test_the_effect_is_log2_of_the_ratio_and_the_bounds_are_the_ratios_that_levene_just_excludes(named, margin):
    found = spread(named, steady="a", margin=margin)
    own, other = (np.abs(values - np.median(values)) for values in named.values())
    assert found.effect == pytest.approx(max(-10, min(10, np.log2(other.mean() / own.mean()))))
    for bound, tail in ((found.lower, "greater"), (found.upper, "less")):
        # Scaling a sample scales its deviations: at the bound the test is just on the edge.
        if abs(bound) < 10:
            assert stats.ttest_ind(other, 2**bound * own, alternative=tail).pvalue == pytest.approx(0.05, abs=1e-6)
    assert found.p_fails == pytest.approx(stats.ttest_ind(other, 2**margin * own, alternative="less").pvalue, abs=1e-9)


@given(arms("abc", fewest=NEEDED, most=NEEDED + 3), MARGINS)
def test_the_four_way_rule_on_the_least_bounds_over_all_others(named, margin):
    found = spread(named, steady="a", margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-9)
    cells = {
        (True, True): Outcome.REPRODUCED,
        (True, False): Outcome.TOO_SMALL,
        (False, False): Outcome.CONTRADICTED,
        (False, True): Outcome.INCONCLUSIVE,
    }
    assert found.outcome == cells[found.lower > 0, found.upper >= margin]
    pairs = [{"a": named["a"], other: named[other]} for other in "bc"]
    alone = [spread(pair, steady="a", margin=margin) for pair in pairs]
    assert found.lower == min(part.lower for part in alone)
    # Either of two may refute the claim by chance.
    assert found.upper == min(spread(pair, steady="a", margin=margin, alpha=0.025).upper for pair in pairs)
    assert found.p_holds == max(part.p_holds for part in alone)
    assert found.p_fails == min(1.0, 2 * min(part.p_fails for part in alone))
    rests_on = {
        Outcome.TOO_SMALL: max(found.p_holds, found.p_fails),
        Outcome.CONTRADICTED: found.p_fails,
    }
    assert found.p == rests_on.get(found.outcome, found.p_holds)


@given(arms(), MARGINS)
def test_the_other_arm_as_the_steady_one_turns_everything_over(named, margin):
    one, other = (spread(named, steady=name, margin=margin) for name in "ab")
    assert (other.effect, other.lower, other.upper) == pytest.approx((-one.effect, -one.upper, -one.lower))
    assert other.p_holds == pytest.approx(1 - one.p_holds)
    better = (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    assert not (one.outcome in better and other.outcome in better)


def normal(n, **deviations):
    """Samples whose spread is as meant, without chance: quantiles of the normal distribution, shuffled."""
    quantiles, rng = stats.norm.ppf((np.arange(n) + 0.5) / n), np.random.default_rng(n)
    return {name: 60 + deviation * rng.permutation(quantiles) for name, deviation in deviations.items()}


def test_the_four_outcomes_on_plain_figures():
    # Three times the spread is 1.6 doublings.
    named = normal(40, calm=1.0, wild=3.0, wilder=3.0)
    assert spread(named, steady="calm", margin=1).outcome == Outcome.REPRODUCED
    assert spread(named, steady="calm", margin=4).outcome == Outcome.TOO_SMALL
    assert spread(named, steady="wild", margin=1).outcome == Outcome.CONTRADICTED
    alike = spread(normal(40, calm=1.0, other=1.2), steady="calm", margin=0.3)
    assert alike.outcome == Outcome.INCONCLUSIVE
    assert alike.seeds_to_settle > 40


def test_the_number_needed_at_5_percent_is_about_twenty():
    assert 18 <= NEEDED <= 21


def test_at_that_number_a_deviation_twice_as_large_is_found_in_80_percent_and_before_in_less():
    def power(n):
        own, other = np.random.default_rng(5).normal(size=(2, 20_000, n))
        deviations = [np.abs(row - np.median(row, axis=1, keepdims=True)) for row in (2 * other, own)]
        return float((stats.ttest_ind(*deviations, axis=1, alternative="greater").pvalue < 0.05).mean())

    # Four standard errors of the 5,000 experiments behind the number, and of these. An odd number has less power.
    assert min(power(NEEDED), power(NEEDED + 1)) > 0.80 - 0.026
    assert min(power(NEEDED - 1), power(NEEDED - 2)) < 0.80 + 0.01


def test_a_stricter_level_needs_more_seeds():
    assert fewest_for_spread(0.05) < fewest_for_spread(0.025) < fewest_for_spread(0.005)


def test_fewer_seeds_than_needed_are_inconclusive_whatever_they_show():
    named = normal(NEEDED - 1, calm=0.1, wild=9.0)
    found = spread(named, steady="calm", margin=1)
    assert found.p_holds < 1e-4
    assert found.outcome == Outcome.INCONCLUSIVE
    assert (found.by_bounds, found.doubt) == (Outcome.REPRODUCED, Doubt.TOO_FEW_SEEDS)
    assert found.seeds_to_settle == NEEDED
    for steady, outcome in (("calm", Outcome.REPRODUCED), ("wild", Outcome.CONTRADICTED)):
        enough = spread(normal(NEEDED, calm=0.1, wild=9.0), steady=steady, margin=1)
        assert enough.outcome == outcome
        assert enough.doubt is None


@settings(max_examples=50)
@given(arms(), MARGINS)
def test_only_an_inconclusive_verdict_has_seeds_to_settle_and_they_are_above_n(named, margin):
    found = spread(named, steady="a", margin=margin)
    if found.outcome != Outcome.INCONCLUSIVE:
        assert found.seeds_to_settle is None
    elif found.n < NEEDED:
        assert found.seeds_to_settle == NEEDED
    elif found.seeds_to_settle is not None:
        assert found.n < found.seeds_to_settle <= 1000


def test_the_detectable_ratio_is_found_with_power_80_percent():
    rng, n = np.random.default_rng(8), 30
    typical = spread(normal(n, calm=1.0, wild=2.0), steady="calm", margin=1).detectable
    hits = 0
    for _ in range(1000):
        own, other = rng.normal(size=(2, n))
        found = spread({"calm": own, "wild": 2**typical * other}, steady="calm", margin=1)
        hits += found.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    # A formula for large samples: to within five points, and one and a half of chance.
    assert hits / 1000 == pytest.approx(0.80, abs=0.065)


def test_arms_without_spread_are_equally_steady():
    named = {"a": np.full(NEEDED, 60.0), "b": np.full(NEEDED, 70.0)}
    found = spread(named, steady="a", margin=1)
    assert (found.outcome, found.effect, found.p) == (Outcome.CONTRADICTED, 0.0, 0.0)
    assert (found.p_holds, found.p_fails) == (1.0, 0.0)
    # Nor is what float subtraction leaves of equal values.
    noisy = np.resize([0.3, 0.1 + 0.2], NEEDED)
    assert np.ptp(noisy) > 0
    assert spread({"a": noisy, "b": np.full(NEEDED, 0.3)}, steady="a", margin=1).effect == 0.0


def test_an_arm_without_spread_is_steadier_than_any_that_has_some():
    varying = normal(NEEDED, wild=5.0)["wild"]
    found = spread({"a": np.full(NEEDED, 10.0), "b": varying}, steady="a", margin=1)
    assert (found.outcome, found.lower, found.upper) == (Outcome.REPRODUCED, 10.0, 10.0)
    assert found.p < 1e-4
    other = spread({"a": np.full(NEEDED, 10.0), "b": varying}, steady="b", margin=1)
    assert (other.outcome, other.lower, other.upper) == (Outcome.CONTRADICTED, -10.0, -10.0)


def test_the_gate_is_the_same_at_every_look():
    named = normal(NEEDED - 1, calm=0.1, wild=9.0)
    for alpha in (0.05, 0.0055, 8.9e-5):
        found = spread(named, steady="calm", margin=1, alpha=alpha)
        assert (found.outcome, found.seeds_to_settle, found.detectable) == (Outcome.INCONCLUSIVE, NEEDED, None)


def test_collapses_are_counted_in_a_note_and_deviations_in_another():
    named = normal(NEEDED, calm=1.0, wild=3.0)
    flags = {"calm": np.zeros(NEEDED, dtype=bool), "wild": np.arange(NEEDED) < 2}
    found = spread(named, steady="calm", margin=1, collapsed=flags)
    deviations, collapses = found.notes
    assert deviations == Deviations(tuple((name, float(np.std(values, ddof=1))) for name, values in named.items()))
    assert collapses == Collapses((("calm", 0), ("wild", 2)), NEEDED)
    unflagged = spread(named, steady="calm", margin=1, collapsed={**flags, "wild": ~np.ones(NEEDED, dtype=bool)})
    assert len(unflagged.notes) == 1
    assert unflagged.outcome == found.outcome


class TestRefusals:
    arms = MappingProxyType({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 4.0]})

    @pytest.mark.parametrize(("named", "steady"), [("ab", "z"), ("a", "a")])
    def test_a_steady_arm_that_is_none_or_alone(self, named, steady):
        with pytest.raises(ValueError, match=f"steady is '{steady}'; needed: one of at least two arms"):
            spread({name: self.arms[name] for name in named}, steady=steady, margin=1)

    @pytest.mark.parametrize("margin", [0, -1, np.nan, 10, 1000])
    def test_margins(self, margin):
        with pytest.raises(ValueError, match="margin is"):
            spread(self.arms, steady="a", margin=margin)

    def test_values(self):
        with pytest.raises(ValueError, match="b: nan at position 1"):
            spread({**self.arms, "b": [1.0, np.nan, 3.0]}, steady="a", margin=1)
        with pytest.raises(ValueError, match="a has 3 seeds and c 4"):
            spread({**self.arms, "c": [1.0, 2.0, 3.0, 4.0]}, steady="a", margin=1)
        with pytest.raises(ValueError, match="2 seeds; at least 3"):
            spread({"a": [1.0, 2.0], "b": [1.0, 2.0]}, steady="a", margin=1)


@pytest.mark.parametrize("n", [5, NEEDED + 5])
def test_numbers_are_builtins(builtin_numbers, n):
    named = normal(n, calm=1.0, wild=3.0, alike=1.1)
    for steady in named:
        builtin_numbers(spread(named, steady=steady, margin=np.float64(1)))
    builtin_numbers(spread(dict.fromkeys("ab", np.ones(n)), steady="a", margin=np.int64(1)))


@pytest.mark.parametrize(
    ("deviations", "margin", "outcome"),
    [
        ((1.0, 3.0, 2.5), 1.0, Outcome.REPRODUCED),
        ((1.0, 3.0, 2.5), 3.0, Outcome.TOO_SMALL),
        ((2.0, 1.0, 3.0), 1.0, Outcome.CONTRADICTED),
        ((1.0, 1.2, 1.4), 0.5, Outcome.INCONCLUSIVE),
        ((1.10, 1.15, 1.07), 0.3, Outcome.INCONCLUSIVE),
        ((1.0, 1.2, 1.6), 0.4, Outcome.INCONCLUSIVE),
    ],
)
def test_every_number_of_a_verdict_is_that_of_the_arm_which_decides(alike, deviations, margin, outcome):
    n, alpha, degrees = 30, 0.04, 58
    named = normal(n, **dict(zip("abc", deviations, strict=True)))
    found = spread(named, steady="a", margin=margin, alpha=alpha)
    sizes = {name: np.abs(values - np.median(values)) for name, values in named.items()}
    pairs = {name: {"a": named["a"], name: named[name]} for name in "bc"}

    def alone(level):
        return [spread(pairs[name], steady="a", margin=margin, alpha=level) for name in "bc"]

    def p(name, doublings, alternative):
        return float(stats.ttest_ind(sizes[name], 2**doublings * sizes["a"], alternative=alternative).pvalue)

    def detectable(name, level, parts):
        # Of a log ratio, by the delta method; the noncentral t of which so much lies above the critical value.
        relative = sum(sizes[each].var(ddof=1) / sizes[each].mean() ** 2 for each in ("a", name))
        critical = stats.t.ppf(1 - level, degrees)
        far = optimize.brentq(lambda far: stats.nct.sf(critical, degrees, far) - (1 - 0.2 / parts), 0, 10)
        return far * np.sqrt(relative / n) / np.log(2)

    # A bound is the ratio that the test just excludes, where it is not at an end.
    for level, side, alternative in ((alpha, "lower", "greater"), (alpha / 2, "upper", "less")):
        for name, one in zip("bc", alone(level), strict=True):
            bound = getattr(one, side)
            assert abs(bound) == 10 or p(name, bound, alternative) == pytest.approx(level, abs=1e-9)
    effects = [np.log2(sizes[name].mean() / sizes["a"].mean()) for name in "bc"]
    lows, highs = [one.lower for one in alone(alpha)], [one.upper for one in alone(alpha / 2)]
    above, below = [p(name, 0.0, "greater") for name in "bc"], [p(name, margin, "less") for name in "bc"]
    low, high = lows.index(min(lows)), highs.index(min(highs))
    p_holds, p_fails, least = max(above), min(1.0, 2 * min(below)), min(effects)
    # The smallest effect must come out above 0, or any below the margin.
    times = [max(detectable(name, alpha, 2) for name in "bc") / least] * bool(least > 1e-9)
    times += [
        detectable(name, alpha / 2, 1) / (margin - at) for name, at in zip("bc", effects, strict=True) if at < margin
    ]
    needed = max(n + 1, math.ceil(n * min(times) ** 2))
    rests_on = {Outcome.TOO_SMALL: max(p_holds, p_fails), Outcome.CONTRADICTED: p_fails}

    def test(shows, threshold, values, chosen, level, times):
        name = "bc"[values.index(chosen)]
        kind = Method.BROWN_FORSYTHE, shows, threshold, chosen, level, (name, "a"), Quantity.SPREAD
        return HypothesisTest(*kind, of=2, times=times)

    expected = Verdict(
        outcome=outcome,
        procedure=Procedure.SPREAD,
        effect=least,
        lower=lows[low],
        upper=highs[high],
        margin=margin,
        p=rests_on.get(outcome, p_holds),
        n=n,
        by_bounds=outcome,
        p_holds=p_holds,
        p_fails=p_fails,
        fails_by=2,
        alpha=alpha,
        tests=(
            test(Shows.EFFECT, 0.0, above, p_holds, alpha, 1),
            test(Shows.BELOW_MARGIN, margin, below, min(below), alpha / 2, 2),
        ),
        bounds=(
            Bound("lower", lows[low], 0.0, alpha, effects[low], ("bc"[low], "a"), Quantity.SPREAD),
            Bound("upper", highs[high], margin, alpha / 2, effects[high], ("bc"[high], "a"), Quantity.SPREAD),
        ),
        seeds_to_settle=needed if outcome == Outcome.INCONCLUSIVE else None,
        detectable=max(detectable(name, alpha, 2) for name in "bc"),
        notes=(Deviations(tuple((name, float(np.std(values, ddof=1))) for name, values in named.items())),),
    )
    alike(found, expected)


def test_a_ratio_of_just_the_margin_in_every_deviation_is_not_too_small():
    signs = np.resize([1.0, -1.0], NEEDED + NEEDED % 2)
    found = spread({"a": 60 + signs, "b": 60 + 2 * signs}, steady="a", margin=1)
    assert (found.lower, found.effect, found.upper) == (1.0, 1.0, 1.0)
    assert (found.outcome, found.p_holds, found.p_fails) == (Outcome.REPRODUCED, 0.0, 1.0)
    turned = spread({"a": 60 + signs, "b": 60 + 2 * signs}, steady="b", margin=1)
    assert (turned.outcome, turned.p_holds, turned.p_fails) == (Outcome.CONTRADICTED, 1.0, 0.0)


def test_of_equal_spreads_only_a_margin_can_be_excluded():
    same = normal(40, a=1.0)["a"]
    found = spread({"a": same, "b": same[::-1]}, steady="a", margin=0.3)
    assert (found.outcome, found.effect) == (Outcome.INCONCLUSIVE, 0.0)
    assert found.seeds_to_settle == math.ceil(40 * (found.detectable / 0.3) ** 2) > 40


def test_at_the_margin_itself_only_the_direction_can_be_shown():
    named = normal(40, a=1.0, b=1.2)
    effect = spread(named, steady="a", margin=1).effect
    found = spread(named, steady="a", margin=effect)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.seeds_to_settle == math.ceil(40 * (found.detectable / effect) ** 2) > 40
