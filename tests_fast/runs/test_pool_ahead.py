"""A pool over an executor that trains beside this process: what is noted, taken back, and not tried again."""

import contextlib

import pytest

from pytest_claims.runs.executor import ExecutorLostError, GivenUpError
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool, TrainingError
from pytest_claims.runs.store import Store
from tests_fast.images import tiny
from tests_fast.runs.executors import InThreads, Queued, Recording
from tests_fast.runs.test_pool import RUNS, Noted, planted


@pytest.fixture
def pool_of(tmp_path):
    path = tmp_path / "runs.sqlite"
    with contextlib.ExitStack() as opened:

        def made(executor, **options):
            leases = opened.enter_context(contextlib.closing(Leases(path)))
            return Pool(Store(path), leases, executor, tiny, **options)

        yield made


def test_a_block_is_noted_as_training_from_when_it_begins(pool_of):
    executor = Queued(3, planted)
    pool = pool_of(executor, notes=(notes := Noted()))
    pool.expect([(RUNS[0], range(3))])
    assert pool._advance()
    trained = len(notes.in_training)
    executor.begin(1)
    assert pool._advance()
    assert [list(block.seeds) for block in notes.in_training[trained:]] == [[1]]
    assert pool._advance()
    assert len(notes.in_training) == trained + 1  # once


def test_what_is_not_needed_any_more_is_taken_back_unless_it_has_begun(pool_of):
    executor = Queued(4, planted)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(2)), (RUNS[1], range(2))])
    assert pool._advance()
    begun = executor.begin(0)
    pool.expect([(RUNS[1], range(1))])
    futures = [future for future, _, _ in executor.waiting]
    assert [future.cancelled() for future in futures] == [False, True, False, True]
    assert begun.running()
    executor.finish(0)
    assert pool._advance()
    assert pool.stored(RUNS[0], range(1)) == [planted(RUNS[0], 0)]  # what had begun is still in hand
    # Their leases are free: another session, or this one, may train them.
    other = pool_of(recording := Recording(InThreads(1, planted)))
    other.results(RUNS[0], range(1, 2))
    assert recording.submitted == [(RUNS[0], (1,))]


def test_what_another_claim_needs_as_well_is_not_taken_back(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(2)), (RUNS[0], range(1))])
    assert pool._advance()
    pool.expect([(RUNS[0], range(1))])
    assert [future.cancelled() for future, _, _ in executor.waiting] == [False, True]


def test_whoever_watches_hears_the_names_of_what_was_stored(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(2))])
    heard = []
    pool.watch(lambda names: heard.append(set(names)))
    assert pool._advance()
    missing = pool.missing_blocks(RUNS[0], range(2))
    assert len(missing) == 2
    executor.finish()
    assert pool._advance()
    assert heard[0] == set()
    assert heard[1] == missing - pool.missing_blocks(RUNS[0], range(2))
    assert pool.stored(RUNS[0], range(1)) == [planted(RUNS[0], 0)]
    assert pool.stored(RUNS[0], range(2)) is None


def test_a_block_that_failed_or_gave_other_seeds_is_not_told_as_stored(pool_of):
    def result(run, seed):
        return planted(run, seed + (seed == 1))

    executor = Queued(2, result)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(2))])
    heard = []
    pool.watch(heard.append)
    assert pool._advance()
    executor.finish()
    executor.finish()
    assert pool._advance()
    assert pool.missing_blocks(RUNS[0], range(2)) == {pool.key(RUNS[0]).digest(1)}
    assert heard[-1] == [pool.key(RUNS[0]).digest(0)]


def test_what_others_store_is_heard_of_where_nothing_is_left_to_submit(pool_of):
    pool = pool_of(Queued(2, planted))
    heard = []
    pool.watch(heard.append)
    assert not pool._advance()
    assert heard == [[]]


def test_what_an_ended_claim_wanted_is_forgotten_and_taken_back(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor)
    pool.want([(RUNS[1], range(3))])
    assert pool._advance()
    pool.forget_wanted()
    pool.expect([(RUNS[0], range(1))])
    assert [future.cancelled() for future, _, _ in executor.waiting] == [True, True]
    assert pool._advance()
    assert executor.waiting[2][1:] == (RUNS[0], (0,))
    assert len(executor.waiting) == 3


def test_what_the_claim_that_waits_needs_is_never_taken_back(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor)
    submitted = []

    def heard(names):
        pool.expect([])
        submitted.extend(executor.waiting)
        while executor.waiting:
            executor.finish()

    pool.watch(heard)
    assert pool.results(RUNS[0], range(2)) == [planted(RUNS[0], seed) for seed in range(2)]
    assert [seeds for _, _, seeds in submitted] == [(0,), (1,)]


def test_all_that_claims_want_one_after_the_other_is_trained(pool_of):
    executor = Queued(4, planted)
    pool = pool_of(executor)
    pool.want([(RUNS[0], range(1))])
    pool.want([(RUNS[1], range(1))])
    assert pool._advance()
    assert [run for _, run, _ in executor.waiting] == [RUNS[0], RUNS[1]]


class Open(Noted):
    """Keeps what is noted as training now."""

    def __init__(self):
        super().__init__()
        self.now = []

    @contextlib.contextmanager
    def training(self, block):
        self.in_training.append(block)
        self.now.append(block.seeds)
        yield
        self.now.remove(block.seeds)


def test_what_waits_for_a_device_is_not_noted_as_training_and_what_begins_at_once_is_noted_once(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor, notes=(notes := Open()))
    pool.expect([(RUNS[0], range(2))])
    assert pool._advance()
    assert notes.now == []
    pool.close()

    class Busy(Queued):
        def submit(self, run, seeds, data):
            future = super().submit(run, seeds, data)
            assert future.set_running_or_notify_cancel()
            return future

    executor = Busy(2, planted)
    pool = pool_of(executor, notes=(notes := Open()))
    pool.expect([(RUNS[0], range(2))])
    for _ in range(2):
        assert pool._advance()
        assert notes.now == [range(1), range(1, 2)]
    assert len(notes.in_training) == 2
    executor.finish()
    assert pool._advance()
    assert notes.now == [range(1, 2)]


def test_what_a_claim_wants_next_comes_before_what_others_need(pool_of):
    executor = Queued(2, planted)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(3))])
    pool.want([(RUNS[1], range(2))])
    assert pool._advance()
    assert [run for _, run, _ in executor.waiting] == [RUNS[1], RUNS[1]]


def test_slots_may_grow(pool_of):
    executor = Queued(1, planted)
    pool = pool_of(executor)
    pool.expect([(RUNS[0], range(5))])
    assert pool._advance()
    executor.slots = 4
    assert pool._advance()
    assert len(executor.waiting) == 4


def raising(error):
    tries = []

    def result(run, seed):
        tries.append(seed)
        raise error

    return tries, result


def test_what_was_given_up_is_not_tried_again_by_other_claims(pool_of):
    tries, result = raising(GivenUpError("given up after 3 tries"))
    pool = pool_of(InThreads(1, result))
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"seed 0, could not be trained on .*: given up after 3 tries"):
            pool.results(RUNS[0], range(1))
    assert tries == [0]


def test_an_executor_that_is_gone_is_told_in_its_own_words(pool_of):
    _, result = raising(ExecutorLostError("the cluster was lost"))
    pool = pool_of(InThreads(1, result))
    with pytest.raises(ExecutorLostError, match=r"^the cluster was lost$"):
        pool.results(RUNS[0], range(1))
