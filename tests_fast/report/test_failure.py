"""The failing assertion: a reader's questions in their order, on one screen of 80 columns."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_claims.judge.kinds import KINDS
from pytest_claims.judge.result import ArmEvidence, Sibling
from pytest_claims.report import failure_text
from pytest_claims.report.arms import arm_lines
from pytest_claims.report.in_short import in_short
from pytest_claims.report.next_step import next_step
from pytest_claims.report.p_in_words import p_text
from pytest_claims.report.siblings import siblings_text
from pytest_claims.report.why import why
from pytest_claims.stats import (
    best_of,
    equivalence,
    faster,
    never_falls,
    no_difference,
    not_comparable,
    spans,
    spread,
    superiority,
    trend,
)
from pytest_claims.types import Agreement, Confounded, Look, NotTried, Outcome
from tests_fast.report.test_report import confounded
from tests_fast.report.test_verdict_in_words import result

BATCH = np.array([50.3, 51.8, 50.9, 52.2, 52.5])
GROUP = np.array([46.9, 49.0, 47.2, 48.9, 49.1])
NORMS = {"batch norm": BATCH, "group norm": GROUP}
COMMAND = "pytest claims -k A2b-128-base --scale documented --seeds 40 --first-seed 20"


def norms(verdict=None, **more):
    """A claim of equality that fails, with the source's figures."""
    found = verdict or equivalence(BATCH, GROUP, within=1, names=("batch norm", "group norm"))
    judged = result(found, NORMS, kind=more.pop("kind", "equality"), contrast="batch norm − group norm")
    arms = tuple(
        dataclasses.replace(arm, documented=documented, seconds=3.0)
        for arm, documented in zip(judged.arms, (52.05, 50.09), strict=True)
    )
    fields = {
        "nodeid": "claims/test_x.py::test_y[128-base]",
        "id": "A2b-128-base",
        "claim": "base, batch 128: the norms are within 1 point",
        "arms": arms,
        "agreement": Agreement(1.96, float((BATCH - GROUP).mean()), -2.0, 6.0, 1),
        "trained": "NormCNN on cifar10: 200 images a class, batch 128, 10 epochs, sgd at 0.0195",
        "command": COMMAND,
        "more_seeds": 40,
    }
    return dataclasses.replace(judged, **{**fields, **more})


def flat(text):
    return " ".join(text.split())


def test_a_reader_s_questions_are_answered_in_their_order():
    siblings = (Sibling("8-base", "INCONCLUSIVE", 3.31), Sibling("32-base", "CONTRADICTED", 4.64))
    text = failure_text(norms(siblings=siblings))
    lines = text.splitlines()
    assert lines[0] == "CONTRADICTED: A2b-128-base, base, batch 128: the norms are within 1 point"
    at = 0
    for part in (
        "In short batch norm leads group norm by 3.32 points, by at least 2.70.",
        "The claim allows 1 point; more than that is shown.",
        "The source had it ahead by 1.96 (1 run): chance alone can make such a distance.",
        "The difference has this sign in 5 of 5 seeds.",
        "Why The difference is 1.36 above the source's: batch norm came to 0.51 less; group norm came to 1.87 less.",
        "^ 0",
        "^ upper limit +1.00",
        "^ documented +1.96",
        "test accuracy, % mean SD source n each seed",
        "batch norm 51.54 0.92 52.05 5 50.3 51.8 50.9 52.2 52.5",
        "group norm 48.22 1.08 50.09 5 46.9 49.0 47.2 48.9 49.1",
        "difference +3.32 0.33 +1.96 5 [+2.70, ",
        "Siblings INCONCLUSIVE 8 +3.3; CONTRADICTED 32 +4.6 (ledger)",
        "Trained NormCNN on cifar10: 200 images a class, batch 128, 10 epochs, sgd at 0.0195; images: cifar; scale",
        "p .00",
        "if they differed by less than 1 point",
        "Power At the spread seen, 5 seeds show equal arms to be within",
        "Next As worded it does not hold here",
        "40 fresh seeds an arm: about 4 min on such a device.",
        COMMAND,
        "All else --explain A2b-128-base:",
    ):
        assert part in flat(text)[at:], part
        at = flat(text).index(part, at)
    assert lines[-2] == "    " + COMMAND
    assert all(line.isprintable() and len(line) <= 80 for line in lines)
    # What a reader looks up is not here.
    assert not any(word in text for word in ("posterior", "skew-corrected", "level 0.0", "None"))


