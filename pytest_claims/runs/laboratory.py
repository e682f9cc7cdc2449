"""A process's laboratory: store, leases, executor and pool, made when the first claim needs them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence

from pytest_claims.data import load
from pytest_claims.runs.executor import Executor, InProcess
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.progress_notes import Notes
from pytest_claims.runs.store import Store
from pytest_claims.runs.wanted import Wanted
from pytest_claims.settings import Settings
from pytest_claims.train.cost import cost
from pytest_claims.types import Run


def in_process(settings: Settings, workers: int) -> Executor:
    """The executor of a session that chooses none: each worker process trains on its own device."""
    return InProcess(settings.device, workers, tf32=settings.tf32)


class Laboratory:
    """One a process. worker: its number. workers: how many there are. session: the name that they share.

    needed: the runs and seeds that the session's claims will ask for at least, in any order. make_executor: makes what
    trains, of the settings and the number of workers; called once, and only if a claim or a plan needs it.
    """

    def __init__(
        self,
        settings: Settings,
        worker: int,
        workers: int,
        session: str,
        needed: Sequence[tuple[Run, range]],
        make_executor: Callable[[Settings, int], Executor] = in_process,
    ) -> None:
        self.settings, self._worker, self._workers = settings, worker, workers
        self._session, self._needed, self._make_executor = session, needed, make_executor
        self._open = contextlib.ExitStack()

    @functools.cached_property
    def executor(self) -> Executor:
        """What trains; making it may raise DeviceError."""
        executor = self._make_executor(self.settings, self._workers)
        self._open.callback(executor.close)
        return executor

    @functools.cached_property
    def pool(self) -> Pool:
        """The pool. Making it may raise StoreError, and what making the executor raises."""
        settings = self.settings
        executor = self.executor
        store = self._open.enter_context(contextlib.closing(Store(settings.store, since=settings.since)))
        wanted = self._open.enter_context(contextlib.closing(Wanted(settings.store, self._session)))
        self._leases.work(self._session, self._worker)
        pool = Pool(
            store,
            self._leases,
            executor,
            lambda name: load(settings.data, name),
            wanted=wanted,
            only_stored=settings.only_stored,
            # A session that trains nothing has nothing to show progress of.
            notes=None if settings.only_stored else Notes(settings.store, self._session, self._worker, settings.since),
        )
        self._open.callback(pool.close)
        # Long runs first: what is begun last should be short, or one worker ends long after the others.
        # (CIFAR's size stands for the data's here; only the order matters.)
        pool.expect(sorted(self._needed, key=lambda needed: _length(needed[0]), reverse=True))
        return pool

    @functools.cached_property
    def _leases(self) -> Leases:
        return self._open.enter_context(contextlib.closing(Leases(self.settings.store)))

    def plan(self) -> None:
        """Note what the claims will need before the first of them asks, if any; raises nothing."""
        # What stands in the way (no data, no store) is reported by the claims, which come to it, too.
        with contextlib.suppress(Exception):
            if self._needed:
                self.pool.note_plan()

    def finish(self) -> None:
        """Help with what other workers still have to train, if this one has trained or looked up anything.

        Until none of them has a claim left that may ask for more seeds.
        """
        if "pool" in self.__dict__:
            # A worker that died was replaced under a new number.
            others = [worker for worker in range(2 * self._workers) if worker != self._worker]
            self._leases.rest(self._session, self._worker)
            self.pool.finish(lambda: self._leases.at_work(self._session, others))

    def close(self) -> None:
        """Take back what the executor has not begun, and close all that was opened."""
        self._open.close()


def _length(run: Run) -> float:
    try:
        return cost(run, 50_000, 10_000).flops
    except Exception:
        return 0.0  # a network that does not build is its own claim's error, which training it will show
