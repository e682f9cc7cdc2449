"""Time one peer on one work in processes that begin together, imports and data already there."""

from __future__ import annotations

import multiprocessing
import os
import queue
import time
from collections.abc import Sequence
from typing import Any

import psutil

# How often it is looked whether a process still lives.
_POLL_SECONDS = 1.0
_OUT_OF_MEMORY = "out of memory"


class OutOfMemoryError(RuntimeError):
    """So many seeds side by side do not fit into the device's memory."""


def cores() -> int:
    """Physical cores of this machine that this process may use."""
    return min(psutil.cpu_count(logical=False) or 1, len(os.sched_getaffinity(0)))


def seconds_a_seed(peer: str, work: str, device: str, seeds: int, processes: int) -> float:
    """Wall time of a group of processes over the seeds that it trained, capture time counted.

    Every process has trained one step before, of the same kind: a CUDA context and its libraries take seconds to start,
    whatever is trained then. Raises OutOfMemoryError where a device's memory does not suffice, RuntimeError with the
    text of what else went wrong in a process.
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    group = [
        context.Process(target=_timed, args=(peer, work, device, seeds, index, processes, barrier, results))
        for index in range(processes)
    ]
    for process in group:
        process.start()
    try:
        found = _collected(results, group)
    finally:
        for process in group:
            process.kill()
            process.join()
    for outcome in found:
        if isinstance(outcome, str):
            raise (OutOfMemoryError if _OUT_OF_MEMORY in outcome else RuntimeError)(outcome)
    return (max(end for _, end in found) - min(begin for begin, _ in found)) / (seeds * processes)


def _collected(results: Any, group: Sequence[Any]) -> list[Any]:
    """What each process reported. Raises RuntimeError if one ended without a report, for the others wait for it."""
    found: list[Any] = []
    while len(found) < len(group):
        ended = [process for process in group if process.exitcode is not None]
        try:
            found.append(results.get(timeout=_POLL_SECONDS))
        except queue.Empty:
            # Looked up before the queue was: what a process reported came before its end.
            if len(ended) > len(found):
                code = next((process.exitcode for process in ended if process.exitcode), 0)
                raise RuntimeError(
                    f"a process of the benchmark ended with exit code {code} and no result"
                    + (" (-9: killed, perhaps for want of memory)" if code == -9 else "")
                ) from None
    return found


def _timed(
    peer: str, work: str, device: str, seeds: int, index: int, processes: int, barrier: Any, results: Any
) -> None:
    try:
        import torch

        from benchmarks.images import images
        from benchmarks.peers import PEERS
        from benchmarks.work import WORKS, first_step
        from pytest_claims.train.device import prepare

        chosen = next(item for item in PEERS if item.name == peer)
        where = torch.device(device)
        if chosen.process_a_core:
            prepare(where, processes)
        else:
            torch.set_num_threads(cores())
        data = images()
        mine = list(range(index * seeds, (index + 1) * seeds))
        chosen.train(first_step(WORKS[work].timed), mine, data, where)
        if where.type == "cuda":
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
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
