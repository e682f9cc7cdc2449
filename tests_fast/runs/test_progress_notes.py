"""Notes of what a session plans and trains: what is read is what was noted, and no error of theirs gets out."""

import os
import sqlite3
import subprocess
import sys
import time

import pytest

import pytest_claims.runs.progress_notes
from models import DepthCNN, NormCNN, OrderCNN
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.progress_notes import Block, Group, Notes, Plan, Reader, forget, in_words
from pytest_claims.runs.store import Store, now
from pytest_claims.stacked import BATCH, group
from pytest_claims.train.cost import Cost
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny
from tests_fast.runs.executors import Planted, Recording
from tests_fast.runs.test_store import KEY, RECIPE, RUN, result


def block(*seeds, key=KEY):
    return Block(key, seeds, Cost(steps=2, flops=60e9), images=40)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "a store?.sqlite")


def test_what_is_planned_done_and_in_training(store):
    store.put(KEY, [result(0)], "a device")
    session = now()
    notes, other = (Notes(store.path, session, worker) for worker in range(2))
    reader = Reader(store.path, session)
    assert not notes.has_plan()
    assert reader.plan() == Plan(0, 0, 0, 0)
    notes.plan([block(0), block(1), block(2)])
    other.plan([block(1), block(2), block(3)])  # of which it plans what is new
    assert other.has_plan()
    assert reader.plan() == Plan(networks=1, runs=4, stored=1, steps=6)
    with other.training(block(1, 2)):
        (training,) = reader.state().in_training
        assert (training.worker, training.process, training.seeds) == (1, os.getpid(), 2)
        assert training.network == "DepthCNN(1, relu, 4) batch 20"
        assert 0 <= time.time() - training.began < 60
    store.put(KEY, [result(1)], "a device")
    notes.plan([block(1)])
    state = reader.state()
    assert state.in_training == ()
    assert state.groups == (Group(block(1).configuration, pytest.approx(1.006), runs=3, done=1, seconds=0.1),)
    assert (state.done, state.runs) == (1, 3)
    assert state.speed == pytest.approx(400)  # 40 images in a tenth of a second


def test_fresh_plans_all_again(store):
    store.put(KEY, [result(0)], "a device")
    session = now()
    Notes(store.path, session, 0, since=session).plan([block(0)])
    assert Reader(store.path, session).plan().stored == 0


def test_a_block_of_which_a_seed_is_missing_is_trained_whole(store):
    store.put(KEY, [result(0)], "a device")
    session = now()
    Notes(store.path, session, 0).plan([block(0, 1)])
    assert Reader(store.path, session).plan() == Plan(networks=1, runs=2, stored=0, steps=4)


@pytest.mark.parametrize("awaited", [True, False])
def test_what_a_dead_worker_was_training_is_not_shown(store, monkeypatch, awaited):
    dead = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    dead.stdout.read()
    if awaited:
        dead.wait()
    else:
        os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # as xdist's, of which no one has asked yet
    session = now()
    notes, reader = Notes(store.path, session, 0), Reader(store.path, session)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: dead.pid)
        of_the_dead = notes.training(block(0))
        of_the_dead.__enter__()
    assert sqlite3.connect(store.path).execute("SELECT process FROM blocks_in_training").fetchall() == [(dead.pid,)]
    assert reader.state().in_training == ()
    with notes.training(block(0)):
        assert len(reader.state().in_training) == 1
    dead.wait()


def test_a_session_takes_its_notes_with_it(store):
    session, long_ago = now(), "2020-01-01T00:00:00+00:00"
    for name in (session, long_ago, "9"):
        Notes(store.path, name, 0).plan([block(0)])
    forget(store.path, session)
    left = sqlite3.connect(store.path).execute("SELECT session FROM planned").fetchall()
    assert left == [("9",)]
    forget(store.path.with_name("none.sqlite"), session)
    assert not store.path.with_name("none.sqlite").exists()


def test_no_error_gets_out(store, tmp_path, monkeypatch):
    monkeypatch.setattr(pytest_claims.runs.progress_notes, "_PATIENCE_SECONDS", 0.01)
    session = now()
    notes, nowhere = Notes(store.path, session, 0), Notes(tmp_path / "no" / "store", session, 0)
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for broken in (notes, nowhere):
        broken.plan([block(0)])
        with broken.training(block(0)):
            pass
        assert not broken.has_plan()
    with pytest.raises(KeyError), notes.training(block(0)):
        raise KeyError  # training's own errors do
    holder.execute("COMMIT")
    store.put(KEY, [result(0)], "a device")  # and the store is as it was


def test_blocks_may_be_in_training_side_by_side(store):
    session = now()
    notes, reader = Notes(store.path, session, 0), Reader(store.path, session)
    with notes.training(block(1, 2, 3)):
        with notes.training(block(4)):
            assert [each.seeds for each in reader.state().in_training] == [3, 1]
        assert [each.seeds for each in reader.state().in_training] == [3]
    assert reader.state().in_training == ()


def test_a_pool_notes_its_plan_and_what_comes_in_addition(store):
    session = now()
    other = Run(DepthCNN(1, "sigmoid", width=4), RECIPE)
    broken = Run(DepthCNN(0, "relu"), RECIPE)
    seen = []
    reader = Reader(store.path, session)
    executor = Recording(Planted(lambda run, seed: result(seed)), lambda run, seeds: seen.append(reader.state()))
    pool = Pool(store, Leases(store.path), executor, tiny, notes=Notes(store.path, session, 0))
    pool.expect([(RUN, range(2)), (broken, range(2))])
    pool.note_plan()
    assert reader.plan() == Plan(networks=1, runs=2, stored=0, steps=4)
    pool.want([(RUN, range(3))])
    assert reader.plan().runs == 3
    pool.results(other, range(2))
    assert reader.plan() == Plan(networks=2, runs=5, stored=0, steps=10)
    assert [(state.done, state.runs) for state in seen] == [(0, 5), (1, 5)]
    assert [[each.network for each in state.in_training] for state in seen] == [
        ["DepthCNN(1, sigmoid, 4) batch 20"]
    ] * 2
    assert reader.state().in_training == ()
    assert reader.state().done == 2


def test_networks_in_words():
    def words(network, batch):
        return in_words(Run(network, Recipe(2, batch, 1, "sgd", 0.1)))

    assert words(NormCNN((BATCH,) * 3), 2) == "NormCNN(batch) batch 2"
    assert words(NormCNN((group(4), group(8), group(8)), classes=100), 64) == "NormCNN(group) batch 64"
    assert words(DepthCNN(8, "sigmoid"), 512) == "DepthCNN(8, sigmoid) batch 512"
    assert words(OrderCNN(("conv", "activation", "norm")), 8) == "OrderCNN(conv-activation-norm) batch 8"
