"""Where blocks of seeds are trained: a protocol, and its implementation that trains in this process."""

from __future__ import annotations

import dataclasses
import inspect
import math
import numbers
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import torch

from pytest_claims.data import Dataset
from pytest_claims.defaults import CUDNN
from pytest_claims.errors import ExplainedError
from pytest_claims.runs.fitting import Fitting
from pytest_claims.runs.needs import Needs
from pytest_claims.runs.turns import Turns
from pytest_claims.train.cost import cost
from pytest_claims.train.device import capability, describe, prepare
from pytest_claims.train.engine import train
from pytest_claims.train.memory import CudaMemory
from pytest_claims.train.widths import fewest_side_by_side
from pytest_claims.types import Run, Trained


@dataclasses.dataclass(frozen=True)
class TrainedBlock:
    """What an executor gives for a block. results: one a seed, in the order of seeds. device: in words, of this block.
    at_once: how many of its seeds were trained side by side at most, None for all of them.

    A type of our own, so that an executor can say more of a block one day without a new protocol.
    """

    results: list[Trained]
    device: str
    at_once: int | None = None


class GivenUpError(ExplainedError):
    """An executor has tried a block as often as it may; it is not tried again in this session."""


class ExecutorLostError(ExplainedError):
    """Nothing more can be trained in this session: what trains is gone. What was finished is stored."""


class ExecutorError(ExplainedError):
    """What is to train is no Executor; the text names the member that is missing or wrong, and what it has to be."""


class Executor(Protocol):
    """Trains blocks. It plans nothing, looks nothing up and stores nothing: the pool does.

    All its blocks are trained on one kind of device, since that is part of what names a result. One process uses it,
    from one thread.
    """

    @property
    def device_kind(self) -> str:
        """torch.device.type of its devices: "cpu" or "cuda"."""
        ...

    @property
    def device_name(self) -> str:
        """Its devices in words, for messages."""
        ...

    @property
    def tf32(self) -> bool:
        """Whether its devices round the operands of float32 products to TF32."""
        ...

    @property
    def kernels(self) -> str:
        """What computes convolutions and batch norms on its devices: one of pytest_claims.stacked.kernels.KERNELS."""
        ...

    @property
    def capability(self) -> str:
        """The instruction set that its CPUs compute with (pytest_claims.train.device.capability): runs of several are
        kept apart. "" for other devices, and where it is not known."""
        ...

    @property
    def slots(self) -> int:
        """How many blocks it takes at once, 1 or more, those that wait for a device included. It may change.

        The pool submits so many, those of the claim that waits first, and another one for each that is finished.
        """
        ...

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """Train run once for each seed, side by side, as pytest_claims.train.engine.train does.

        All of them at once, or fewer where memory asks for it: what at_once says is recorded with the runs.

        data: on the CPU. May return at once, or when the block is finished. Whatever training raises is the future's
        exception; GivenUpError where no other try makes sense, ExecutorLostError where no other block does. Futures may
        finish in any order. A future's cancel() takes back a block that has not begun, and running() says whether it
        has.

        A concurrent.futures.Future: pools of threads and processes give one, Ray's references have one (.future()), and
        the standard library waits for many of them.
        """
        ...

    def close(self) -> None:
        """Take back what has not begun, and let go of processes, connections and memory."""
        ...


def checked(given: Any) -> Executor:
    """What a hook gave, if it has the members that Executor names, each of its type. Raises ExecutorError."""
    kind = type(given).__name__
    texts = dict.fromkeys(("device_kind", "device_name", "kernels", "capability"), "a text")
    for name, allowed in (texts | {"tf32": "True or False", "slots": "an integer, 1 or more"}).items():
        there, value = True, None
        try:
            value = getattr(given, name)
        except AttributeError:
            if inspect.getattr_static(given, name, None) is not None:
                raise  # a property's own
            there = False
        if name == "slots":
            fits = isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 1
        else:
            fits = isinstance(value, bool if name == "tf32" else str)
        if not fits:
            said = repr(value) if there else "missing"
            raise ExecutorError(
                f"{kind} is no executor: its {name} is {said}; needed: {allowed}. What it means is said in "
                "pytest_claims/runs/executor.py"
            )
    for name in ("submit", "close"):
        if not callable(getattr(given, name, None)):
            raise ExecutorError(
                f"{kind} is no executor: it has no method {name}; needed: those of pytest_claims/runs/executor.py"
            )
    executor: Executor = given
    return executor


