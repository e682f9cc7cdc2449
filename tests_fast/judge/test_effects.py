"""Claims about two arms: assert_greater and assert_within; and what all claims of this and its sister files share."""

import dataclasses

import pytest

from pytest_claims.judge.lab import NotReproducedError
from pytest_claims.judge.metric import Metric
from pytest_claims.report.notes import all_notes, cause_sentences
from pytest_claims.stats import agreement, interaction, nominal_levels, superiority
from pytest_claims.stats.looks import Level
from pytest_claims.types import Cause, Confounder, Doubt, NotTried, Outcome
from tests_fast.judge.planted import NOISY, ROUNDING, TEST_IMAGES, arms_at, around, constant, first_of, judged

# assert_greater: the claimed size is 5 points in all of these.


@pytest.mark.parametrize(
    ("lead", "spread", "outcome"),
    [
        (10.0, 0.5, Outcome.REPRODUCED),
        (2.0, 0.5, Outcome.TOO_SMALL),
        (0.0, 0.5, Outcome.CONTRADICTED),
        (-10.0, 0.5, Outcome.CONTRADICTED),
        (2.0, NOISY, Outcome.INCONCLUSIVE),
    ],
)
def test_greater_is_decided_by_the_lead_over_the_worse_arm(planting, lead, spread, outcome):
    lab = planting.lab(arms_at(spread=spread, b=50, a=50 + lead))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0)
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(lead)
    assert (found.kind, found.contrast, found.verdict.margin) == ("effect", "a − b", 5.0)
    assert [arm.label for arm in found.arms] == ["a", "b"]


@pytest.mark.parametrize(("lead", "outcome"), [(5.0, Outcome.REPRODUCED), (4.99, Outcome.TOO_SMALL)])
def test_greater_is_too_small_just_below_the_margin(planting, lead, outcome):
    lab = planting.lab(constant(a=50 + lead, b=50))
    assert judged(lab, "assert_greater", "a", "b", margin=5.0).verdict.outcome == outcome


def test_greater_is_held_against_the_difference_that_the_source_gives(planting):
    arms = arms_at(a=60, b=50)
    found = judged(planting.lab(arms, documented={"a": 61.0, "b": 53.0}), "assert_greater", "a", "b", margin=5.0)
    assert (found.agreement.documented, found.agreement.measured) == (8.0, 10.0)
    assert found.agreement == agreement(8.0, arms["a"] - arms["b"], 3, rounding=ROUNDING)
    assert found.compared == ""


@pytest.mark.parametrize("known", ["a", "b"])
def test_greater_has_no_agreement_where_the_source_gives_one_arm_alone(planting, known):
    found = judged(planting.lab(arms_at(a=60, b=50), documented={known: 55.0}), "assert_greater", "a", "b", margin=5.0)
    assert found.agreement is None


def test_greater_is_shown_by_four_seeds(planting):
    found = judged(planting.lab(arms_at(n=4, a=60, b=50)), "assert_greater", "a", "b", margin=5.0)
    assert (found.verdict.outcome, all_notes(found)) == (Outcome.REPRODUCED, [])


@pytest.mark.parametrize(
    ("gone", "counts", "only"),
    [
        ("a", "a 1 of 4, b 0 of 4", "only it did: 0, only a: 1"),
        ("b", "a 0 of 4, b 1 of 4", "only it did: 1, only a: 0"),
    ],
)
def test_greater_is_not_shown_by_four_seeds_of_which_one_diverged(planting, gone, counts, only):
    # The sign-flip test has to confirm it, and with four seeds it never does.
    lab = planting.lab(arms_at(n=4, a=60, b=50), diverged={gone: first_of(4)})
    found = judged(lab, "assert_greater", "a", "b", margin=5.0)
    assert found.verdict.outcome == Outcome.INCONCLUSIVE
    (note,) = all_notes(found)
    assert note.startswith(f"collapsed to chance or diverged: {counts};")
    assert only in note


@pytest.mark.parametrize(("n", "outcome"), [(4, Outcome.INCONCLUSIVE), (5, Outcome.REPRODUCED)])
def test_greater_than_an_arm_at_chance_needs_five_seeds(planting, n, outcome):
    found = judged(planting.lab(arms_at(n=n, a=60, b=10)), "assert_greater", "a", "b", margin=5.0)
    assert found.verdict.outcome == outcome
    assert [any(arm.collapsed) for arm in found.arms] == [False, True]


RATE = Confounder("the rate", "at a lower rate", "c", "d")


