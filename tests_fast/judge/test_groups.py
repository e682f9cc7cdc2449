"""Claims about several arms: assert_no_difference, assert_some_difference, assert_best, assert_ranks."""

import itertools
import math

import pytest

from pytest_claims.report.notes import all_notes
from pytest_claims.report.procedures import comparison_text, rule_text
from pytest_claims.stats import agreement
from pytest_claims.types import Outcome
from tests_fast.judge.planted import NOISY, ROUNDING, arms_at, around, constant, first_of, judged

GROUP = ["a", "b", "c"]


def unpaired(arms, names):
    """The SD of a difference of these two arms if they were not paired by seed."""
    return math.sqrt(sum(arms[name].var(ddof=1) for name in names))


def of_three(documented, arms, names):
    """The agreement of a difference that the source's own figures chose among three."""
    first, second = (arms[name] for name in names)
    chance = {"unpaired": unpaired(arms, names), "chosen_from": 3, "rounding": ROUNDING}
    return agreement(documented, first - second, 3, **chance)


def part_effects(found):
    return {comparison_text(part): part.effect for part in found.verdict.parts}


def assert_collapse_noted(found, *pairs):
    """The result's notes are of collapses in just these pairs."""
    beginnings = [note.split(": collapsed to chance or diverged: ")[0] for note in all_notes(found)]
    assert beginnings == list(pairs)


# assert_no_difference and assert_some_difference: 1 point in all of these. One is the other, turned over.

TURNED = {
    Outcome.REPRODUCED: Outcome.CONTRADICTED,
    Outcome.CONTRADICTED: Outcome.REPRODUCED,
    Outcome.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}
# Means of the arms, their spread, and the outcome of "no difference".
GROUPS = [
    ((50.0, 50.0, 50.0), 0.5, Outcome.REPRODUCED),
    ((50.0, 50.2, 50.3), 0.5, Outcome.REPRODUCED),
    ((50.0, 53.0, 50.0), 0.5, Outcome.CONTRADICTED),
    ((50.0, 50.0, 47.0), 0.5, Outcome.CONTRADICTED),
    ((53.0, 50.0, 50.0), 0.5, Outcome.CONTRADICTED),
    ((50.0, 50.2, 50.3), NOISY, Outcome.INCONCLUSIVE),
]
groups = pytest.mark.parametrize(("means", "spread", "outcome"), GROUPS)


@groups
def test_no_difference_is_decided_by_the_widest_pair(planting, means, spread, outcome):
    lab = planting.lab(arms_at(spread=spread, **dict(zip(GROUP, means, strict=True))))
    found = judged(lab, "assert_no_difference", GROUP, within=1.0)
    assert found.verdict.outcome == outcome
    assert (found.kind, found.contrast, found.verdict.margin) == ("equality", "the deciding pair's difference", 1.0)
    assert [arm.label for arm in found.arms] == GROUP


@groups
def test_some_difference_is_no_difference_turned_over(planting, means, spread, outcome):
    lab = planting.lab(arms_at(spread=spread, **dict(zip(GROUP, means, strict=True))))
    found = judged(lab, "assert_some_difference", GROUP, beyond=1.0)
    assert found.verdict.outcome == TURNED[outcome]
    assert found.kind == "some difference"
    assert (found.contrast, found.verdict.margin) == ("the deciding pair's difference", 1.0)
    assert [arm.label for arm in found.arms] == GROUP


@pytest.mark.parametrize(("difference", "outcome"), [(0.99, Outcome.REPRODUCED), (1.01, Outcome.CONTRADICTED)])
def test_no_difference_ends_at_the_limit(planting, difference, outcome):
    lab = planting.lab(constant(a=50, b=50 + difference, c=50))
    assert judged(lab, "assert_no_difference", GROUP, within=1.0).verdict.outcome == outcome


@pytest.mark.parametrize(("difference", "outcome"), [(0.99, Outcome.CONTRADICTED), (1.01, Outcome.REPRODUCED)])
def test_some_difference_begins_at_the_limit(planting, difference, outcome):
    lab = planting.lab(constant(a=50, b=50 + difference, c=50))
    assert judged(lab, "assert_some_difference", GROUP, beyond=1.0).verdict.outcome == outcome


