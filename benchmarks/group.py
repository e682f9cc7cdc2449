"""Time one peer on one work in processes that begin together, imports and data already there."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

import psutil


def cores() -> int:
    """Physical cores of this machine that this process may use."""
    return min(psutil.cpu_count(logical=False) or 1, len(os.sched_getaffinity(0)))


def seconds_a_seed(peer: str, work: str, device: str, seeds: int, processes: int) -> float:
    """Wall time of a group of processes over the seeds that it trained, compile and capture time counted.

    Raises RuntimeError with the text of what went wrong in a process.
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    group = [
        context.Process(target=_timed, args=(peer, work, device, seeds, index, processes, barrier, results))
        for index in range(processes)
    ]
    for process in group:
        process.start()
    found = [results.get() for _ in group]
    for process in group:
        process.join()
    for outcome in found:
        if isinstance(outcome, str):
            raise RuntimeError(outcome)
    return (max(end for _, end in found) - min(begin for begin, _ in found)) / (seeds * processes)


def _timed(
    peer: str, work: str, device: str, seeds: int, index: int, processes: int, barrier: Any, results: Any
) -> None:
    try:
        import torch

        from benchmarks.peers import PEERS
        from benchmarks.work import WORKS
        from harness.data.load import stand_in
        from harness.train.device import prepare

        chosen = next(item for item in PEERS if item.name == peer)
        where = torch.device(device)
        if chosen.process_a_core:
            prepare(where, processes)
        else:
            torch.set_num_threads(cores())
        data = stand_in("cifar10", "documented")
        mine = list(range(index * seeds, (index + 1) * seeds))
    except Exception as error:
        barrier.abort()
        results.put(f"{type(error).__name__}: {error}")
        return
    try:
        barrier.wait()
        begin = time.perf_counter()
        chosen.train(WORKS[work].timed, mine, data, where)
        if where.type == "cuda":
            torch.cuda.synchronize()
        results.put((begin, time.perf_counter()))
    except Exception as error:
        results.put(f"{type(error).__name__}: {error}")
