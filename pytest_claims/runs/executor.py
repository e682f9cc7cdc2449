"""Where blocks of seeds are trained: a protocol, and its implementation that trains in this process."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import torch

from pytest_claims.data import Dataset
from pytest_claims.defaults import CUDNN
from pytest_claims.train.device import DeviceError, describe, prepare
from pytest_claims.train.engine import train
from pytest_claims.types import Run, Trained


@dataclasses.dataclass(frozen=True)
class TrainedBlock:
    """What an executor gives for a block. results: one a seed, in the order of seeds. device: in words, of this block.

    A type of our own, so that an executor can say more of a block one day (its memory, say) without a new protocol.
    """

    results: list[Trained]
    device: str


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
    def slots(self) -> int:
        """How many blocks it takes at once, 1 or more, those that wait for a device included.

        The pool submits so many, those of the claim that waits first, and another one for each that is finished.
        """
        ...

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """Train run once for each seed, all of them side by side, as pytest_claims.train.engine.train does.

        data: on the CPU. May return at once, or when the block is finished. Whatever training raises is the future's
        exception. Futures may finish in any order. A future's cancel() takes back a block that has not begun.

        A concurrent.futures.Future: pools of threads and processes give one, Ray's references have one (.future()), and
        the standard library waits for many of them.
        """
        ...

    def close(self) -> None:
        """Take back what has not begun, and let go of processes, connections and memory."""
        ...


class InProcess:
    """Trains here and now: submit returns when the block is finished.

    It makes this process ready for the device (pytest_claims.train.device.prepare). device: a CPU, or a CUDA device
    that other workers may share. workers: processes that train on this machine. tf32, kernels: see
    Executor.
    """

    def __init__(self, device: torch.device, workers: int = 1, *, tf32: bool = False, kernels: str = CUDNN) -> None:
        prepare(device, workers, tf32=tf32, kernels=kernels)
        self._device = device
        self._on_device: dict[tuple[str, str], Dataset] = {}
        self.device_kind, self.device_name = device.type, describe(device)
        self.tf32, self.kernels, self.slots = tf32, kernels, 1

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """See Executor. A device that is out of memory is a DeviceError."""
        future: Future[TrainedBlock] = Future()
        try:
            future.set_result(TrainedBlock(train(run, seeds, self._moved(data)), self.device_name))
        except torch.OutOfMemoryError as error:
            explained = DeviceError(
                "the device has too little free memory for it. Use fewer workers a device (-n 1); what is trained so "
                "far is stored"
            )
            explained.__cause__ = _without_frames(error)
            future.set_exception(explained)
        except Exception as error:
            future.set_exception(_without_frames(error))
        finally:
            if self._device.type == "cuda":
                torch.cuda.empty_cache()  # other workers share the device, and the next network differs
        return future

    def close(self) -> None:
        """Let go of the data on the device."""
        self._on_device.clear()

    def _moved(self, data: Dataset) -> Dataset:
        """The data on the device, where it stays: one copy for all blocks."""
        name = data.name, data.fingerprint
        if name not in self._on_device:
            self._on_device[name] = data.to(self._device)
        return self._on_device[name]


class Recorded:
    """Trains nothing: it stands for the kind of device that stored runs were trained on, which need not be here."""

    def __init__(self, kind: str, *, tf32: bool = False, kernels: str = CUDNN) -> None:
        self.device_kind, self.device_name = kind, f"{kind}, recorded"
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