@pytest.mark.parametrize(
    ("lead", "spread", "cause", "said"),
    [
        (
            10.0,
            0.5,
            Cause.DOES_NOT,
            "At a lower rate (+10.00 points) the effect stays: it does not come from the rate.",
        ),
        (6.0, 0.5, Cause.EXPLAINS_PART, ", not +10.00: a part of it comes from the rate."),
        (
            2.0,
            0.5,
            Cause.EXPLAINS,
            "At a lower rate most of the effect is gone: c 52.0 %, d 50.0 %, a difference of +2",
        ),
        (0.0, 0.5, Cause.EXPLAINS, "The effect comes from the rate."),
        (
            -9.0,
            0.5,
            Cause.EXPLAINS,
            "At a lower rate the effect is gone: c 41.0 %, d 50.0 %, a difference of -9.00 points",
        ),
        (2.0, 10.0, Cause.UNDECIDED, "these seeds do not say whether it comes from the rate."),
    ],
)
def test_greater_says_whether_a_confounder_explains_the_effect(planting, lead, spread, cause, said):
    arms = arms_at(a=60, b=50) | {"c": around(50 + lead, spread=spread, seed=2), "d": around(50, seed=3)}
    found = judged(planting.lab(arms), "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    (came_to,) = found.verdict.confounders
    assert came_to.cause == cause
    assert said in " ".join(cause_sentences(found))
    # The claim's own verdict is what it is without them.
    alone = judged(planting.lab(arms), "assert_greater", "a", "b", margin=5.0).verdict
    assert dataclasses.replace(found.verdict, confounders=()) == alone
    assert came_to.under == superiority(
        arms["c"], arms["d"], margin=5.0, resolution=100 / TEST_IMAGES, names=("c", "d")
    )
    assert came_to.removed.effect == pytest.approx(10 - lead)


def test_greater_is_reproduced_and_confounded(planting):
    lab = planting.lab(arms_at(a=60, b=50, c=50, d=50))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    assert (found.verdict_words, found.badge) == ("REPRODUCED", "REPRODUCED, confounded by the rate")


@pytest.mark.parametrize(("means", "badge"), [((60, 50, 60, 50), "REPRODUCED"), ((50, 50, 50, 50), "CONTRADICTED")])
def test_an_effect_that_stays_is_not_confounded_and_one_that_is_not_there_has_no_cause(planting, means, badge):
    lab = planting.lab(arms_at(**dict(zip("abcd", means, strict=True))))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    assert found.badge == badge
    assert bool(cause_sentences(found)) == (badge == "REPRODUCED")


def test_a_change_that_breaks_the_better_arm_explains_nothing(planting):
    arms = arms_at(a=60, b=50, d=50) | {"c": around(10, spread=0.01, seed=3)}
    found = judged(planting.lab(arms), "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    (came_to,) = found.verdict.confounders
    assert (came_to.under.doubt, came_to.cause) == (Doubt.NOT_COMPARABLE, Cause.UNDECIDED)


@pytest.mark.parametrize("left_out", [("e",), ("f",), ("e", "f")])
def test_a_confounder_is_not_tried_if_the_scale_does_without_its_arms(planting, left_out):
    arms = arms_at(a=60, b=50, c=50, d=50, e=60, f=50)
    lab = planting.lab({name: arms[name] for name in arms if name not in left_out}, left_out=left_out)
    other = dataclasses.replace(RATE, factor="the precision", better="e", worse="f")
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE, other])
    assert [came_to.factor for came_to in found.verdict.confounders] == ["the rate"]
    assert [note for note in found.verdict.notes if isinstance(note, NotTried)] == [NotTried(("the precision",))]


def test_a_change_that_leaves_most_of_the_effect_explains_a_part(planting):
    found = judged(
        planting.lab(arms_at(spread=0.1, a=55.5, b=50, c=54.5, d=50)),
        "assert_greater",
        "a",
        "b",
        margin=5,
        confounders=[RATE],
    )
    (came_to,) = found.verdict.confounders
    assert (came_to.under.outcome, came_to.cause) == (Outcome.TOO_SMALL, Cause.EXPLAINS_PART)


def test_two_changes_of_one_factor_are_both_told(planting):
    other = dataclasses.replace(RATE, change="at a higher rate", better="e", worse="f")
    lab = planting.lab(arms_at(a=60, b=50, c=50, d=50, e=60, f=50))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE, other])
    assert [came_to.cause for came_to in found.verdict.confounders] == [Cause.EXPLAINS, Cause.DOES_NOT]