def test_who_leads_is_told_by_its_name_and_what_is_not_shown_is_no_lead():
    behind = superiority(GROUP, BATCH, margin=2, names=("group norm", "batch norm"))
    assert in_short(norms(behind, kind="effect", agreement=None)) == (
        "batch norm leads group norm by 3.32 points, by at least 2.70. The opposite direction is shown. The source "
        "gives no figure for this. The difference has this sign in 5 of 5 seeds."
    )
    close = BATCH + np.array([0.5, -0.4, 0.3, -0.2, 0.1])
    unsettled = superiority(close, BATCH, margin=2, names=("a", "b"))
    said = in_short(result(unsettled, {"a": close, "b": BATCH}))
    assert said.startswith("a leads b by 0.06 points, but may be behind by up to 0.")
    assert said.endswith("The difference has this sign in 3 of 5 seeds.")


def test_levels_spreads_speeds_and_groups_are_told_in_their_own_words():
    columns = np.stack([GROUP, BATCH], axis=1)
    rises = result(trend([1, 2], columns, direction=1, margin=2), {"ReLU 1": GROUP, "ReLU 2": BATCH})
    rises = dataclasses.replace(rises, contrast="last − first level", differences=tuple((BATCH - GROUP).tolist()))
    assert in_short(rises).startswith("ReLU 2 leads ReLU 1 by 3.32 points, by at least 2.70.")
    deeper = dataclasses.replace(rises, measured="gradient, log2", unit="doublings")
    assert in_short(deeper).startswith("ReLU 2 is above ReLU 1 by 3.32 doublings, by at least 2.70.")
    many = {"a": np.resize(BATCH, 20), "b": np.resize(50 + 2 * (BATCH - 50), 20)}
    varied = result(spread(many, steady="a", margin=0.5), many, kind="spread", unit="doublings")
    assert in_short(varied).startswith("b varies 2.00 times as much from seed to seed as a (bounds 1.")
    fast, slow = np.array([4.0, 5, 4, 5, 4]), np.array([8.0, 10, 8, 10, 8])
    quick = result(
        faster(fast, slow, factor=2, names=("a", "b")), {"a": fast, "b": slow}, kind="speed", unit="doublings"
    )
    assert in_short(quick).startswith("b needs 2.00 times as many epochs as a (bounds ")
    groups = {**NORMS, "x": GROUP + 1, "y": GROUP}
    wide = spans(groups, wide=("batch norm", "group norm"), narrow=("x", "y"), margin=2)
    spanned = result(wide, groups, contrast="span of a − span of b")
    assert in_short(spanned).startswith("span of a − span of b: +2.32 points, with bounds +")
    falls = result(never_falls([1, 2], columns[:, ::-1], margin=1), NORMS, kind="no fall", contrast="the least change")
    assert "the least change: -3.32 points" in in_short(falls)
    assert "A fall of more than 1 point is shown." in in_short(falls)


def test_bounds_that_are_as_good_as_none_are_not_told_as_numbers():
    still = {"a": np.resize([50.0, 51.0], 20), "b": np.full(20, 50.0)}
    found = spread(still, steady="a", margin=0.5)
    assert found.lower == -10
    judged = result(found, still, kind="spread", unit="doublings")
    text = failure_text(judged)
    assert "[< -10, " in text
    assert "-10.00," not in text
    assert "(bounds 0 to " in flat(text)
    fast, slow = np.array([4.0, 5, 4, 5, 4]), np.array([8.0, 10, 8, 10, 8])
    late = faster(fast, slow, factor=2, names=("a", "b"), collapsed=(np.arange(5) < 0, np.arange(5) < 1))
    assert ", none]" in failure_text(result(late, {"a": fast, "b": slow}, kind="speed", unit="doublings"))


def test_another_contrast_of_the_source_is_told_as_its_own():
    arms = {"a": BATCH, "b": GROUP, "c": GROUP - 1}
    far = Agreement(0.2, 4.51, -1.0, 1.4, 3)
    judged = result(no_difference(arms, within=1), arms, kind="equality", agreement=far, compared="a − c")
    assert (
        "The source had a − c = +0.20 (3 runs); ours is +4.51: chance alone rarely makes such a distance."
        in in_short(judged)
    )


def test_a_source_without_a_difference_has_nobody_ahead():
    assert "The source had no difference (1 run): " in in_short(norms(agreement=Agreement(0.0, 3.32, -4, 4, 1)))


