"""Whether the means of one group of arms span more than those of another."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.report.procedures import rule_text
from pytest_claims.report.procedures import tests_text as told_tests
from pytest_claims.stats import LOOKS, spans, superiority
from pytest_claims.stats.collapses import p_sign_flip
from pytest_claims.stats.interval import bounds
from pytest_claims.stats.looks import Level, split
from pytest_claims.stats.power import detectable, more_than, seeds_for_all, soonest
from pytest_claims.types import Collapses, Doubt, Method, Outcome, Procedure, Shows

REPRODUCED, TOO_SMALL = Outcome.REPRODUCED, Outcome.TOO_SMALL
CONTRADICTED, INCONCLUSIVE = Outcome.CONTRADICTED, Outcome.INCONCLUSIVE
WIDE, NARROW = "abc", "xy"
LEVELS = st.sampled_from([0.05, 0.2, Level.of(LOOKS, 5), Level.of(LOOKS, 20)])
MARGINS = st.sampled_from([0.5, 3.0, 10.0])


def planted(means, n=10, spread=0.5, seed=0):
    """Arms by name with exactly these means, each with a noise of its own."""
    noise = np.random.default_rng(seed).normal(size=(len(means), n))
    noise = spread * (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    return {name: mean + row for (name, mean), row in zip(means.items(), noise, strict=True)}


def judged(arms, margin=3.0, **options):
    return spans(arms, wide=WIDE, narrow=NARROW, margin=margin, **options)


@st.composite
def groups(draw):
    """Five arms of whole images of 1,000, near each other or far apart, noisy or not."""
    n = draw(st.sampled_from([3, 5, 7]))
    noise = draw(hnp.arrays(np.int64, (5, n), elements=st.integers(-30, 30), fill=st.nothing()))
    scale = draw(st.lists(st.sampled_from([1, 1, 2, 5]), min_size=5, max_size=5))
    level = draw(st.lists(st.sampled_from([0, 0, 20, 100]), min_size=5, max_size=5))
    values = (500 + np.array(level)[:, None] + np.array(scale)[:, None] * noise) / 10
    return dict(zip(WIDE + NARROW, values, strict=True))


def contrasts(arms):
    """By pair of one group and pair of the other: the per-seed differences of their differences."""
    return {
        (pair, other): arms[pair[0]] - arms[pair[1]] - (arms[other[0]] - arms[other[1]])
        for pair in itertools.permutations(WIDE, 2)
        for other in itertools.permutations(NARROW, 2)
    }


def by_loops(arms, margin, alpha):
    """The two bounds as the docstring has them, each from a verdict of superiority."""
    ahead, behind = (list(itertools.permutations(group, 2)) for group in (WIDE, NARROW))
    share = {"lower": split(alpha, len(ahead)), "upper": split(alpha, len(behind))}
    bound = {
        side: {
            pairs: getattr(superiority(values, np.zeros(len(values)), margin=margin, alpha=level), side)
            for pairs, values in contrasts(arms).items()
        }
        for side, level in share.items()
    }
    lower = max(min(bound["lower"][a, b] for b in behind) for a in ahead)
    upper = min(max(bound["upper"][a, b] for a in ahead) for b in behind)
    return lower, upper


@pytest.mark.parametrize(
    ("means", "spread", "outcome", "effect"),
    [
        ({"a": 50, "b": 60, "c": 55, "x": 40, "y": 42}, 0.5, REPRODUCED, 8),
        ({"a": 60, "b": 55, "c": 50, "x": 42, "y": 40}, 0.5, REPRODUCED, 8),  # whichever arm is ahead
        ({"a": 50, "b": 54, "c": 52, "x": 42, "y": 40}, 0.2, TOO_SMALL, 2),
        ({"a": 50, "b": 50, "c": 50, "x": 50, "y": 50}, 0.5, CONTRADICTED, 0),
        ({"a": 50, "b": 52, "c": 51, "x": 40, "y": 45}, 0.5, CONTRADICTED, -3),
        ({"a": 50, "b": 54, "c": 52, "x": 42, "y": 40}, 5.0, INCONCLUSIVE, 2),
    ],
)
def test_the_four_outcomes(means, spread, outcome, effect):
    found = judged(planted(means, spread=spread))
    assert (found.outcome, found.by_bounds, found.doubt) == (outcome, outcome, None)
    assert found.effect == pytest.approx(effect, abs=1e-9)
    assert (found.procedure, found.n, found.margin) == (Procedure.SPANS, 10, 3.0)
    assert (found.lower > 0, found.upper < 3) == (
        outcome in (REPRODUCED, TOO_SMALL),
        outcome in (CONTRADICTED, TOO_SMALL),
    )


def test_each_bound_names_its_pairs_the_first_ahead():
    # c is far ahead of b, and y of x.
    low, high = judged(planted({"a": 55, "b": 50, "c": 60, "x": 40, "y": 42})).bounds
    assert (low.side, high.side) == ("lower", "upper")
    assert low.comparison == high.comparison == ("c", "b", "y", "x")
    # Six ordered pairs may be the widest, two the closest.
    assert (low.alpha, high.alpha) == (pytest.approx(0.05 / 6), pytest.approx(0.05 / 2))
    assert (low.threshold, high.threshold) == (0.0, 3.0)
    assert low.estimate == high.estimate == pytest.approx(8)


@given(groups(), MARGINS, LEVELS)
def test_the_bounds_are_those_of_plain_loops_over_superiority(arms, margin, alpha):
    found = judged(arms, margin, alpha=alpha)
    assert (found.lower, found.upper) == pytest.approx(by_loops(arms, margin, alpha), abs=1e-9)
    means = [[np.mean(arms[name]) for name in group] for group in (WIDE, NARROW)]
    assert found.effect == pytest.approx(np.ptp(means[0]) - np.ptp(means[1]))
    assert found.lower - 1e-9 <= found.effect <= found.upper + 1e-9


@given(groups(), MARGINS, LEVELS)
def test_p_is_at_most_alpha_exactly_when_the_bound_says_so(arms, margin, alpha):
    assume(all(np.ptp(values) > 1e-6 for values in contrasts(arms).values()))  # a point has p 0 or 1
    found = judged(arms, margin, alpha=alpha)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-6)
    assert (found.p_holds <= alpha) == (found.lower > 0)
    assert (found.p_fails <= alpha) == (found.upper < margin)
    rests = {
        REPRODUCED: found.p_holds,
        INCONCLUSIVE: found.p_holds,
        TOO_SMALL: max(found.p_holds, found.p_fails),
        CONTRADICTED: found.p_fails,
    }
    assert found.p == rests[found.outcome]
    # What the tests are told with comes to the same p.
    for shows, p in ((Shows.EFFECT, found.p_holds), (Shows.BELOW_MARGIN, found.p_fails)):
        told = [test.corrected for test in found.tests if (test.shows, test.method) == (shows, Method.PAIRED_T)]
        assert told in ([], [p])


@given(groups(), MARGINS, st.permutations(WIDE), st.permutations(NARROW), st.floats(-40, 40))
def test_the_order_of_arms_and_a_constant_change_nothing(arms, margin, wide, narrow, shift):
    one = judged(arms, margin)
    assume(min(abs(one.lower), abs(one.upper - margin)) > 1e-6)
    moved = {name: arms[name] + shift for name in (*narrow, *wide)}
    other = spans(moved, wide=wide, narrow=narrow, margin=margin)
    assert other.outcome == one.outcome
    for field in ("effect", "lower", "upper", "p_holds", "p_fails"):
        assert getattr(other, field) == pytest.approx(getattr(one, field), abs=1e-6)


@pytest.mark.parametrize("alpha", [0.05, Level.of(LOOKS, 5)])
@pytest.mark.parametrize(
    ("means", "tested"),
    [
        ({"a": 50, "b": 60, "c": 55, "x": 40, "y": 42}, (Shows.EFFECT,)),
        ({"a": 50, "b": 54, "c": 52, "x": 40, "y": 42}, (Shows.EFFECT, Shows.BELOW_MARGIN)),
        ({"a": 50, "b": 52, "c": 51, "x": 40, "y": 45}, (Shows.EFFECT, Shows.BELOW_MARGIN)),
    ],
)
def test_the_tests_are_of_the_pairs_that_decide_each_by_t_and_by_sign_flips(means, tested, alpha):
    arms = planted(means, spread=0.2)
    found = judged(arms, alpha=alpha)
    assert [(test.shows, test.method) for test in found.tests] == [
        (shows, method) for shows in tested for method in (Method.PAIRED_T, Method.SIGN_FLIP)
    ]
    assert (found.holds_by, found.fails_by, found.notes) == (6, 2, ())
    for test in found.tests:
        pairs = 6 if test.shows == Shows.EFFECT else 2
        assert (test.of, test.times, test.level) == (pairs, pairs, pytest.approx(float(alpha) / pairs, rel=0.1))
        assert test.comparison == found.bounds[test.shows == Shows.BELOW_MARGIN].comparison
        one, other = test.comparison[:2], test.comparison[2:]
        values, threshold = contrasts(arms)[one, other], 0.0
        if test.shows == Shows.BELOW_MARGIN:
            values, threshold = 3.0 - values, 3.0
        by_t = superiority(values, np.zeros(10), margin=1.0, alpha=split(alpha, pairs)).tests[0].p
        assert test.threshold == threshold
        assert test.p == pytest.approx(by_t if test.method == Method.PAIRED_T else p_sign_flip(values, 0.0))


@pytest.mark.parametrize(
    ("alpha", "fallen", "spread"), [(0.05, (), 2.0), (0.05, (0,), 0.6), (Level.of(LOOKS, 5), (0,), 0.6)]
)
@pytest.mark.parametrize("wider", [2.5, -0.5])
def test_seeds_to_settle_are_those_of_the_nearer_way_out(wider, fallen, spread, alpha):
    """All contrasts with the pair that L is of above 0, or all with the one that U is of below the margin."""
    arms = planted({"a": 50, "b": 50 + wider + 2, "c": 51, "x": 40, "y": 42}, n=5, spread=spread)
    found = judged(arms, alpha=alpha, collapsed=flags(5, a=fallen))
    assert found.outcome == INCONCLUSIVE
    low, high = (bound.comparison for bound in found.bounds)
    share = {"low": split(alpha, 6), "high": split(alpha, 2)}
    shown = [v.mean() / v.std(ddof=1) for pairs, v in contrasts(arms).items() if pairs[0] == low[:2]]
    none = [(3 - v.mean()) / v.std(ddof=1) for pairs, v in contrasts(arms).items() if pairs[1] == high[2:]]
    ways = [seeds_for_all(shown, alpha=share["low"]), seeds_for_all(none, alpha=share["high"])]
    expected = more_than(5, soonest(ways), flips=bool(fallen), alpha=share["low"])
    assert found.seeds_to_settle == expected
    # 2^-7 is the first below 5 % / 6; the level of a look counts as it would for one look.
    assert expected >= (7 if fallen else 6)
    spread = contrasts(arms)[low[:2], low[2:]].std(ddof=1)
    assert found.detectable == pytest.approx(detectable(spread, 5, alpha=share["low"]))


def test_an_effect_of_just_the_margin_is_not_excluded():
    arms = {name: np.full(5, mean) for name, mean in zip(WIDE + NARROW, (50.0, 55.0, 52.0, 40.0, 42.0), strict=True)}
    found = judged(arms, margin=3.0)
    assert (found.lower, found.upper, found.outcome) == (3.0, 3.0, REPRODUCED)


def test_a_claim_that_is_settled_asks_for_no_seeds():
    for means in ({"a": 50, "b": 60, "c": 55}, {"a": 50, "b": 54, "c": 52}, {"a": 50, "b": 50, "c": 50}):
        assert judged(planted(means | {"x": 40, "y": 42}, spread=0.2)).seeds_to_settle is None


def test_a_group_may_be_all_of_the_arms():
    arms = planted({"a": 50, "b": 60, "c": 55, "x": 40, "y": 42})
    assert spans(arms, wide=list(arms), narrow=NARROW, margin=3.0).effect == pytest.approx(18)


def test_what_is_rounded_is_wider():
    arms = planted({"a": 50, "b": 60, "c": 55, "x": 40, "y": 42})
    plain, rounded = judged(arms), judged(arms, resolution=2.0)
    assert rounded.effect == plain.effect
    assert rounded.lower < plain.lower < plain.upper < rounded.upper


# Four arms are rounded in each contrast: where nothing varies, what is left is their rounding.
def test_equal_values_of_rounded_accuracies_are_no_certainty():
    arms = {name: np.full(5, mean) for name, mean in zip(WIDE + NARROW, (50.0, 54.0, 52.0, 50.0, 52.0), strict=True)}
    assert judged(arms).lower == judged(arms).upper == 2.0
    found = judged(arms, resolution=2.0)
    half = superiority(np.full(5, 2.0), np.zeros(5), margin=3, alpha=0.05 / 6, resolution=2.0 * np.sqrt(2))
    assert found.lower == pytest.approx(half.lower)
    assert found.outcome == INCONCLUSIVE


def flags(n, **collapsed):
    return {name: np.isin(np.arange(n), collapsed.get(name, ())) for name in WIDE + NARROW}


# Six ordered pairs: a sign-flip p of 2^-n confirms at 5 % / 6 from 7 seeds on, and at 5 % / 2 from 6 on.
@pytest.mark.parametrize(("n", "outcome"), [(6, INCONCLUSIVE), (7, REPRODUCED)])
def test_beside_collapsed_runs_sign_flips_must_confirm_an_effect(n, outcome):
    arms = planted({"a": 70, "b": 50, "c": 60, "x": 40, "y": 42}, n=n)
    assert judged(arms).outcome == REPRODUCED
    found = judged(arms, collapsed=flags(n, b=[0]))
    assert (found.by_bounds, found.outcome) == (REPRODUCED, outcome)
    assert found.doubt == (None if outcome == REPRODUCED else Doubt.UNCONFIRMED)
    assert found.notes == (Collapses((("a", 0), ("b", 1), ("c", 0), ("x", 0), ("y", 0)), n),)
    assert found.p_holds >= 6 * 2.0**-n


@pytest.mark.parametrize(("n", "outcome"), [(5, INCONCLUSIVE), (6, CONTRADICTED)])
def test_beside_collapsed_runs_sign_flips_must_confirm_that_there_is_none(n, outcome):
    arms = planted({"a": 50, "b": 50, "c": 50, "x": 40, "y": 48}, n=n)
    found = judged(arms, collapsed=flags(n, c=[1]))
    assert (found.by_bounds, found.outcome) == (CONTRADICTED, outcome)


# 6 pairs at 6/64 leave 1/64 for each, which is the least p of 6 seeds; 2 pairs at 2/32 leave that of 5 seeds.
@pytest.mark.parametrize(
    ("n", "alpha", "means", "outcome"),
    [
        (6, 6 / 64, {"a": 70, "b": 69.4, "c": 69.8, "x": 40, "y": 40}, REPRODUCED),
        (5, 2 / 32, {"a": 50, "b": 50, "c": 50, "x": 40, "y": 48}, CONTRADICTED),
    ],
)
def test_a_p_of_sign_flips_that_is_just_the_level_confirms(n, alpha, means, outcome):
    arms = planted(means, n=n, spread=0.05)
    found = judged(arms, 0.5, collapsed=flags(n, a=[0], x=[0]), alpha=alpha)
    assert (found.by_bounds, found.outcome) == (outcome, outcome)
    assert (found.p_holds if outcome == REPRODUCED else found.p_fails) == alpha


def test_a_collapse_in_no_pair_that_decides_asks_for_nothing():
    arms = planted({"a": 70, "b": 50, "c": 60, "x": 40, "y": 42}, n=5)
    assert judged(arms, collapsed=flags(5, c=[0])).outcome == REPRODUCED


@pytest.mark.parametrize(
    ("groups_of", "message"),
    [
        ({"wide": "a"}, r"wide is \['a'\]; needed: two or more different ones of a, b, c, x, y"),
        ({"narrow": ""}, r"narrow is \[\]; needed: two or more"),
        ({"wide": "aba"}, r"wide is \['a', 'b', 'a'\]; needed: two or more different"),
        ({"narrow": "xz"}, r"narrow is \['x', 'z'\]; needed: two or more different ones of a, b"),
        ({"margin": 0}, "margin is 0; needed: points, above 0"),
    ],
)
def test_refused_groups_and_margins(groups_of, message):
    arms = planted(dict.fromkeys(WIDE + NARROW, 50.0))
    with pytest.raises(ValueError, match=message):
        spans(arms, **{"wide": WIDE, "narrow": NARROW, "margin": 1.0, **groups_of})


def test_refused_samples():
    arms = planted(dict.fromkeys(WIDE + NARROW, 50.0))
    with pytest.raises(ValueError, match="c has 9 seeds, another arm 10; arms are paired by seed"):
        judged({**arms, "c": arms["c"][:9]})
    with pytest.raises(ValueError, match="y: nan at position 2"):
        judged({**arms, "y": np.where(np.arange(10) == 2, np.nan, 50.0)})
    with pytest.raises(ValueError, match="2 seeds; at least 3"):
        judged({name: values[:2] for name, values in arms.items()})
    with pytest.raises(ValueError, match="flags for every arm"):
        judged(arms, collapsed={"a": np.zeros(10, dtype=bool)})


def test_numbers_are_builtins(builtin_numbers):
    for spread in (0.0, 0.2, 0.5, 5.0):
        for means in ((50, 60, 55, 40, 42), (50, 54, 52, 42, 40), (50, 50, 50, 50, 50)):
            arms = planted(dict(zip(WIDE + NARROW, means, strict=True)), spread=spread)
            builtin_numbers(judged(arms, np.float64(3)))
            builtin_numbers(judged(arms, np.int64(3), collapsed=flags(10, a=[0]), resolution=np.float64(1)))


def test_its_words():
    found = judged(planted({"a": 55, "b": 50, "c": 60, "x": 40, "y": 42}))
    assert rule_text(found).startswith(f"L = +{found.lower:.2f} > 0 and U = +{found.upper:.2f} >= margin 3 (L of ")
    assert "(L of (c − b) − (y − x), a 99.167 % bound; U of (c − b) − (y − x), a 97.5 % bound): " in rule_text(found)
    assert told_tests(found).startswith("paired t (one-sided, skew-corrected) p < 0.0001; exact sign-flip p = 0.0010 ")
    assert told_tests(found).endswith("(to be multiplied by 6 pairs); n = 10")
    none = judged(planted(dict.fromkeys(WIDE + NARROW, 50.0)))
    assert rule_text(none).endswith("the direction is not shown, and an effect of the claimed size is excluded")
    assert "; against a difference of 3 or more, paired t (one-sided" in told_tests(none)
    assert told_tests(none).endswith("(to be multiplied by 2 pairs); n = 10")
    doubted = judged(planted({"a": 70, "b": 50, "c": 60, "x": 40, "y": 42}, n=5), collapsed=flags(5, a=[0]))
    assert "does not confirm REPRODUCED, so it is INCONCLUSIVE (with 5 seeds its p is never below " in rule_text(
        doubted
    )
    assert rule_text(doubted).endswith("; at least 7 seeds are needed)")


# Simulated: how often it errs.


def bounds_of_spans(wide, narrow, alpha=0.05):
    """L and U of every experiment at once, [experiments]; wide, narrow: [experiments, arms, n].

    A pair turned round changes a contrast's sign, so pairs are taken once and joined by minus and by plus.
    """
    ahead, behind = (
        np.stack([group[:, i] - group[:, j] for i, j in itertools.combinations(range(group.shape[1]), 2)], axis=1)
        for group in (wide, narrow)
    )
    found = {}
    for side, pairs in ((1, 2 * ahead.shape[1]), (2, 2 * behind.shape[1])):
        for sign in (-1, 1):
            contrast = ahead[:, :, None] + sign * behind[:, None, :]
            found[side, sign] = np.stack(bounds(contrast, split(alpha, pairs))[1:3])
    # Of both signs of a pair of one group: the contrast itself, and where that pair is turned, the other one negated.
    low = [found[1, -1][0], found[1, 1][0]], [-found[1, 1][1], -found[1, -1][1]]
    lower = np.maximum(*(np.minimum(*both).min(axis=2) for both in low)).max(axis=1)
    high = [found[2, -1][1], -found[2, 1][0]], [found[2, 1][1], -found[2, -1][0]]
    upper = np.minimum(*(np.maximum(*both).max(axis=1) for both in high)).min(axis=1)
    return lower, upper


def matches_spans(wide, narrow, margin, lower, upper, rows):
    """The public function gives the same for these experiments."""
    for row in rows:
        of_wide, of_narrow = ({f"{name} {place}": values for place, values in enumerate(group[row])}
                              for name, group in (("w", wide), ("n", narrow)))  # fmt: skip
        found = spans({**of_wide, **of_narrow}, wide=list(of_wide), narrow=list(of_narrow), margin=margin)
        assert (found.lower, found.upper) == pytest.approx((lower[row], upper[row]))
        shown = found.outcome in (REPRODUCED, TOO_SMALL), found.outcome in (CONTRADICTED, TOO_SMALL)
        assert shown == (lower[row] > 0, upper[row] < margin)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_noise_is_not_taken_for_dependence(n):
    """Seven arms of equal mean with sd 2.4 and seven with 1.0: by ranges per seed the first depend by 3.8 points."""
    experiments, margin = 1000, 3.0
    rng = np.random.default_rng(n)
    wide, narrow = 2.4 * rng.normal(size=(experiments, 7, n)), rng.normal(size=(experiments, 7, n))
    lower, upper = bounds_of_spans(wide, narrow)
    assert (lower > 0).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / experiments)
    matches_spans(wide, narrow, margin, lower, upper, rows=range(2))
    # What was done before, and is wrong: each seed's range has the noise in it.
    ranges = np.ptp(wide, axis=1) - np.ptp(narrow, axis=1)
    assert (bounds(ranges)[1] > 0).mean() > 0.8


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("level", [0.0, 5.0])
def test_neither_an_equal_span_nor_one_of_the_margin_is_excluded_too_often(n, level):
    """Two groups of three arms, sd 1 and 2: as wide as each other, or one of them wider by just the margin."""
    experiments, margin, limit = 4000, 2.0, 0.0604
    rng = np.random.default_rng([n, int(level)])
    shape = np.array([0.0, level / 2, level])[:, None]
    wide, narrow = rng.normal(size=(experiments, 3, n)), 2 * rng.normal(size=(experiments, 3, n))
    lower, upper = bounds_of_spans(wide + shape, narrow + shape)
    assert (lower > 0).mean() <= limit
    matches_spans(wide + shape, narrow + shape, margin, lower, upper, rows=range(5))
    wider = wide + np.array([0.0, (level + margin) / 2, level + margin])[:, None]
    assert (bounds_of_spans(wider, narrow + shape)[1] < margin).mean() <= limit
