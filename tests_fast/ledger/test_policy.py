"""The ledger's entries: what is recorded, what another verdict means, and what a rehearsal may fail for."""

import dataclasses
import json
import os

import pytest

from pytest_claims.ledger.entries import Entry, LedgerError, entry, read, update
from pytest_claims.ledger.policy import Standing, difference, reversed_effect, standing
from pytest_claims.types import Agreement, Outcome
from tests_fast.judge.test_result import RESULT, VERDICT

RECORDED = entry(RESULT, "2026-01-02", "torch 2")


def recorded(outcome, n=5, **fields):
    return dataclasses.replace(RECORDED, verdict=str(outcome), n=n, **fields)


def judged(outcome, n=5, next_look=None, kind="effect", device_kind="cpu", **fields):
    verdict = dataclasses.replace(VERDICT, outcome=outcome, n=n, **fields)
    return dataclasses.replace(RESULT, verdict=verdict, next_look=next_look, kind=kind, device_kind=device_kind)


def test_an_entry_holds_what_the_claim_came_to():
    verdict = dataclasses.replace(VERDICT, effect=1.000049, lower=-0.123456, upper=2.5, margin=1.5, n=10)
    agreement = Agreement(6.650049, 3.780049, -13.0, 26.3, 1)
    assert entry(dataclasses.replace(RESULT, verdict=verdict, agreement=agreement), "2026-01-02", "torch 2") == Entry(
        finding="A2a",
        claim="a is the best",
        source=str(RESULT.source),
        verdict="INCONCLUSIVE",
        effect=1.0,
        lower=-0.1235,
        upper=2.5,
        margin=1.5,
        unit="doublings",
        n=10,
        looks=(5, 10, 20),
        first_seed=5,
        documented=6.65,
        measured=3.78,
        compared="a − c",
        agrees=True,
        date="2026-01-02",
        device="cpu",
        versions="torch 2",
    )
    assert not entry(dataclasses.replace(RESULT, agreement=Agreement(9.0, 1.0, 2.0, 3.0, 1)), "", "").agrees


def test_an_entry_without_a_figure_of_the_source_compares_nothing():
    found = entry(dataclasses.replace(RESULT, agreement=None), "2026-01-02", "torch 2")
    assert (found.documented, found.measured, found.compared, found.agrees) == (None, None, "", None)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize(("n", "next_look"), [(3, None), (5, None), (20, 40)])
def test_the_recorded_verdict_is_no_difference_with_any_number_of_seeds(outcome, n, next_look):
    assert difference(recorded(outcome), judged(outcome, n, next_look)) == ""


OPEN, DECIDED = Outcome.INCONCLUSIVE, [outcome for outcome in Outcome if outcome != Outcome.INCONCLUSIVE]


@pytest.mark.parametrize("decided", DECIDED)
@pytest.mark.parametrize(
    ("was_open", "n", "next_look", "said"),
    [
        # More seeds than were recorded settle what was open; as many or fewer do not, and say something else.
        (True, 6, None, "SETTLED"),
        (True, 5, None, "CHANGED"),
        (True, 4, None, "CHANGED"),
        (True, 4, 10, "CHANGED"),
        # Fewer seeds than were recorded contradict nothing, nor do those after which there is another look.
        (False, 4, None, "OPEN"),
        (False, 5, 10, "OPEN"),
        (False, 6, 10, "OPEN"),
        (False, 5, None, "CHANGED"),
        (False, 6, None, "CHANGED"),
    ],
)
def test_seeds_that_settle_or_leave_open_are_no_change(decided, was_open, n, next_look, said):
    was, now = (OPEN, decided) if was_open else (decided, OPEN)
    text = difference(recorded(was), judged(now, n, next_look))
    assert text.startswith(f"{said}: A2a was {was} on 2026-01-02 (+1.00 doublings, 5 seeds, cpu), now {now} with {n}")
    assert ("--update-ledger" in text) == (said != "OPEN")


@pytest.mark.parametrize("decided", DECIDED)
@pytest.mark.parametrize(("samples", "text"), [(1, "SETTLED BY SAMPLE 2: "), (2, "SETTLED BY SAMPLE 3: ")])
def test_seeds_of_their_own_settle_what_was_open_as_another_sample(decided, samples, text):
    # RESULT's are seeds 5 and 6.
    open_ = dataclasses.replace(recorded(OPEN), first_seed=0, samples=samples)
    said = difference(open_, judged(decided, 20, None))
    assert said.startswith(text + "A2a was INCONCLUSIVE")
    assert "together err more often" in said
    # More of the same seeds than were planned are another look too many, and the planned ones are none.
    more = dataclasses.replace(open_, first_seed=5, looks=(2,))
    assert difference(more, judged(decided, 20, None)).startswith(text)
    planned = dataclasses.replace(open_, first_seed=5, looks=RESULT.planned)
    assert difference(planned, judged(decided, 20, None)).startswith("SETTLED: ")