def test_greater_needs_a_smaller_effect_and_not_only_an_absent_one(planting):
    """Under the change the margin is excluded; but the effect was hardly larger before."""
    lab = planting.lab(arms_at(a=50.1, b=50, c=50, d=50))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    (came_to,) = found.verdict.confounders
    assert (came_to.under.outcome, came_to.cause) == (Outcome.CONTRADICTED, Cause.UNDECIDED)


def test_an_effect_that_is_a_collapse_is_told_as_one(planting):
    rate = dataclasses.replace(RATE, instead_of="batch statistics")
    lab = planting.lab(arms_at(a=60, b=50, c=50, d=50), diverged={"b": first_of(10)})
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[rate])
    assert cause_sentences(found) == [
        "At a lower rate neither arm collapses: c 50.0 %, d 50.0 %. The effect comes from the rate, not from batch "
        "statistics."
    ]


def test_what_explains_is_told_before_what_does_not_and_those_together(planting):
    arms = arms_at(a=60, b=50, c=60, d=50, e=50)
    others = [
        Confounder("noise", "without noise", "a", "d"),
        Confounder("rounding", "in float32", "c", "b"),
        Confounder("the rate", "at a lower rate", "e", "d"),
    ]
    found = judged(planting.lab(arms), "assert_greater", "a", "b", margin=5.0, confounders=others)
    first, then = cause_sentences(found)
    assert first.endswith("The effect comes from the rate.")
    assert then == (
        "Without noise (+10.00 points) and in float32 (+10.00 points) the effect stays: it comes neither from noise "
        "nor from rounding."
    )
    assert [arm.label for arm in found.arms] == ["a", "b", "d", "c", "e"]


def test_a_confounder_that_collapsed_decides_nothing(planting):
    arms = arms_at(a=60, b=50) | {name: around(10, spread=0.01, seed=3) for name in "cd"}
    lab = planting.lab(arms)
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    (came_to,) = found.verdict.confounders
    assert (came_to.under.doubt, came_to.cause) == (Doubt.NOT_COMPARABLE, Cause.UNDECIDED)


def test_greater_judges_a_confounder_at_the_level_of_the_look(planting):
    lab = planting.lab(arms := arms_at(a=60, b=50, c=50, d=50), looks=(5, 10))
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    assert found.verdict.n == 5
    at = {"margin": 5.0, "alpha": Level.of((5, 10), 5), "resolution": 100 / TEST_IMAGES}
    (came_to,) = found.verdict.confounders
    assert came_to.under == superiority(arms["c"][:5], arms["d"][:5], names=("c", "d"), **at)
    assert came_to.removed == interaction(
        (arms["a"][:5], arms["b"][:5]), (arms["c"][:5], arms["d"][:5]), names=tuple("abcd"), **at
    )


def test_a_confounder_changes_one_arm_at_least(planting):
    lab = planting.lab(arms_at(a=60, b=50))
    with pytest.raises(ValueError, match="whether the rate explains the effect with 'a' and 'b'; needed: two"):
        lab.assert_greater("a", "b", margin=5.0, confounders=[dataclasses.replace(RATE, better="a", worse="b")])


def test_a_confounder_that_is_not_stored_keeps_no_claim_from_its_verdict(planting):
    arms = arms_at(a=60, b=50, c=50, d=50)
    for pair in (("a", "b"), ("a", "d")):
        judged(planting.lab({name: arms[name] for name in pair}), "assert_greater", *pair, margin=5.0)
    # Arms are stored by their place; the third and fourth were never trained.
    found = judged(planting.lab(arms, only_stored=True), "assert_greater", "a", "b", margin=5.0, confounders=[RATE])
    assert (found.verdict.outcome, found.verdict.confounders) == (Outcome.REPRODUCED, ())
    assert [arm.label for arm in found.arms] == ["a", "b"]
    assert all_notes(found) == ["not tried here: whether the effect comes from the rate"]


def test_greater_names_arms_in_words(planting):
    lab = planting.lab({("relu", 4): around(60), ("gelu", 4): around(50, seed=1)})
    found = judged(lab, "assert_greater", ("relu", 4), ("gelu", 4), margin=5.0)
    assert found.contrast == "relu 4 − gelu 4"


# assert_within: the limit is 1 point in all of these.


