"""p-values corrected for the number of claims: by a published example, by hand and by SciPy."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_claims.stats import benjamini_hochberg, holm

# Benjamini & Hochberg (1995), section 3.2: 15 hypotheses on thrombolysis in myocardial infarction.
PUBLISHED = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
    *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)
BOTH = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])


@pytest.fixture(autouse=True, scope="module")
def _no_garbage_collection():
    """statsmodels collects garbage at every call of Holm's method, which takes longer than all of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


def test_the_published_example_rejects_four_by_benjamini_hochberg_and_three_by_holm():
    assert sum(p <= 0.05 for p in benjamini_hochberg(PUBLISHED)) == 4
    assert sum(p <= 0.05 for p in holm(PUBLISHED)) == 3


def test_the_published_example_by_hand():
    # Holm: times 15, 14, 13, ..., never below the one before; 7 * .0298 * ... falls below 10 * .0278.
    expected = [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213] + [1.0] * 6
    assert holm(PUBLISHED) == pytest.approx(expected)
    # Benjamini-Hochberg: times 15 / rank, never above the one after: the 6th (.0695) takes that of the 7th.
    found = benjamini_hochberg(PUBLISHED)
    assert found[:5] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625, 0.0603])
    assert found[5] == found[6] == pytest.approx(15 / 7 * 0.0298)
    assert found[7:10] == pytest.approx([0.0645, 0.0765, 0.486])
    assert found[14] == 1.0


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(list(stats.false_discovery_control(p, method="bh")), abs=1e-12)


@given(P_VALUES)
def test_holm_steps_down(p):
    rank = np.argsort(p, kind="stable")
    expected, so_far = np.zeros(len(p)), 0.0
    for left, at in zip(range(len(p), 0, -1), rank, strict=True):
        so_far = max(so_far, min(1.0, left * p[at]))
        expected[at] = so_far
    assert holm(p) == pytest.approx(list(expected), abs=1e-12)


@BOTH
@given(P_VALUES, st.randoms(use_true_random=False))
def test_the_order_of_claims_changes_nothing(adjust, p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    found = adjust(p)
    assert adjust([p[at] for at in order]) == pytest.approx([found[at] for at in order], abs=1e-12)


@BOTH
@given(P_VALUES)
def test_no_p_falls_and_one_claim_keeps_its_own(adjust, p):
    assert all(before - 1e-12 <= after <= 1 for before, after in zip(p, adjust(p), strict=True))
    assert adjust(p[:1]) == p[:1]


@BOTH
def test_no_claims_are_no_p_values(adjust):
    assert adjust([]) == []


@BOTH
@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan])
def test_what_is_no_p_value_is_refused_and_named(adjust, bad):
    assert adjust([0.0, 1.0]) == [0.0, 1.0]
    with pytest.raises(ValueError, match=rf"p-values \[{bad}\]; needed: from 0 to 1"):
        adjust([0.5, bad, 1.0])


@BOTH
def test_numbers_are_builtins(adjust):
    assert {type(value) for value in adjust(np.array([0.01, 0.2]))} == {float}
