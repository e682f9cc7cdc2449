"""One arm beats each of its rivals."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.claim import Outcome
from harness.stats import best_of, superiority

ACCURACY = st.integers(0, 2000).map(lambda count: count / 100)
ARMS = st.integers(3, 8).flatmap(lambda n: hnp.arrays(np.float64, (3, n), elements=ACCURACY))
MARGINS = st.sampled_from([0.5, 2.0, 8.0])


@given(ARMS, MARGINS)
def test_the_four_way_rule_on_the_least_bounds(arms, margin):
    named = dict(zip("abc", arms, strict=True))
    found = best_of(named, best="a", margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-9)
    cells = {
        (True, True): Outcome.REPRODUCED,
        (True, False): Outcome.TOO_SMALL,
        (False, False): Outcome.CONTRADICTED,
        (False, True): Outcome.INCONCLUSIVE,
    }
    assert found.outcome == cells[found.lower > 0, found.upper >= margin]
    plain = [superiority(named["a"], named[rival], margin=margin) for rival in "bc"]
    split = [superiority(named["a"], named[rival], margin=margin, alpha=0.025) for rival in "bc"]
    assert found.lower == pytest.approx(min(part.lower for part in plain))
    assert found.upper == pytest.approx(min(part.upper for part in split))
    assert found.effect == pytest.approx(min(part.effect for part in plain))


@given(ARMS, MARGINS)
def test_with_one_rival_it_is_superiority(arms, margin):
    one = best_of({"a": arms[0], "b": arms[1]}, best="a", margin=margin)
    two = superiority(arms[0], arms[1], margin=margin)
    assert (one.outcome, one.lower, one.upper, one.p) == (two.outcome, two.lower, two.upper, two.p)


def test_the_source_figures_of_orders():
    arms = {
        "conv-norm-relu": [62.32, 62.23, 63.38],
        "conv-relu-norm": [59.56, 56.54, 59.39],
        "conv-leaky-norm": [60.97, 59.87, 59.42],
    }
    found = best_of(arms, best="conv-norm-relu", margin=1.0)
    assert found.outcome == Outcome.REPRODUCED
    assert found.effect == pytest.approx(2.56, abs=0.01)
    assert [name for name, _ in found.parts] == ["conv-relu-norm", "conv-leaky-norm"]
    assert best_of(arms, best="conv-relu-norm", margin=1.0).outcome == Outcome.CONTRADICTED


def test_a_collapse_in_one_rival_asks_for_the_sign_flip_there():
    best = np.array([60.0, 61.0, 62.0, 61.0])
    arms = {"best": best, "b": best - [2.0, 2.1, 2.2, 2.1], "c": np.array([10.0, 10.0, 10.0, 11.0])}
    none = np.zeros(4, dtype=bool)
    assert best_of(arms, best="best", margin=1).outcome == Outcome.REPRODUCED
    found = best_of(arms, best="best", margin=1, collapsed={"best": none, "b": none, "c": ~none})
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "at least 5 seeds are needed" in found.rule
    assert "c 4 of 4" in found.notes[0]


def test_refusals():
    arms = {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, np.inf]}
    with pytest.raises(ValueError, match="best is 'z'"):
        best_of(arms, best="z", margin=1)
    with pytest.raises(ValueError, match="best is 'a'"):
        best_of({"a": [1.0, 2.0, 3.0]}, best="a", margin=1)
    with pytest.raises(ValueError, match="b: inf at position 2"):
        best_of(arms, best="a", margin=1)


def test_numbers_are_builtins(builtin_numbers):
    rng = np.random.default_rng(0)
    arms = dict(zip("abc", rng.normal(50, 1, (3, 5)), strict=True))
    for shift in (-5, 0, 5):
        builtin_numbers(best_of({**arms, "a": arms["a"] + shift}, best="a", margin=np.float64(2)))