@pytest.mark.parametrize(
    ("difference", "spread", "outcome"),
    [
        (0.0, 0.5, Outcome.REPRODUCED),
        (0.3, 0.5, Outcome.REPRODUCED),
        (-0.3, 0.5, Outcome.REPRODUCED),
        (3.0, 0.5, Outcome.CONTRADICTED),
        (-3.0, 0.5, Outcome.CONTRADICTED),
        (0.3, NOISY, Outcome.INCONCLUSIVE),
    ],
)
def test_within_is_decided_by_the_difference_either_way(planting, difference, spread, outcome):
    lab = planting.lab(arms_at(spread=spread, b=50, a=50 + difference))
    found = judged(lab, "assert_within", "a", "b", within=1.0)
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(difference)
    assert (found.kind, found.contrast, found.verdict.margin) == ("equality", "a − b", 1.0)
    assert [arm.label for arm in found.arms] == ["a", "b"]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("difference", "outcome"), [(0.99, Outcome.REPRODUCED), (1.01, Outcome.CONTRADICTED)])
def test_within_ends_at_the_limit(planting, side, difference, outcome):
    lab = planting.lab(constant(a=50 + side * difference, b=50))
    assert judged(lab, "assert_within", "a", "b", within=1.0).verdict.outcome == outcome


def test_within_is_held_against_the_difference_that_the_source_gives(planting):
    arms = arms_at(a=50.5, b=50)
    found = judged(planting.lab(arms, documented={"a": 61.0, "b": 63.0}), "assert_within", "a", "b", within=1.0)
    assert (found.agreement.documented, found.agreement.measured) == (-2.0, 0.5)
    assert found.agreement == agreement(-2.0, arms["a"] - arms["b"], 3, rounding=ROUNDING)
    assert found.compared == ""


@pytest.mark.parametrize("gone", ["a", "b"])
def test_within_is_not_shown_beside_a_run_that_diverged(planting, gone):
    # Without it these values are within: the first case of all.
    lab = planting.lab(arms_at(a=50, b=50), diverged={gone: first_of(10)})
    found = judged(lab, "assert_within", "a", "b", within=1.0)
    assert found.verdict.outcome == Outcome.INCONCLUSIVE
    assert all_notes(found) == [f"collapsed to chance or diverged: {gone} 1 of 10"]


def test_within_is_not_shown_by_arms_at_chance(planting):
    found = judged(planting.lab(arms_at(a=10, b=10), tested=500), "assert_within", "a", "b", within=1.0)
    assert found.verdict.outcome == Outcome.INCONCLUSIVE
    assert all_notes(found) == ["collapsed to chance or diverged: a 10 of 10, b 10 of 10"]


# What all eight claims of this file, test_groups.py and test_crossover.py share.

FAR = {"a": 80.0, "b": 70.0, "c": 60.0, "d": 50.0}
ALIKE = dict.fromkeys("abcd", 60.0)
CLAIMS = {
    "greater": (FAR, "assert_greater", ("a", "b"), {"margin": 5.0, "confounders": (RATE,)}),
    "within": (ALIKE, "assert_within", ("a", "b"), {"within": 5.0}),
    "no difference": (ALIKE, "assert_no_difference", (("a", "b", "c", "d"),), {"within": 5.0}),
    "some difference": (FAR, "assert_some_difference", (("a", "b", "c", "d"),), {"beyond": 5.0}),
    "best": (FAR, "assert_best", ("a", ("b", "c", "d")), {"margin": 5.0}),
    "ranks": (FAR, "assert_ranks", (("a", "b", "c", "d"),), {"margin": 5.0}),
    "crossover": (FAR, "assert_crossover", (("a", "b"), ("c", "d")), {"margin": 5.0}),
    "needs lower": (FAR, "assert_needs_lower", ({1: "a", 2: "b"}, {1: "d", 2: "c"}), {"margin": 5.0}),
}
# Of "needs lower"; the others choose nothing.
CHOOSING = {"a": 60.0, "b": 50.0, "c": 60.0, "d": 50.0}
every_claim = pytest.mark.parametrize("claim", CLAIMS)


def renamed(value, old, new):
    """The arguments of an assertion with another arm in the place of one."""
    if isinstance(value, dict):
        return {key: renamed(part, old, new) for key, part in value.items()}
    if isinstance(value, tuple):
        return tuple(renamed(part, old, new) for part in value)
    if isinstance(value, Confounder):
        return dataclasses.replace(value, better=renamed(value.better, old, new), worse=renamed(value.worse, old, new))
    return new if value == old else value


def planted_for(claim):
    # So steady that any five of the seeds decide.
    return arms_at(spread=0.1, **CLAIMS[claim][0])


def lab_for(planting, claim, **options):
    return planting.lab(planted_for(claim), choosing=CHOOSING, **options)


def assert_in(lab, claim):
    _, assertion, arguments, options = CLAIMS[claim]
    getattr(lab, assertion)(*arguments, **options)