def test_no_difference_reads_as_distances_of_the_higher_arm_over_the_lower(planting):
    # By its mean: on the first seed a is ahead of c.
    lab = planting.lab(arms_at(spread=1.0, a=50, b=50.4, c=50.1))
    found = judged(lab, "assert_no_difference", GROUP, within=3.0)
    assert part_effects(found) == pytest.approx({"b − c": 0.3, "b − a": 0.4, "c − a": 0.1})
    assert lab.values("a")[0] > lab.values("c")[0]
    assert found.verdict.effect == pytest.approx(0.4)


def test_some_difference_keeps_the_order_of_the_claim(planting):
    found = judged(planting.lab(arms_at(a=50, b=58, c=50.1)), "assert_some_difference", ["c", "a", "b"], beyond=7.95)
    assert part_effects(found) == pytest.approx({"c − a": 0.1, "c − b": -7.9, "a − b": -8})
    assert found.verdict.effect == pytest.approx(-8)


pairs_of = pytest.mark.parametrize(
    ("assertion", "limit"), [("assert_no_difference", "within"), ("assert_some_difference", "beyond")]
)


@pairs_of
def test_a_difference_is_held_against_that_of_the_sources_extremes(planting, assertion, limit):
    arms = arms_at(a=50, b=58, c=53)
    # The source's highest is our middle arm, and its lowest our highest.
    lab = planting.lab(arms, documented={"a": 62.0, "b": 60.0, "c": 67.0})
    found = judged(lab, assertion, GROUP, **{limit: 1.0})
    assert found.compared == "c − b"
    assert (found.agreement.documented, found.agreement.measured) == (7.0, -5.0)
    # One of three pairs, which the source's own figures chose.
    assert found.agreement == agreement(
        7.0, arms["c"] - arms["b"], 3, unpaired=unpaired(arms, "bc"), chosen_from=3, rounding=ROUNDING
    )


@pytest.mark.parametrize("missing", GROUP)
@pairs_of
def test_a_difference_has_no_agreement_where_the_source_gives_two_arms_of_three(planting, assertion, limit, missing):
    documented = {"a": 62.0, "b": 60.0, "c": 67.0}
    del documented[missing]
    lab = planting.lab(arms_at(a=50, b=58, c=53), documented=documented)
    found = judged(lab, assertion, GROUP, **{limit: 1.0})
    assert (found.agreement, found.compared) == (None, "a − c")


@pytest.mark.parametrize(
    ("gone", "pairs", "outcome"),
    [
        (None, [], Outcome.REPRODUCED),
        ("a", ["a − b", "a − c"], Outcome.INCONCLUSIVE),
        ("b", ["a − b", "b − c"], Outcome.INCONCLUSIVE),
        ("c", ["a − c", "b − c"], Outcome.INCONCLUSIVE),
    ],
)
def test_no_difference_is_not_shown_beside_a_run_that_diverged(planting, gone, pairs, outcome):
    lab = planting.lab(arms_at(a=50.2, b=50.1, c=50), diverged={gone: first_of(10)} if gone else {})
    found = judged(lab, "assert_no_difference", GROUP, within=1.0)
    assert found.verdict.outcome == outcome
    assert_collapse_noted(found, *pairs)


def test_no_difference_is_not_shown_by_arms_at_chance(planting):
    found = judged(planting.lab(arms_at(a=10, b=10, c=10)), "assert_no_difference", GROUP, within=1.0)
    assert found.verdict.outcome == Outcome.INCONCLUSIVE
    assert len(all_notes(found)) == 3


def test_no_difference_is_contradicted_by_ten_seeds_at_chance(planting):
    # Enough for the sign-flip test.
    found = judged(planting.lab(arms_at(a=50.2, b=50, c=10)), "assert_no_difference", GROUP, within=1.0)
    assert found.verdict.outcome == Outcome.CONTRADICTED
    assert_collapse_noted(found, "a − c", "b − c")


