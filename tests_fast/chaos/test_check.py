"""The check after a round of chaos finds what it is there to find."""

import json
import sqlite3

import pytest

from chaos.check import block_of, lost_or_altered, rows, trained_twice, verdicts
from pytest_claims.runs.store import Store
from tests_fast.runs.test_store import KEY, RECORDED, result


@pytest.fixture
def stored(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    store.put(KEY, [result(0), result(1)], "a device")
    return store.path


def test_what_is_stored_is_read_without_the_store(stored):
    found = rows(stored)
    assert found.keys() == {KEY.digest(0), KEY.digest(1)}
    assert found[KEY.digest(1)][:2] == (RECORDED.canonical, 1)
    assert found[KEY.digest(1)][5] == 50.0


def test_lost_altered_and_other_runs_are_told(stored):
    before = rows(stored)
    assert lost_or_altered(before, before, before) == []
    with sqlite3.connect(stored) as connection:
        connection.execute("DELETE FROM runs WHERE seed = 0")
        connection.execute("UPDATE runs SET test_accuracy = 51 WHERE seed = 1")
    lost, altered, differs = sorted(lost_or_altered(before, rows(stored), before), key=len, reverse=True)
    assert lost == f"the run {KEY.digest(0)[:12]} was finished and is lost"
    assert altered == f"the run {KEY.digest(1)[:12]} was altered"
    assert differs == f"the run {KEY.digest(1)[:12]} differs"


def log(tmp_path, *events):
    path = tmp_path / "log.jsonl"
    names = ("what", "block", "process", "at")
    path.write_text("".join(json.dumps(dict(zip(names, event, strict=True))) + "\n" for event in events))
    return path


@pytest.mark.parametrize(
    ("events", "stored", "found"),
    [
        ([("begin", "a", 1, 1.0), ("end", "a", 1, 2.0)], {"a": 2.1}, []),
        # Killed in training, and trained by another one.
        ([("begin", "a", 1, 1.0), ("begin", "a", 2, 5.0), ("end", "a", 2, 6.0)], {"a": 6.1}, []),
        (
            [("begin", "a", 1, 1.0), ("end", "a", 1, 2.0), ("begin", "a", 2, 3.0), ("end", "a", 2, 4.0)],
            {"a": 2.1},
            ["block a was trained again after it was stored"],
        ),
        (
            [("begin", "a", 1, 1.0), ("begin", "a", 2, 2.0), ("end", "a", 1, 3.0), ("end", "a", 2, 4.0)],
            {},
            ["block a was trained by two at once"],
        ),
    ],
)
def test_what_was_trained_twice_is_told(tmp_path, events, stored, found):
    assert trained_twice(log(tmp_path, *events), stored) == found


def test_a_block_has_the_witnesss_name(stored, tmp_path):
    from hashlib import sha256

    row = rows(stored)[KEY.digest(1)]
    assert block_of(row) == f"{sha256(RECORDED.canonical.encode()).hexdigest()[:16]} 1"
    assert verdicts(tmp_path / "none.json") == {}