class InProcess:
    """Trains here and now: submit returns when the block is finished.

    It makes this process ready for the device (pytest_claims.train.device.prepare). device: a CPU, or a CUDA device
    that other workers may share. workers: processes that train on this machine. tf32, kernels: see Executor. store: the
    path of the store that the workers share; what blocks of memory need is kept there. Raises StoreError if it cannot
    be used.

    On a CUDA device the process keeps to its part of the memory (fitting.py). Of a block it trains as few seeds at once
    as take at most 10 % longer, and fewer where they do not fit.
    """

    def __init__(
        self,
        device: torch.device,
        workers: int = 1,
        *,
        tf32: bool = False,
        kernels: str = CUDNN,
        store: Path | None = None,
    ) -> None:
        prepare(device, workers, tf32=tf32, kernels=kernels)
        self._device = device
        arithmetic = " ".join([*(["tf32"] if tf32 else []), *([kernels] if kernels != CUDNN else [])])
        self._fitting = _fitting(device, workers, store, arithmetic) if device.type == "cuda" else None
        self._on_device: dict[tuple[str, str], Dataset] = {}
        self.device_kind, self.device_name = device.type, describe(device)
        self.tf32, self.kernels, self.slots = tf32, kernels, 1
        self.capability = capability(device)

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """See Executor. A device whose memory does not suffice for one seed is a DeviceError."""
        future: Future[TrainedBlock] = Future()
        try:
            future.set_result(self._trained(run, seeds, data))
        except Exception as error:
            future.set_exception(_without_frames(error))
        finally:
            if self._device.type == "cuda":
                torch.cuda.empty_cache()  # other workers share the device, and the next network differs
        return future

    def _trained(self, run: Run, seeds: Sequence[int], data: Dataset) -> TrainedBlock:
        if self._fitting is None:
            return TrainedBlock(train(run, seeds, self._moved(data)), self.device_name)
        each = cost(run, len(data.train_labels), len(data.test_labels))
        at_most = fewest_side_by_side(run, each, len(seeds))
        results, at_once = self._fitting.trained(
            run, seeds, lambda run, part: train(run, part, self._moved(data)), at_most
        )
        return TrainedBlock(results, self.device_name, at_once if at_once < len(seeds) else None)

    def close(self) -> None:
        """Let go of the data on the device, and of the store's file."""
        self._on_device.clear()
        if self._fitting:
            self._fitting.close()

    def _moved(self, data: Dataset) -> Dataset:
        """The data on the device, where it stays: one copy for all blocks."""
        name = data.name, data.fingerprint
        if name not in self._on_device:
            self._on_device[name] = data.to(self._device)
        return self._on_device[name]


def _fitting(device: torch.device, workers: int, store: Path | None, kernels: str) -> Fitting:
    """kernels: see CudaMemory. Raises StoreError."""
    memory = CudaMemory(device, kernels)
    beside = math.ceil(workers / torch.cuda.device_count())
    if store is None:
        return Fitting(memory, beside)
    return Fitting(memory, beside, Needs(store), Turns(store, memory.identity))


class Recorded:
    """Trains nothing: it stands for the devices that stored runs were trained on, which need not be here.

    capability: the instruction set of their CPUs, "" where it is not recorded.
    """

    def __init__(self, kind: str, capability: str = "", *, tf32: bool = False, kernels: str = CUDNN) -> None:
        self.device_kind, self.capability, self.device_name = kind, capability, f"{kind}, recorded"
        self.tf32, self.kernels, self.slots = tf32, kernels, 1

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """Raises RuntimeError: a pool that only looks up asks for nothing."""
        raise RuntimeError(f"{run.network} is to be looked up, not trained")

    def close(self) -> None:
        """There is nothing to let go of."""


def _without_frames(error: Exception) -> Exception:
    """The error with its traceback as a note, as text.

    A traceback holds the variables of all functions that the error came through, and so the tensors of the block. Its
    claim may ask for the error long after: the device's memory would not be free until then.
    """
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error