@pytest.mark.parametrize(
    ("gone", "pairs", "outcome"),
    [
        (None, [], Outcome.REPRODUCED),
        ("a", ["a − b", "a − c"], Outcome.INCONCLUSIVE),
        ("b", ["a − b", "b − c"], Outcome.INCONCLUSIVE),
        ("c", ["a − c", "b − c"], Outcome.INCONCLUSIVE),
    ],
)
def test_some_difference_needs_more_than_five_seeds_once_one_diverged(planting, gone, pairs, outcome):
    # Every pair that differs is one of the arm that collapsed.
    means = dict.fromkeys(GROUP, 50.0) | {gone or "a": 60.0}
    lab = planting.lab(arms_at(n=5, **means), diverged={gone: first_of(5)} if gone else {})
    found = judged(lab, "assert_some_difference", GROUP, beyond=1.0)
    assert found.verdict.outcome == outcome
    assert_collapse_noted(found, *pairs)


# assert_best and assert_ranks: leads of 5 points in all of these.


@pytest.mark.parametrize(
    ("leads", "outcome"),
    [
        ((12, 10, 20), Outcome.REPRODUCED),
        ((12, 20, 2), Outcome.TOO_SMALL),
        ((2, 20, 10), Outcome.TOO_SMALL),
        ((20, 10, 0), Outcome.CONTRADICTED),
        ((10, -10, 20), Outcome.CONTRADICTED),
    ],
)
def test_best_is_decided_by_the_lead_over_the_closest_rival(planting, leads, outcome):
    lab = planting.lab(arms_at(b=60 - leads[0], c=60 - leads[1], a=60, d=60 - leads[2]))
    found = judged(lab, "assert_best", "a", ["b", "c", "d"], margin=5.0)
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(min(leads))
    names = "a over b", "a over c", "a over d"
    assert part_effects(found) == pytest.approx(dict(zip(names, leads, strict=True)))
    assert (found.kind, found.contrast, found.verdict.margin) == ("best", "a − its closest rival", 5.0)
    assert [arm.label for arm in found.arms] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ((7, 12, 10), Outcome.REPRODUCED),
        ((12, 7, 10), Outcome.REPRODUCED),
        ((12, 10, 2), Outcome.TOO_SMALL),
        ((2, 12, 10), Outcome.TOO_SMALL),
        ((10, 0, 12), Outcome.CONTRADICTED),
        ((20, -10, 20), Outcome.CONTRADICTED),
        ((-10, -10, -10), Outcome.CONTRADICTED),
    ],
)
def test_ranks_are_decided_by_the_smallest_step(planting, steps, outcome):
    b, c, d = (60 - sum(steps[:place]) for place in (1, 2, 3))
    found = judged(planting.lab(arms_at(d=d, a=60, c=c, b=b)), "assert_ranks", ["a", "b", "c", "d"], margin=5.0)
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(min(steps))
    names = "a over b", "b over c", "c over d"
    assert part_effects(found) == pytest.approx(dict(zip(names, steps, strict=True)))
    assert (found.kind, found.contrast, found.verdict.margin) == ("best", "the smallest step of the ranking", 5.0)
    assert [arm.label for arm in found.arms] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("order", [["c", "a", "b"], ["b", "c", "a"]])
def test_ranks_list_arms_in_the_claimed_order(planting, order):
    # Neither in the order in which they are declared, nor in that of their means.
    found = judged(planting.lab(arms_at(a=50, b=70, c=60)), "assert_ranks", order, margin=5.0)
    assert [arm.label for arm in found.arms] == order
    assert [comparison_text(part) for part in found.verdict.parts] == [
        f"{ahead} over {behind}" for ahead, behind in itertools.pairwise(order)
    ]


leading = pytest.mark.parametrize(
    ("assertion", "arguments"), [("assert_best", ("a", ["b", "c"])), ("assert_ranks", (["a", "b", "c"],))]
)


@leading
def test_leads_are_inconclusive_where_noise_hides_them(planting, assertion, arguments):
    lab = planting.lab(arms_at(spread=NOISY, a=50, b=48, c=46))
    assert judged(lab, assertion, *arguments, margin=5.0).verdict.outcome == Outcome.INCONCLUSIVE


@leading
@pytest.mark.parametrize(("lead", "outcome"), [(5.0, Outcome.REPRODUCED), (4.99, Outcome.TOO_SMALL)])
def test_leads_are_too_small_just_below_the_margin(planting, assertion, arguments, lead, outcome):
    lab = planting.lab(constant(a=60, b=60 - lead, c=40))
    assert judged(lab, assertion, *arguments, margin=5.0).verdict.outcome == outcome


