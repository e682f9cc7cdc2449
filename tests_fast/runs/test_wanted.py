"""What the workers of a session tell each other."""

import sqlite3

import pytest

from pytest_claims.runs.store import Store, now
from pytest_claims.runs.store_file import StoreError
from pytest_claims.runs.wanted import Wanted


def test_a_session_sees_what_its_workers_want_in_order_and_once(tmp_path):
    path, today = tmp_path / "runs.sqlite", now()
    Store(path)
    first, second, other = Wanted(path, today), Wanted(path, today), Wanted(path, now())
    assert first.all() == []
    first.add([("b", range(3)), ("a", range(5, 10))])
    second.add([("a", range(5, 10)), ("a", range(3))])
    other.add([("c", range(3))])
    assert first.all() == second.all() == [("b", range(3)), ("a", range(5, 10)), ("a", range(3))]
    assert other.all() == [("c", range(3))]


def test_what_a_killed_session_wanted_goes(tmp_path):
    path = tmp_path / "runs.sqlite"
    killed = Wanted(path, "2020-01-01T00:00:00+00:00")
    killed.add([("a", range(3))])
    Wanted(path, now()).add([("b", range(3))])
    assert killed.all() == []


def test_all_or_none(tmp_path):
    path = tmp_path / "runs.sqlite"
    wanted = Wanted(path, now())
    with pytest.raises(StoreError, match="refused a INSERT"):
        wanted.add([("a", range(3)), (["no text"], range(3))])
    assert sqlite3.connect(path).execute("SELECT count(*) FROM wanted").fetchone() == (0,)
    wanted.add([("a", range(3))])
    assert wanted.all() == [("a", range(3))]
