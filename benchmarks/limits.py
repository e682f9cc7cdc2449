"""How far the engine is from what a machine could do: arithmetic over peak, bytes over bandwidth, operations a step."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.work import Work
from pytest_claims.data.dataset import Dataset
from pytest_claims.data.subset import training_table
from pytest_claims.train.cost import cost
from pytest_claims.train.engine import build
from pytest_claims.train.step import Step, optimizer_of


@dataclasses.dataclass(frozen=True)
class Machine:
    """flops: a second, of a float32 matrix product. bandwidth: bytes a second, read and written, of a large copy."""

    flops: float
    bandwidth: float


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of one seed of a timed part. arithmetic, traffic: the seconds that its FLOPs and its tensors' bytes take at the
    machine's own speed. operations: of one step, each at least one kernel on a GPU. seeds: side by side in it."""

    arithmetic: float
    traffic: float
    operations: int
    seeds: int


def machine(device: torch.device) -> Machine:
    """Measure the peak of the whole device, best of five."""
    one, other = torch.randn(2, 2048, 2048, device=device)
    large = torch.empty(2**26, device=device)  # 256 MiB, more than caches hold
    target = torch.empty_like(large)
    product = min(_seconds(lambda: one @ other, device) for _ in range(5))
    copied = min(_seconds(lambda: target.copy_(large), device) for _ in range(5))
    return Machine(2 * 2048**3 / product, 2 * large.nbytes / copied)


def _seconds(action: Any, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


class _Counter(TorchDispatchMode):
    """Counts operations that compute, and the bytes of their operands and results."""

    def __init__(self) -> None:
        super().__init__()
        self.operations, self.bytes = 0, 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if function.is_view or function.namespace == "prim":
            return result
        taken = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self.operations += 1
        self.bytes += sum(tensor.nbytes for tensor in (*taken, *made) if not tensor.is_sparse)
        return result


def limits(work: Work, data: Dataset, device: torch.device, peak: Machine) -> Limits:
    """Counted on the device, on one step of real training; peak: of this device. data: on the CPU."""
    run, seeds = work.timed, list(range(work.seeds[device.type]))
    module = build(run, seeds).to(device).to(memory_format=torch.channels_last)
    step = Step(module, optimizer_of(module, run.recipe, device), run.recipe, data.to(device))
    rows = torch.stack([training_table(data, run.recipe, seed)[0] for seed in seeds], dim=1)[: run.recipe.batch]
    rows = rows.to(device)
    module.train()
    step(rows, None, False)
    with _Counter() as counted:
        step(rows, None, False)
    one = cost(run, len(data.train_labels), len(data.test_labels))
    traffic = counted.bytes / len(seeds) * one.steps / peak.bandwidth
    return Limits(one.flops / peak.flops, traffic, counted.operations, len(seeds))