@pytest.mark.parametrize(
    ("gone", "best", "ranks"),
    [
        (None, [], []),
        ("a", ["a over b", "a over c"], ["a over b"]),
        ("b", ["a over b"], ["a over b", "b over c"]),
        ("c", ["a over c"], ["b over c"]),
    ],
)
@leading
def test_leads_are_shown_by_four_seeds_unless_one_diverged(planting, assertion, arguments, gone, best, ranks):
    lab = planting.lab(arms_at(n=4, a=70, b=60, c=50), diverged={gone: first_of(4)} if gone else {})
    found = judged(lab, assertion, *arguments, margin=5.0)
    assert found.verdict.outcome == (Outcome.INCONCLUSIVE if gone else Outcome.REPRODUCED)
    assert_collapse_noted(found, *(best if assertion == "assert_best" else ranks))


@leading
@pytest.mark.parametrize(("n", "outcome"), [(4, Outcome.INCONCLUSIVE), (5, Outcome.REPRODUCED)])
def test_leads_over_an_arm_at_chance_need_five_seeds(planting, assertion, arguments, n, outcome):
    lab = planting.lab(arms_at(n=n, a=70, b=60, c=10))
    assert judged(lab, assertion, *arguments, margin=5.0).verdict.outcome == outcome


def test_best_is_held_against_the_lead_over_the_sources_closest_rival(planting):
    arms = arms_at(a=70, b=50, c=60, d=40)
    lab = planting.lab(arms, documented={"a": 71.0, "b": 52.0, "c": 51.0, "d": 55.0})
    found = judged(lab, "assert_best", "a", ["b", "c", "d"], margin=5.0)
    assert found.compared == "a − d"
    assert (found.agreement.documented, found.agreement.measured) == (16.0, 30.0)
    assert found.agreement == agreement(
        16.0, arms["a"] - arms["d"], 3, unpaired=unpaired(arms, "ad"), chosen_from=3, rounding=ROUNDING
    )


def test_ranks_are_held_against_the_smallest_step_of_the_source(planting):
    arms = arms_at(a=70, b=64, c=50, d=40)
    lab = planting.lab(arms, documented={"a": 79.0, "b": 60.0, "c": 57.0, "d": 50.0})
    found = judged(lab, "assert_ranks", ["a", "b", "c", "d"], margin=5.0)
    assert found.compared == "b − c"
    assert (found.agreement.documented, found.agreement.measured) == (3.0, 14.0)
    assert found.agreement == agreement(
        3.0, arms["b"] - arms["c"], 3, unpaired=unpaired(arms, "bc"), chosen_from=3, rounding=ROUNDING
    )


# Any rival that the source leaves out could be its closest.
@pytest.mark.parametrize(("missing", "compared"), [("a", "a − c"), ("b", "a − b"), ("c", "a − b")])
def test_best_has_no_agreement_where_the_source_leaves_out_an_arm(planting, missing, compared):
    documented = {"a": 71.0, "b": 52.0, "c": 55.0}
    del documented[missing]
    lab = planting.lab(arms_at(a=70, b=60, c=50), documented=documented)
    found = judged(lab, "assert_best", "a", ["b", "c"], margin=5.0)
    assert (found.agreement, found.compared) == (None, compared)


@pytest.mark.parametrize("missing", ["a", "b", "c"])
def test_ranks_have_no_agreement_where_the_source_leaves_out_an_arm(planting, missing):
    documented = {"a": 71.0, "b": 52.0, "c": 55.0}
    del documented[missing]
    found = judged(planting.lab(arms_at(a=70, b=60, c=50), documented=documented), "assert_ranks", GROUP, margin=5.0)
    assert (found.agreement, found.compared) == (None, "a − b")


@pytest.mark.parametrize(
    ("first", "second", "comparable"),
    [(10, 50, False), (50, 10, False), (10, 10, False), (10.5, 50, True), (50, 50, True)],
)
def test_the_spread_of_an_arm_at_chance_is_compared_with_nothing(planting, first, second, comparable):
    arms = {"a": around(first, n=20, spread=0.01), "b": around(second, n=20, spread=0.1, seed=1)}
    found = judged(planting.lab(arms), "assert_steadier", "a", ["b"], margin=0.5)
    assert (found.verdict.outcome, found.called) == (
        ("REPRODUCED", "REPRODUCED") if comparable else ("INCONCLUSIVE", "NOT COMPARABLE")
    )
    if not comparable:
        assert "; but most runs are at chance, which says nothing of what is compared" in rule_text(found.verdict)
        assert found.verdict.seeds_to_settle is None


