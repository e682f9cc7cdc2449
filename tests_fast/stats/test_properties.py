"""What holds of every decision, whatever the accuracies."""

import dataclasses
import functools
import typing

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.stats import (
    best_of,
    crossover,
    equivalence,
    fewest_for_spread,
    never_falls,
    no_difference,
    ranking,
    spans,
    spread,
    superiority,
    trend,
)
from pytest_claims.types import Doubt, Method, Note, Outcome, Procedure, Quantity, Shows

# Every procedure as arms [3, n], margin, alpha -> verdict.


def named(arms):
    return dict(zip("abc", arms, strict=True))


def superior(arms, margin, alpha=0.05, flags=None):
    return superiority(arms[0], arms[1], margin=margin, alpha=alpha, collapsed=None if flags is None else flags[:2])


def equal(arms, margin, alpha=0.05):
    return equivalence(arms[0], arms[1], within=margin, alpha=alpha)


def all_equal(arms, margin, alpha=0.05):
    return no_difference(named(arms), within=margin, alpha=alpha)


def leads(claim):
    """best_of, ranking, crossover or spans, given all it needs but the arms."""

    def procedure(arms, margin, alpha=0.05, flags=None):
        return claim(named(arms), margin=margin, alpha=alpha, collapsed=None if flags is None else named(flags))

    return procedure


def rising(arms, margin, alpha=0.05, flags=None):
    flags = None if flags is None else np.array(flags).T
    return trend([1, 2, 8], arms.T, direction=1, margin=margin, alpha=alpha, collapsed=flags)


def not_falling(arms, margin, alpha=0.05):
    return never_falls([1, 2, 8], arms.T, margin=margin, alpha=alpha)


def steady(arms, margin, alpha=0.05):
    return spread(named(arms), steady="a", margin=margin, alpha=alpha)


# What one collapsed run asks more of, and what it does not.
GUARDED = {
    "superiority": superior,
    "best_of": leads(functools.partial(best_of, best="a")),
    "ranking": leads(functools.partial(ranking, order="abc")),
    "crossover": leads(functools.partial(crossover, first=("a", "b"), second=("c", "b"))),
    "trend": rising,
    "spans": leads(functools.partial(spans, wide="ab", narrow="bc")),
}
# No effect is claimed, so none can be too small.
ABSENCES = {"equivalence": equal, "no_difference": all_equal, "never_falls": not_falling}
ALL = {**GUARDED, **ABSENCES, "spread": steady}

HOLDS = (Outcome.REPRODUCED, Outcome.TOO_SMALL)
FAILS = (Outcome.CONTRADICTED, Outcome.TOO_SMALL)
MARGINS = st.sampled_from([0.5, 2.0, 6.0])
# Few levels and numbers of seeds, since the power of each is simulated; spread decides from 19 or 24 on.
LEVELS = st.sampled_from([0.05, 0.025])
SEEDS = st.sampled_from([3, 5, 6, 24])


@st.composite
def accuracies(draw):
    """Three arms, near each other or far apart, noisy or not, in whole images of 10,000."""
    n = draw(SEEDS)
    if n < 10:
        noise = draw(hnp.arrays(np.int64, (3, n), elements=st.integers(-100, 100), fill=st.nothing()))
    else:  # Hypothesis takes long to draw so many
        noise = np.random.default_rng(draw(st.integers(0, 2**32))).integers(-100, 100, (3, n))
    scale = draw(st.lists(st.sampled_from([1, 1, 2, 8, 0]), min_size=3, max_size=3))
    level = draw(st.lists(st.sampled_from([0, 0, 30, -200, 500]), min_size=3, max_size=3))
    return (5000 + np.array(level)[:, None] + np.array(scale)[:, None] * noise) / 100


def decided(procedure, arms, *rest, **settings):
    """The verdict, where no p lies so close to alpha that rounding could decide."""
    if procedure is steady:
        # Spreads without any spread of their own are compared to the last bit.
        assume(all(np.ptp(np.abs(arm - np.median(arm))) > 1e-6 for arm in arms))
    found = procedure(arms, *rest, **settings)
    assume(min(abs(found.p_holds - found.alpha), abs(found.p_fails - found.alpha)) > 1e-6)
    return found


