"""What stands beside a verdict is what SciPy and the papers say, whatever the values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from pytest_claims.stats.beside import correlation, interquartile_mean, posterior, superiority_share

# Claim Db, 5 seeds on an H100; its margin is 3.85 points.
BATCH = np.array([79.66, 78.91, 79.63, 78.96, 79.51])
GROUP = np.array([71.79, 72.24, 72.63, 74.99, 72.41])
LAYER = np.array([72.69, 71.84, 74.90, 74.85, 72.77])

# Accuracies of 10,000 images, as whole hundredths, so that equal is equal.
HUNDREDTHS = st.integers(-2000, 2000).map(lambda value: value / 100)
DIFFERENCES = st.lists(HUNDREDTHS, min_size=3, max_size=30)
MARGINS = st.floats(0.01, 50)


@given(DIFFERENCES)
def test_the_share_of_seeds_has_the_exact_interval(differences):
    found = superiority_share(differences)
    wins, losses = (sum(sign * each > 0 for each in differences) for sign in (1, -1))
    assert (found.ahead, found.ties, found.n) == (wins, len(differences) - wins - losses, len(differences))
    # A tie is half a seed, as in Mann and Whitney's statistic of two samples.
    ranked = [stats.mannwhitneyu([each], [0.0]).statistic for each in differences]
    assert found.share == pytest.approx(np.mean(ranked))
    assert 0 <= found.low <= found.share <= found.high <= 1
    if not found.ties:
        exact = stats.binomtest(wins, len(differences)).proportion_ci(0.95)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


@given(DIFFERENCES)
def test_swapped_arms_mirror_share_and_posterior(differences):
    here, there = superiority_share(differences), superiority_share(-np.array(differences))
    assert (here.share, here.low, here.high) == pytest.approx((1 - there.share, 1 - there.high, 1 - there.low))
    one, two = posterior(differences, 1.5), posterior(-np.array(differences), 1.5)
    assert (one.below, one.inside, one.above) == pytest.approx((two.above, two.inside, two.below), abs=1e-12)


@pytest.mark.parametrize("rate", [0.5, 0.8])
@pytest.mark.parametrize("tied", [0.0, 0.3])
def test_the_interval_of_the_share_covers_it_with_ties_and_without(rate, tied):
    """At 12 seeds, over every count of seeds ahead and tied with its probability."""
    ahead, true, covered = rate * (1 - tied), rate * (1 - tied) + tied / 2, 0.0
    for wins in range(13):
        for ties in range(13 - wins):
            found = superiority_share([1.0] * wins + [0.0] * ties + [-1.0] * (12 - wins - ties))
            chance = stats.multinomial.pmf([wins, ties, 12 - wins - ties], 12, [ahead, tied, 1 - ahead - tied])
            covered += chance * (found.low <= true <= found.high)
    assert covered >= 0.95


@given(DIFFERENCES, MARGINS)
def test_the_posterior_is_student_s(differences, margin):
    found = posterior(differences, margin)
    assert found.below + found.inside + found.above == pytest.approx(1)
    assert min(found.below, found.inside, found.above) >= 0
    mean, sd = np.mean(differences), np.std(differences, ddof=1)
    if sd > 1e-9:
        # With a flat prior the posterior is the p of a one-sided t test.
        above = stats.ttest_1samp(differences, margin, alternative="less").pvalue
        below = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
        assert (found.below, found.above) == pytest.approx((below, above), abs=1e-9)
    else:
        expected = (float(mean < -margin), float(abs(mean) <= margin + 1e-9), float(mean > margin))
        assert (found.below, found.inside, found.above) == pytest.approx(expected)
    wider = posterior(differences, 2 * margin)
    assert wider.inside >= found.inside - 1e-12


@pytest.mark.parametrize(
    ("each", "triple"), [(2.0, (0, 0, 1)), (-2.0, (1, 0, 0)), (0.5, (0, 1, 0)), (60.3 - 59.3, (0, 1, 0))]
)
def test_equal_differences_are_certain(each, triple):
    found = posterior([each] * 5, 1.0)
    assert (found.below, found.inside, found.above) == triple


def test_claim_db_at_5_seeds():
    """INCONCLUSIVE by O'Brien and Fleming's first look, and yet hardly in doubt."""
    rivals = {"group": BATCH - GROUP, "layer": BATCH - LAYER}
    closest = posterior(rivals["layer"], 3.85)
    assert closest.above == pytest.approx(0.985, abs=0.001)
    assert posterior(rivals["group"], 3.85).above > closest.above
    share = superiority_share(rivals["layer"])
    # 5 of 5: P >= .025 ** (1 / 5).
    assert (share.ahead, share.share, share.high) == (5, 1.0, 1.0)
    assert share.low == pytest.approx(0.025 ** (1 / 5))
    # Between these arms the seed says little, so that pairing gives little.
    assert correlation(BATCH, GROUP) == pytest.approx(np.corrcoef(BATCH, GROUP)[0, 1])


@given(DIFFERENCES)
def test_the_interquartile_mean_is_of_the_middle_half(values):
    cut = len(values) // 4
    assert interquartile_mean(values) == pytest.approx(np.mean(sorted(values)[cut : len(values) - cut]))
    # Where a quarter of the seeds at most collapsed, how deep they fell changes nothing.
    if cut:
        fallen = sorted(values)
        fallen[0] -= 50
        assert interquartile_mean(fallen) == pytest.approx(interquartile_mean(values))


@given(DIFFERENCES, st.integers(0, 2**32 - 1))
def test_the_correlation_is_pearson_s(values, seed):
    one = np.array(values)
    two = one + np.random.default_rng(seed).normal(size=len(values))
    found = correlation(one, two)
    if np.ptp(one) == 0:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(one, two)[0, 1])
        assert correlation(two, one) == pytest.approx(found)
        assert correlation(one, -two) == pytest.approx(-found)


def test_an_arm_that_does_not_vary_has_no_correlation():
    assert correlation([50.0, 50.0, 50.0], [1.0, 2.0, 3.0]) is None
    assert correlation([1.0, 2.0], [2.0, 1.0]) is None
    with pytest.raises(ValueError, match="3 and 2 seeds"):
        correlation([1.0, 2.0, 3.0], [1.0, 2.0])


@pytest.mark.parametrize(("n", "least"), [(5, 0.20), (20, 0.04)])
def test_pairing_gives_power_from_this_correlation_on(n, least):
    """docs/verdicts.md: the effect found with power .80 at 5 %, paired, less that of two separate samples."""

    def noncentrality(freedom):
        critical = stats.t.ppf(0.95, freedom)
        return optimize.brentq(lambda shift: special.nctdtr(freedom, shift, critical) - 0.2, 0, 9)

    paired, separate = noncentrality(n - 1), noncentrality(2 * n - 2)
    assert paired * np.sqrt(1 - least - 0.01) < separate < paired * np.sqrt(1 - least + 0.01)


@pytest.mark.parametrize("function", [superiority_share, lambda values: posterior(values, 1.0), interquartile_mean])
def test_what_cannot_be_shown_is_named(function):
    with pytest.raises(ValueError, match="2 seeds; at least 3"):
        function([1.0, 2.0])
    with pytest.raises(ValueError, match="nan at position 1"):
        function([1.0, float("nan"), 2.0])
    with pytest.raises(ValueError, match="margin is 0"):
        posterior([1.0, 2.0, 3.0], 0)
