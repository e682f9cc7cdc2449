"""Executors other than the one that sessions use: each proves something of the seam between pool and executor."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import torch

from pytest_claims.data import Dataset
from pytest_claims.runs.executor import Executor, TrainedBlock
from pytest_claims.train import train
from pytest_claims.train.device import capability
from pytest_claims.types import Run, Trained


class Planted:
    """Trains nothing: the results are what `result` gives for a run and a seed, or raises."""

    device_kind, device_name, slots = "cpu", "planted results", 1
    tf32, kernels, capability = False, "cudnn", ""

    def __init__(self, result: Callable[[Run, int], Trained]) -> None:
        self._result = result

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        future: Future[TrainedBlock] = Future()
        try:
            future.set_result(TrainedBlock([self._result(run, seed) for seed in seeds], self.device_name))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        pass


class Recording:
    """Another executor, and what was submitted to it. before: called with each run and its seeds, before they train."""

    def __init__(
        self, inner: Executor, before: Callable[[Run, Sequence[int]], object] = lambda run, seeds: None
    ) -> None:
        self._inner, self._before = inner, before
        self.submitted: list[tuple[Run, tuple[int, ...]]] = []
        self.device_kind, self.device_name = inner.device_kind, inner.device_name
        self.tf32, self.kernels, self.slots = inner.tf32, inner.kernels, inner.slots
        self.capability = inner.capability

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        self.submitted.append((run, tuple(seeds)))
        self._before(run, seeds)
        return self._inner.submit(run, seeds, data)

    def close(self) -> None:
        self._inner.close()


class InReverse(Planted):
    """Takes so many blocks, and finishes none before it has them all; then the last one first."""

    def __init__(self, slots: int, result: Callable[[Run, int], Trained]) -> None:
        super().__init__(result)
        self.slots = slots
        self.open: list[tuple[Future[TrainedBlock], Future[TrainedBlock]]] = []

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        future: Future[TrainedBlock] = Future()
        self.open.append((future, super().submit(run, seeds, data)))
        if len(self.open) == self.slots:
            self.finish()
        return future

    def finish(self) -> None:
        while self.open:
            future, planted = self.open.pop()
            if not future.set_running_or_notify_cancel():
                continue
            if error := planted.exception():
                future.set_exception(error)
            else:
                future.set_result(planted.result())


class InThreads(Planted):
    """So many blocks at once, which finish in any order."""

    def __init__(self, slots: int, result: Callable[[Run, int], Trained]) -> None:
        super().__init__(result)
        self.slots = slots
        self._threads = concurrent.futures.ThreadPoolExecutor(slots)

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        return self._threads.submit(lambda: super(InThreads, self).submit(run, seeds, data).result())

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


class InSubprocesses:
    """Trains in processes of its own, on CPU cores."""

    device_kind, device_name = "cpu", "a CPU core of another process"
    tf32, kernels, capability = False, "cudnn", capability(torch.device("cpu"))

    def __init__(self, processes: int) -> None:
        # Forked where that is safe: a process need not load torch again, which takes seconds.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._processes = concurrent.futures.ProcessPoolExecutor(
            processes, context, initializer=torch.set_num_threads, initargs=(1,)
        )
        self.slots = 2 * processes  # so that none of them waits for the pool

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        return self._processes.submit(_trained, run, seeds, data)

    def close(self) -> None:
        self._processes.shutdown(cancel_futures=True)


def _trained(run: Run, seeds: Sequence[int], data: Dataset) -> TrainedBlock:
    return TrainedBlock(train(run, seeds, data), InSubprocesses.device_name)


class Queued(Planted):
    """Takes so many blocks, and begins and finishes none before it is told to."""

    def __init__(self, slots: int, result: Callable[[Run, int], Trained]) -> None:
        super().__init__(result)
        self.slots = slots
        self.waiting: list[tuple[Future[TrainedBlock], Run, tuple[int, ...]]] = []

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        future: Future[TrainedBlock] = Future()
        self.waiting.append((future, run, tuple(seeds)))
        return future

    def begin(self, place: int = 0) -> Future[TrainedBlock]:
        """Begin a block that waits."""
        future, _, _ = self.waiting[place]
        future.set_running_or_notify_cancel()
        return future

    def finish(self, place: int = 0) -> None:
        """Finish one that was begun, or that waits."""
        future, run, seeds = self.waiting.pop(place)
        if future.running() or future.set_running_or_notify_cancel():
            future.set_result(TrainedBlock([self._result(run, seed) for seed in seeds], self.device_name))
