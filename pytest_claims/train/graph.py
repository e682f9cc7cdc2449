"""Whole training steps captured as CUDA graphs: one launch a step instead of hundreds.

Small networks keep a GPU busy for microseconds a kernel, less than the host takes to launch one. Compiler-made graphs
leave out batch norm's running statistics, which are changed in place; capturing the step by hand keeps them (PyTorch,
"CUDA semantics", CUDA Graphs).
"""

from __future__ import annotations

import dataclasses
import functools
import warnings

import torch
from torch import Tensor

from pytest_claims.train.memory import is_out_of_memory
from pytest_claims.train.step import Step

# Before a capture, so that lazily made handles, workspaces and choices of algorithms are there.
_WARM_UP_STEPS = 3


@dataclasses.dataclass(frozen=True)
class _Captured:
    graph: torch.cuda.CUDAGraph
    rows: Tensor
    changes: Tensor | None


class GraphedStep:
    """A Step whose calls are replays; call it as the Step. One graph for each batch size, and for recorded steps.

    Where a capture fails, it says so in a warning and goes on without graphs: slower, with the same results.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._captured: dict[tuple[int, bool], _Captured] = {}
        # Graphs may share memory: nothing inside one is read after its replay.
        self._memory = torch.cuda.graph_pool_handle()
        self._works = True

    def __call__(self, rows: Tensor, changes: Tensor | None, record: bool) -> None:
        captured = self._graph(rows, changes, record) if self._works else None
        if captured is None:
            self._step(rows, changes, record)
            return
        captured.rows.copy_(rows)
        if captured.changes is not None and changes is not None:
            captured.changes.copy_(changes)
        captured.graph.replay()

    def close(self) -> None:
        """Give back the graphs' memory, which nothing else may use as long as there is a graph."""
        for captured in self._captured.values():
            captured.graph.reset()
        self._captured.clear()

    def _graph(self, rows: Tensor, changes: Tensor | None, record: bool) -> _Captured | None:
        kind = len(rows), record
        if kind not in self._captured:
            try:
                self._captured[kind] = self._capture(rows.clone(), None if changes is None else changes.clone(), record)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self._works = False
                warnings.warn(f"training without CUDA graphs: {error}".splitlines()[0], stacklevel=2)
        return self._captured.get(kind) if self._works else None

    def _capture(self, rows: Tensor, changes: Tensor | None, record: bool) -> _Captured:
        before = Snapshot(self._step)
        device = self._step.device
        side = torch.cuda.Stream(device)
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_STEPS):
                self._step(rows, changes, record)
        torch.cuda.current_stream(device).wait_stream(side)
        before.restore()
        self._step.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.graph(graph, pool=self._memory, stream=_capture_stream(device)):
            self._step(rows, changes, record)
        return _Captured(graph, rows, changes)


@functools.cache
def _capture_stream(device: torch.device) -> torch.cuda.Stream:
    """One a device, for memory is kept by stream. Torch's own choice is a stream of the process's first device."""
    return torch.cuda.Stream(device)


class Snapshot:
    """All tensors that a training step changes, to be set back in place after steps that should not have been."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._tensors = [(tensor, tensor.detach().clone()) for tensor in self._named()]
        self._state = {
            parameter: {name: value.clone() for name, value in state.items() if isinstance(value, Tensor)}
            for parameter, state in step.optimizer.state.items()
        }

    def _named(self) -> list[Tensor]:
        module = self._step.module
        return [*module.parameters(), *module.buffers(), self._step.sums, self._step.gradients]

    @torch.no_grad()
    def restore(self) -> None:
        """Set everything back. Optimiser state that did not exist is set to 0, as which it begins."""
        for tensor, value in self._tensors:
            tensor.copy_(value)
        for parameter, state in self._step.optimizer.state.items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    before = self._state.get(parameter, {}).get(name)
                    value.zero_() if before is None else value.copy_(before)
