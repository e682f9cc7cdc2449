"""The store: nothing finished is lost, and damage is named."""

import dataclasses
import json
import math
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DepthCNN
from pytest_claims.runs.store import COLUMNS, Key, Store, now
from pytest_claims.runs.store_file import StoreError
from pytest_claims.types import Recipe, Run, Trained

ROOT = Path(__file__).resolve().parents[2]
# A batch at which seeds are trained one by one.
RECIPE = Recipe(4, 20, 1, "sgd", 0.01)
RUN = Run(DepthCNN(1, "relu", width=4), RECIPE)
# Of as many epochs as result() has.
RECORDED = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, epochs=2))
KEY = Key(RECORDED, "data", "cpu", 1, 1)


def result(seed=0, accuracy=50.0, loss=(2.0, 1.5)):
    return Trained(seed, accuracy, (20.0, 30.0), loss, False, 0.1, 100, ((0.5, 1e-9), (0.25, 1e-3)), (3, 0, 99, 3) * 25)


def test_a_store_of_before_runs_had_records_is_read_and_written(tmp_path):
    path = tmp_path / "runs.sqlite"
    Store(path).put(KEY, [result(0)], "a device")
    with sqlite3.connect(path) as connection:
        older = ", ".join(column for column in COLUMNS if column not in ("records", "checksum"))
        connection.executescript(
            f"CREATE TABLE older AS SELECT {older} FROM runs; DROP TABLE runs; ALTER TABLE older RENAME TO runs"
        )
    store = Store(path)
    store.put(KEY, [result(1)], "a device")
    found = store.get(KEY, range(2))
    assert found == {0: dataclasses.replace(result(0), gradients=(), predictions=()), 1: result(1)}


def test_what_is_put_is_got(tmp_path):
    store = Store(tmp_path / "new" / "runs.sqlite")
    diverged = dataclasses.replace(result(1, 10.0, (2.0, math.nan)), diverged=True)
    store.put(KEY, [result(0), diverged], "a device")
    found = Store(tmp_path / "new" / "runs.sqlite").get(KEY, range(3))
    assert found[0] == result(0)
    assert found[1].diverged
    assert math.isnan(found[1].train_loss[1])
    assert 2 not in found


def test_test_accuracies_by_epoch_are_kept_and_older_rows_have_none(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    tested = dataclasses.replace(result(0), test_accuracy_by_epoch=(12.5, 50.25))
    store.put(KEY, [tested, result(1)], "cpu")
    assert store.get(KEY, range(2)) == {0: tested, 1: result(1)}


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(KEY, data="others"),
        dataclasses.replace(KEY, device="cuda"),
        dataclasses.replace(KEY, seeds_per_block=5),
        dataclasses.replace(KEY, engine=KEY.engine + 1),
        dataclasses.replace(KEY, tf32=True),
        dataclasses.replace(KEY, kernels="triton"),
        dataclasses.replace(KEY, run=dataclasses.replace(RECORDED, dataset="cifar100")),
        dataclasses.replace(
            KEY, run=dataclasses.replace(RECORDED, recipe=dataclasses.replace(RECIPE, epochs=2, lr=0.02))
        ),
        dataclasses.replace(KEY, run=dataclasses.replace(RECORDED, network=DepthCNN(1, "sigmoid", width=4))),
    ],
)
def test_all_that_decides_a_result_is_in_its_key(tmp_path, other):
    store = Store(tmp_path / "runs.sqlite")
    store.put(KEY, [result()], "a device")
    assert store.get(KEY, [0])
    assert not store.get(other, [0])


@given(st.integers(1, 9), st.floats(1e-4, 1), st.sampled_from(("relu", "sigmoid")))
def test_equal_configurations_have_equal_text(depth, lr, activation):
    def made():
        return Run(DepthCNN(depth, activation), Recipe(4, 8, 1, "sgd", lr))

    assert made().canonical == made().canonical
    assert made().canonical != dataclasses.replace(made(), dataset="cifar100").canonical


def test_kernels_are_part_of_a_name_only_where_they_compute():
    """Every run recorded before there was a choice keeps its name."""
    before = json.loads(KEY.numerics)
    assert "kernels" not in before
    assert json.loads(dataclasses.replace(KEY, kernels="triton").numerics) == {**before, "kernels": "triton"}
    doubled = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, precision="float64"))
    plain = dataclasses.replace(KEY, run=doubled)
    assert dataclasses.replace(plain, kernels="triton").numerics == plain.numerics


