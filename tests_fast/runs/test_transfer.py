"""Runs as JSON lines: nothing changes on the way, and damage is refused."""

import dataclasses
import math

import pytest

from pytest_claims.runs.store import COLUMNS, Store
from pytest_claims.runs.transfer import TransferError, export_runs, import_runs, main
from tests_fast.runs.test_store import KEY, result


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "runs.sqlite")
    diverged = dataclasses.replace(result(2, 10.0, (2.0, math.nan)), diverged=True)
    made.put(KEY, [result(0), result(1, 52.37), diverged], "a device")
    return made


def test_runs_survive_the_way_there_and_back(store, tmp_path):
    assert export_runs(store, tmp_path / "runs.jsonl") == 3
    other = Store(tmp_path / "other.sqlite")
    assert import_runs(tmp_path / "runs.jsonl", other) == 3
    assert other.rows() == store.rows()
    assert other.get(KEY, [1])[1] == store.get(KEY, [1])[1]
    assert import_runs(tmp_path / "runs.jsonl", other) == 0


def test_another_result_of_a_stored_run_is_a_conflict_and_nothing_is_added(store, tmp_path):
    export_runs(store, tmp_path / "runs.jsonl")
    other = Store(tmp_path / "other.sqlite")
    other.put(KEY, [result(1, 99.0)], "another device")
    line = next(n for n, row in enumerate(store.rows(), start=1) if row[0] == KEY.digest(1))
    with pytest.raises(TransferError, match=rf"runs\.jsonl, line {line}: the run {KEY.digest(1)} has another result"):
        import_runs(tmp_path / "runs.jsonl", other)
    assert other.count() == 1
    assert other.get(KEY, [1])[1].test_accuracy == 99.0


WHOLE = dataclasses.replace(result(0), test_accuracy_by_epoch=(12.5, 50.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"train_accuracy": (20.0, 30.1)},
        {"train_loss": (2.0, 1.6)},
        {"gradients": ((0.5, 1e-9), (0.25, 2e-3))},
        {"gradients": ((0.5, 1e-9),)},
        {"test_accuracy_by_epoch": (13.5, 50.0)},
        {"predictions": (3, 1, 99, 3) * 25},
    ],
)
def test_all_that_a_run_has_recorded_is_its_result(tmp_path, changes):
    ours, theirs = Store(tmp_path / "ours.sqlite"), Store(tmp_path / "theirs.sqlite")
    ours.put(KEY, [WHOLE], "a device")
    theirs.put(KEY, [dataclasses.replace(WHOLE, **changes)], "a device")
    export_runs(theirs, tmp_path / "runs.jsonl")
    with pytest.raises(TransferError, match=r"runs\.jsonl, line 1: .*has another result"):
        import_runs(tmp_path / "runs.jsonl", ours)
    assert ours.get(KEY, [0]) == {0: WHOLE}


def test_what_one_of_two_has_not_recorded_contradicts_nothing(tmp_path):
    ours, theirs = Store(tmp_path / "ours.sqlite"), Store(tmp_path / "theirs.sqlite")
    ours.put(KEY, [WHOLE], "a device")
    less = dataclasses.replace(WHOLE, gradients=(), predictions=(), test_accuracy_by_epoch=())
    theirs.put(KEY, [less], "a device")
    for store, other in ((ours, theirs), (theirs, ours)):
        export_runs(other, tmp_path / "runs.jsonl")
        assert import_runs(tmp_path / "runs.jsonl", store) == 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], r"runs\.jsonl, line 2: not a run"),
        (lambda text: text.replace('"seed": 1', '"seed": 7'), "its key does not fit its content"),
        (lambda text: "[]\n" + text, "line 1: not a run"),
    ],
)
def test_a_damaged_file_adds_nothing(store, tmp_path, damage, message):
    path = tmp_path / "runs.jsonl"
    export_runs(store, path)
    path.write_text(damage(path.read_text()))
    other = Store(tmp_path / "other.sqlite")
    with pytest.raises(TransferError, match=message):
        import_runs(path, other)
    assert other.count() == 0


def test_the_command_line(store, tmp_path, capsys):
    assert main(["export", str(store.path), str(tmp_path / "out.jsonl")]) == 0
    assert main(["import", str(tmp_path / "out.jsonl"), str(tmp_path / "new.sqlite")]) == 0
    assert "3 new runs added" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "missing.jsonl"), str(tmp_path / "new.sqlite")]) == 1
    assert main(["export", str(tmp_path / "missing.sqlite"), str(tmp_path / "out.jsonl")]) == 1
    assert "no such store" in capsys.readouterr().err


def test_columns_are_the_stores(store):
    assert COLUMNS[:3] == ("key", "configuration", "seed")
    assert len(COLUMNS) == len(store.rows()[0]) == 16
