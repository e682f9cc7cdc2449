"""A process's laboratory: its settings, its store and its pool, made when the first claim needs them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

from pytest_claims.data import load
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.progress_notes import Notes
from pytest_claims.runs.store import Store
from pytest_claims.settings import Settings
from pytest_claims.train.cost import cost
from pytest_claims.train.device import prepare
from pytest_claims.types import Run


class Laboratory:
    """One a process. worker, workers: its number, and how many there are. session: the name that they share.

    needed: the runs and seeds that the session's claims will ask for at least, in any order.
    """

    def __init__(
        self, settings: Settings, worker: int, workers: int, session: str, needed: Sequence[tuple[Run, range]]
    ) -> None:
        self.settings, self._worker, self._workers = settings, worker, workers
        self._session, self._needed = session, needed

    @functools.cached_property
    def store(self) -> Store:
        """The store; opening it may raise StoreError."""
        return Store(self.settings.store, since=self.settings.since)

    @functools.cached_property
    def pool(self) -> Pool:
        """The pool, with the device made ready; may raise StoreError."""
        prepare(self.settings.device, self._workers, tf32=self.settings.tf32)
        self.store.work(self._session, self._worker)
        settings = self.settings
        pool = Pool(
            self.store,
            settings.device,
            lambda name: load(settings.data, name),
            session=self._session,
            tf32=settings.tf32,
            only_stored=settings.only_stored,
            # A session that trains nothing has nothing to show progress of.
            notes=None if settings.only_stored else Notes(settings.store, self._session, self._worker, settings.since),
        )
        # Long runs first: what is begun last should be short, or one worker ends long after the others.
        # (CIFAR's size stands for the data's here; only the order matters.)
        pool.expect(sorted(self._needed, key=lambda needed: _length(needed[0]), reverse=True))
        return pool

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
            self.store.rest(self._session, self._worker)
            self.pool.finish(lambda: self.store.at_work(self._session, others))


def _length(run: Run) -> float:
    try:
        return cost(run, 50_000, 10_000).flops
    except Exception:
        return 0.0  # a network that does not build is its own claim's error, which training it will show
