"""What runs on a node: a block is trained there as in a session without a cluster, by the same executor."""

from __future__ import annotations

import functools
import os
import pickle
import platform
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_claims.cluster.nodes import differences

if TYPE_CHECKING:
    from pytest_claims.data import Dataset
    from pytest_claims.runs.executor import InProcess

# What a task gives back: one of these, and with it the trained block, or what is wrong.
TRAINED, RAISED, UNFIT, LOST = "trained", "raised", "unfit", "lost"


# The device that this process trains on, "" before its first block.
_on = [""]
# Seconds that Ray has to fetch what a process returned that ends after it.
_ENDING = 0.5


def train_block(
    began: Callable[[], object],
    payload: bytes,
    images: tuple[dict[str, Any], dict[str, Any]],
    session: dict[str, str],
    *,
    gpu: bool,
    per_gpu: int,
    tf32: bool,
    kernels: str,
) -> tuple[str, bytes]:
    """TRAINED, RAISED, UNFIT or LOST, and what belongs to it, pickled: the block, an exception, or for the last two a
    text. Raises nothing of training. LOST: it is the device's fault, and another one may train the block.

    began: called when this process turns to the block. payload: run, seeds and the run's optimiser, None where the
    package has it. images: facts and arrays of a Dataset. session: the versions that results must come from; on a node
    with others nothing is trained.
    """
    began()
    unfit = _unfit(session)
    if unfit:
        return UNFIT, pickle.dumps(unfit)
    from pytest_claims import optimisers

    try:
        run, seeds, optimiser = pickle.loads(payload)
        if optimiser is not None and optimiser.name not in optimisers.names():
            optimisers.register(optimiser)
    except Exception as error:
        return RAISED, pickle.dumps(_as_text(error, "its network cannot be loaded on this node: "))
    try:
        executor = _executor(_device(gpu), per_gpu, tf32, kernels)
    except Exception as error:
        return LOST, pickle.dumps(f"its device cannot be used: {type(error).__name__}: {error}".splitlines()[0])
    try:
        block = executor.submit(run, seeds, _dataset(*images)).result()
    except Exception as error:
        if not (gpu and _is_of_device(error)):
            return RAISED, pickle.dumps(_portable(error))
        _end_soon()
        # An assertion of a kernel is the network's own fault, wherever it runs.
        if "device-side assert" in str(error):
            return RAISED, pickle.dumps(_portable(error))
        return LOST, pickle.dumps(f"{type(error).__name__}: {error}".splitlines()[0])
    return TRAINED, pickle.dumps(block)


def measure(*, gpu: bool, per_gpu: int, tf32: bool, kernels: str) -> bytes:
    """The speed of this node's device, a Speed, pickled."""
    from pytest_claims.train.cost import probe

    name = _device(gpu)
    _executor(name, per_gpu, tf32, kernels)
    import torch

    return pickle.dumps(probe(torch.device(name)))


def device_index(ids: Sequence[Any], visible: str | None) -> int:
    """Which of the CUDA devices that a process sees is the one that Ray gave it.

    ids: Ray's names of the GPUs that a task has, of which the first counts. visible: CUDA_VISIBLE_DEVICES, which Ray is
    kept from setting: a process stays on a device that it has once used, and tasks come and go.
    """
    if not ids:
        return 0
    names = [name.strip() for name in visible.split(",")] if visible else []
    return names.index(str(ids[0])) if str(ids[0]) in names else int(ids[0])


def _unfit(session: dict[str, str]) -> str:
    """Why nothing may be trained on this node, "" where it may."""
    try:
        import numpy
        import torch

        here = {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}
        if different := differences(here, session):
            return different
        from pytest_claims.runs import executor  # noqa: F401 (all that training takes)

        capability, other = session.get("capability", ""), torch.backends.cpu.get_cpu_capability()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if capability and other != capability:
        return f"its CPU computes with {other}, and the other nodes with {capability}"
    return ""


def _is_of_device(error: Exception) -> bool:
    """Whether CUDA failed in a way after which this process cannot use it any more."""
    import torch

    from pytest_claims.train.memory import is_out_of_memory

    if is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)


def _end_soon() -> None:
    """End this process, once Ray has what it returns. A block that Ray gives it before is lost, and trained again."""
    threading.Timer(_ENDING, os._exit, (1,)).start()


def _device(gpu: bool) -> str:
    if not gpu:
        return "cpu"
    import ray

    return f"cuda:{device_index(ray.get_gpu_ids(), os.environ.get('CUDA_VISIBLE_DEVICES'))}"


def _executor(device: str, per_gpu: int, tf32: bool, kernels: str) -> InProcess:
    """This process's executor on a device. It has one at a time: Ray may give its next task another GPU."""
    import torch

    if device != _on[0]:
        if _executor_on.cache_info().currsize:
            _executor_on(_on[0], per_gpu, tf32, kernels).close()
            _executor_on.cache_clear()
        # Else what torch makes for "the current device" would be made on the one before.
        if device != "cpu":
            torch.cuda.set_device(device)
        _on[0] = device
    return _executor_on(device, per_gpu, tf32, kernels)


@functools.cache
def _executor_on(device: str, per_gpu: int, tf32: bool, kernels: str) -> InProcess:
    """Its copy of the images stays on the device."""
    import torch

    from pytest_claims.runs.executor import InProcess

    workers = per_gpu * torch.cuda.device_count() if device != "cpu" else 1
    # Processes on one device tell one another what blocks need of its memory.
    shared = Path(tempfile.gettempdir()) / f"pytest-claims-memory-{os.getuid()}.sqlite" if device != "cpu" else None
    return InProcess(torch.device(device), workers, tf32=tf32, kernels=kernels, store=shared)


def _dataset(facts: dict[str, Any], arrays: dict[str, Any]) -> Dataset:
    """Images in the node's shared memory as a data set; nothing is copied, for nothing is ever written into them."""
    import torch

    from pytest_claims.data import Dataset

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        fields = facts | {name: torch.from_numpy(array) for name, array in arrays.items()}
        return Dataset(**fields)


def _portable(error: Exception) -> Exception:
    """The error if another process can have it, else one with its text."""
    try:
        again = pickle.loads(pickle.dumps(error))
        if type(error).__module__ in ("builtins",) or type(error).__module__.startswith(("pytest_claims.", "torch.")):
            return again if isinstance(again, Exception) else _as_text(error)
    except Exception:
        pass
    return _as_text(error)


def _as_text(error: Exception, before: str = "") -> Exception:
    """An error that says what this one does, with its traceback as a note."""
    from pytest_claims.errors import ExplainedError

    if isinstance(error, ExplainedError):
        return ExplainedError(f"{before}{error}")
    notes = "\n".join(getattr(error, "__notes__", [])) or "".join(traceback.format_exception(error))
    told = RuntimeError(f"{before}{type(error).__name__}: {error}")
    told.add_note(notes.rstrip())
    return told
