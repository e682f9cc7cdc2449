"""Where a claim's results come from: trained now (pool.py), or only looked up, ahead of the claim's turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pytest_claims.data import Dataset
from pytest_claims.runs.pool import NotStoredError, Pool
from pytest_claims.runs.store import Key
from pytest_claims.types import Run, Trained


class Results(Protocol):
    """What a claim is judged from. See Pool, whose methods these are."""

    @property
    def device_kind(self) -> str: ...

    def data(self, name: str) -> Dataset: ...

    def adapt_classes(self, run: Run) -> Run: ...

    def key(self, run: Run) -> Key: ...

    def names(self, run: Run, seeds: Sequence[int]) -> list[str]: ...

    def want(self, wanted: Iterable[tuple[Run, range]]) -> None: ...

    def results(self, run: Run, seeds: range) -> list[Trained]: ...

    def devices(self, names: Iterable[str]) -> list[str]: ...

    def capabilities(self, names: Iterable[str]) -> list[str]: ...


class Peek:
    """A pool's stored results, for a claim that is judged ahead of its turn.

    asked: what it asked for, runs and seeds.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.asked: list[tuple[Run, range]] = []

    @property
    def device_kind(self) -> str:
        """See Pool."""
        return self._pool.device_kind

    def data(self, name: str) -> Dataset:
        """See Pool."""
        return self._pool.data(name)

    def adapt_classes(self, run: Run) -> Run:
        """See Pool."""
        return self._pool.adapt_classes(run)

    def key(self, run: Run) -> Key:
        """See Pool."""
        return self._pool.key(run)

    def names(self, run: Run, seeds: Sequence[int]) -> list[str]:
        """See Pool."""
        return self._pool.names(run, seeds)

    def want(self, wanted: Iterable[tuple[Run, range]]) -> None:
        """Note what the claim needs next."""
        self.asked += wanted

    def results(self, run: Run, seeds: range) -> list[Trained]:
        """Results of these seeds in order. Raises NotStoredError if some are not stored."""
        found = self._pool.stored(run, seeds)
        if found is None:
            self.asked.append((run, seeds))
            raise NotStoredError(f"not judged: some runs of {run.network} are not stored")
        return found

    def devices(self, names: Iterable[str]) -> list[str]:
        """See Pool."""
        return self._pool.devices(names)

    def capabilities(self, names: Iterable[str]) -> list[str]:
        """See Pool."""
        return self._pool.capabilities(names)