def test_the_ledger_counts_samples(tmp_path):
    path = tmp_path / "documented-cifar.json"

    def update_with(outcome, first):
        arms = tuple(dataclasses.replace(arm, seeds=(first, first + 1)) for arm in RESULT.arms)
        verdict = dataclasses.replace(VERDICT, outcome=outcome, n=2)
        update(
            path,
            [dataclasses.replace(RESULT, nodeid="a", arms=arms, verdict=verdict)],
            "2026-01-02",
            lambda result: "torch 2",
        )
        return read(path)["a"]["cpu"].samples

    assert [update_with(OPEN, 0), update_with(OPEN, 20), update_with(DECIDED[0], 40)] == [1, 2, 3]
    assert "of sample 3" in read(path)["a"]["cpu"].words
    # Judged once more it is the same sample; a settled verdict is tried anew on other seeds, later or earlier ones.
    assert [update_with(DECIDED[0], 40), update_with(OPEN, 0), update_with(OPEN, 0)] == [3, 1, 1]
    assert [update_with(OPEN, 1000), update_with(DECIDED[0], 0)] == [2, 3]


@pytest.mark.parametrize("was", DECIDED)
@pytest.mark.parametrize("now", DECIDED)
@pytest.mark.parametrize(("n", "next_look"), [(4, None), (4, 10), (5, None), (6, None)])
def test_one_decision_for_another_is_a_change_with_any_number_of_seeds(was, now, n, next_look):
    text = difference(recorded(was), judged(now, n, next_look))
    assert text.startswith("CHANGED: ") == (was != now)


# A strong effect that turned round: the lower bound was at its margin, and now the upper one is below 0.
@pytest.mark.parametrize(
    ("was", "now", "turned"),
    [
        ({}, {}, True),
        ({}, {"kind": "best"}, True),
        ({}, {"kind": "equality"}, False),
        # The pair that differs most is another one: the claim is truer than ever.
        ({}, {"kind": "some difference"}, False),
        ({}, {"upper": 0.0}, False),
        ({"lower": 1.999}, {}, False),
        ({"lower": 2.5}, {}, True),
        ({"outcome": Outcome.TOO_SMALL}, {}, False),
        ({"outcome": Outcome.CONTRADICTED}, {}, False),
    ],
)
def test_what_a_rehearsal_may_fail_for(was, now, turned):
    before = recorded(**{"outcome": Outcome.REPRODUCED, "lower": 2.0, "margin": 2.0, **was})
    after = judged(**{"outcome": Outcome.CONTRADICTED, "lower": -3.0, "upper": -0.001, "margin": 9.0, **now})
    assert reversed_effect(before, after) is turned


# What it means for the test

ENFORCED = pytest.mark.parametrize("enforced", [True, False])


@ENFORCED
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_claim_without_an_entry_stands_by_its_verdict_alone(outcome, enforced):
    result = dataclasses.replace(judged(outcome), enforced=enforced)
    assert standing({}, result, updating=False) == Standing(said="", expected="", fails=False)


@ENFORCED
@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_is_recorded_now_is_expected_where_it_would_fail(outcome, enforced):
    result = dataclasses.replace(judged(outcome), enforced=enforced)
    expected = "recorded now" if enforced and outcome != Outcome.REPRODUCED else ""
    for before in ({}, {"cpu": recorded(Outcome.TOO_SMALL)}, {"cpu": recorded(outcome)}):
        assert standing(before, result, updating=True) == Standing(said="", expected=expected, fails=False)


@pytest.mark.parametrize("upper", [-0.001, 0.0])
def test_a_rehearsal_fails_for_a_strong_effect_that_turned_round_and_for_no_other_change(upper):
    before = recorded(Outcome.REPRODUCED, lower=2.0, margin=2.0)
    now = judged(Outcome.CONTRADICTED, lower=-3.0, upper=upper)
    found = standing({"cpu": before}, dataclasses.replace(now, enforced=False), updating=False)
    assert found.said.startswith("CHANGED: ")
    assert (found.expected, found.fails) == ("", upper < 0)


@ENFORCED
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_verdict_is_held_against_its_own_kind_of_device_alone(outcome, enforced):
    result = dataclasses.replace(judged(outcome, device_kind="cuda"), enforced=enforced)
    strong = recorded(Outcome.REPRODUCED, lower=2.0, margin=2.0)
    found = standing({"cpu": strong}, result, updating=False)
    assert (found.expected, found.fails) == ("", False)
    if enforced and outcome != Outcome.REPRODUCED:
        assert found.said.startswith(
            "NOT RECORDED ON CUDA: the ledger has A2a on another kind of device alone (on cpu it"
        )
        assert "was REPRODUCED on 2026-01-02 (+1.00 doublings, 5 seeds, cpu)" in found.said
    else:
        assert found.said == ""
    # With an entry of its own kind the other one changes nothing.
    own = recorded(outcome)
    assert standing({"cpu": strong, "cuda": own}, result, updating=False) == standing(
        {"cuda": own}, result, updating=False
    )


