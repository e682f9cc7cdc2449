"""A process's laboratory: its settings, its store and its pool, made when the first claim needs them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from harness.claim import Run
from harness.data import load
from harness.pool import Pool
from harness.settings import Settings
from harness.store import Store
from harness.train.cost import cost
from harness.train.device import prepare


class Laboratory:
    """One a process. needed: the runs that the session's claims will ask for, in any order."""

    def __init__(self, settings: Settings, workers: int, needed: Sequence[Run]) -> None:
        self.settings, self._workers, self._needed = settings, workers, needed

    @functools.cached_property
    def store(self) -> Store:
        """The store; opening it may raise StoreError."""
        return Store(self.settings.store, since=self.settings.since)

    @functools.cached_property
    def pool(self) -> Pool:
        """The pool, with the device made ready; may raise StoreError."""
        prepare(self.settings.device, self._workers)
        pool = Pool(self.store, self.settings.device, lambda name: load(self.settings.data, name))
        # Long runs first: what is begun last should be short, or one worker ends long after the others.
        # (CIFAR's size stands for the data's here; only the order matters.)
        longest_first = sorted(self._needed, key=_length, reverse=True)
        pool.expect([(run, self.settings.seeds) for run in longest_first])
        return pool

    def finish(self) -> None:
        """Help with what other workers still have to train, if this one has trained or looked up anything."""
        if "pool" in self.__dict__:
            self.pool.finish()


def _length(run: Run) -> float:
    try:
        return cost(run, 50_000, 10_000).flops
    except Exception:
        return 0.0  # a network that does not build is its own claim's error, which training it will show