def same(one, other):
    assert one.outcome == other.outcome
    for field in ("effect", "lower", "upper", "p", "p_holds", "p_fails"):
        assert getattr(one, field) == pytest.approx(getattr(other, field), abs=1e-6)


def over(procedures):
    return pytest.mark.parametrize("procedure", procedures.values(), ids=procedures.keys())


@over(ALL)
@given(accuracies(), MARGINS, st.randoms(use_true_random=False))
def test_the_order_of_seeds_changes_nothing(procedure, arms, margin, random):
    order = list(range(arms.shape[1]))
    random.shuffle(order)
    same(decided(procedure, arms, margin), procedure(arms[:, order], margin))


@over(ALL)
@given(accuracies(), MARGINS, st.floats(-40, 40))
def test_a_shift_of_all_arms_changes_nothing(procedure, arms, margin, shift):
    same(decided(procedure, arms, margin), procedure(arms + shift, margin))


@over(ALL)
@given(accuracies(), MARGINS, st.sampled_from([0.5, 2.0]))
def test_another_unit_changes_no_outcome_and_no_p(procedure, arms, margin, unit):
    # A ratio of spreads has no unit.
    scale = 1.0 if procedure is steady else unit
    one, other = decided(procedure, arms, margin), procedure(unit * arms, scale * margin)
    assert (one.outcome, one.p) == (other.outcome, pytest.approx(other.p, abs=1e-6))
    assert scale * one.lower == pytest.approx(other.lower, abs=1e-6)


@over(ALL)
@given(accuracies(), MARGINS, LEVELS)
def test_the_outcome_is_one_of_those_there_are_and_the_numbers_fit_together(procedure, arms, margin, alpha):
    found = procedure(arms, margin, alpha)
    assert found.outcome in (set(Outcome) - {Outcome.TOO_SMALL} if procedure in ABSENCES.values() else set(Outcome))
    assert found.lower <= found.effect <= found.upper
    assert all(0 <= p <= 1 for p in (found.p, found.p_holds, found.p_fails))
    assert (found.n, found.margin, found.alpha, found.looks) == (arms.shape[1], margin, alpha, ())
    assert (found.outcome == found.by_bounds) == (found.doubt is None or found.by_bounds == Outcome.INCONCLUSIVE)
    # Too few seeds to compare spreads detect nothing.
    assert (found.detectable is None) == (procedure is steady and found.n < fewest_for_spread())
    assert found.detectable is None or found.detectable >= 0
    if found.seeds_to_settle is not None:
        assert found.outcome == Outcome.INCONCLUSIVE
        assert found.n < found.seeds_to_settle <= 1000


@over(ALL)
def test_each_outcome_does_occur_and_all_numbers_are_builtins(builtin_numbers, procedure):
    rng, outcomes = np.random.default_rng(11), set()
    for _ in range(200):
        arms = rng.choice([0, 0.5, 3, -3], (3, 1)) + rng.choice([0.1, 0.5, 3], (3, 1)) * rng.normal(size=(3, 24))
        found = procedure(arms, rng.choice([0.5, 2, 8]))
        builtin_numbers(found)
        outcomes.add(found.outcome)
    assert outcomes == (set(Outcome) - {Outcome.TOO_SMALL} if procedure in ABSENCES.values() else set(Outcome))


LABELS = {*"abc", "better", "worse", "1", "2", "8"}
TERMS = {str(term) for kind in (Doubt, Method, Outcome, Procedure, Quantity, Shows) for term in kind} | {
    *("lower", "upper"),
    *(member.__dataclass_fields__["kind"].default for member in typing.get_args(Note)),
}


