"""Looks at a growing number of seeds: levels against published ones and against simulation."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from pytest_claims.stats import LOOKS, nominal_levels, overall_p, sequential, superiority
from pytest_claims.stats.interval import bounds
from pytest_claims.stats.looks import Level, once, over_looks, spent, split
from pytest_claims.types import Look, Outcome

ALPHAS = st.floats(0.001, 0.2)
PLANS = st.sampled_from([LOOKS, (5, 10), (3, 6, 9, 12, 15), (5, 8, 20), (4, 5, 6, 7, 40)])


def z(levels):
    return -special.ndtri(np.array(levels))


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        # Lan-DeMets spending of O'Brien-Fleming type, one-sided .025, as gsDesign (sfLDOF) and Jennison & Turnbull
        # (Group Sequential Methods, 2000, ch. 7) give it for equally spaced looks.
        ((3, 6, 9, 12, 15), [4.877, 3.357, 2.680, 2.290, 2.031]),
        ((5, 10), [2.963, 1.969]),
    ],
)
def test_the_levels_of_a_published_design_are_the_published_ones(looks, published):
    def like_obrien_and_fleming(fraction, alpha):
        return 2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(fraction))

    assert z(nominal_levels(looks, 0.025, like_obrien_and_fleming)) == pytest.approx(published, abs=6e-4)


def test_the_levels_of_the_planned_looks():
    # Computed by others, independently.
    assert nominal_levels(LOOKS) == pytest.approx([0.00281, 0.00397, 0.00818, 0.01633, 0.0352], rel=2e-3)


def test_only_the_spacing_of_looks_counts():
    assert nominal_levels((5, 10), 0.025) == pytest.approx(nominal_levels((50, 100), 0.025), rel=1e-9)


@pytest.mark.parametrize("looks", [LOOKS, (3, 6, 9, 12, 15), (5, 8, 20)])
def test_brownian_paths_cross_as_often_as_is_spent(looks):
    paths, alpha, times = 400_000, 0.05, np.array(looks) / looks[-1]
    rng, edges = np.random.default_rng(7), z(nominal_levels(looks, alpha)) * np.sqrt(times)
    score, crossed = np.zeros(paths), np.zeros(paths, dtype=bool)
    for step, edge, time in zip(np.diff(times, prepend=0.0), edges, times, strict=True):
        score += rng.normal(scale=np.sqrt(step), size=paths)
        crossed |= score > edge
        expected = spent(time, alpha)
        # Four standard errors.
        assert crossed.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / paths))


def test_nine_tenths_of_alpha_are_spent_at_the_last_look_and_a_sixteenth_of_that_at_a_quarter_of_the_seeds():
    assert spent(1.0, 0.05) == pytest.approx(0.045)
    assert spent(0.25, 0.05) == pytest.approx(0.045 / 16)


@given(PLANS, ALPHAS)
def test_each_level_is_below_alpha_and_together_they_are_at_least_alpha(looks, alpha):
    levels = nominal_levels(looks, alpha)
    assert all(level < alpha for level in levels)
    # Boole: the chance of any crossing is at most the sum of the chances of each.
    assert sum(levels) >= spent(1.0, alpha)
    # What is new at a look cannot be more than its own level, nor that more than all that is spent.
    total = [spent(n / looks[-1], alpha) for n in looks]
    for level, before, after in zip(levels, [0.0, *total], total, strict=False):
        assert (after - before) * (1 - 1e-9) <= level <= after * (1 + 1e-9)


@given(st.sampled_from([LOOKS, (5, 10), (3, 6, 9, 12, 15)]), ALPHAS)
def test_levels_rise_from_look_to_look(looks, alpha):
    assert all(before < after for before, after in itertools.pairwise(nominal_levels(looks, alpha)))


@given(ALPHAS)
def test_one_look_gets_alpha_itself(alpha):
    assert nominal_levels((7,), alpha) == pytest.approx((alpha,))


@pytest.mark.parametrize("looks", [(), (5, 5), (10, 5), (2, 5)])
def test_refused_looks(looks):
    with pytest.raises(ValueError, match="needed: ascending numbers of seeds, from 3 on"):
        nominal_levels(looks)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 2, np.nan])
def test_refused_levels(alpha):
    with pytest.raises(ValueError, match="needed: above 0 and below 1"):
        nominal_levels(LOOKS, alpha)


@given(PLANS, ALPHAS, st.data())
def test_overall_p_undoes_the_nominal_levels(looks, alpha, data):
    n = data.draw(st.sampled_from(looks))
    level = nominal_levels(looks, alpha)[looks.index(n)]
    assert overall_p(level, n, looks) == pytest.approx(alpha, rel=1e-4)


@given(PLANS, ALPHAS, st.data())
def test_overall_p_is_at_most_alpha_exactly_when_that_look_decides(looks, alpha, data):
    n = data.draw(st.sampled_from(looks))
    level = nominal_levels(looks, alpha)[looks.index(n)]
    assert overall_p(0.99 * level, n, looks) < alpha < overall_p(1.01 * level, n, looks)


@given(PLANS, st.lists(st.floats(0, 1), min_size=2, max_size=5), st.data())
def test_overall_p_rises_with_p(looks, values, data):
    n = data.draw(st.sampled_from(looks))
    found = [overall_p(p, n, looks) for p in sorted(values)]
    assert all(0 <= before <= after * (1 + 1e-5) <= 1 + 1e-5 for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("n", LOOKS)
@pytest.mark.parametrize("alpha", [1e-10, 1e-6])
def test_overall_p_is_exact_where_it_is_very_small_too(n, alpha):
    assert overall_p(nominal_levels(LOOKS, alpha)[LOOKS.index(n)], n, LOOKS) == pytest.approx(alpha, rel=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 1e-6, 1e-13])
def test_the_first_look_has_what_is_spent_there_however_little(alpha):
    level = nominal_levels(LOOKS, alpha)[0]
    assert level == pytest.approx(spent(LOOKS[0] / LOOKS[-1], alpha), rel=1e-9, abs=0)
    # And nothing is searched for there: no p is too small.
    assert overall_p(level, LOOKS[0], LOOKS) == pytest.approx(alpha, rel=1e-9, abs=0)


def test_a_p_of_several_ends_at_1():
    assert over_looks(0.9, 6, 10, LOOKS) == 1.0
    assert over_looks(0.012, 6, 10, LOOKS) == 6 * overall_p(0.002, 10, LOOKS) < 1


def test_at_a_number_of_seeds_that_is_fixed_a_level_is_what_all_looks_hold():
    assert (once(0.03), once(Level.of(LOOKS, 7, 0.03))) == (0.03, 0.03)


@pytest.mark.parametrize("n", LOOKS[1:])
def test_overall_p_of_a_later_look_is_never_below_what_it_is_searched_from(n):
    assert overall_p(1e-200, n, LOOKS) == 1e-12


@given(st.floats(0, 1))
def test_overall_p_of_one_look_is_p(p):
    assert overall_p(p, 5, (5,)) == p


@pytest.mark.parametrize("n", LOOKS)
def test_overall_p_of_0_and_1_is_itself(n):
    assert (overall_p(0.0, n, LOOKS), overall_p(1.0, n, LOOKS)) == (0.0, 1.0)


# How a judge that is asked at every look may answer.
ASKED = st.lists(st.sampled_from(list(Outcome)), min_size=len(LOOKS), max_size=len(LOOKS))


def answers(outcomes, p=0.001):
    """A judge that gives these outcomes in turn, and the list of what it was asked."""
    asked = []

    def judge(n, level):
        asked.append((n, level))
        base = superiority(np.array([3.0, 4.0, 5.0]), np.zeros(3), margin=1)
        changed = {"outcome": outcomes[len(asked) - 1], "n": n, "alpha": level, "p_holds": p, "p_fails": p / 2}
        return dataclasses.replace(base, **changed)

    return judge, asked


@given(ASKED)
def test_the_first_look_with_a_verdict_is_the_last(outcomes):
    judge, asked = answers(outcomes)
    found = sequential(judge, LOOKS)
    settled = [outcome != Outcome.INCONCLUSIVE for outcome in outcomes]
    taken = settled.index(True) + 1 if any(settled) else len(LOOKS)
    levels = nominal_levels(LOOKS)
    assert asked == list(zip(LOOKS, levels, strict=True))[:taken]
    assert found.looks == tuple(map(Look, LOOKS, levels, outcomes))[:taken]
    assert (found.outcome, found.n, found.alpha) == (outcomes[taken - 1], LOOKS[taken - 1], levels[taken - 1])
    assert found.p_holds == overall_p(0.001, found.n, LOOKS)
    assert found.p_fails == overall_p(0.0005, found.n, LOOKS)


def test_a_part_of_the_planned_looks_keeps_the_levels_of_the_whole_plan():
    judge, asked = answers([Outcome.INCONCLUSIVE] * 3)
    found = sequential(judge, LOOKS[:3], planned=LOOKS)
    assert asked == list(zip(LOOKS, nominal_levels(LOOKS), strict=True))[:3]
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.p_holds == overall_p(0.001, 10, LOOKS)
    assert found.p_holds != pytest.approx(overall_p(0.001, 10, LOOKS[:3]), rel=0.1)


def test_an_open_verdict_that_is_the_last_word_takes_no_more_looks():
    judge, asked = answers([Outcome.INCONCLUSIVE] * len(LOOKS))
    found = sequential(judge, LOOKS, ended=lambda verdict: verdict.n == LOOKS[1])
    assert [n for n, _ in asked] == [look.n for look in found.looks] == list(LOOKS[:2])
    assert found.outcome == Outcome.INCONCLUSIVE


def test_one_look_is_the_verdict_itself():
    differences = np.array([2.0, 2.4, 1.8, 2.2, 2.1])

    def judge(n, level):
        return superiority(differences[:n], np.zeros(n), margin=1, alpha=level)

    found, level = sequential(judge, (5,)), 0.05
    assert dataclasses.replace(found, looks=()) == superiority(differences, np.zeros(5), margin=1, alpha=level)
    assert found.looks == (Look(5, level, Outcome.REPRODUCED),)


@pytest.mark.parametrize("looks", [(), (10,), (5, 20), (5, 10, 20, 40), (10, 5)])
def test_looks_that_are_no_beginning_of_the_plan_are_refused(looks):
    judge, asked = answers([Outcome.REPRODUCED] * 4)
    with pytest.raises(ValueError, match="one or more from the beginning of"):
        sequential(judge, looks, planned=LOOKS)
    assert asked == []


def test_without_effect_all_looks_together_call_it_better_at_alpha_and_without_nominal_levels_far_more_often():
    differences = np.random.default_rng(3).normal(size=(20_000, LOOKS[-1]))

    def ever_better(levels):
        lower = [bounds(differences[:, :n], level)[1] for n, level in zip(LOOKS, levels, strict=True)]
        return float((np.array(lower) > 0).any(axis=0).mean())

    assert 0.03 < ever_better(nominal_levels(LOOKS)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20_000)
    assert ever_better([0.05] * len(LOOKS)) > 0.07


@given(PLANS, st.integers(2, 12), st.data())
def test_a_part_of_a_looks_level_is_the_level_of_that_look_for_a_part_of_alpha(looks, parts, data):
    n = data.draw(st.sampled_from(looks))
    part = split(Level.of(looks, n), parts)
    assert part == nominal_levels(looks, 0.05 / parts)[looks.index(n)]
    # A part of the level itself would be at least as much: more is spent late where alpha is small.
    assert part <= Level.of(looks, n) / parts * (1 + 1e-9)
    assert split(part, 2) == split(Level.of(looks, n), 2 * parts)


def test_a_part_of_a_fixed_level_is_that_part():
    assert split(0.05, 4) == 0.0125
    assert split(Level.of((20,), 20), 4) == 0.0125


@given(PLANS, st.integers(1, 12), st.data())
def test_a_p_of_several_is_at_most_alpha_over_all_looks_exactly_when_one_decides_at_its_part(looks, parts, data):
    n = data.draw(st.sampled_from(looks))
    part = split(Level.of(looks, n), parts)
    for p, decided in ((0.99 * part, True), (1.01 * part, False)):
        found = sequential(
            lambda n, level, p=p: dataclasses.replace(
                superiority([3.0, 4.0, 5.0], [0.0] * 3, margin=1),
                outcome=Outcome.INCONCLUSIVE,
                p_fails=parts * p,
                fails_by=parts,
            ),
            looks[: looks.index(n) + 1],
            planned=looks,
        )
        assert (found.p_fails <= 0.05) == decided