@every_claim
def test_a_claim_stops_at_the_first_look_that_decides_at_its_own_level(planting, claim):
    lab = lab_for(planting, claim, looks=(5, 10))
    assert_in(lab, claim)
    verdict = lab.result.verdict
    assert (verdict.outcome, verdict.n) == (Outcome.REPRODUCED, 5)
    assert verdict.alpha == nominal_levels((5, 10))[0]
    assert [arm.seeds for arm in lab.result.arms] == [tuple(range(5))] * len(lab.result.arms)


@every_claim
def test_a_claim_is_judged_on_the_seeds_of_the_session(planting, claim):
    lab = lab_for(planting, claim, looks=(6,), first_seed=3)
    assert_in(lab, claim)
    planted = {name: tuple(values[3:9]) for name, values in planted_for(claim).items()}
    assert {arm.seeds for arm in lab.result.arms} == {(3, 4, 5, 6, 7, 8)}
    assert [arm.values for arm in lab.result.arms] == [planted[arm.label] for arm in lab.result.arms]


@every_claim
def test_a_claim_is_one_assertion(planting, claim):
    lab = lab_for(planting, claim)
    assert_in(lab, claim)
    first = lab.result
    with pytest.raises(RuntimeError, match="asserts twice"):
        assert_in(lab, claim)
    assert lab.result is first


def test_a_claim_that_is_not_reproduced_fails_its_test(planting):
    lab = planting.lab(arms_at(a=50, b=60))
    with pytest.raises(NotReproducedError) as caught:
        lab.assert_greater("a", "b", margin=5.0)
    assert caught.value.result is lab.result
    assert lab.result.enforced


def test_a_rehearsed_claim_that_is_not_reproduced_fails_nothing(planting):
    lab = planting.lab(arms_at(a=50, b=60), scale="rehearsal")
    lab.assert_greater("a", "b", margin=5.0)
    assert (lab.result.verdict.outcome, lab.result.enforced) == (Outcome.CONTRADICTED, False)


def mentions(claim):
    """The arms that a claim names, in its order."""
    named = repr((CLAIMS[claim][2], CLAIMS[claim][3]))
    return [name for name in "abcd" if repr(name) in named]


# assert_needs_lower is not among these: it does not check its arms by itself, see test_crossover.py.
CHECKED = [claim for claim in CLAIMS if claim != "needs lower"]


@pytest.mark.parametrize(("claim", "arm"), [(claim, arm) for claim in CHECKED for arm in mentions(claim)])
def test_an_arm_that_was_not_declared_is_named_before_anything_is_trained(planting, claim, arm):
    _, assertion, arguments, options = CLAIMS[claim]
    lab = lab_for(planting, claim)
    with pytest.raises(KeyError, match="'x' is no arm of this claim; declared: 'a', 'b', 'c', 'd'"):
        getattr(lab, assertion)(*renamed(arguments, arm, "x"), **renamed(options, arm, "x"))
    assert planting.trained == []


@pytest.mark.parametrize(
    ("claim", "arm", "twice"),
    [(claim, "b", "a") for claim in CHECKED]
    + [("greater", "d", "c")]
    + [(claim, arm, "a") for claim in ("no difference", "some difference", "best", "ranks") for arm in "cd"]
    + [("crossover", "d", "c")],
)
def test_an_arm_is_not_compared_with_itself(planting, claim, arm, twice):
    _, assertion, arguments, options = CLAIMS[claim]
    lab = lab_for(planting, claim)
    with pytest.raises(ValueError, match="needed: two or more different arms"):
        getattr(lab, assertion)(*renamed(arguments, arm, twice), **renamed(options, arm, twice))
    assert planting.trained == []


@pytest.mark.parametrize(
    ("assertion", "arguments", "options"),
    [
        ("assert_no_difference", (["a"],), {"within": 1.0}),
        ("assert_some_difference", (["a"],), {"beyond": 1.0}),
        ("assert_best", ("a", []), {"margin": 1.0}),
        ("assert_ranks", (["a"],), {"margin": 1.0}),
    ],
)
def test_a_group_is_two_arms_or_more(planting, assertion, arguments, options):
    lab = planting.lab(arms_at(a=60, b=50))
    with pytest.raises(ValueError, match="needed: two or more different arms"):
        getattr(lab, assertion)(*arguments, **options)


@every_claim
def test_a_claim_about_another_measure_is_held_against_no_accuracy(planting, claim):
    points = Metric("points", "points", lambda run: run.test_accuracy)
    lab = lab_for(planting, claim, documented=CLAIMS[claim][0], metric=points)
    assert_in(lab, claim)
    assert lab.result.agreement is None
    assert {arm.documented for arm in lab.result.arms} == {None}