def test_of_many_arms_those_that_decide_and_those_that_moved_most_are_told():
    values = {f"norm {n}": BATCH + n for n in range(8)}
    judged = result(no_difference(values, within=1), values, kind="equality")
    documented = [57.0, 52.5, 53.5, 40.0, 55.5, 56.5, 57.5, 58.0]
    arms = tuple(dataclasses.replace(arm, documented=at) for arm, at in zip(judged.arms, documented, strict=True))
    assert why(dataclasses.replace(judged, arms=arms)) == (
        "Against the source, norm 0 came to 5.46 less; norm 1 came to 0.04 more; norm 3 came to 14.54 more; the other "
        "5 moved by +0.04 to +0.54. So these networks are not where the source's were."
    )


@given(st.floats(30, 60), st.floats(30, 60))
def test_the_moves_of_two_arms_add_up_to_that_of_their_difference(one, other):
    judged = norms()
    arms = tuple(
        dataclasses.replace(arm, documented=value) for arm, value in zip(judged.arms, (one, other), strict=True)
    )
    agreed = dataclasses.replace(judged.agreement, documented=one - other)
    said = why(dataclasses.replace(judged, arms=arms, agreement=agreed))
    found = re.match(
        r"The difference is ([\d.]+) (above|below) .*: batch norm came to ([\d.]+) (more|less); group norm came to "
        r"([\d.]+) (more|less)\.",
        said,
    )
    whole, first, second = (float(found[at]) * (1 if found[at + 1] in ("above", "more") else -1) for at in (1, 3, 5))
    assert whole == pytest.approx(first - second, abs=0.02)
    far = abs(BATCH.mean() - one) > 10 or abs(GROUP.mean() - other) > 10
    assert ("not where the source's were" in said) == far


def test_what_confounders_say_is_part_of_why_and_their_arms_are_shown():
    found = superiority(BATCH, GROUP, margin=2, names=("batch norm", "group norm"))
    plain = norms(found, kind="effect")
    assert why(plain).endswith("No confounder was tried.")
    verdict = dataclasses.replace(
        found, confounders=(confounded("batch norm", "group norm, slow", 0.5, Outcome.CONTRADICTED),)
    )
    slow = ArmEvidence("group norm, slow", tuple(range(5)), (51.0,) * 5, (False,) * 5, None)
    judged = dataclasses.replace(plain, verdict=verdict, arms=(*plain.arms, slow))
    assert "The effect comes from what is group norm, slow." in why(judged)
    text = failure_text(judged)
    assert text.startswith("REPRODUCED, confounded by what is group norm, slow: A2b-128-base, ")
    assert "\ngroup norm, slow " in text
    untried = dataclasses.replace(found, notes=(NotTried(("the rate", "the precision")),))
    said = why(dataclasses.replace(plain, verdict=untried))
    assert said.endswith("Not tried here: whether it comes from the rate or the precision.")


def test_collapsed_runs_are_counted_and_marked():
    judged = norms()
    fallen = dataclasses.replace(judged.arms[1], collapsed=(True, True, False, False, False))
    text = failure_text(dataclasses.replace(judged, arms=(judged.arms[0], fallen)))
    assert "Runs that collapsed: group norm 2 of 5." in flat(text)
    assert "46.9! 49.0! 47.2" in flat(text)
    assert "! collapsed: at chance, or diverged" in text
    assert "Runs that collapsed" not in failure_text(judged)


