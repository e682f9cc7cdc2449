"""The pool: every block once, whole, stored as it is finished, wherever and in whatever order it is trained."""

import contextlib
import dataclasses
import json
import sqlite3
import time
import traceback
from concurrent.futures import Future

import pytest
import torch

from models import DepthCNN, NormCNN
from pytest_claims.data import DataError
from pytest_claims.data.kinds import FOLDERS, SAMPLE
from pytest_claims.errors import ExplainedError
from pytest_claims.runs.executor import InProcess, TrainedBlock
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import NotStoredError, Pool, TrainingError, seeds_per_block
from pytest_claims.runs.progress_notes import Block, Notes
from pytest_claims.runs.store import COLUMNS, Key, Store, now
from pytest_claims.runs.store_file import StoreError
from pytest_claims.runs.wanted import Wanted
from pytest_claims.stacked import BATCH, NetworkError
from pytest_claims.train.cost import cost
from pytest_claims.train.engine import version_of
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny
from tests_fast.runs.executors import InReverse, InSubprocesses, InThreads, Planted, Recording
from tests_fast.runs.processes import started
from tests_fast.runs.test_store import RECIPE, RUN, result

CPU = torch.device("cpu")
RUNS = [Run(DepthCNN(depth, activation, width=4), RECIPE) for depth in (1, 2) for activation in ("relu", "sigmoid")]
# Five seeds of it are trained side by side.
SMALL_BATCH = Run(NormCNN((BATCH,) * 3), Recipe(2, 2, 1, "sgd", 0.01))
# A network that cannot be built: real training raises ValueError.
BROKEN = Run(DepthCNN(0, "relu"), RECIPE)


def planted(run, seed):
    """A result that tells runs and seeds apart; BROKEN raises."""
    if run == BROKEN:
        raise ZeroDivisionError("on purpose")
    return result(seed, accuracy=10 * run.network.depth + seed)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


@pytest.fixture
def pool_of(path):
    """Pools on one store, each with leases and an executor of its own (by default one of planted results)."""
    with contextlib.ExitStack() as opened:

        def made(executor=None, load=tiny, **options):
            leases = opened.enter_context(contextlib.closing(Leases(path)))
            return Pool(Store(path), leases, executor or Planted(planted), load, **options)

        yield made


def test_another_number_of_classes_than_the_data_set_has_is_refused(pool_of):
    said = "DepthCNN has classes=10, and the data set 'cifar10' has 5 classes. Give the network classes=5, or the arm"
    for kind in ("cifar", SAMPLE):
        pool = pool_of(load=lambda name, kind=kind: dataclasses.replace(tiny(classes=5), kind=kind))
        with pytest.raises(NetworkError, match=said):
            pool.adapt_classes(RUNS[0])


def test_two_workers_train_every_run_once(tmp_path, path):
    log = tmp_path / "log"
    workers = [started(_train_all, path, log) for _ in range(2)]
    for worker in workers:
        worker.join(100)
    assert [worker.exitcode for worker in workers] == [0, 0]
    trained = log.read_text().splitlines()
    assert len(trained) == len(set(trained)) == 4 * len(RUNS)


def test_a_killed_process_loses_only_what_was_in_flight(path, pool_of):
    worker = started(_train_for_long, path)
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and _rows(path) < 3:
        time.sleep(0.05)
    worker.kill()
    worker.join()
    finished = _rows(path)
    assert finished >= 3
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = Recording(InProcess(CPU))
    first = dataclasses.replace(RUNS[0], recipe=dataclasses.replace(RUNS[0].recipe, epochs=20))
    pool_of(again).results(first, range(finished + 1))
    assert again.submitted == [(first, (finished,))]


def test_a_result_does_not_depend_on_how_many_seeds_were_asked_for(tmp_path):
    def accuracies(name, *asked):
        path = tmp_path / name
        with contextlib.closing(Leases(path)) as leases:
            pool = Pool(Store(path), leases, InProcess(CPU), tiny)
            for seeds in asked:
                results = pool.results(SMALL_BATCH, range(seeds))
        return [(result.test_accuracy, result.train_loss) for result in results]

    # To the last bit, although small batches train seeds side by side.
    assert accuracies("a", 6)[:3] == accuracies("b", 3)
    assert accuracies("a", 6) == accuracies("c", 3, 4, 6)