@pytest.mark.parametrize("decided", DECIDED)
def test_a_look_that_does_not_decide_yet_leaves_a_decided_entry(decided, tmp_path):
    before = recorded(decided, first_seed=5)
    open_ = judged(OPEN, n=5, next_look=7, margin=before.margin)
    assert before.stays(open_)
    assert standing({"cpu": before}, open_, updating=True).said.startswith("OPEN: ")
    assert standing({"cpu": before}, open_, updating=True).expected == ""
    # Other seeds are a trial of their own, another margin is another claim, and the last look is a verdict.
    assert not recorded(decided, first_seed=0).stays(open_)
    assert not dataclasses.replace(before, margin=before.margin + 1).stays(open_)
    assert not before.stays(judged(OPEN, n=5, margin=before.margin))
    assert before.stays(judged(OPEN, n=4, margin=before.margin))
    assert not recorded(OPEN, first_seed=5).stays(open_)
    path = tmp_path / "documented-cifar.json"
    update(path, [judged(decided, n=5, margin=before.margin)], "2026-01-02", lambda result: "torch 2")
    text = path.read_text()
    assert update(path, [open_], "2026-02-02", lambda result: "torch 3") == 0
    assert path.read_text() == text
    # What comes after it is recorded all the same.
    other = dataclasses.replace(open_, nodeid="claims/test_x.py::test_other")
    assert update(path, [open_, other], "2026-02-02", lambda result: "torch 3") == 1
    found = read(path)
    assert (found[open_.nodeid]["cpu"].verdict, found[other.nodeid]["cpu"].verdict) == (decided, OPEN)


@pytest.mark.parametrize("margin", [1.23456, 1.23454, 2 / 3])
def test_a_margin_is_recorded_rounded_and_recognised_as_it_was(margin):
    before = dataclasses.replace(recorded(DECIDED[0], first_seed=5), margin=round(margin, 4))
    assert before.stays(judged(OPEN, n=5, next_look=7, margin=margin))
    assert not before.stays(judged(OPEN, n=5, next_look=7, margin=margin + 1e-4))


# The file


def named(nodeid, **fields):
    return dataclasses.replace(RESULT, nodeid=nodeid, verdict=dataclasses.replace(VERDICT, **fields))


def test_what_is_written_is_read_and_other_entries_stay(tmp_path):
    path = tmp_path / "new" / "folder" / "documented.json"
    assert read(path) == {}
    assert update(path, [named("b"), named("a")], "2026-01-02", lambda result: "torch 2") == 2
    assert read(path) == {"a": {"cpu": RECORDED}, "b": {"cpu": RECORDED}}
    assert read(path)["a"]["cpu"].looks == (5, 10, 20)
    # In the order of names, so that version control shows what changed and no more.
    assert list(json.loads(path.read_text())) == ["a", "b"]
    assert path.read_text() == json.dumps(json.loads(path.read_text()), indent=1) + "\n"
    # One that is new, one that changed, one that is as it was.
    changed = [named("c"), named("b", effect=9.0), named("a")]
    assert update(path, changed, "2026-01-02", lambda result: "torch 2") == 2
    assert read(path) == {
        "a": {"cpu": RECORDED},
        "b": {"cpu": dataclasses.replace(RECORDED, effect=9.0)},
        "c": {"cpu": RECORDED},
    }
    assert update(path, changed[:1], "2027-01-01", lambda result: "torch 2") == 1
    assert [found["cpu"].date for found in read(path).values()] == ["2026-01-02", "2026-01-02", "2027-01-01"]
    assert [file.name for file in path.parent.iterdir()] == ["documented.json"]


def test_a_write_that_fails_leaves_the_old_ledger(tmp_path):
    path = tmp_path / "documented.json"
    update(path, [named("a")], "2026-01-02", lambda result: "torch 2")
    before = path.read_text()
    (tmp_path / f".documented.json.{os.getpid()}.part").mkdir()  # where the new one is written first
    with pytest.raises(
        LedgerError, match=r"documented\.json cannot be written \(.*the runs themselves are in the store"
    ):
        update(path, [named("b")], "2026-01-02", lambda result: "torch 2")
    assert path.read_text() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": 3}',
        '{"a": {"cpu": {}}}',
        '{"a": {"looks": [5], "what": 1}}',
        '{"a": {"looks": 5}}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_ledger_is_named_and_never_overwritten(tmp_path, text):
    path = tmp_path / "documented.json"
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(content)
    for use in (lambda: read(path), lambda: update(path, [named("a")], "2026-01-02", lambda result: "torch 2")):
        with pytest.raises(LedgerError, match=r"documented\.json is no ledger \("):
            use()
    assert path.read_bytes() == content