def test_a_new_field_with_a_default_leaves_old_configurations_their_key():
    assert '"precision"' not in RUN.canonical
    lowered = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, precision="bfloat16"))
    assert '"precision":"bfloat16"' in lowered.canonical


def test_fresh_sees_only_what_is_new_and_replaces_the_old(tmp_path):
    path = tmp_path / "runs.sqlite"
    Store(path).put(KEY, [result(accuracy=40.0)], "a device")
    fresh = Store(path, since=now())
    assert not fresh.get(KEY, [0])
    assert fresh.count() == 0
    fresh.put(KEY, [result(accuracy=60.0)], "a device")
    assert Store(path).get(KEY, [0])[0].test_accuracy == 60.0
    assert Store(path).count() == fresh.count() == 1


def test_runs_are_counted_by_the_session_that_trained_them(tmp_path):
    one, other = (Store(tmp_path / "runs.sqlite", session=session) for session in ("2026-01-01", "2026-01-02"))
    one.put(KEY, [result(0), result(1)], "a device")
    other.put(KEY, [result(2)], "a device")
    assert [one.count(session="2026-01-01"), one.count(session="2026-01-02"), one.count()] == [2, 1, 3]
    # A store object that does not see the old ones counts none of them.
    assert Store(one.path, since=now()).count() == 0


def test_results_are_recorded_all_or_none(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    broken = dataclasses.replace(result(1), test_accuracy=None)
    with pytest.raises(StoreError, match=r"seed 1 of .* is not recorded"):
        store.put(KEY, [result(0), broken], "a device")
    assert not store.get(KEY, [0, 1])
    store.put(KEY, [result(0)], "a device")  # and the store goes on working
    assert store.get(KEY, [0])


def test_a_block_is_held_when_all_its_seeds_are(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    store.put(KEY, [result(0), result(1)], "a device")
    assert store.holds(KEY, range(2))
    assert not store.holds(KEY, range(3))
    assert not store.holds(dataclasses.replace(KEY, device="cuda"), [0])
    assert not Store(store.path, since=now()).holds(KEY, [0])


def test_a_full_disk_loses_nothing_that_was_finished(tmp_path):
    path = tmp_path / "runs.sqlite"
    store = Store(path)
    store.put(KEY, [result(0)], "a device")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "database or disk is full"
    long = dataclasses.replace(result(1), gradients=((1.0,) * 20_000,))
    with pytest.raises(StoreError, match=r"disk is full.*Free disk space.*trains only what is missing"):
        store.put(KEY, [long], "a device")
    store.close()
    assert Store(path).get(KEY, [0, 1]).keys() == {0}


def test_a_file_that_is_no_store_is_named(tmp_path):
    path = tmp_path / "runs.sqlite"
    path.write_bytes(b"this is not a database, and long enough not to be taken for an empty one" * 20)
    with pytest.raises(StoreError, match=r"runs\.sqlite.*not a database.*move the damaged one away"):
        Store(path)
    with pytest.raises(StoreError, match="--store"):
        Store(Path("/proc/nowhere/runs.sqlite"))


def test_many_processes_may_open_a_new_store_at_once(tmp_path):
    script = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from pytest_claims.runs.store import Store
        while time.time() % 1 > 0.05: time.sleep(0.001)  # all in the same moment
        Store(Path({str(tmp_path / "runs.sqlite")!r})).count()
    """)
    openers = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(4)]
    assert [opener.wait(100) for opener in openers] == [0] * 4


def test_fewer_seeds_at_once_than_the_key_says_are_recorded_and_change_no_key(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    store.put(KEY, [result(0)], "a device")
    store.put(KEY, [result(1)], "a device", at_once=2)
    whole, parts = (
        json.loads(dict(zip(COLUMNS, row, strict=True))["records"]) for row in sorted(store.rows(), key=_seed)
    )
    assert "at_once" not in whole
    assert parts["at_once"] == 2
    assert store.holds(KEY, [0, 1])


def _seed(row):
    return dict(zip(COLUMNS, row, strict=True))["seed"]


def test_an_empty_file_is_a_store_without_runs(tmp_path):
    """As sqlite3 leaves it where somebody looked for a store that was not there."""
    path = tmp_path / "runs.sqlite"
    path.touch()
    store = Store(path, read_only=True)
    assert store.rows() == []
    store.close()
    assert not path.stat().st_size
    Store(path).close()
    assert path.stat().st_size