def test_a_seed_has_the_same_neighbours_whichever_seeds_are_asked_for(pool_of):
    executor = Recording(Planted(lambda run, seed: result(seed)))
    pool = pool_of(executor)
    assert [each.seed for each in pool.results(SMALL_BATCH, range(3, 8))] == [3, 4, 5, 6, 7]
    assert executor.submitted == [(SMALL_BATCH, tuple(range(5))), (SMALL_BATCH, tuple(range(5, 10)))]
    assert pool.missing(SMALL_BATCH, range(11, 12)) == list(range(10, 15))


def test_wherever_blocks_are_trained_results_are_equal_to_the_bit(tmp_path):
    def rows(name, executor):
        path, runs = tmp_path / name, [*RUNS, SMALL_BATCH]
        with contextlib.closing(Leases(path)) as leases, contextlib.closing(executor):
            pool = Pool(Store(path), leases, executor, tiny)
            pool.expect([(run, range(5)) for run in runs])
            for run in runs:
                assert [each.seed for each in pool.results(run, range(5))] == list(range(5))
            pool.close()
        told = [dict(zip(COLUMNS, row, strict=True)) for row in Store(path).rows()]
        timed = ("seconds", "device", "finished", "checksum")
        return [{name: row[name] for name in COLUMNS if name not in timed} for row in told]

    here = rows("here", InProcess(CPU))
    assert len(here) == 5 * (len(RUNS) + 1)
    assert rows("elsewhere", InSubprocesses(2)) == here


def test_blocks_of_all_claims_are_submitted_ahead_and_may_finish_in_any_order(pool_of, path):
    executor = InReverse(6, planted)
    pool = pool_of(recording := Recording(executor))
    pool.expect([(RUNS[0], range(2)), (RUNS[1], range(3))])
    # The claim that waits comes first, and its block is finished last.
    assert [each.test_accuracy for each in pool.results(RUNS[2], range(1))] == [20.0]
    assert [run for run, _ in recording.submitted] == [RUNS[2], *[RUNS[0]] * 2, *[RUNS[1]] * 3]
    assert _rows(path) == 6
    assert [each.seed for each in pool.results(RUNS[1], range(3))] == [0, 1, 2]
    assert len(recording.submitted) == 6  # nothing twice


def test_an_executor_is_given_no_more_than_it_takes_at_once(pool_of):
    most = []
    executor = InReverse(3, planted)
    recording = Recording(executor, lambda run, seeds: most.append(len(executor.open) + 1))
    pool_of(recording).results(RUNS[0], range(9))
    assert most == [1, 2, 3] * 3


def test_an_executor_that_is_full_is_given_nothing(pool_of):
    recording = Recording(InReverse(3, planted))
    recording.slots = 2  # and both are taken, for what it is made of waits for a third
    pool = pool_of(recording)
    pool.expect([(RUN, range(5))])
    for _ in range(2):
        assert pool._advance()
        assert len(recording.submitted) == 2
    pool.close()


def test_closing_takes_back_what_has_not_begun_and_stores_what_is_finished(pool_of, path):
    executor = InReverse(2, planted)
    pool = pool_of(executor)
    executor.slots = 3  # it waits for a third block that does not come
    pool.expect([(RUNS[0], range(2))])
    assert pool._advance()
    (first, _), (second, _) = executor.open
    first.set_result(executor.open[0][1].result())
    pool.close()
    assert second.cancelled()
    assert _rows(path) == 1
    key = pool.key(RUNS[0])
    assert [Store(path).holds(key, [seed]) for seed in (0, 1)] == [True, False]
    assert [each.seed for each in pool_of().results(RUNS[0], range(2))] == [0, 1]  # the lease is free


def test_closing_does_not_wait_for_what_is_being_trained(pool_of):
    executor = InReverse(2, planted)  # it waits for a second block
    pool = pool_of(executor)
    pool.expect([(RUN, range(1))])
    assert pool._advance()
    executor.open[0][0].set_running_or_notify_cancel()
    pool.close()
    assert len(pool_of().results(RUN, range(1))) == 1  # the lease is free


def test_a_worker_that_is_done_trains_what_others_want_as_long_as_they_are_at_work(pool_of, path):
    executor = Recording(Planted(planted))
    pool, others = pool_of(executor, wanted=Wanted(path, "today")), Wanted(path, "today")
    pool.expect([(RUN, range(1))])
    trained = []

    def at_work():
        others.add([(RUN.canonical, range(2))])
        trained.append(len(executor.submitted))
        return len(trained) < 3

    pool.finish(at_work)
    assert trained == [1, 2, 2]


