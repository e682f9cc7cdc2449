"""What no run can be is neither imported nor judged: hostile rows and files, and what changed on the disk."""

import base64
import dataclasses
import json
import sqlite3
import tracemalloc
import zlib

import pytest

from pytest_claims.runs.row import COLUMNS, digest, stored
from pytest_claims.runs.store import DamagedRunError, Store, now
from pytest_claims.runs.transfer import TransferError, export_runs, import_runs, main
from tests_fast.runs.test_store import KEY, result

BOMB = base64.b64encode(zlib.compress(bytes(50_000_000), 1)).decode()
CURVES = {"train_accuracy": [20.0, 30.0], "train_loss": [2.0, 1.5]}


def curves(**changed):
    return json.dumps({**CURVES, **changed})


def records(**changed):
    return json.dumps({"predictions": "", **changed})


# Columns of a run that none can have, and what is said of them.
BAD = {
    "accuracy above 100": ({"test_accuracy": 250.0}, "test_accuracy is 250.0; allowed: a number from 0 to 100"),
    "accuracy below 0": ({"test_accuracy": -3.0}, "test_accuracy is -3.0"),
    "accuracy of text": ({"test_accuracy": "abc"}, "test_accuracy is 'abc'"),
    "accuracy not a number": ({"test_accuracy": float("nan")}, "test_accuracy is nan"),
    "accuracy missing": ({"test_accuracy": None}, "test_accuracy is None"),
    "accuracy true": ({"test_accuracy": True}, "test_accuracy is True"),
    "no images": ({"test_images": 0}, "test_images is 0"),
    "half an image": ({"test_images": 99.5}, "test_images is 99.5; allowed: an integer"),
    "diverged": ({"diverged": 2}, "diverged is 2"),
    "seconds": ({"seconds": float("inf")}, "seconds is inf"),
    "curves empty": ({"curves": "{}"}, "it has no 'train_loss'|it has no 'train_accuracy'"),
    "curves no JSON": ({"curves": "{"}, "."),
    "curves a list": ({"curves": "[]"}, "curves is no JSON object"),
    "curves nested": ({"curves": "[" * 100_000}, "RecursionError"),
    "curves of no epoch": ({"curves": curves(train_accuracy=[], train_loss=[])}, "curves have 0 and 0 values"),
    "curves of two lengths": ({"curves": curves(train_loss=[2.0])}, "curves have 2 and 1 values"),
    "curves of text": ({"curves": curves(train_loss=["a", "b"])}, "train_loss has a value that is no number"),
    "curves above 100": ({"curves": curves(train_accuracy=[20.0, 101.0])}, "train_accuracy has a value that is not fr"),
    "a loss that diverged": ({"curves": curves(train_loss=[2.0, float("nan")])}, "not finite, and diverged is 0"),
    "finished some day": ({"finished": "today"}, "finished is 'today'"),
    "finished elsewhere": ({"finished": "2026-11-21T13:55:38.242982+02:00"}, "allowed: UTC"),
    "device of escapes": (
        {"device": "a \x1b[31mred card"},
        "device is .* allowed: characters that can be shown",
    ),
    "versions": ({"versions": '{"torch": 2}'}, "versions is"),
    "too many predictions": ({"records": records(predictions=BOMB)}, "predictions are not one for each of 100 test im"),
    "too few predictions": ({"records": records(predictions="eJxjAAAAAQAB")}, "predictions are not one for each"),
    "predictions no base64": ({"records": records(predictions="\u00e9")}, "ASCII"),
    "confusion": ({"records": records(confusion=[55, 0, 45, 0])}, "do not give an accuracy of 50.0 on 100 images"),
    "gradients": ({"records": records(gradients=[["a"]])}, "gradients has a value that is no number"),
    "tested by epoch": ({"records": records(test_accuracy_by_epoch=[1.0])}, "one an epoch, 2"),
}
# What only a file is refused for: stored here, it is a clock that was wrong, or results that a plugin made up.
BAD_IN_FILES = {
    "finished in 2999": ({"finished": "2999-01-01T00:00:00.000000+00:00"}, "which is in the future"),
    "curves of other epochs": ({"curves": curves(train_accuracy=[1.0], train_loss=[1.0])}, "one an epoch, 2"),
    "seed": ({"seed": -1}, "seed is -1"),
    "engine": ({"engine": "1"}, "engine is '1'"),
}


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "runs.sqlite")
    made.put(KEY, [result(0), result(1)], "a device")
    yield made
    made.close()


def line_of(store, **changed):
    """The line of seed 1 with other columns, and with the key and without the checksum that a forger would give it."""
    row = next(row for row in store.rows() if row[0] == KEY.digest(1))
    run = {**dict(zip(COLUMNS, row, strict=True)), "checksum": "", **changed}
    run["key"] = digest(*(run[name] for name in ("configuration", "data", "numerics", "engine", "seed")))
    return json.dumps(run)


@pytest.mark.parametrize("name", [*BAD, *BAD_IN_FILES])
def test_a_file_with_a_line_that_no_run_can_be_is_refused_whole(store, tmp_path, name):
    changed, said = {**BAD, **BAD_IN_FILES}[name]
    path = tmp_path / "runs.jsonl"
    export_runs(store, path)
    good = path.read_text().splitlines()
    path.write_text("\n".join([*good, line_of(store, **changed)]))
    other = Store(tmp_path / "other.sqlite")
    with pytest.raises(TransferError, match=rf"runs\.jsonl, line 3: not a run \(.*({said}).*Nothing was added"):
        import_runs(path, other)
    assert other.count() == 0