@pytest.mark.parametrize(("second", "outcome"), [(10, "INCONCLUSIVE"), (50, "CONTRADICTED")])
def test_two_arms_at_chance_contradict_nothing_and_one_does(planting, second, outcome):
    arms = {"a": around(10, n=20, spread=0.01), "b": around(second, n=20, spread=0.01, seed=1)}
    found = judged(planting.lab(arms), "assert_greater", "a", "b", margin=5.0)
    assert found.verdict.outcome == outcome


@pytest.mark.parametrize(
    ("means", "called"),
    [
        ((50, 10, 10), "NOT COMPARABLE"),
        ((10, 50, 10), "CONTRADICTED"),  # by the first two, one of which learned
        ((50, 30, 40), "CONTRADICTED"),
        ((50, 30, 10), "REPRODUCED"),
    ],
)
def test_a_pair_at_chance_contradicts_no_claim_on_several_pairs(planting, means, called):
    arms = {
        name: around(mean, n=20, spread=0.01, seed=at) for at, (name, mean) in enumerate(zip("abc", means, strict=True))
    }
    assert judged(planting.lab(arms), "assert_ranks", ["a", "b", "c"], margin=5.0).called == called


def test_a_claim_that_is_reproduced_stands_beside_a_pair_at_chance(planting):
    arms = {
        name: around(mean, n=20, spread=0.01, seed=at)
        for at, (name, mean) in enumerate(zip("abc", (50, 10, 9.2), strict=True))
    }
    found = judged(planting.lab(arms), "assert_ranks", ["a", "b", "c"], margin=0.5)
    assert found.verdict.bounds[1].comparison == ("b", "c")
    assert [arm.at_chance for arm in found.arms] == [False, True, True]
    assert found.called == "REPRODUCED"


def test_it_is_the_pair_nearest_to_being_excluded_that_must_not_be_at_chance(planting):
    """Of a over b, 7 points, a size of 20 is excluded; the lead of b over c is the less certain one."""
    b = around(9, n=20, spread=0.5)
    arms = {"a": b + 7 + around(0, n=20, spread=0.01, seed=1), "b": b, "c": around(2, n=20, spread=0.5, seed=2)}
    found = judged(planting.lab(arms), "assert_ranks", ["a", "b", "c"], margin=20.0)
    assert [bound.comparison for bound in found.verdict.bounds[:2]] == [("b", "c"), ("a", "b")]
    assert [arm.at_chance for arm in found.arms] == [False, True, True]
    assert found.called == "TOO SMALL"


@pytest.mark.parametrize(("learned", "n", "next_look"), [(0, 5, None), (1, 20, None)])
def test_where_no_run_has_learned_anything_no_more_seeds_are_looked_at(planting, learned, n, next_look):
    arms = {name: around(10, n=20, spread=0.01, seed=at) for at, name in enumerate("ab")}
    arms["a"][:learned] = 50.0  # more of them may
    found = judged(planting.lab(arms, looks=(5, 7, 10, 14, 20)), "assert_greater", "a", "b", margin=5.0)
    assert (found.called, found.verdict.n, found.next_look) == ("NOT COMPARABLE", n, next_look)


def test_runs_that_each_say_little_may_say_much_together(planting):
    """Of 40 test images a run needs 34 % to be seen above chance; twenty runs need 15 % in the middle."""
    arms = {"a": around(30, n=20, spread=1.0), "b": around(20, n=20, spread=1.0, seed=1)}
    found = judged(planting.lab(arms, tested=40), "assert_greater", "a", "b", margin=5.0)
    assert all(all(arm.collapsed) for arm in found.arms)
    assert found.verdict.outcome == "REPRODUCED"


@pytest.mark.parametrize(("count", "at_chance"), [(10, False), (11, True)])
def test_an_arm_whose_runs_mostly_diverged_is_at_chance(planting, count, at_chance):
    flags = [True] * count + [False] * (20 - count)
    lab = planting.lab({"a": around(50, n=20), "b": around(50, n=20, seed=1)}, diverged={"a": flags})
    assert judged(lab, "assert_greater", "a", "b", margin=5.0).arms[0].at_chance == at_chance