def test_what_a_claim_wants_beyond_the_plan_is_told_to_the_other_workers(pool_of, path):
    pool_of(wanted=Wanted(path, "today")).want(iter([(RUN, range(2)), (RUNS[3], range(1))]))
    assert Wanted(path, "today").all() == [(RUN.canonical, range(2)), (RUNS[3].canonical, range(1))]
    pool_of().want([(RUN, range(2))])  # a worker alone has no one to tell


def test_without_a_plan_nothing_is_trained_for_others(pool_of, path):
    executor = Recording(Planted(planted))
    pool = pool_of(executor, wanted=Wanted(path, "today"))
    Wanted(path, "today").add([(RUN.canonical, range(2))])
    pool.finish()
    assert executor.submitted == []


def test_a_plan_is_noted_by_one_worker_and_needs_no_notes(pool_of, path):
    asked = []

    def load(name):
        asked.append(name)
        return tiny(name)

    session = now()
    for notes in (None, Notes(path, session, 0), Notes(path, session, 1)):
        pool = pool_of(load=load, notes=notes)
        pool.expect([(RUN, range(1))])
        pool.note_plan()
    assert asked == ["cifar10"]


class Noted:
    """Keeps what a pool notes."""

    def __init__(self):
        self.planned, self.in_training = [], []

    def plan(self, blocks, also_stored):
        self.planned += blocks

    def training(self, block):
        self.in_training.append(block)
        return contextlib.nullcontext()


def test_blocks_are_noted_once_with_what_they_cost_and_how_many_images_they_take(pool_of):
    every, some = (
        dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, images_per_class=images, epochs=epochs))
        for images, epochs in ((None, 3), (4, 2))
    )
    pool = pool_of(notes=(notes := Noted()))
    for _ in range(2):
        pool.want([(every, range(1)), (BROKEN, range(1)), (some, range(1, 3))])
    expected = [
        Block(pool.key(run), block, cost(run, 120, 60), images)
        for run, block, images in ((every, range(1), 360), (some, range(1, 2), 80), (some, range(2, 3), 80))
    ]
    assert notes.planned == expected
    expected.append(Block(pool.key(some), range(4, 5), cost(some, 120, 60), 80))
    pool.want([(every, range(1)), (some, range(4, 5))])
    assert notes.planned == expected
    pool.results(some, range(1, 3))
    assert notes.planned == expected
    assert notes.in_training == expected[1:3]
    # Whatever is wrong with a run is what its claim reports, and nothing of the notes.
    with pytest.raises(TrainingError):
        pool.results(BROKEN, range(1))
    assert notes.in_training == expected[1:3]


def test_a_key_names_the_kind_of_device_and_its_arithmetic(pool_of):
    executor = Planted(planted)
    executor.device_kind, executor.tf32, executor.kernels = "cuda", True, "triton"
    width = seeds_per_block(RUN, "cuda")
    assert pool_of(executor).key(RUN) == Key(
        RUN, tiny().fingerprint, "cuda", width, version_of(RUN), tf32=True, kernels="triton"
    )
    here = pool_of(InProcess(CPU)).key(RUN)
    assert json.loads(here.numerics)["capability"] == torch.backends.cpu.get_cpu_capability()
    # What a key does not say is left out, so that keys of before are what they were.
    unsaid = dataclasses.replace(here, capability="")
    assert "capability" not in json.loads(unsaid.numerics)
    assert unsaid.digest(0) != here.digest(0)


def test_images_of_ones_own_get_as_many_outputs_and_the_training_set_keeps_its_size(pool_of):
    run = dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, images_per_class=3, test_images_per_class=7))
    assert pool_of().adapt_classes(run) is run
    pool = pool_of(load=lambda name: {"cifar10": dataclasses.replace(tiny(name, classes=4), kind=FOLDERS)}[name])
    fitted = pool.adapt_classes(run)
    assert fitted.network == dataclasses.replace(run.network, classes=4)
    # Ten classes of 3 images are four of 7.5, and ten of 7 are four of 17.5: rounded up.
    assert fitted.recipe == dataclasses.replace(run.recipe, images_per_class=8, test_images_per_class=18)
    whole = dataclasses.replace(RECIPE, images_per_class=None, test_images_per_class=None)
    assert pool.adapt_classes(dataclasses.replace(RUN, recipe=whole)).recipe == whole


def test_what_is_missing_is_what_would_be_trained(pool_of):
    pool = pool_of()
    pool.results(RUN, range(2))
    assert pool.missing(RUN, range(4)) == [2, 3]


