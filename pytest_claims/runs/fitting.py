"""Blocks of seeds on a device whose memory several workers share: as many seeds side by side as fit.

A worker has a budget. What a block needs is known from the last time that such a block was trained. A block that does
not fit is trained in parts, of fewer seeds each. Where memory does not suffice after all, half as many seeds are tried,
down to one; then one alone on the device; and only then it is an error. What was trained of a block is kept meanwhile.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence

from pytest_claims.runs.needs import Known, Needs, shape_of
from pytest_claims.runs.progress_notes import in_words
from pytest_claims.runs.store_file import StoreError
from pytest_claims.runs.turns import Turns
from pytest_claims.train.device import DeviceError
from pytest_claims.train.memory import DeviceMemory, is_out_of_memory
from pytest_claims.types import Run, Trained

# A process's context, which its allocator does not count, and the share of the rest that is left for what fragments.
_CONTEXT = 600 * 2**20
_USED = 0.95

Train = Callable[[Run, Sequence[int]], list[Trained]]


class Fitting:
    """Of one process. workers: processes that train on this device. needs, turns: shared with them; None for a process
    that has no store, which then knows nothing of others.

    It limits the process's memory to its part of what was free before the first worker began.
    """

    def __init__(
        self, memory: DeviceMemory, workers: int = 1, needs: Needs | None = None, turns: Turns | None = None
    ) -> None:
        self._memory, self._needs, self._turns = memory, needs, turns
        # What was seen in this process, for when the store's file cannot be had.
        self._seen: dict[str, Known] = {}
        free = memory.free()
        with contextlib.suppress(StoreError):
            free = needs.join(memory.identity, free) if needs else free
        self.budget = max(0, int((free - _CONTEXT * (workers - 1)) * _USED / workers))
        memory.limit(self.budget)

    def trained(
        self, run: Run, seeds: Sequence[int], train: Train, at_most: int | None = None
    ) -> tuple[list[Trained], int]:
        """Results of these seeds in order, and how many of them were trained side by side at most.

        train: trains all seeds that it is given side by side. at_most: so many of them at once, of all by default.
        Raises DeviceError where one seed alone does not fit, and what train raises.
        """
        results: list[Trained] = []
        width, widest = self._width(run, at_most or len(seeds)), 0
        while len(results) < len(seeds):
            left = seeds[len(results) :]
            part = left[: _equal(len(left), width)] if width else left[:1]
            with self._turn(alone=not width):
                size = self.budget
                if not width:
                    size = int(self._memory.free() * _USED)
                    self._memory.limit(size)
                try:
                    found = self._attempt(run, part, train, size)
                finally:
                    if not width:
                        self._memory.limit(self.budget)
            if found is not None:
                results += found
                widest = max(widest, len(part))
            elif width:
                width = len(part) // 2  # 0: one, alone on the device
            else:
                raise self._too_large(run, size)
        return results, widest

    def close(self) -> None:
        """Let go of the store's file and its locks."""
        for each in (self._needs, self._turns):
            if each:
                each.close()

    def _turn(self, *, alone: bool) -> contextlib.AbstractContextManager[None]:
        if self._turns is None:
            return contextlib.nullcontext()
        return self._turns.alone() if alone else self._turns.beside()

    def _attempt(self, run: Run, part: Sequence[int], train: Train, size: int) -> list[Trained] | None:
        """The results, None if so many bytes did not suffice."""
        self._memory.start()
        found: list[Trained] | None = None
        try:
            found = train(run, part)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Not before the error is gone, whose traceback holds the tensors.
        peak = self._memory.peak()
        self._memory.release(thorough=found is None)
        if found is not None:
            self._note(run, len(part), peak, sufficed=True)
        else:
            # Others may have had a part of the budget, which they should not.
            self._note(run, len(part), min(size, self._memory.free()), sufficed=False)
        return found

    def _width(self, run: Run, most: int) -> int:
        """The most seeds side by side that are expected to fit, halved from `most` on; 0 where not even one does."""
        known, width = self._known(run), most
        while width and not known.fits(width, self.budget):
            width //= 2
        return width

    def _known(self, run: Run) -> Known:
        shape = shape_of(run)
        with contextlib.suppress(StoreError):
            if self._needs:
                return self._needs.known(self._memory.model, shape)
        return self._seen.get(shape, Known())

    def _note(self, run: Run, width: int, size: int, *, sufficed: bool) -> None:
        shape = shape_of(run)
        seen = self._seen.setdefault(shape, Known())
        (seen.sufficed if sufficed else seen.failed)[width] = size
        # A full disk is met where results are stored.
        with contextlib.suppress(StoreError):
            if self._needs:
                self._needs.note(self._memory.model, shape, width, size, sufficed=sufficed)

    def _too_large(self, run: Run, size: int) -> DeviceError:
        known = self._known(run)
        total = self._memory.total
        return DeviceError(
            f"{in_words(run)} needs more device memory than there is: one seed, alone on the device, does not fit into "
            f"{_gib(known.failed.get(1, size))}, which is what is free of its {_gib(total)}. Close what else uses the "
            "device (nvidia-smi lists it), or train on one with more memory; what is trained so far is stored"
        )


def _equal(left: int, width: int) -> int:
    """The size of the next part, where parts are of about the same size and at most `width`."""
    return math.ceil(left / math.ceil(left / width))


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
