"""Files that are not ours to write: other programs' databases, stores of earlier versions, read-only places."""

import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.runs.evidence import publish, store_of
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.store import COLUMNS, Store
from pytest_claims.runs.store_file import APPLICATION, StoreError
from pytest_claims.runs.transfer import main
from tests_fast.runs.processes import started
from tests_fast.runs.test_store import KEY, result

NOBODY = 65534


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


FOREIGN = {
    "a table runs of its own": "CREATE TABLE runs (id INTEGER PRIMARY KEY, far REAL); INSERT INTO runs VALUES (1, 5)",
    "a table runs with a key": "CREATE TABLE runs (key TEXT PRIMARY KEY, configuration TEXT, seed INTEGER)",
    "other tables": "CREATE TABLE bookmarks (url TEXT)",
    "a mark of its own": "PRAGMA application_id = 252006673",
    "a mark and our table's name": "PRAGMA application_id = 7; CREATE TABLE runs (key TEXT)",
    "our mark without our columns": f"PRAGMA application_id = {APPLICATION}; CREATE TABLE runs (key TEXT)",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_another_programs_database_is_refused_and_left_as_it_is(path, name):
    with sqlite3.connect(path) as connection:
        connection.executescript(FOREIGN[name])
    connection.close()
    before = path.read_bytes()
    for opened in (Store, PlaceboRecord, lambda path: Store(path, read_only=True)):
        with pytest.raises(
            StoreError, match=r"runs\.sqlite: this is another program's database .*Nothing in it was ch"
        ):
            opened(path)
    assert main(["export", str(path), str(path.with_name("out"))]) == 1
    assert path.read_bytes() == before


def test_a_new_store_bears_our_mark_in_the_file_itself(path):
    Store(path)
    assert int.from_bytes(path.read_bytes()[68:72], "big") == APPLICATION


# A store as earlier versions made it, comments included: SQLite keeps them, and adds columns after them.
OLD = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY,           -- hash of all that decides the result, see Key
    configuration TEXT NOT NULL,    -- canonical JSON of network, recipe and data set
    seed INTEGER NOT NULL,
    data TEXT NOT NULL,             -- fingerprint of the images
    numerics TEXT NOT NULL,         -- JSON: device kind, precision, seeds trained side by side
    engine INTEGER NOT NULL,
    test_accuracy REAL NOT NULL,    -- percent, as are all accuracies
    test_images INTEGER NOT NULL,
    diverged INTEGER NOT NULL,
    curves TEXT NOT NULL,           -- JSON: train_accuracy and train_loss, one value an epoch
    seconds REAL NOT NULL,
    device TEXT NOT NULL,
    versions TEXT NOT NULL,         -- JSON: python, torch, numpy
    finished TEXT NOT NULL{}
)
"""
RECORDS = ",\n    records TEXT NOT NULL DEFAULT '{}'  -- JSON: gradients, predictions as base64 of zlib of '<i2', ..."


@pytest.mark.parametrize("records", [RECORDS, "         -- UTC, ISO 8601"], ids=["with records", "without records"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_before_the_mark_is_ours(path, records, read_only):
    new = Store(path.with_name("new.sqlite"))
    new.put(KEY, [result(0)], "a device")
    with sqlite3.connect(path) as connection:
        connection.execute(OLD.format(records))
        columns = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
        row = dict(zip(COLUMNS, new.rows()[0], strict=True))
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO runs VALUES ({marks})", [row[column] for column in columns])
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    before = path.read_bytes()
    store = Store(path, read_only=read_only)
    assert store.get(KEY, [0])[0].test_accuracy == 50.0
    assert store.get(KEY, [0])[0].predictions == (result(0).predictions if records == RECORDS else ())
    assert store.count(session="any") == 0
    assert len(store.rows()[0]) == len(COLUMNS)
    if read_only:
        assert path.read_bytes() == before
    else:
        store.put(KEY, [result(1)], "a device")
        assert Store(path).get(KEY, range(2)).keys() == {0, 1}


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    assert Store(path).count() == 0


def test_reading_makes_no_file(tmp_path):
    store = Store(tmp_path / "new" / "runs.sqlite", read_only=True)
    assert (store.count(), store.kinds(), store.get(KEY, [0])) == (0, {}, {})
    assert PlaceboRecord(tmp_path / "new" / "runs.sqlite", read_only=True).last("full", "cifar") == ()
    Leases(store.path).close()
    assert list(tmp_path.iterdir()) == []


def _as_nobody(folder, out):
    """Read all that there is in a folder that this user cannot write."""
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    store = Store(folder / "runs.sqlite", read_only=True)
    assert store.get(KEY, [0])[0] == result(0)
    assert PlaceboRecord(store.path, read_only=True).last("full", "cifar") == ()
    assert store_of(folder / "evidence", store.path).get(KEY, [1])[1].test_accuracy == 50.0
    assert main(["export", str(store.path), str(out / "runs.jsonl")]) == 0
    with pytest.raises(StoreError, match=r"runs\.sqlite: .* Name a file that can be written"):
        Store(store.path)
    os._exit(7)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs another user to be")
def test_a_read_only_store_in_a_read_only_folder_is_judged_and_exported():
    folder, out = (Path(tempfile.mkdtemp(dir="/tmp")) for _ in range(2))
    try:
        store = Store(folder / "runs.sqlite")
        store.put(KEY, [result(0), result(1)], "a device")
        (folder / "evidence").mkdir()
        publish(store.rows(), folder / "evidence" / "a.jsonl", lambda name, data: None)
        store.close()
        (folder / "runs.sqlite-locks").unlink()
        out.chmod(0o777)
        folder.chmod(0o555)
        before = files(folder / "evidence"), (folder / "runs.sqlite").read_bytes()
        process = started(_as_nobody, folder, out)
        process.join(60)
        assert process.exitcode == 7
        assert (files(folder / "evidence"), (folder / "runs.sqlite").read_bytes()) == before
        assert len((out / "runs.jsonl").read_text().splitlines()) == 2
        assert sorted(path.name for path in folder.iterdir()) == ["evidence", "runs.sqlite"]
    finally:
        for made in (folder, out):
            made.chmod(0o755)
            shutil.rmtree(made)


def test_a_store_that_was_removed_takes_no_runs_in_silence(path):
    store = Store(path)
    store.put(KEY, [result(0)], "a device")
    path.unlink()
    with pytest.raises(StoreError, match="is gone: the file was removed or replaced while"):
        store.put(KEY, [result(1)], "a device")
    Store(path).put(KEY, [result(2)], "another session's")
    with pytest.raises(StoreError, match="is gone"):
        store.put(KEY, [result(3)], "a device")
    assert Store(path).get(KEY, range(4)).keys() == {2}


def test_damage_is_called_damage(path):
    store = Store(path)
    store.put(KEY, [result(seed) for seed in range(60)], "a device")
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 : len(content) // 2] = b"\xa5" * (len(content) // 2 - 4096)
    path.write_bytes(content)
    store = Store(path, read_only=True)
    with pytest.raises(StoreError, match=r"is damaged .database disk image is malformed.") as error:
        store.rows()
    assert "Free disk space" not in str(error.value)
    assert main(["check", str(path)]) == 1