def test_what_is_stored_is_told_by_name_with_what_trained_it(pool_of, path):
    class Halved(Planted):
        capability = "AVX2"

        def submit(self, run, seeds, data):
            future = Future()
            future.set_result(TrainedBlock([result(seed) for seed in seeds], "a small card", at_once=len(seeds) // 2))
            return future

    pool = pool_of(Halved(planted))
    pool.results(SMALL_BATCH, range(5))
    digests = [pool.key(SMALL_BATCH).digest(seed) for seed in range(5)]
    assert pool.names(SMALL_BATCH, [1, 7, 0]) == [digests[1], digests[0]]
    assert pool.devices(digests[:2]) == ["a small card"]
    assert pool.capabilities(digests[:2]) == ["AVX2"]
    assert pool.devices([]) == pool.capabilities([]) == []
    records = sqlite3.connect(path).execute("SELECT records FROM runs").fetchall()
    assert [json.loads(text)["at_once"] for (text,) in records] == [2] * 5


def test_runs_are_complete_up_to_the_first_gap_if_they_can_be_read(pool_of, path):
    pool, read = pool_of(), []
    assert pool.complete(RUN, range(5), read.append) == 0
    pool.results(RUN, range(2, 4))
    pool.results(RUN, range(5, 6))
    assert pool.complete(RUN, range(5), read.append) == 0
    assert read == []
    assert pool.complete(RUN, range(2, 7), read.append) == 2
    assert pool.complete(RUN, range(2, 4), read.append) == 2
    assert read == [planted(RUN, 2)] * 2

    def unreadable(trained):
        raise KeyError("no gradients")

    assert pool.complete(RUN, range(2, 4), unreadable) == 0
    assert pool.complete(BROKEN, range(2, 4), read.append) == 0
    sqlite3.connect(path).execute("DROP TABLE runs").connection.commit()
    with pytest.raises(StoreError):
        pool.complete(RUN, range(2, 4), read.append)


def test_what_was_expected_before_is_still_known_where_others_want_it(pool_of, path):
    executor = Recording(Planted(planted))
    mine, others = (Wanted(path, "today") for _ in range(2))
    pool = pool_of(executor, wanted=mine)
    pool.expect([(RUN, range(0))])
    pool.expect([(RUNS[3], range(0))])
    others.add([(RUN.canonical, range(2))])
    pool.finish()
    assert executor.submitted == [(RUN, (0,)), (RUN, (1,))]


def test_a_session_that_trains_nothing_says_what_is_missing(pool_of):
    executor = Recording(Planted(planted))
    pool_of().results(RUN, range(2))
    pool = pool_of(executor, only_stored=True)
    assert len(pool.results(RUN, range(2))) == 2
    with pytest.raises(NotStoredError, match=r"3 of 5 runs of DepthCNN.* without --stored trains them"):
        pool.results(RUN, range(5))
    pool.finish()
    assert executor.submitted == []


def test_data_are_loaded_once_and_a_failure_is_not_tried_again(pool_of):
    asked = []

    def load(name):
        asked.append(name)
        if name == "cifar100":
            raise DataError("no images")
        return tiny(name)

    pool = pool_of(load=load)
    for _ in range(2):
        pool.results(RUN, range(1))
        with pytest.raises(DataError, match="no images"):
            pool.results(dataclasses.replace(RUN, dataset="cifar100"), range(1))
    assert asked == ["cifar10", "cifar100"]


def test_what_another_worker_of_the_session_wants_is_trained(pool_of, path):
    executor = Recording(Planted(planted))
    mine, others, strangers = (Wanted(path, session) for session in ("today", "today", "yesterday"))
    pool = pool_of(executor, wanted=mine)
    pool.expect([(RUN, range(0)), (RUNS[3], range(0))])
    others.add([(RUN.canonical, range(2)), ("a run that no claim here has", range(2))])
    strangers.add([(RUNS[3].canonical, range(2))])
    pool.finish()
    assert executor.submitted == [(RUN, (0,)), (RUN, (1,))]


def test_it_waits_for_what_another_process_trains_and_trains_ahead_meanwhile(pool_of, path):
    others = Leases(path)
    held = others.take(pool_of().key(RUN).digest(0))

    def meanwhile(run, seeds):
        pool_of().results(RUNS[3], range(1))  # any work in between
        Store(path).put(pool_of().key(RUN), [result(0)], "another worker's")
        held.release()

    executor = Recording(Planted(planted), meanwhile)
    pool = pool_of(executor)
    pool.expect([(RUNS[1], range(1))])
    assert pool.results(RUN, range(1)) == [result(0)]
    assert executor.submitted == [(RUNS[1], (0,))]


def test_a_block_that_is_finished_just_before_its_lease_is_taken_is_not_trained_again(path):
    class Late(Leases):
        """Another worker finishes each block before this one has its lease."""

        def take(self, name):
            Store(path).put(pool.key(RUN), [result(0)], "another worker's")
            return super().take(name)

    executor = Recording(Planted(planted))
    with contextlib.closing(Late(path)) as leases:
        pool = Pool(Store(path), leases, executor, tiny)
        assert pool.results(RUN, range(1)) == [result(0)]
        assert executor.submitted == []
        assert Leases(path).take(pool.key(RUN).digest(0)) is not None  # and the lease is given back


def test_a_block_that_its_holder_finishes_just_after_its_lease_was_refused_is_taken_from_the_store(path):
    class Refused(Leases):
        """Another worker has each lease, and then finishes."""

        def take(self, name):
            Store(path).put(pool.key(RUN), [result(0)], "another worker's")

    executor = Recording(Planted(planted))
    with contextlib.closing(Refused(path)) as leases:
        pool = Pool(Store(path), leases, executor, tiny)
        assert pool.results(RUN, range(1)) == [result(0)]
    assert executor.submitted == []


def test_a_run_without_data_keeps_no_other_from_being_trained_ahead(pool_of):
    def load(name):
        if name == "cifar100":
            raise DataError("no images")
        return tiny(name)

    executor = Recording(Planted(planted))
    pool = pool_of(executor, load=load)
    pool.expect([(dataclasses.replace(RUN, dataset="cifar100"), range(1)), (RUN, range(1))])
    pool.finish()
    assert executor.submitted == [(RUN, (0,))]


@pytest.mark.parametrize("executor", [lambda: InProcess(CPU), lambda: InSubprocesses(1)])
def test_what_training_raises_reaches_the_claim_with_network_batch_and_seeds(pool_of, executor):
    with contextlib.closing(executor()) as made:
        with pytest.raises(TrainingError, match=r"^DepthCNN\(0, relu\) batch 20, seed 0, could not .* on .*") as raised:
            pool_of(made).results(BROKEN, range(2))
        assert "ValueError: DepthCNN.depth is 0; it must be at least 1" in str(raised.value)
        assert isinstance(raised.value.__cause__, ValueError)
        assert (raised.value.run, list(raised.value.seeds)) == (BROKEN, [0])


def test_data_that_do_not_fit_are_explained_in_their_own_words(pool_of):
    large = dataclasses.replace(SMALL_BATCH, recipe=dataclasses.replace(SMALL_BATCH.recipe, images_per_class=99))
    with pytest.raises(
        TrainingError, match=r"NormCNN\(batch\) batch 2, seeds 0 to 4, .*: cifar10 \(made for"
    ) as raised:
        pool_of(InProcess(CPU)).results(large, range(5))
    assert isinstance(raised.value.__cause__, DataError)
    assert "Traceback" not in str(raised.value)


def test_an_executors_own_error_is_told_in_its_own_words(pool_of):
    class NoClusterError(ExplainedError):
        pass

    def away(run, seed):
        raise NoClusterError("the cluster is away until Monday")

    with pytest.raises(TrainingError, match=r"planted results: the cluster is away until Monday$"):
        pool_of(Planted(away)).results(RUN, range(1))


@pytest.mark.parametrize("slots", [1, 2, 12])
def test_an_error_fails_the_claims_that_ask_for_it_and_no_other(pool_of, path, slots):
    tries = []

    def one_fails(run, seed):
        if (run, seed) == (RUN, 2):
            tries.append(seed)
            raise ZeroDivisionError("on purpose")
        return planted(run, seed)

    with contextlib.closing(InThreads(slots, one_fails)) as executor:
        pool = pool_of(executor)
        pool.expect([(RUN, range(4)), *((run, range(4)) for run in RUNS[1:])])
        # It is trained ahead for its claim while another one waits, or when that one is done.
        assert [each.seed for each in pool.results(RUNS[1], range(4))] == [0, 1, 2, 3]
        pool.finish()
        assert len(tries) == 1
        stored = _rows(path)
        assert stored >= 12 + 2  # the runs of all others, and of this one those before the seed that fails
        for _ in range(2):  # claims that share the arm
            with pytest.raises(TrainingError, match="seed 2, could not be trained on planted results: ZeroDivision"):
                pool.results(RUN, range(4))
        assert len(tries) == 3  # each claim has an attempt of its own
        assert _rows(path) >= stored
        assert len(pool.results(RUN, range(2))) == 2
        assert len(pool.results(RUNS[3], range(5))) == 5


def test_a_waiting_claim_does_not_fail_of_what_is_trained_ahead(pool_of, path):
    others, key = Leases(path), pool_of(InProcess(CPU)).key(RUN)
    held = others.take(key.digest(0))

    def fails(run, seeds):
        Store(path).put(key, [result(0)], "another worker's")
        held.release()

    pool = pool_of(Recording(InProcess(CPU), fails))
    pool.expect([(BROKEN, range(2))])
    assert pool.results(RUN, range(1)) == [result(0)]
    with pytest.raises(TrainingError, match=r"DepthCNN\(0, relu\) batch 20, seed 0"):
        pool.results(BROKEN, range(2))


def test_an_executor_that_raises_or_mixes_seeds_up_is_a_training_error(pool_of, path):
    class Closed(Planted):
        def submit(self, run, seeds, data):
            raise RuntimeError("cannot schedule new futures after shutdown")

    with pytest.raises(TrainingError, match="RuntimeError: cannot schedule new futures after shutdown") as raised:
        pool_of(Closed(planted)).results(RUN, range(1))
    # Where it was raised is told with it.
    assert str(raised.value).endswith("".join(traceback.format_exception(raised.value.__cause__)).rstrip())
    with pytest.raises(TrainingError, match=r"gave results of seeds \[1\]; needed: of \[0\], in this order"):
        pool_of(Planted(lambda run, seed: result(seed + 1))).results(RUN, range(1))

    class Listing(Planted):
        def submit(self, run, seeds, data):
            given = Future()
            given.set_result([result(seed) for seed in seeds])
            return given

    with pytest.raises(TrainingError, match="the executor gave a list; needed: a TrainedBlock"):
        pool_of(Listing(planted)).results(RUN, range(1))
    assert _rows(path) == 0


def test_ctrl_c_while_it_trains_gives_the_lease_back(pool_of, path):
    def interrupted(run, seed):
        if seed == 1:
            raise KeyboardInterrupt
        return planted(run, seed)

    with pytest.raises(KeyboardInterrupt):
        pool_of(Planted(interrupted)).results(RUN, range(3))
    assert _rows(path) == 1
    assert len(pool_of().results(RUN, range(3))) == 3


def test_a_store_that_fails_is_told_and_what_it_has_stays(pool_of, path):
    pool = pool_of(Recording(Planted(planted), lambda run, seeds: pool._store._execute("PRAGMA query_only = ON")))
    pool_of().results(RUN, range(1))
    with pytest.raises(StoreError, match=r"refused a .*readonly"):
        pool.results(RUN, range(2))
    assert _rows(path) == 1
    assert len(pool_of().results(RUN, range(2))) == 2


def test_finishing_and_closing_raise_nothing_of_a_store_that_fails(pool_of, path):
    def fails(run, seeds):
        pool._store._execute("PRAGMA query_only = ON")

    pool = pool_of(Recording(Planted(planted), fails))
    pool.expect([(RUN, range(1))])
    pool.finish()
    executor = InReverse(2, planted)
    pool = pool_of(Recording(executor, fails))
    pool.expect([(RUN, range(1))])
    assert pool._advance()
    executor.finish()
    pool.close()
    assert _rows(path) == 0
    assert len(pool_of().results(RUN, range(1))) == 1  # the leases are free


class Logging(Recording):
    """Trains here, and writes what into a file."""

    def __init__(self, log):
        def trains(run, seeds):
            with log.open("a") as file:
                file.write("".join(f"{run.canonical} {seed}\n" for seed in seeds))

        super().__init__(InProcess(CPU), trains)


def _train_all(path, log):
    pool = Pool(Store(path), Leases(path), Logging(log), tiny)
    pool.expect([(run, range(4)) for run in RUNS])
    for run in RUNS:
        assert [each.seed for each in pool.results(run, range(4))] == [0, 1, 2, 3]


def _train_for_long(path):
    pool = Pool(Store(path), Leases(path), InProcess(CPU), tiny)
    for run in RUNS * 100:
        pool.results(dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, epochs=20)), range(50))


def _rows(path):
    try:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
