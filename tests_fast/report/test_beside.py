"""What a reader is told beside a verdict: of the pair that decides, in the claim's direction and unit."""

import dataclasses
import html

import numpy as np
import pytest

from pytest_claims.report import results_page
from pytest_claims.report.beside import beside
from pytest_claims.report.tested import deciding_pair
from pytest_claims.stats import (
    best_of,
    equivalence,
    faster,
    never_falls,
    no_difference,
    sequential,
    spread,
    superiority,
    trend,
)
from pytest_claims.stats.beside import posterior
from pytest_claims.stats.estimate import after_looks
from pytest_claims.stats.looks import Level
from tests_fast.report.test_verdict_in_words import result

BATCH = np.array([79.66, 78.91, 79.63, 78.96, 79.51])
GROUP = np.array([71.79, 72.24, 72.63, 74.99, 72.41])
LAYER = np.array([72.69, 71.84, 74.90, 74.85, 72.77])
NORMS = {"batch norm": BATCH, "group norm": GROUP, "layer norm": LAYER}


def with_flags(judged, **flags):
    """The result with these runs collapsed, by label."""
    arms = [dataclasses.replace(arm, collapsed=tuple(flags.get(arm.label, arm.collapsed))) for arm in judged.arms]
    return dataclasses.replace(judged, arms=tuple(arms))


def test_the_closest_rival_is_told_of():
    judged = result(best_of(NORMS, best="batch norm", margin=3.85, alpha=8.9e-3), NORMS, kind="best")
    assert beside(judged) == [
        "posterior of the mean: <.01 below -3.85, .01 between, .99 above +3.85",
        "batch norm ahead of layer norm in 5 of 5 seeds: P(A>B) = 1 (.48 to 1)",
        "r over seeds +.11",
    ]
    page = results_page([judged], {})
    assert f"- X1, they differ: {html.escape('; '.join(beside(judged)), quote=False)}" in page
    assert "## Beside the verdicts, deciding nothing" in page


def test_a_claim_that_stopped_later_has_its_estimate():
    rng = np.random.default_rng(3)
    one, two = rng.normal(52.2, 1, 20), rng.normal(50, 1, 20)
    found = sequential(
        lambda n, level: superiority(one[:n], two[:n], margin=3, alpha=level, names=("a", "b")), (5, 10, 20)
    )
    assert found.n > 5
    arms = {"a": one[: found.n], "b": two[: found.n]}
    looks = [(look.n, Level.of((5, 10, 20), look.n)) for look in found.looks]
    estimate = after_looks(arms["a"] - arms["b"], margin=3, looks=looks)
    judged = result(found, arms, planned=(5, 10, 20))
    (said,) = [words for words in beside(judged) if "median-unbiased" in words]
    assert said == f"median-unbiased estimate {estimate:+.2f} points (the mean is {found.effect:+.2f})"
    # Not at the first look, which has no earlier one, and not where sign flips kept it open.
    first = result(dataclasses.replace(found, looks=found.looks[-1:]), arms)
    fallen = with_flags(judged, b=(True,) + (False,) * (found.n - 1))
    assert not any("median-unbiased" in words for each in (first, fallen) for words in beside(each))


def test_where_runs_collapsed_the_middle_half_is_told():
    one, two = np.array([40.5, 36.8, 35.8, 37.9, 38.8]), np.array([38.0, 32.1, 10.0, 38.3, 24.7])
    flags = np.array([False, False, True, False, False])
    found = superiority(one, two, margin=3.3, collapsed=(~flags & flags, flags), names=("a", "b"))
    judged = with_flags(result(found, {"a": one, "b": two}), b=flags.tolist())
    # The middle three of five.
    assert "interquartile means, since runs collapsed: a 37.83, b 31.60" in beside(judged)
    assert not any("interquartile" in words for words in beside(result(found, {"a": one, "b": two})))


def test_a_claim_along_levels_shows_what_applies():
    """Its labels are of levels, even where an arm is called so."""
    arms = {"1": GROUP, "2": LAYER, "4": BATCH}
    columns = np.stack(list(arms.values()), axis=1)
    rises, flat = trend([1, 2, 4], columns, direction=1, margin=3), never_falls([1, 2, 4], columns, margin=3)
    steady = spread({name: np.resize(one, 20) for name, one in arms.items()}, steady="4", margin=1)
    for found in (rises, flat, steady):
        assert deciding_pair(result(found, arms)) is None
        assert beside(result(found, arms)) == []
    fallen = with_flags(result(rises, arms), **{"1": (True,) + (False,) * 4})
    assert beside(fallen) == ["interquartile means, since runs collapsed: 1 72.43"]


def test_a_speed_is_told_in_doublings_and_the_fewer_epochs_are_ahead():
    fast, slow = np.array([4.0, 5, 4, 5, 4]), np.array([8.0, 9, 10, 8, 4])
    judged = result(
        faster(fast, slow, factor=2, names=("a", "b")), {"a": fast, "b": slow}, kind="speed", unit="doublings"
    )
    expected = posterior(np.log2(slow / fast), 1.0)
    told, share, *_ = beside(judged)
    assert told.endswith(f"{expected.above:.2f}"[1:] + " above +1.00")
    assert share.startswith("a ahead of b in 4 of 5 seeds, equal in 1: P(A>B) = .90 (.28 to 1)")
    # The epochs of runs that never came to the accuracy are bounds.
    assert beside(with_flags(judged, b=(True,) + (False,) * 4)) == []


@pytest.mark.parametrize("decide", [no_difference, lambda arms, within: equivalence(BATCH, GROUP, within=within)])
def test_an_equality_is_told_of_its_deciding_pair(decide):
    found = decide(NORMS, within=3)
    if not found.comparison:
        names = found.bounds[0].comparison
    else:
        found = dataclasses.replace(found, comparison=("batch norm", "group norm"))
        names = found.comparison
    judged = result(found, NORMS, kind="equality")
    assert tuple(arm.label for arm in deciding_pair(judged)) == names
    assert beside(judged)[1].startswith(" ahead of ".join(names))


def test_arms_that_do_not_vary_break_nothing():
    flat = {"a": np.full(5, 60.3), "b": np.full(5, 60.0)}
    found = superiority(flat["a"], flat["b"], margin=1, names=("a", "b"))
    assert beside(result(found, flat)) == [
        "posterior of the mean: 0 below -1.00, 1 between, 0 above +1.00",
        "a ahead of b in 5 of 5 seeds: P(A>B) = 1 (.48 to 1)",
    ]
