"""The pool: which seeds are trained together, what is trained for whom, and when it waits for others."""

import contextlib
import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import DepthCNN
from pytest_claims.data import DataError
from pytest_claims.runs import pool as pool_module
from pytest_claims.runs.pool import NotStoredError, Pool, _blocks, seeds_per_block
from pytest_claims.runs.progress_notes import Notes, Reader
from pytest_claims.runs.store import Store, StoreError, now
from pytest_claims.train.cost import flops_per_step
from pytest_claims.train.device import DeviceError, describe
from pytest_claims.train.engine import version_of
from pytest_claims.types import Augmentation, Recipe, Run
from tests_fast.images import tiny

CPU = torch.device("cpu")
# One step an epoch, at a batch at which seeds are trained five at a time.
RECIPE = Recipe(1, 10, 1, "sgd", 0.01, test_images_per_class=1)
RUN, OTHER = (Run(DepthCNN(1, activation, width=2), RECIPE) for activation in ("relu", "sigmoid"))
# More images of a class than there are.
BROKEN = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, images_per_class=99))


class Log(list):
    """What was trained, in order: (run, seeds)."""

    def __call__(self, run, results):
        self.append((run, [result.seed for result in results]))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A pool that waits for what never comes fails its test; else it would hang."""
    waits = iter(range(50))

    def sleep(seconds):
        assert next(waits, None) is not None, "the pool waits for ever"

    monkeypatch.setattr(pool_module.time, "sleep", sleep)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs.sqlite")


def pool_over(store, load=lambda name: tiny(name), **settings):
    """A pool, and the log of what it trains."""
    log = Log()
    return Pool(store, CPU, load, log, **settings), log


def bits(results):
    """All of some results but the time that they took."""
    return [dataclasses.replace(result, seconds=0.0) for result in results]


def with_batch(batch, network=RUN.network):
    return Run(network, dataclasses.replace(RECIPE, batch=batch))


# Blocks


@given(st.integers(1, 20), st.integers(0, 60), st.integers(1, 60))
def test_blocks_begin_at_multiples_of_their_width_and_just_cover_the_seeds(width, start, count):
    seeds = range(start, start + count)
    blocks = _blocks(width, seeds)
    assert all(block.start % width == 0 and len(block) == width for block in blocks)
    together = [seed for block in blocks for seed in block]
    assert together == sorted(set(together))
    assert set(seeds) <= set(together)
    assert all(set(block) & set(seeds) for block in blocks)


def test_seeds_3_to_7_are_trained_as_0_to_4_and_5_to_9_and_equal_these_to_the_bit(tmp_path):
    pool, log = pool_over(Store(tmp_path / "part.sqlite"))
    asked = pool.results(RUN, range(3, 8))
    assert log == [(RUN, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9])]
    assert [result.seed for result in asked] == [3, 4, 5, 6, 7]
    whole, _ = pool_over(Store(tmp_path / "whole.sqlite"))
    assert bits(asked) == bits(whole.results(RUN, range(10)))[3:8]
    # What was trained beside them is not trained again.
    assert bits(pool.results(RUN, range(10))) == bits(whole.results(RUN, range(10)))
    assert len(log) == 2


@pytest.mark.parametrize(("batch", "expected"), [(1, 5), (16, 5), (17, 1), (512, 1)])
def test_on_a_cpu_seeds_are_trained_side_by_side_up_to_batch_16(batch, expected):
    assert seeds_per_block(with_batch(batch), "cpu") == expected


# A step's launch takes as long as 5.5 GFLOP: 0.5 ms at 11 TFLOP/s.
LAUNCH = 5.5e9


@pytest.mark.parametrize(("seeds", "fewer"), [(20, 10), (10, 5), (5, 5)])
def test_on_a_gpu_the_most_looks_seeds_whose_arithmetic_takes_no_longer_than_a_launch(seeds, fewer):
    largest = int(LAUNCH / seeds / flops_per_step(with_batch(1)))
    assert seeds_per_block(with_batch(largest), "cuda") == seeds
    assert seeds_per_block(with_batch(largest + 1), "cuda") == fewer


# Keys and data


@pytest.mark.parametrize("tf32", [False, True])
def test_a_key_says_all_that_decides_a_result(store, tf32):
    pool, _ = pool_over(store, tf32=tf32)
    shaken = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, augmentation=Augmentation(brightness=0.1)))
    for run in (RUN, shaken, with_batch(20)):
        key = pool.key(run)
        assert (key.run, key.data, key.device) == (run, tiny().fingerprint, "cpu")
        assert (key.seeds_per_block, key.engine, key.tf32) == (seeds_per_block(run, "cpu"), version_of(run), tf32)
    assert [pool.key(run).engine for run in (RUN, shaken)] == [1, 2]


def test_a_result_is_recorded_with_the_device_it_was_trained_on(store):
    pool, _ = pool_over(store)
    pool.results(RUN, range(1))
    (stored,) = store.named([pool.key(RUN).digest(0)]).values()
    assert stored.device == describe(CPU)


def test_each_data_set_is_loaded_once_and_by_its_name(store):
    loaded = []

    def load(name):
        loaded.append(name)
        return tiny(name, classes=100, train=1, test=1) if name == "cifar100" else tiny(name)

    pool, _ = pool_over(store, load)
    hundred = Run(DepthCNN(1, "relu", width=2, classes=100), RECIPE, "cifar100")
    for run in (RUN, hundred, RUN, hundred):
        pool.results(run, range(1))
    assert sorted(loaded) == ["cifar10", "cifar100"]
    assert pool.key(RUN).data != pool.key(hundred).data


def test_data_that_cannot_be_loaded_is_refused_every_time_and_tried_once(store):
    tried = []

    def load(name):
        tried.append(name)
        raise DataError("no network")

    pool, _ = pool_over(store, load)
    for _ in range(2):
        with pytest.raises(DataError, match="no network"):
            pool.results(RUN, range(1))
    assert tried == ["cifar10"]


def test_a_run_that_fits_its_data_is_left_as_it_is(store):
    pool, _ = pool_over(store)
    assert pool.adapt_classes(RUN) == RUN


@pytest.mark.parametrize(
    ("classes", "declared", "fitted"),
    # Rounded up, so that the training set is not smaller than was declared.
    [
        (5, (3, 7), (6, 14)),
        (4, (3, 7), (8, 18)),
        (20, (3, 7), (2, 4)),
        (5, (3, None), (6, None)),
        (5, (None, 1), (None, 2)),
    ],
)
def test_with_another_number_of_classes_the_sets_keep_their_size(store, classes, declared, fitted):
    def cut(train, test):
        return dataclasses.replace(RECIPE, images_per_class=train, test_images_per_class=test)

    pool, _ = pool_over(store, lambda name: tiny(name, classes=classes))
    found = pool.adapt_classes(Run(RUN.network, cut(*declared)))
    assert found == Run(dataclasses.replace(RUN.network, classes=classes), cut(*fitted))


# What is missing


def test_missing_are_whole_blocks_of_which_any_seed_is(store):
    pool, _ = pool_over(store)
    key = pool.key(RUN)
    pool.results(RUN, range(5))
    assert pool.missing(RUN, range(5)) == []
    assert pool.missing(RUN, range(3, 6)) == [5, 6, 7, 8, 9]
    assert pool.missing(RUN, range(5, 11)) == list(range(5, 15))
    # As a store may be that was copied in part.
    store.put(key, [dataclasses.replace(store.get(key, [0])[0], seed=seed) for seed in range(5, 9)], "")
    assert pool.missing(RUN, range(5, 6)) == [5, 6, 7, 8, 9]
    assert pool.missing(with_batch(17), range(2, 4)) == [2, 3]


def test_a_block_that_is_stored_in_part_is_trained_whole(store):
    pool, log = pool_over(store)
    (first, *_) = pool.results(RUN, range(1))
    store.put(pool.key(RUN), [dataclasses.replace(first, seed=5, test_accuracy=-1.0)], "")
    assert all(result.test_accuracy >= 0 for result in pool.results(RUN, range(4, 10)))
    assert log == [(RUN, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9])]


def test_where_nothing_is_to_be_trained_what_is_missing_is_counted_and_the_rest_given(store):
    trained = pool_over(store)[0].results(RUN, range(5))
    pool, log = pool_over(store, only_stored=True)
    pool.expect([(OTHER, range(5))])
    assert pool.results(RUN, range(5)) == trained
    with pytest.raises(NotStoredError, match=r"not judged: 2 of 7 runs of DepthCNN\(.* are not stored; .*--stored"):
        pool.results(RUN, range(7))
    pool.finish(lambda: pytest.fail("it may not wait for more to train"))
    assert log == []


# Company


class Busy(Store):
    """A store in which another worker is training the blocks that are `held`: (run, first seed)."""

    def __init__(self, path):
        super().__init__(path)
        self.held, self._refusals = set(), 0

    @contextlib.contextmanager
    def training(self, key, seeds):
        if (key.run, seeds[0]) in self.held:
            self._refusals += 1
            assert self._refusals < 50, "the pool asks without a pause"
            yield False
            return
        with super().training(key, seeds) as mine:
            yield mine


@pytest.fixture
def busy(tmp_path):
    return Busy(tmp_path / "runs.sqlite")


def test_what_another_worker_finished_in_between_is_not_trained_again(tmp_path):
    path = tmp_path / "runs.sqlite"
    finished = pool_over(Store(tmp_path / "elsewhere.sqlite"))[0].results(RUN, range(5))

    class Overtaken(Store):
        """Its lock is free just after the last holder recorded results."""

        @contextlib.contextmanager
        def training(self, key, seeds):
            self.put(key, finished, "another worker's")
            with super().training(key, seeds) as mine:
                yield mine

    pool, log = pool_over(Overtaken(path))
    assert pool.results(RUN, range(5)) == finished
    assert log == []


def test_while_another_worker_trains_what_it_needs_a_worker_trains_ahead_one_block_at_a_time(busy, tmp_path):
    elsewhere, _ = pool_over(Store(tmp_path / "elsewhere.sqlite"))
    finished = elsewhere.results(RUN, range(5))
    log = Log()

    def on_trained(run, results):
        log(run, results)
        busy.put(pool.key(RUN), finished, "another worker's")

    pool = Pool(busy, CPU, tiny, on_trained)
    pool.expect([(OTHER, range(10)), (RUN, range(5))])
    busy.held = {(RUN, 0)}
    assert pool.results(RUN, range(5)) == finished
    # The other block of OTHER would have kept a claim waiting that could be judged.
    assert log == [(OTHER, [0, 1, 2, 3, 4])]


def test_with_nothing_to_train_ahead_it_waits_until_the_other_worker_is_done(busy, monkeypatch):
    pool, log = pool_over(busy)
    pool.expect([(RUN, range(10))])
    busy.held = {(RUN, 5)}
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            busy.held = set()  # it was killed, so the block is free

    monkeypatch.setattr(pool_module.time, "sleep", sleep)
    assert len(pool.results(RUN, range(10))) == 10
    assert log == [(RUN, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9])]
    assert len(waits) == 3
    assert min(waits) > 0


def test_the_rest_is_trained_in_the_order_in_which_it_is_expected(store):
    pool, log = pool_over(store)
    pool.expect([(OTHER, range(5)), (RUN, range(5, 10)), (OTHER, range(10))])
    pool.finish()
    assert log == [(OTHER, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9]), (OTHER, [5, 6, 7, 8, 9])]
    pool.finish()
    assert len(log) == 3


def test_what_is_expected_is_fitted_to_the_data(store):
    pool, log = pool_over(store, lambda name: tiny(name, classes=5))
    pool.expect([(RUN, range(5))])
    pool.finish()
    assert log == [(pool.adapt_classes(RUN), [0, 1, 2, 3, 4])]


def test_what_other_workers_of_the_session_want_of_known_runs_is_trained_last(store, tmp_path):
    unknown = with_batch(9)
    pool, log = pool_over(store, session=(session := now()))
    pool.expect([(OTHER, range(5)), (RUN, range(5))])
    others = Store(tmp_path / "runs.sqlite")
    pool_over(others, session=session)[0].want([(RUN, range(10)), (unknown, range(5))])
    pool_over(others, session=now())[0].want([(OTHER, range(10))])
    pool.finish()
    assert log == [(OTHER, [0, 1, 2, 3, 4]), (RUN, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9])]


def test_what_a_killed_worker_was_training_is_taken_over(busy):
    pool, log = pool_over(busy)
    pool.expect([(RUN, range(5))])
    busy.held = {(RUN, 0)}
    asked = []

    def others_at_work():
        asked.append(list(log))
        busy.held = set()
        return len(asked) == 1

    pool.finish(others_at_work)
    assert asked == [[], log]
    assert log == [(RUN, [0, 1, 2, 3, 4])]


def test_as_long_as_others_are_at_work_they_may_want_more(store):
    pool, log = pool_over(store, session=(session := now()))
    other, _ = pool_over(store, session=session)
    pool.expect([(RUN, range(5))])
    asked = []

    def others_at_work():
        asked.append(len(log))
        if len(asked) == 1:
            other.want([(RUN, range(10))])
        return len(asked) < 3

    pool.finish(others_at_work)
    # Asked only where nothing is left: after the first block, after the second, and once more.
    assert asked == [1, 2, 2]
    assert log == [(RUN, [0, 1, 2, 3, 4]), (RUN, [5, 6, 7, 8, 9])]


def test_a_wish_is_told_to_the_session_and_noted_as_planned(store):
    session = now()
    notes = Notes(store.path, session, 0)
    pool, _ = pool_over(store, session=session, notes=notes)
    assert not notes.has_plan()
    pool.want(iter([(RUN, range(5, 10))]))
    assert store.wanted(session) == [(RUN.canonical, range(5, 10))]
    assert notes.has_plan()


def test_whole_blocks_are_noted_and_at_which_speed_images_pass(store):
    session = now()
    reader, notes = Reader(store.path, session), Notes(store.path, session, 0)
    pool, _ = pool_over(store, session=session, notes=notes)
    whole = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, images_per_class=None, epochs=2))
    pool.expect([(RUN, range(3)), (whole, range(4, 5))])
    pool.note_plan()
    assert (reader.plan().networks, reader.plan().runs) == (2, 10)
    results = [*pool.results(RUN, range(5)), *pool.results(whole, range(5))]
    # 10 images once, and all 120 twice, of five seeds each.
    assert reader.state().speed == pytest.approx(5 * (10 + 240) / sum(result.seconds for result in results))


def test_a_plan_that_another_worker_noted_is_not_made_again(store):
    session = now()
    first, _ = pool_over(store, session=session, notes=Notes(store.path, session, 0))
    loaded = []
    second, _ = pool_over(store, loaded.append, session=session, notes=Notes(store.path, session, 1))
    for pool in (first, second):
        pool.expect([(RUN, range(5))])
        pool.note_plan()
    assert Reader(store.path, session).plan().runs == 5
    assert loaded == []


# Errors


def test_a_run_that_cannot_be_trained_is_for_its_own_claim_to_report(store):
    loaded = []

    def load(name):
        loaded.append(name)
        raise DataError("gone")

    pool, log = pool_over(store, lambda name: load(name) if name == "cifar100" else tiny(name))
    absent = dataclasses.replace(RUN, dataset="cifar100")
    pool.expect([(BROKEN, range(5)), (absent, range(5)), (RUN, range(5))])
    pool.finish()
    assert log == [(RUN, [0, 1, 2, 3, 4])]
    with pytest.raises(DataError, match="training images of class"):
        pool.results(BROKEN, range(5))
    with pytest.raises(DataError, match="gone"):
        pool.results(absent, range(5))


def test_a_run_that_failed_is_not_tried_again_ahead(busy, monkeypatch):
    tried = []

    def failing(run, seeds, data):
        tried.append(run)
        raise RuntimeError("a bug of this run's")

    monkeypatch.setattr(pool_module, "train", failing)
    pool, _ = pool_over(busy)
    pool.expect([(OTHER, range(5))])
    pool.finish()
    pool.finish()
    assert tried == [OTHER]
    with pytest.raises(RuntimeError, match="a bug of this run's"):
        pool.results(OTHER, range(5))


class Full(Busy):
    """A store on a full disk."""

    def put(self, key, results, device):
        raise StoreError("database or disk is full")


def test_a_store_that_fails_ends_what_is_trained_ahead_and_fails_the_claim_that_waits(tmp_path):
    full = Full(tmp_path / "runs.sqlite")
    pool, log = pool_over(full)
    pool.expect([(OTHER, range(5))])
    pool.finish(lambda: pytest.fail("it may not go on"))
    full.held = {(RUN, 0)}
    with pytest.raises(StoreError, match="disk is full"):
        pool.results(RUN, range(5))
    assert log == []


def test_a_device_without_memory_says_what_to_do(store, monkeypatch):
    def too_large(run, seeds, data):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(pool_module, "train", too_large)
    pool, _ = pool_over(store)
    with pytest.raises(DeviceError, match=r"too little free memory for 5 seeds of DepthCNN\(.* at batch 10\. .*-n 1"):
        pool.results(RUN, range(1))
    # Its claim may be tried again, by a worker that has the memory.
    monkeypatch.undo()
    assert len(pool.results(RUN, range(1))) == 1