# The file itself has no row without an accuracy, and keeps true as 1.
@pytest.mark.parametrize("name", sorted(BAD.keys() - {"accuracy missing", "accuracy true"}))
def test_a_stored_row_that_no_run_can_be_is_not_judged(store, name):
    changed, said = BAD[name]
    sets = ", ".join(f"{column} = ?" for column in changed)
    values = ["NaN" if value != value else value for value in changed.values()]  # SQLite has no NaN
    store._execute(f"UPDATE runs SET {sets}, checksum = '' WHERE seed = 1", values)
    said = said.replace("test_accuracy is nan", "test_accuracy is 'NaN'")
    for read in (lambda: store.get(KEY, [1]), lambda: store.named([KEY.digest(1)])):
        with pytest.raises(DamagedRunError, match=rf"the run {KEY.digest(1)} in the store .* is damaged: .*({said})"):
            read()
    assert store.get(KEY, [0])  # others are


def test_another_accuracy_than_was_put_is_not_judged_whatever_it_is(store):
    store._execute("UPDATE runs SET test_accuracy = 55 WHERE seed = 1")
    with pytest.raises(DamagedRunError, match="its checksum does not fit its content"):
        store.get(KEY, [1])


def test_a_row_under_another_runs_key_is_not_judged(store):
    store._execute("DELETE FROM runs WHERE seed = 0")
    store._execute("UPDATE runs SET key = ?", (KEY.digest(0),))
    with pytest.raises(DamagedRunError, match="its key does not fit its content"):
        store.get(KEY, [0])


def test_an_exported_accuracy_that_was_changed_is_refused(store, tmp_path):
    path = tmp_path / "runs.jsonl"
    export_runs(store, path)
    path.write_text(path.read_text().replace('"test_accuracy": 50.0', '"test_accuracy": 55.0', 1))
    with pytest.raises(TransferError, match=r"line 1: not a run .its checksum does not fit"):
        import_runs(path, Store(tmp_path / "other.sqlite"))


def test_a_small_line_that_unpacks_to_much_costs_no_memory(store):
    row = json.loads(line_of(store, records=records(predictions=BOMB)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="predictions are not one for each"):
        stored(tuple(row[column] for column in COLUMNS))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_run_from_the_future_is_not_taken_for_a_fresh_one(store):
    store._execute("UPDATE runs SET finished = '2999-01-01T00:00:00.000000+00:00', checksum = ''")
    fresh = Store(store.path, since=now())
    assert fresh.get(KEY, [1]) == {}
    assert not fresh.holds(KEY, [1])
    fresh.put(KEY, [result(1, 60.0)], "a device")
    assert fresh.get(KEY, [1])[1].test_accuracy == 60.0
    # A clock that was wrong loses nothing: where all are seen, so is this one.
    assert Store(store.path).get(KEY, [0])[0] == result(0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda store: store.path.read_bytes(), "line 1: not a run"),
        (lambda store: line_of(store).encode("utf-16"), "line 1: not a run"),
        (lambda store: b"[" * 100_000, "line 1: not a run"),
        (lambda store: b"\0" * 1000, "line 1: not a run"),
        (lambda store: b"null\n", "line 1: not a run .no JSON object"),
    ],
    ids=["a store", "UTF-16", "nested", "zeros", "null"],
)
def test_a_file_of_something_else_is_named(store, tmp_path, capsys, content, said):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(content(store))
    with pytest.raises(TransferError, match=said):
        import_runs(path, store)
    assert main(["import", str(path), str(tmp_path / "other.sqlite")]) == 1
    assert capsys.readouterr().err.startswith(f"{path}, line 1: not a run")


def test_a_file_and_a_store_in_each_others_place_are_both_as_they_were(store, tmp_path, capsys):
    path = tmp_path / "runs.jsonl"
    export_runs(store, path)
    before = path.read_bytes()
    assert main(["import", str(store.path), str(path)]) == 1
    assert main(["export", str(path), str(store.path)]) == 1
    assert main(["export", str(store.path), str(store.path)]) == 1
    assert f"{store.path} is a database and is not written over" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert Store(store.path).count() == 2


def test_damaged_runs_are_named_and_removed_on_demand(store, capsys):
    store._execute("UPDATE runs SET test_accuracy = 55 WHERE seed = 1")
    assert main(["check", str(store.path)]) == 1
    assert capsys.readouterr().out.startswith(f"{KEY.digest(1)}: its checksum does not fit its content\n1 of 2 runs in")
    assert main(["check", str(store.path), "--remove"]) == 0
    assert main(["check", str(store.path)]) == 0
    assert Store(store.path).get(KEY, [0, 1]).keys() == {0}


def test_what_trained_gives_no_result_that_no_run_can_have(store):
    bad = dataclasses.replace(result(2), test_accuracy=250.0)
    with pytest.raises(Exception, match=r"seed 2 of .* is not recorded: test_accuracy is 250.0"):
        store.put(KEY, [result(3), bad], "a device")
    assert store.get(KEY, [2, 3]) == {}


def test_one_bad_line_after_thousands_refuses_them_all(store, tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text((line_of(store) + "\n") * 2000 + "{}\n")
    with pytest.raises(TransferError, match=r"line 2001: not a run .it has no 'key'"):
        import_runs(path, Store(tmp_path / "other.sqlite"))
    assert sqlite3.connect(tmp_path / "other.sqlite").execute("SELECT count(*) FROM runs").fetchone() == (0,)
