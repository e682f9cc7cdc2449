"""How soon: ratios of epochs, censored runs, whole numbers, and how often the verdict errs."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_claims.report.notes import verdict_notes
from pytest_claims.report.procedures import rule_text
from pytest_claims.report.procedures import tests_text as told_tests
from pytest_claims.stats import detectable, faster, seeds_for, superiority
from pytest_claims.stats.collapses import by_sign_flips, p_sign_flip
from pytest_claims.stats.four_way import four_way
from pytest_claims.stats.power import fewest_for_flips, more_than, soonest
from pytest_claims.types import (
    Bound,
    Doubt,
    HypothesisTest,
    Method,
    NeverReached,
    Outcome,
    Procedure,
    Quantity,
    SameEpoch,
    Shows,
    SpreadOfRounding,
    Verdict,
)

HOLDS, FAILS = (Outcome.REPRODUCED, Outcome.TOO_SMALL), (Outcome.CONTRADICTED, Outcome.TOO_SMALL)
EPOCHS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=3, max_size=12).map(np.array)
# Epochs 10 to 14: a spread of its own, beyond that of rounding.
FAST = np.array([10, 14, 11, 13, 12, 10, 13, 14, 11, 12])


def marked(n, *places):
    return np.isin(np.arange(n), places)


@pytest.mark.parametrize(
    ("ratio", "factor", "outcome"),
    [
        (3, 2.0, Outcome.REPRODUCED),
        (2, 2.0, Outcome.REPRODUCED),
        (2, 3.0, Outcome.TOO_SMALL),
        (1, 2.0, Outcome.CONTRADICTED),
        (1, 1.01, Outcome.INCONCLUSIVE),
    ],
)
def test_the_four_way_rule_in_doublings(ratio, factor, outcome):
    found = faster(FAST, ratio * FAST[::-1], factor=factor)
    assert found.outcome == outcome
    assert found.effect == pytest.approx(math.log2(ratio))
    assert found.margin == math.log2(factor)
    assert found.notes == ((SameEpoch(("fast", "slow"), 2, 10),) if ratio == 1 else ())


@given(EPOCHS, st.sampled_from([1.2, 2.0, 5.0]))
def test_without_censored_runs_it_is_the_rule_of_superiority_or_wider(epochs, factor):
    fast, slow = epochs.T
    found = faster(fast, slow, factor=factor)
    other = superiority(np.log2(slow), np.log2(fast), margin=math.log2(factor))
    assert found.effect == pytest.approx(other.effect)
    if SpreadOfRounding() in found.notes:
        assert found.upper - found.lower > 0
    else:
        assert (found.lower, found.upper) == pytest.approx((other.lower, other.upper))
    assert (found.outcome in HOLDS) == (found.lower > 0) == (found.p_holds < 0.05)
    assert (found.outcome in FAILS) == (found.upper < found.margin) == (found.p_fails < 0.05)


@given(EPOCHS, st.sampled_from([1.2, 2.0, 5.0]), st.data())
def test_a_censored_run_takes_the_bound_away_on_its_side(epochs, factor, data):
    fast, slow = epochs.T
    flags = st.lists(st.booleans(), min_size=len(fast), max_size=len(fast)).map(np.array)
    late = data.draw(flags), data.draw(flags)
    found, seen = faster(fast, slow, factor=factor, collapsed=late), faster(fast, slow, factor=factor)
    assert found.lower == (-math.inf if late[0].any() else seen.lower)
    assert found.upper == (math.inf if late[1].any() else seen.upper)
    # Nothing is called that would not be called of what is seen.
    assert found.outcome not in HOLDS or (not late[0].any() and seen.outcome in HOLDS)
    assert found.outcome not in FAILS or (not late[1].any() and seen.outcome in FAILS)
    assert found.p_holds >= seen.p_holds
    assert found.p_fails >= seen.p_fails


@pytest.mark.parametrize("n", [4, 10])
@pytest.mark.parametrize("late", ["neither", "fast", "slow", "both"])
@pytest.mark.parametrize("tenths", [10, 11, 20])
@pytest.mark.parametrize("factor", [1.05, 4.0])
def test_every_number_of_a_verdict_is_students_and_of_sign_flips_beside_a_censored_run(
    alike, builtin_numbers, n, late, tenths, factor
):
    """Of differences that are symmetric, and larger than rounding to whole epochs makes them."""
    fast, slow = 10 * FAST[:n], tenths * FAST[:n][::-1]
    flags = [marked(n, *[1] * (late in (name, "both"))) for name in ("fast", "slow")]
    names, alpha, margin = ("quick", "lazy"), 0.02, math.log2(factor)
    found = faster(fast, slow, factor=factor, collapsed=tuple(flags), alpha=alpha, names=names)

    seen = np.log2(slow / fast)
    mean, sd, censored = seen.mean(), np.std(seen, ddof=1), late != "neither"
    half = stats.t.ppf(1 - alpha, n - 1) * sd / math.sqrt(n)
    has_lower, has_upper = late in ("neither", "slow"), late in ("neither", "fast")
    lower, upper = mean - half if has_lower else -math.inf, mean + half if has_upper else math.inf

    def p(differences):
        return stats.ttest_1samp(differences, 0, alternative="greater").pvalue, p_sign_flip(differences, 0)

    def deciding(pair, known):
        return (max(pair) if censored else pair[0]) if known else 1.0

    holds, fails = p(seen), p(margin - seen)
    p_holds, p_fails = deciding(holds, has_lower), deciding(fails, has_upper)
    by_bounds = four_way(lower > 0, upper < margin)
    decided = {Outcome.CONTRADICTED: p_fails, Outcome.TOO_SMALL: max(p_holds, p_fails)}.get(by_bounds, p_holds)
    confirmed = by_bounds == Outcome.INCONCLUSIVE or decided <= alpha
    tests = []
    for shows, threshold, pair, told in (
        (Shows.EFFECT, 0.0, holds, has_lower),
        (Shows.BELOW_MARGIN, margin, fails, has_upper and (upper < margin or not has_lower)),
    ):
        by_t = HypothesisTest(Method.PAIRED_T, shows, threshold, pair[0], alpha, names, Quantity.EPOCHS)
        tests += [by_t, by_sign_flips(by_t, pair[1], n)] if told else []
    ways = [mean] * has_lower + [margin - mean] * has_upper
    needed = [more_than(n, seeds_for(way, sd=sd, alpha=alpha), flips=censored, alpha=alpha) for way in ways]
    settled = by_bounds != Outcome.INCONCLUSIVE and confirmed
    able = has_lower and (not censored or n >= fewest_for_flips(alpha))
    counts = tuple(int(flag.sum()) for flag in flags)
    ties = int(((fast == slow) & ~flags[0] & ~flags[1]).sum())

    expected = Verdict(
        outcome=by_bounds if confirmed else Outcome.INCONCLUSIVE,
        procedure=Procedure.SPEED,
        comparison=names,
        effect=mean,
        lower=lower,
        upper=upper,
        margin=margin,
        p=decided,
        n=n,
        by_bounds=by_bounds,
        doubt=None if confirmed else Doubt.UNCONFIRMED,
        p_holds=p_holds,
        p_fails=p_fails,
        alpha=alpha,
        tests=tuple(tests),
        bounds=(
            Bound("lower", lower, 0.0, alpha, mean, names, Quantity.EPOCHS),
            Bound("upper", upper, margin, alpha, mean, names, Quantity.EPOCHS),
        ),
        seeds_to_settle=None if settled else soonest(needed),
        detectable=detectable(sd, n, parts=1 + censored, alpha=alpha) if able else None,
        notes=(NeverReached(names, counts, n),) * censored + (SameEpoch(names, ties, n),) * bool(ties),
    )
    alike(found, expected)
    builtin_numbers(found)


def test_a_slow_run_that_never_came_to_it_leaves_the_direction():
    found = faster(FAST, np.full(10, 40), factor=8.0, collapsed=(marked(10), marked(10, 3)))
    assert (found.outcome, found.upper) == (Outcome.REPRODUCED, math.inf)
    assert found.p == 2.0**-10  # the sign-flip test's
    assert found.notes == (NeverReached(("fast", "slow"), (0, 1), 10),)
    assert verdict_notes(found) == ["slow never came to the accuracy in 1 of 10 seeds: no upper bound"]


def test_a_fast_run_that_never_came_to_it_leaves_the_size():
    fast = np.where(marked(10, 0), 14, FAST)
    claim = {"factor": 2.0, "collapsed": (marked(10, 0), marked(10))}
    found = faster(fast, FAST, **claim)
    assert (found.outcome, found.lower, found.p_holds) == (Outcome.CONTRADICTED, -math.inf, 1.0)
    open_ = faster(fast, 3 * FAST, **claim)
    assert (open_.outcome, open_.detectable, open_.seeds_to_settle) == (Outcome.INCONCLUSIVE, None, None)


def test_censored_runs_of_both_arms_leave_nothing():
    found = faster(FAST, 4 * FAST, factor=2.0, collapsed=(marked(10, 0), marked(10, 0)))
    assert (found.outcome, found.lower, found.upper) == (Outcome.INCONCLUSIVE, -math.inf, math.inf)
    assert (found.p, found.p_holds, found.p_fails, found.seeds_to_settle) == (1.0, 1.0, 1.0, None)
    assert told_tests(found) == "nothing to test: there is no bound; n = 10"


@pytest.mark.parametrize(("n", "outcome"), [(4, Outcome.INCONCLUSIVE), (5, Outcome.REPRODUCED)])
def test_beside_a_censored_run_the_sign_flip_test_must_confirm(n, outcome):
    found = faster(FAST[:n], np.full(n, 40), factor=2.0, collapsed=(marked(n), marked(n, 0)))
    assert found.outcome == outcome
    assert ("does not confirm" in rule_text(found)) == (n == 4)
    assert found.seeds_to_settle == (5 if n == 4 else None)
    assert (found.detectable is None) == (n == 4)


@pytest.mark.parametrize(("less", "outcome"), [(0.0, Outcome.REPRODUCED), (1e-9, Outcome.INCONCLUSIVE)])
def test_a_sign_flip_p_at_alpha_itself_confirms(less, outcome):
    late = (marked(5), marked(5, 0))
    assert faster(FAST[:5], np.full(5, 40), factor=2.0, collapsed=late, alpha=2.0**-5 - less).outcome == outcome


def test_equal_ratios_are_no_certainty():
    """Epochs 3 and 6 in every seed: the true ratio may lie on either side of 2, for all that whole epochs show."""
    fast, slow = np.full(5, 3), np.full(5, 6)
    # Uniform over the third and the sixth epoch, each about its middle.
    sd = math.hypot(1 / 2.5, 1 / 5.5) / math.log(2) / math.sqrt(12)
    found = faster(fast, slow, factor=2.1)
    half = 2.131846786 * sd / math.sqrt(5)
    assert (found.lower, found.upper) == pytest.approx((1 - half, 1 + half))
    assert (found.outcome, found.notes) == (
        Outcome.REPRODUCED,
        (SpreadOfRounding(),),
    )
    assert 0 < found.p < 0.001
    assert superiority(np.log2(slow), np.log2(fast), margin=math.log2(2.1)).outcome == Outcome.TOO_SMALL


def test_where_rounding_is_the_larger_spread_p_is_students_of_that():
    fast, slow, margin = np.full(6, 3), np.array([6, 6, 6, 6, 6, 7]), math.log2(2.2)
    found = faster(fast, slow, factor=2.2)
    assert found.notes == (SpreadOfRounding(),)
    # Each uniform over its last epoch, about its middle.
    variances = [np.mean((1 / (epochs - 0.5)) ** 2) for epochs in (fast, slow)]
    error = math.sqrt(sum(variances) / 12 / 6) / math.log(2)
    mean = np.log2(slow / fast).mean()
    expected = stats.t.sf([mean / error, (margin - mean) / error], 5)
    assert (found.p_holds, found.p_fails) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(("late", "ties"), [((), 2), ((0,), 1), ((1,), 1), ((0, 1), 1)])
def test_a_run_that_never_came_to_it_is_no_tie(late, ties):
    """The last epoch of seven, to which the other run may just have come."""
    flags = [marked(4, *[3] * (arm in late)) for arm in (0, 1)]
    found = faster([5, 6, 7, 7], [5, 7, 9, 7], factor=2.0, collapsed=tuple(flags))
    assert [note for note in found.notes if isinstance(note, SameEpoch)] == [SameEpoch(("fast", "slow"), ties, 4)]


# A rate of 5 % and three standard errors of 250 experiments.
MOST = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 250)


@pytest.mark.parametrize(
    ("base", "sd", "last"),
    [(2.5, 0.25, math.inf), (3.0, 0.1, math.inf), (8.0, 0.3, math.inf), (8.0, 0.3, 10), (8.0, 0.3, 9)],
)
@pytest.mark.parametrize(("n", "times"), list(itertools.product((3, 5, 10), (1, 2))))
def test_whole_tied_and_censored_epochs_err_in_at_most_5_percent(base, sd, last, n, times):
    """Equal arms; and one with twice the epochs of the other, where that is the margin."""
    noise = np.random.default_rng(7).normal(size=(250, 2, n))
    arms = np.ceil(base * 2.0 ** (sd * noise)) * np.array([1, times])[:, None]
    last = times * last
    false = FAILS if times == 2 else HOLDS
    found = [faster(*np.minimum(pair, last), factor=2.0, collapsed=tuple(pair > last)).outcome for pair in arms]
    assert sum(outcome in false for outcome in found) / len(found) <= MOST


@pytest.mark.parametrize(
    ("fast", "slow", "options", "message"),
    [
        ([1, 2, 0], [1, 2, 3], {}, "fast: 0 at position 2; needed: epochs, whole and from 1 on"),
        ([1, 2, 3], [1, 2.5, 3], {}, "slow: 2.5 at position 1; needed: epochs, whole and from 1 on"),
        ([1, 2, 3], [1, 2, 3], {"factor": 1.0}, "factor is 1.0; needed: above 1"),
        ([1, 2, 3], [1, 2, 3], {"factor": math.nan}, "factor is nan; needed: above 1"),
        ([1, 2], [1, 2], {}, "at least 3"),
        ([1, 2, 3], [1, 2, 3], {"collapsed": ([True], [False] * 3)}, "collapsed of fast has shape"),
    ],
)
def test_what_cannot_be_decided_on_is_refused(fast, slow, options, message):
    with pytest.raises(ValueError, match=message):
        faster(fast, slow, **{"factor": 2.0, **options})
