"""Stories: what a module declares, what is said of its results, and what their figures draw."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from claims.sources.s8_assignment import TRAIN_ACCURACY
from models import NormCNN
from pytest_claims.report.page.colours import Colours
from pytest_claims.report.page.gaps import gaps
from pytest_claims.report.page.module import read
from pytest_claims.report.page.panels import panels
from pytest_claims.report.page.sentences import claim_sentence, gap_sentences, summed_up
from pytest_claims.report.page.telling import told
from pytest_claims.stacked import BATCH, group
from pytest_claims.story import Story
from pytest_claims.types import (
    Agreement,
    Confounded,
    Doubt,
    NotTried,
    Outcome,
    Procedure,
    Recipe,
    Run,
    Source,
)
from tests_fast.report.sessions import Drawn, opened, result, session, verdict

CLAIMS = sorted(Path("claims").glob("test_*.py"))
STORY = Story(figure="levels", gap=("group", "batch"), level="a batch of {}", levels="batch sizes", chance=True)
BATCHES = (2, 4, 8, 16, 32)


def judged(outcome, effect, *, bounds=1.0, first="group", second="batch", **more):
    found = verdict(outcome, effect)
    return dataclasses.replace(found, comparison=(first, second), lower=effect - bounds, upper=effect + bounds, **more)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """(store, arms by batch size: the two norms, and both at another rate)."""
    store = opened(tmp_path_factory.mktemp("story"))
    made, arms = Drawn(store), {}
    for batch in BATCHES:
        for rate, change in ((0.01, ""), (0.02, ", scaled rate")):
            recipe = Recipe(4, batch, 3, "sgd", rate)
            for norm, kind in (("group", group(4)), ("batch", BATCH)):
                run = Run(NormCNN((kind,) * 3), recipe)
                arms[batch, norm + change] = made.arm(norm + change, run, 20 + batch, None if change else 30.0 + batch)
    return store, arms


def claims(drawn, found, **more):
    """A claim a batch size, with these verdicts."""
    store, arms = drawn
    results = [
        result(
            f"claims/test_norms.py::test_it[{batch}]",
            "N",
            f"at batch {batch}, norms differ",
            each,
            [arm for (size, label), arm in arms.items() if size == batch and ("," not in label or each.confounders)],
            agreement=Agreement(9.0, each.effect, 2.0, 14.0, 5),
            **more,
        )
        for batch, each in zip(BATCHES, found, strict=True)
    ]
    return results, store.named([name for one in results for arm in one.arms for name in arm.runs])


def gaps_of(drawn, found, story=STORY):
    results, runs = claims(drawn, found)
    (panel,) = panels(results, runs)
    return gaps(panel, results, runs, story.gap)


@pytest.mark.parametrize("path", CLAIMS, ids=[path.stem for path in CLAIMS])
def test_a_declared_story_is_read_from_the_file(path):
    module = importlib.import_module(f"claims.{path.stem}")
    found = read(path)
    assert found.unread == ""
    assert found.story == getattr(module, "STORY", Story())


def test_the_ends_of_curves_are_those_of_the_source():
    assert read(Path("claims/test_d_skip_network.py")).story.ends == TRAIN_ACCURACY


def test_a_story_that_cannot_be_read_says_why_and_costs_no_page(tmp_path):
    path = tmp_path / "test_x.py"
    path.write_text('"""X. A title.\n\nMore."""\nSTORY = Story(gap=PAIR)\n')
    found = read(path)
    assert (found.title, found.about, found.story) == ("X. A title.", ("More.",), Story())
    assert "STORY of test_x.py cannot be read" in found.unread
    path.write_text("STORY: Story = Story(figure='pie')\n")
    assert "allowed: one of ('levels', 'slopes', 'curves')" in read(path).unread
    path.write_text("STORY = dict(\n")
    assert read(path).title == "X"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"figure": "pie"}, "figure"),
        ({"gap": ("one",)}, "gap"),
        ({"findings": "Db"}, "findings"),
        ({"level": "depth", "levels": "depths"}, "level"),
        ({"level": "depth {}"}, "levels"),
        ({"ends": {"a": 101.0}}, "ends"),
    ],
)
def test_a_story_of_other_values_is_refused(fields, named):
    with pytest.raises(ValueError, match=rf"Story\.{named} is .*; allowed: "):
        Story(**fields)


def test_a_source_has_a_web_address_or_none():
    with pytest.raises(ValueError, match="allowed: '', or an address"):
        Source("A paper", "Table 1", url="javascript:alert(1)")


def test_who_leads_is_said_as_far_as_the_bounds_go(drawn):
    found = [
        judged(Outcome.REPRODUCED, 8.0),
        judged(Outcome.REPRODUCED, 4.0),
        judged(Outcome.INCONCLUSIVE, 0.5),
        # The same two arms the other way round: batch norm leads by 3.
        judged(Outcome.CONTRADICTED, 3.0, first="batch", second="group", procedure=Procedure.EQUIVALENCE),
        judged(Outcome.CONTRADICTED, 5.0, first="batch", second="group", procedure=Procedure.EQUIVALENCE),
    ]
    course = gaps_of(drawn, found)
    assert [(gap.level, gap.effect) for gap in course.along] == [(2, 8), (4, 4), (8, 0.5), (16, -3), (32, -5)]
    assert all(gap.lower < gap.effect < gap.upper for gap in course.along)
    assert [gap.documented for gap in course.along] == [9, 9, 9, -9, -9]
    (said,) = gap_sentences(course, STORY)
    assert said == (
        "Group leads batch by 8.0 points at a batch of 2 and by 4.0 at 4; between them nothing is decided at a batch "
        "of 8; batch leads by 3.0 points at a batch of 16 and by 5.0 at 32."
    )


def test_a_lead_at_every_level_is_one_sentence_with_the_documented_one(drawn):
    found = [judged(Outcome.REPRODUCED, effect) for effect in (3.0, 4.0, 5.0, 6.0, 7.25)]
    assert gap_sentences(gaps_of(drawn, found), STORY) == [
        "Group leads batch by 3.0 to 7.2 points at all 5 batch sizes (documented: 9.0)."
    ]


def test_equal_and_incomparable_levels_are_no_lead(drawn):
    chance = judged(Outcome.INCONCLUSIVE, 6.0, doubt=Doubt.NOT_COMPARABLE)
    unconfirmed = judged(Outcome.INCONCLUSIVE, 6.0, doubt=Doubt.UNCONFIRMED)
    equal = judged(Outcome.REPRODUCED, 1.2, procedure=Procedure.EQUIVALENCE, margin=3.0)
    results, runs = claims(drawn, [chance, unconfirmed, equal, equal, equal], kind="equality")
    (panel,) = panels(results, runs)
    course = gaps(panel, results, runs, ())
    assert gap_sentences(course, Story()) == [
        "At 2 most runs are at chance, and nothing can be compared; between them nothing is decided at 4; they are "
        "within 3 points of each other from 8 on."
    ]


def test_where_a_gap_comes_from_is_said_and_drawn(drawn):
    def under(outcome, change="at a scaled rate"):
        scaled = judged(outcome, 0.2, first="group, scaled rate", second="batch, scaled rate")
        return Confounded("the learning rate", change, scaled, judged(Outcome.REPRODUCED, 7.0))

    found = [judged(Outcome.REPRODUCED, 8.0 - at) for at in range(5)]
    explained = [
        dataclasses.replace(each, confounders=(under(Outcome.CONTRADICTED),)) if at < 2 else each
        for at, each in enumerate(found)
    ]
    assert gap_sentences(gaps_of(drawn, explained), STORY)[1:] == [
        "At a scaled rate the lead of group at a batch of 2 and 4 is gone: it comes from the learning rate."
    ]
    smaller = under(Outcome.REPRODUCED)
    partly = [dataclasses.replace(each, confounders=(smaller,)) if at < 2 else each for at, each in enumerate(found)]
    assert gap_sentences(gaps_of(drawn, partly), STORY)[1:] == [
        "At a scaled rate the lead of group at a batch of 2 and 4 is smaller: "
        "a part of it comes from the learning rate."
    ]
    results, runs = claims(drawn, explained)
    figure = told(STORY, results, runs, Colours()).figure
    for words in ("group, scaled rate", "batch, scaled rate", "at a scaled rate", "the gap is gone", "chance"):
        assert f">{words}</text>" in figure
    # Of one that is still there, and of one that was not tried, the figure says nothing.
    stays = Confounded("bfloat16", "in float32", judged(Outcome.REPRODUCED, 8.0), judged(Outcome.CONTRADICTED, 0.0))
    found[0] = dataclasses.replace(found[0], confounders=(stays,), notes=(NotTried(("the learning rate",)),))
    assert gap_sentences(gaps_of(drawn, found), STORY)[1:] == [
        "In float32 the lead of group at a batch of 2 stays. Not tried here: whether it comes from the learning rate."
    ]
    results, runs = claims(drawn, found)
    assert "is gone" not in told(STORY, results, runs, Colours()).figure


@pytest.mark.parametrize(
    ("outcome", "effect", "more", "said"),
    [
        (Outcome.REPRODUCED, 4.0, {}, "Base: a beats b, by 4.0 points."),
        (Outcome.REPRODUCED, 1.0, {}, "Base: a beats b, by 1.0 point."),
        (Outcome.REPRODUCED, -1.0, {"kind": "equality"}, "Base: a beats b (−1.0 points)."),
        (Outcome.TOO_SMALL, 0.5, {}, "Base: a beats b, but only by 0.5 points: less than the margin of 1.5."),
        (Outcome.CONTRADICTED, -2.0, {}, "Base: does not hold here: a beats b (−2.0 points)."),
        (Outcome.INCONCLUSIVE, 2.0, {}, "Base: undecided: a beats b (5 seeds, +2.0 points)."),
        (
            Outcome.INCONCLUSIVE,
            2.0,
            {"next_look": 7, "planned": (5, 7)},
            "Base: open: a beats b (5 of 7 seeds, +2.0 points so far).",
        ),
    ],
)
def test_a_claim_is_a_sentence_in_its_own_words(outcome, effect, more, said):
    kind = more.get("kind", "effect")
    one = result("t.py::test_it", "X", "base: a beats b", verdict(outcome, effect), [], kind=kind)
    one = dataclasses.replace(one, **more)
    assert claim_sentence(one) == said
    plain = dataclasses.replace(one, claim="conv-norm-ReLU is best")
    assert "conv-norm-ReLU is best" in claim_sentence(plain)


def test_many_claims_are_counted_and_few_are_said():
    outcomes = (Outcome.REPRODUCED, Outcome.REPRODUCED, Outcome.CONTRADICTED, Outcome.INCONCLUSIVE)
    found = [result("t.py::test_it", "X", "a beats b", verdict(outcome, 4.0), []) for outcome in outcomes]
    assert summed_up(found) == "Of 4 claims, 2 hold here, 1 does not hold and 1 stays undecided."
    assert summed_up(found[:3]) == "A beats b, by 4.0 points."


def test_a_module_that_declares_nothing_is_told_by_what_its_arms_vary_in(drawn):
    results, runs = claims(drawn, [judged(Outcome.REPRODUCED, 3.0)] * 5)
    story = told(Story(), results, runs, Colours())
    assert story.headline == ("Group leads batch by 3.0 points at all 5 levels (documented: 9.0).",)
    assert story.of_gaps == tuple(results)
    few = told(Story(), results[:2], runs, Colours())
    assert few.headline == ("At batch 2, norms differ, by 3.0 points (documented: 9.0).",)
    assert few.figure.startswith("<svg")
    assert told(Story(), results[:1], {}, Colours()).figure == ""


def test_slopes_and_curves_draw_every_seed(tmp_path):
    store = opened(tmp_path)
    *_, orders = session(store).results
    runs = store.named([name for arm in orders.arms for name in arm.runs])
    # Inside the plot; a legend has the line once more.
    inside = r'clip-path="[^"]*" style="fill: none; stroke: [^;]*; stroke-opacity: '
    slopes = told(Story(figure="slopes"), [orders], runs, Colours())
    assert len(re.findall(rf"{inside}0\.4;", slopes.figure)) == 5
    assert slopes.headline == ("Undecided: orders differ (5 seeds, +0.1 points).",)
    ends = Story(figure="curves", ends={orders.arms[0].label: 77.0})
    assert len(re.findall(rf"{inside}0\.35;", told(ends, [orders], runs, Colours()).figure)) == 10


def test_a_network_has_one_colour_and_its_variants_have_it_too():
    colours = Colours()
    names = ("a", "b", "a, with more", "c", "b")
    assert [colours.of(name) for name in names[:3:2]] == [colours.of("a")] * 2
    assert len({colours.of(name) for name in names}) == 3
    many = [f"network {place}" for place in range(9)]
    looks = [(colours.of(name), colours.line(name)) for name in many]
    assert len(set(looks)) == 9