def texts(value):
    """Every string in a value of dataclasses.asdict."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return set().union(*map(texts, value))
    return {str(value)} if isinstance(value, str) else set()


@over({**GUARDED, "spread": steady, **ABSENCES})
@settings(max_examples=30)
@given(accuracies(), MARGINS, st.data())
def test_a_verdict_holds_terms_and_labels_and_no_sentences(procedure, arms, margin, data):
    flags = {"flags": tuple(data.draw(hnp.arrays(np.bool_, arms.shape)))} if procedure in GUARDED.values() else {}
    assert texts(dataclasses.asdict(procedure(arms, margin, **flags))) <= TERMS | LABELS


@over(ALL)
@settings(max_examples=50)
@given(accuracies(), MARGINS, LEVELS)
def test_each_p_is_at_most_alpha_exactly_when_the_verdict_rests_on_it(procedure, arms, margin, alpha):
    found = decided(procedure, arms, margin, alpha=alpha)
    if found.doubt == Doubt.TOO_FEW_SEEDS:  # of a spread; they leave it open, however small the p
        assert found.outcome == Outcome.INCONCLUSIVE
        return
    assert (found.p_holds <= alpha) == (found.outcome in HOLDS)
    assert (found.p_fails <= alpha) == (found.outcome in FAILS)
    assert (found.p <= alpha) == (found.outcome != Outcome.INCONCLUSIVE)


@over(GUARDED)
@settings(max_examples=50)
@given(accuracies(), MARGINS, LEVELS, st.data())
def test_beside_a_collapse_each_p_that_a_verdict_rests_on_is_still_at_most_alpha(procedure, arms, margin, alpha, data):
    flags = data.draw(hnp.arrays(np.bool_, arms.shape))
    plain, found = procedure(arms, margin, alpha), procedure(arms, margin, alpha, flags=tuple(flags))
    assert found.outcome in (plain.outcome, Outcome.INCONCLUSIVE)
    assert found.p_holds <= alpha or found.outcome not in HOLDS
    assert found.p_fails <= alpha or found.outcome not in FAILS
    assert found.p_holds >= plain.p_holds


@given(accuracies(), MARGINS)
def test_no_arm_is_better_than_another_and_worse(arms, margin):
    one, other = superior(arms, margin), superior(arms[[1, 0, 2]], margin)
    assert one.outcome not in HOLDS or other.outcome not in HOLDS


@over(ABSENCES)
@given(accuracies(), MARGINS, st.sampled_from([1.01, 1.5, 4.0]))
def test_a_wider_margin_never_harms_the_absence_of_a_difference(procedure, arms, margin, factor):
    order = [Outcome.CONTRADICTED, Outcome.INCONCLUSIVE, Outcome.REPRODUCED]
    narrow, wide = procedure(arms, margin), procedure(arms, factor * margin)
    assert order.index(wide.outcome) >= order.index(narrow.outcome)
    assert wide.p_holds <= narrow.p_holds
    assert wide.p_fails >= narrow.p_fails


@over({**GUARDED, "spread": steady})
@given(accuracies(), MARGINS, st.sampled_from([1.01, 1.5, 4.0]))
def test_a_wider_margin_is_easier_to_exclude_and_leaves_the_direction(procedure, arms, margin, factor):
    wider = min(factor * margin, 9.9)  # doublings of a spread end at 10
    narrow, wide = procedure(arms, margin), procedure(arms, wider)
    assert (narrow.lower, narrow.p_holds) == (wide.lower, wide.p_holds)
    assert wide.p_fails <= narrow.p_fails + 1e-12
    assert wide.outcome in FAILS or narrow.outcome not in FAILS


@over(ALL)
@given(accuracies(), MARGINS)
def test_a_stricter_level_takes_verdicts_back_and_makes_none(procedure, arms, margin):
    usual, strict = procedure(arms, margin, 0.05), procedure(arms, margin, 0.025)
    assert usual.outcome in HOLDS or strict.outcome not in HOLDS
    assert usual.outcome in FAILS or strict.outcome not in FAILS
    assert (strict.p_holds, strict.p_fails) == (usual.p_holds, usual.p_fails)
