"""The ledger's file: what is no entry is refused by its name, and sessions that write at once lose nothing."""

import dataclasses
import json
import os

import pytest

from pytest_claims.ledger.beside import elsewhere
from pytest_claims.ledger.entries import LedgerError, entry, of_kind, read, update
from pytest_claims.ledger.siblings import siblings
from pytest_claims.ledger.vanished import vanished
from pytest_claims.types import Outcome
from tests_fast.judge.test_result import RESULT
from tests_fast.report.test_report import confounded
from tests_fast.runs.processes import started

TODAY = ("2026-11-26", lambda result: "torch 2.13")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger" / "documented-cifar.json"


def written(path, **changed):
    path.parent.mkdir(exist_ok=True)
    fields = dataclasses.asdict(entry(RESULT, TODAY[0], "torch 2.13"))
    entries = {"test_good": {"cpu": fields}, "test_bad": {"cpu": fields, "cuda": fields | changed}}
    path.write_text(json.dumps({f"claims/test_x.py::{name}": kinds for name, kinds in entries.items()}))


BAD = {
    "a verdict of one's own": ({"verdict": "PROVEN"}, "verdict is 'PROVEN'; allowed: REPRODUCED, TOO SMALL"),
    "a verdict of a number": ({"verdict": 1}, "verdict is 1; allowed: a text"),
    "a bound of text": ({"lower": "low"}, "lower is 'low'; allowed: a number"),
    "a bound missing": ({"upper": None}, "upper is None; allowed: a number"),
    "an effect that is no number": ({"effect": float("nan")}, "effect is nan"),
    "an effect true": ({"effect": True}, "effect is True"),
    "seeds": ({"n": 5.5}, "n is 5.5; allowed: an integer"),
    "no seeds": ({"n": 0}, "n is 0; allowed: 1 or more"),
    "looks": ({"looks": [5, "7"]}, r"looks is \(5, '7'\)"),
    "looks of text": ({"looks": "57"}, "looks is"),
    "a number for looks": ({"looks": 3}, "looks is 3; allowed: a list of integers above 0"),
    "a look at nothing": ({"looks": [0, 5]}, r"looks is \(0, 5\)"),
    "no looks": ({"looks": []}, r"looks is \(\)"),
    "a cause of text": ({"confounded_by": "rate"}, "confounded_by is 'rate'; allowed: a list of texts"),
    "a cause of a number": ({"confounded_by": ["the rate", 3]}, r"confounded_by is \('the rate', 3\)"),
    "an escape in a cause": ({"confounded_by": ["the \x1b[31mrate"]}, "characters that cannot be shown"),
    "a documented text": ({"documented": "high"}, "documented is 'high'; allowed: a number or null"),
    "an agreement": ({"agrees": "yes"}, "agrees is 'yes'; allowed: true or false or null"),
    "escapes": ({"claim": "a \x1b[31mred claim"}, "characters that cannot be shown"),
    "a field more": ({"wrong": 1}, "wrong"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_field_edited_by_hand_into_what_none_is_is_named(path, name):
    changed, said = BAD[name]
    written(path, **changed)
    with pytest.raises(LedgerError, match=rf"cifar\.json is no ledger \(claims/test_x\.py::test_bad: cuda: .*{said}"):
        read(path)


def test_what_is_no_json_is_named_without_an_entry(path):
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(LedgerError, match=r"cifar\.json is no ledger \(Expecting "):
        read(path)


def test_an_entry_of_one_seed_is_one(path):
    written(path, looks=[1], n=1)
    assert read(path)["claims/test_x.py::test_bad"]["cuda"].looks == (1,)


@pytest.mark.parametrize(("samples", "said"), [(1, ""), (2, " of sample 2")])
def test_an_entry_in_words_says_of_which_sample_it_is(samples, said):
    found = dataclasses.replace(entry(RESULT, TODAY[0], "torch 2.13"), samples=samples)
    assert f"{RESULT.verdict.n} seeds{said}, {RESULT.device})" in found.words


def test_a_bound_that_does_not_exist_and_whole_numbers_are_entries(path):
    written(path, lower=float("-inf"), effect=3, documented=None, measured=None, agrees=None)
    assert read(path)["claims/test_x.py::test_bad"]["cuda"].effect == 3


def test_what_explains_an_effect_is_recorded_with_it_and_stands_wherever_the_entry_does(path):
    found = (confounded("a", "b", 1.0, Outcome.CONTRADICTED), confounded("a", "c", 1.0, Outcome.CONTRADICTED))
    verdict = dataclasses.replace(RESULT.verdict, outcome=Outcome.REPRODUCED, confounders=found)
    judged = dataclasses.replace(RESULT, nodeid="claims/test_x.py::test_y[2-base]", verdict=verdict)
    update(path, [judged], *TODAY)
    kept = read(path)[judged.nodeid]["cpu"]
    assert kept.confounded_by == ("what is b", "what is c")
    called = "REPRODUCED, confounded by what is b and what is c"
    assert kept.words.startswith(f"{called} on 2026-11-26 (")
    assert siblings("claims/test_x.py::test_y[4-base]", {judged.nodeid: kept})[0].verdict == called
    beside = elsewhere(
        dataclasses.replace(judged, device_kind="cuda"), {judged.data_kind: {judged.nodeid: {"cpu": kept}}}
    )
    assert beside[0].measured.startswith("REPRODUCED +")
    assert beside[0].measured.endswith(" doublings, confounded by what is b and what is c")
    # Where there is no effect, nothing explains it.
    none = dataclasses.replace(judged, verdict=dataclasses.replace(verdict, outcome=Outcome.INCONCLUSIVE))
    assert entry(none, *TODAY[:1], "torch 2.13").confounded_by == ()


def test_an_entry_from_before_causes_were_recorded_names_none(path):
    written(path)
    ledger = json.loads(path.read_text())
    for kinds in ledger.values():
        for fields in kinds.values():
            del fields["confounded_by"]
    path.write_text(json.dumps(ledger))
    assert read(path)["claims/test_x.py::test_bad"]["cuda"].confounded_by == ()


def test_kinds_of_device_stand_side_by_side_and_never_replace_each_other(path):
    on_cuda = dataclasses.replace(RESULT, device_kind="cuda", device="cuda:0 (a card)")
    assert update(path, [RESULT], *TODAY) == 1
    before = read(path)[RESULT.nodeid]["cpu"]
    assert update(path, [on_cuda], *TODAY) == 1
    found = read(path)
    assert found[RESULT.nodeid] == {"cpu": before, "cuda": entry(on_cuda, TODAY[0], "torch 2.13")}
    assert update(path, [on_cuda], *TODAY) == 0
    assert of_kind(found, "cuda") == {RESULT.nodeid: entry(on_cuda, TODAY[0], "torch 2.13")}
    assert list(json.loads(path.read_text())[RESULT.nodeid]) == ["cpu", "cuda"]


def test_a_kind_of_device_that_no_ledger_has_is_refused_before_anything_is_written(path):
    update(path, [RESULT], *TODAY)
    before = path.read_text()
    with pytest.raises(LedgerError, match=r"verdicts on tpu are not recorded in .*: its kinds of device are cpu, cuda"):
        update(path, [dataclasses.replace(RESULT, device_kind="tpu")], *TODAY)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("device", "kind"), [("cpu (Xeon, 2 cores)", "cpu"), ("cuda:0 (H100); cuda:1 (H100)", "cuda"), ("cuda", "cuda")]
)
def test_an_entry_of_the_older_form_is_read_under_the_kind_of_its_device_and_written_anew(path, device, kind):
    path.parent.mkdir()
    old = dataclasses.replace(entry(RESULT, TODAY[0], "torch 2.13"), device=device)
    path.write_text(json.dumps({"claims/test_x.py::test_y": dataclasses.asdict(old)}))
    assert read(path) == {"claims/test_x.py::test_y": {kind: old}}
    update(path, [dataclasses.replace(RESULT, nodeid="other")], *TODAY)
    assert json.loads(path.read_text())["claims/test_x.py::test_y"].keys() == {kind}
    assert read(path)["claims/test_x.py::test_y"] == {kind: old}


def test_an_entry_of_the_older_form_on_a_device_without_a_kind_says_where_to_put_it(path):
    path.parent.mkdir()
    old = dataclasses.asdict(entry(RESULT, TODAY[0], "torch 2.13")) | {"device": "a farm"}
    path.write_text(json.dumps({"test_y": old}))
    with pytest.raises(LedgerError, match=r"test_y: an entry of the older form, on 'a farm', names no kind.*cpu, cuda"):
        read(path)
    path.write_text(json.dumps({"test_y": {"tpu": old}}))
    with pytest.raises(LedgerError, match="test_y: tpu: no kind of device; allowed: cpu, cuda"):
        read(path)


def _update(path, number):
    named = dataclasses.replace(RESULT, nodeid=f"claims/test_x.py::test_{number}")
    for _ in range(20):
        update(path, [named], *TODAY)
    os._exit(0)


def test_seven_sessions_that_record_at_once_lose_no_entry(path):
    processes = [started(_update, path, number) for number in range(7)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 7
    assert read(path).keys() == {f"claims/test_x.py::test_{number}" for number in range(7)}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_entries_of_claims_that_are_not_there_are_found(tmp_path):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "test_x.py").write_text("def test_there(lab, n): ...\n")
    (tmp_path / "claims" / "test_broken.py").write_text("def test_there(:\n")
    there = ["claims/test_x.py::test_there", "claims/test_x.py::test_there[2]"]
    gone = ["claims/test_x.py::test_renamed[2]", "claims/test_y.py::test_there", "claims/test_broken.py::test_there"]
    assert vanished([*there, *gone], tmp_path) == gone