def test_seeds_that_have_no_room_are_a_range():
    many = {name: np.resize(values, 20) for name, values in NORMS.items()}
    found = equivalence(*many.values(), within=1, names=tuple(many))
    judged = result(found, many, kind="equality", contrast="batch norm − group norm")
    lines = arm_lines(judged, 10, 80)
    assert lines[0].endswith(" lowest to highest")
    assert lines[1].split()[-3:] == ["50.30", "to", "52.50"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_verdict_says_what_to_do_next_and_what_it_costs(outcome):
    judged = norms()
    judged = dataclasses.replace(judged, verdict=dataclasses.replace(judged.verdict, outcome=outcome))
    said = next_step(judged)
    assert said.endswith(" 40 fresh seeds an arm: about 4 min on such a device.")
    assert "None" not in said
    # Nobody knows how long runs took that say nothing of it.
    unknown = tuple(dataclasses.replace(arm, seconds=0.0) for arm in judged.arms)
    assert "min" not in next_step(dataclasses.replace(judged, arms=unknown))
    fallen = tuple(dataclasses.replace(arm, collapsed=(True,) * 5) for arm in judged.arms)
    assert next_step(dataclasses.replace(judged, arms=fallen)).startswith("Every run collapsed: nothing was learned")


def test_a_confounded_effect_is_not_put_down_to_what_is_compared():
    judged = norms()
    # Under the change nothing is left of it, and it is shown to have become smaller.
    gone = dataclasses.replace(judged.verdict, outcome=Outcome.CONTRADICTED)
    smaller = dataclasses.replace(judged.verdict, outcome=Outcome.REPRODUCED)
    found = Confounded("the rate", "at a lower rate", gone, smaller, "statistics")
    verdict = dataclasses.replace(judged.verdict, outcome=Outcome.REPRODUCED, confounders=(found,))
    said = next_step(dataclasses.replace(judged, verdict=verdict))
    assert said.startswith("The effect is there, but the rate explains it: do not put it down to what is compared.")
    undecided = dataclasses.replace(verdict, outcome=Outcome.INCONCLUSIVE)
    assert "the rate" not in next_step(dataclasses.replace(judged, verdict=undecided))


def test_arms_at_chance_ask_for_no_more_seeds_unless_some_runs_learned():
    def said(**flags):
        """Of a claim that compares a with b, beside which stands c."""
        none = np.array([10.0, 10.1, 9.9, 10.0, 10.0])
        judged = result(not_comparable(superiority(none, none[::-1], margin=1.0)), dict.fromkeys("abc", none))
        arms = [dataclasses.replace(arm, collapsed=flags[arm.label], seconds=12.0) for arm in judged.arms]
        return next_step(dataclasses.replace(judged, arms=tuple(arms), contrasted=("a", "b"), more_seeds=10))

    every, most = (True,) * 5, (True,) * 4 + (False,)
    text = said(a=every, b=every, c=(False,) * 5)
    assert text == "More seeds do not help: these arms would first have to learn something. Look at the recipe."
    text = said(a=most, b=every, c=every)
    assert text.startswith("Most of these runs learned nothing. Fresh seeds show whether it stays so;")
    assert text.endswith(" 10 fresh seeds an arm: about 6 min on such a device.")


def test_an_open_claim_goes_on_to_its_next_look():
    looks = (Look(5, 0.001, Outcome.INCONCLUSIVE), Look(7, 0.02, Outcome.INCONCLUSIVE))
    judged = norms()
    verdict = dataclasses.replace(judged.verdict, outcome=Outcome.INCONCLUSIVE, n=7, looks=looks, seeds_to_settle=12)
    judged = dataclasses.replace(judged, verdict=verdict, planned=(5, 7, 10), next_look=10, more_seeds=3)
    text = failure_text(judged)
    assert text.startswith("OPEN 7/10: A2b-128-base, ")
    assert "7 seeds do not settle it; the next planned look is at 10. 3 more seeds an arm: under 1 min" in flat(text)
    assert "Looks were taken at 5 and 7 seeds." in flat(text)
    assert "about 12" not in text


def test_the_p_is_that_of_the_hypothesis_that_the_verdict_rejects():
    judged = norms()

    def told(outcome, **more):
        verdict = dataclasses.replace(judged.verdict, outcome=outcome, p=0.3, p_holds=0.01, p_fails=0.02, **more)
        return p_text(dataclasses.replace(judged, verdict=verdict))

    assert told(Outcome.REPRODUCED).startswith(".0100: ")
    assert told(Outcome.REPRODUCED).endswith("if they differed by 1 point or more.")
    assert told(Outcome.CONTRADICTED).startswith(".0200: ")
    assert told(Outcome.CONTRADICTED).endswith("if they differed by less than 1 point.")
    assert told(Outcome.INCONCLUSIVE).startswith(".3000: ")
    looks = (Look(5, 0.001, Outcome.INCONCLUSIVE), Look(7, 0.02, Outcome.REPRODUCED))
    assert told(Outcome.REPRODUCED, looks=looks).endswith("The looks, at 5 and 7 seeds, are counted in it.")


def test_siblings_stand_on_a_line_by_verdict():
    judged = norms(siblings=tuple(Sibling(f"{n}-base", "CONTRADICTED", n / 10) for n in (8, 16, 32, 64)))
    assert siblings_text(judged, 70) == "CONTRADICTED 8 +0.8, 16 +1.6, 32 +3.2, 64 +6.4 (ledger)"
    assert siblings_text(judged, 40) == "CONTRADICTED 8, 16, 32, 64 (ledger)"
    assert siblings_text(norms(), 70) == ""
    mixed = norms(siblings=(Sibling("8-long", "REPRODUCED", 0.13),))
    assert siblings_text(mixed, 70) == "REPRODUCED 8-long +0.1 (ledger)"
    caused = norms(siblings=(Sibling("2-base", "REPRODUCED, confounded by the learning rate", 13.27),))
    assert siblings_text(caused, 70) == "REPRODUCED, confounded by the learning rate: 2 +13.3 (ledger)"


def arm(name, mean, seeds=20):
    return ArmEvidence(name, tuple(range(seeds)), (mean,) * (seeds - 1) + (mean + 0.5,), (False,) * seeds, 50.0)


def rows_of(text, columns=80):
    return sum(max(1, -(-len(line) // columns)) for line in text.splitlines())


def test_any_claim_s_failure_fits_one_screen_and_says_what_it_leaves_out():
    arms = tuple(arm(f"norm {batch}", 10.0 + batch, seeds=10) for batch in range(16))
    rng = np.random.default_rng(0)
    values = {found.label: np.asarray(found.values) + rng.normal(0, 0.3, 10) for found in arms}
    collapsed = {label: np.zeros(10, dtype=bool) for label in values}
    for place in range(4):
        collapsed[f"norm {place}"][: place + 1] = True
    looks = (Look(5, 0.000089, Outcome.INCONCLUSIVE), Look(10, 0.0055, Outcome.CONTRADICTED))
    found = no_difference(values, within=1.0, collapsed=collapsed, alpha=0.0055)
    (pair,) = {bound.comparison for bound in found.bounds}
    assert found.outcome == Outcome.CONTRADICTED
    long = dataclasses.replace(
        norms(),
        claim="a claim of many words " * 5,
        arms=tuple(
            dataclasses.replace(one, values=tuple(values[one.label].tolist()), collapsed=tuple(collapsed[one.label]))
            for one in arms
        ),
        verdict=dataclasses.replace(found, looks=looks),
        trained="many words " * 30,
        device="a device of many words " * 5,
        siblings=tuple(Sibling(f"{n}-base", str(outcome), n) for n in range(9) for outcome in Outcome),
        command="pytest " + "x" * 250,
    )
    text = failure_text(long)
    lines = text.splitlines()
    assert rows_of(text) <= 40
    assert "    " + long.command in lines
    shown = [line.split()[1] for line in lines if line.startswith("norm ")]
    # Those that the rule names are there, and what is left out is counted.
    assert {label.removeprefix("norm ") for label in pair} <= set(shown)
    (rest,) = [line for line in lines if "arms more" in line]
    assert rest.startswith(f"and {16 - len(shown)} arms more, means from 1")


@pytest.mark.parametrize("columns", [40, 72, 80, 99, 200])
def test_the_failure_fits_its_terminal(columns):
    arms = tuple(arm(f"batch norm, variant {place}", 20.0 + place) for place in range(4))
    judged = norms(arms=arms)
    lines = failure_text(judged, columns).splitlines()
    assert max(len(line) for line in lines if line.strip() != COMMAND) <= min(80, max(72, columns))
    assert all(any(line.startswith(other.label) for line in lines) for other in arms)
    assert any("^ documented +1.96" in line or "documented +1.96 ^" in line for line in lines)
    assert "    " + COMMAND in lines


NUMBERS = st.lists(st.integers(0, 300).map(lambda tenths: 20 + tenths / 10), min_size=5, max_size=5)


@settings(max_examples=30)
@given(NUMBERS, NUMBERS, st.sampled_from([0.5, 3.0]))
def test_any_two_arms_are_told_without_nonsense(one, other, margin):
    arms = {"a": np.array(one), "b": np.array(other)}
    for found, kind in (
        (superiority(*arms.values(), margin=margin, names=("a", "b")), "effect"),
        (equivalence(*arms.values(), within=margin, names=("a", "b")), "equality"),
        (best_of(arms, best="a", margin=margin), "best"),
    ):
        judged = result(found, arms, kind=kind)
        text = failure_text(judged)
        assert KINDS[kind].says[found.by_bounds].format(margin=f"{margin:g} points") in flat(text) or found.upper < 0
        assert not any(word in text for word in ("None", "nan", "inf", "{", "+-", "--0"))
        # Who is said to lead has the higher mean.
        if lead := re.search(r"([ab]) leads ([ab]) by", flat(text)):
            assert arms[lead[1]].mean() >= arms[lead[2]].mean()
