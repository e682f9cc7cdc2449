"""All runs that a session needs, trained once each by whichever worker is free."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Sequence

import torch

from pytest_claims.data import DataError, Dataset
from pytest_claims.runs.progress_notes import Block, Notes
from pytest_claims.runs.store import Key, Store, StoreError
from pytest_claims.stats import LOOKS
from pytest_claims.train.cost import DATA_CENTRE_GPU, cost, flops_per_step
from pytest_claims.train.device import DeviceError, describe
from pytest_claims.train.engine import train, version_of
from pytest_claims.types import Run, Trained

# How long a worker that has nothing left to train waits before it looks again for what others are training.
_POLL_SECONDS = 0.2


def seeds_per_block(run: Run, device_kind: str) -> int:
    """How many seeds are trained side by side: one of the numbers at which claims are looked at, or 1.

    On a CPU, measured on a 2-core Xeon, torch 2.13, NormCNN, time a seed at width 5 over width 1: 0.41 at batch 2, 0.52
    at batch 8, 0.75 to 1.02 at batch 32. DepthCNN and OrderCNN fill a core at width 1.
    On a GPU (not measured) the most seeds whose arithmetic takes no longer than launching the step does, for up to
    there more of them cost nothing; and at least the first look's, which are trained in any case.
    """
    if device_kind == "cpu":
        return LOOKS[0] if run.recipe.batch <= 16 else 1
    launched = DATA_CENTRE_GPU.seconds_per_step * DATA_CENTRE_GPU.flops_per_second / flops_per_step(run)
    return max((seeds for seeds in LOOKS if seeds <= launched), default=LOOKS[0])


class NotStoredError(Exception):
    """A session that trains nothing needs runs that are not stored; the text says how many and what trains them."""


class Pool:
    """Trains runs on one device and hands out results; every worker process has one, over the same store.

    load: gives the data set for a name, on the CPU; called at most once a name, and only if something is to be
    trained or looked up. on_trained: called with the run and its new results after each training. session: the name
    under which the pools of one session's workers tell each other what they want. tf32: whether the device rounds the
    operands of float32 products. only_stored: train nothing. notes: where to say what is planned and trained, for
    whoever shows it.
    """

    def __init__(
        self,
        store: Store,
        device: torch.device,
        load: Callable[[str], Dataset],
        on_trained: Callable[[Run, Sequence[Trained]], None] = lambda run, results: None,
        session: str = "",
        tf32: bool = False,
        only_stored: bool = False,
        notes: Notes | None = None,
    ) -> None:
        self._store, self._device, self._load, self._on_trained = store, device, load, on_trained
        self._session, self._notes = session, notes
        self._tf32, self._only_stored = tf32, only_stored
        self._device_name = describe(device)
        self._data: dict[str, Dataset | DataError] = {}
        self._known: dict[str, Run] = {}
        self._backlog: list[tuple[Run, range]] = []
        self._settled: set[tuple[str, range]] = set()
        self._noted: set[tuple[str, range]] = set()

    def data(self, name: str) -> Dataset:
        """The data set for a name, on this pool's device."""
        if name not in self._data:
            try:
                self._data[name] = self._load(name).to(self._device)
            except DataError as error:
                self._data[name] = error
        # A failed download is not tried again for every claim.
        if isinstance(self._data[name], DataError):
            raise self._data[name]
        return self._data[name]

    def adapt_classes(self, run: Run) -> Run:
        """The run for data with another number of classes than the claim was written for (images of one's own).

        The network gets as many outputs, and images per class change so that the training set keeps its size.
        """
        declared, classes = run.network.classes, self.data(run.dataset).classes
        if classes == declared:
            return run

        def spread(per_class: int | None) -> int | None:
            return None if per_class is None else math.ceil(per_class * declared / classes)

        recipe = dataclasses.replace(
            run.recipe,
            images_per_class=spread(run.recipe.images_per_class),
            test_images_per_class=spread(run.recipe.test_images_per_class),
        )
        return dataclasses.replace(run, network=dataclasses.replace(run.network, classes=classes), recipe=recipe)

    def key(self, run: Run) -> Key:
        """The key of a run on this data and device."""
        kind = self._device.type
        return Key(
            run, self.data(run.dataset).fingerprint, kind, seeds_per_block(run, kind), version_of(run), self._tf32
        )

    def expect(self, needed: Iterable[tuple[Run, range]]) -> None:
        """Say what the session will need at least, (run, seeds), in the order in which to train it.

        While a result that this worker needs is being trained by another one, it trains from this list, and what other
        workers want of these runs.
        """
        self._backlog = list(needed)
        self._known = {run.canonical: run for run, _ in self._backlog}

    def note_plan(self) -> None:
        """Note what is expected, unless another worker has; loads the data for it. Raises nothing of a run's own."""
        if self._notes and not self._notes.has_plan():
            self._note(self._backlog)

    def want(self, wanted: Iterable[tuple[Run, range]]) -> None:
        """Say what a claim that is still open needs beyond what was expected, so that every free worker helps."""
        wanted = list(wanted)
        self._store.want(self._session, [(run.canonical, seeds) for run, seeds in wanted])
        self._note(wanted)

    def results(self, run: Run, seeds: range) -> list[Trained]:
        """Results of these seeds in order, trained now where the store has none.

        Raises DataError if the data does not fit the run, StoreError if the store fails, NotStoredError if results are
        missing and nothing is to be trained.
        """
        while True:
            if not self._only_stored:
                self._train_free_blocks(run, seeds)
            found = self._store.get(self.key(run), seeds)
            if self._only_stored and len(found) < len(seeds):
                raise NotStoredError(
                    f"not judged: {len(seeds) - len(found)} of {len(seeds)} runs of {run.network} are not stored; the "
                    "same command without --stored trains them"
                )
            if len(found) == len(seeds):
                return [found[seed] for seed in seeds]
            if not self._train_ahead():
                time.sleep(_POLL_SECONDS)

    def missing(self, run: Run, seeds: range) -> list[int]:
        """The seeds that would be trained for these; whole blocks are, so there may be more than asked for."""
        key = self.key(run)
        blocks = [
            block for block in _blocks(key.seeds_per_block, seeds) if len(self._store.get(key, block)) < len(block)
        ]
        return [seed for block in blocks for seed in block]

    def finish(self, others_at_work: Callable[[], bool] = lambda: False) -> None:
        """Train what is left and not in another worker's hands, as long as others may still want more."""
        with contextlib.suppress(StoreError):  # a full disk, say, which the claims report
            while not self._only_stored:
                if self._train_ahead():
                    continue
                if not others_at_work():
                    break
                time.sleep(_POLL_SECONDS)

    def _train_free_blocks(self, run: Run, seeds: range, most: int | None = None) -> int:
        """Train the missing blocks of a run that no one else is training, at most so many; returns how many."""
        key, trained = self.key(run), 0
        for block in _blocks(key.seeds_per_block, seeds):
            if trained == most:
                break
            if len(self._store.get(key, block)) == len(block):
                continue
            with self._store.training(key, block) as mine:
                # Looked up again under the lock: its last holder may have finished in between.
                if not mine or len(self._store.get(key, block)) == len(block):
                    continue
                if trained == 0:
                    self._note([(run, seeds)])  # what no one expected is planned from here on
                results = self._train(run, block)
                self._store.put(key, results, self._device_name)
            self._on_trained(run, results)
            trained += 1
        return trained

    def _train(self, run: Run, block: Sequence[int]) -> list[Trained]:
        try:
            with self._noted_as_training(run, block):
                return train(run, block, self.data(run.dataset))
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{self._device_name} has too little free memory for {len(block)} seeds of {run.network} at batch "
                f"{run.recipe.batch}. Use fewer workers a device (-n 1); what is trained so far is stored"
            ) from error
        finally:
            if self._device.type == "cuda":
                torch.cuda.empty_cache()  # other workers share the device, and the next network differs

    def _note(self, needed: Iterable[tuple[Run, range]]) -> None:
        """Note these as planned."""
        if self._notes is None:
            return
        blocks = []
        for run, seeds in needed:
            entry = run.canonical, seeds
            if entry in self._noted:
                continue
            self._noted.add(entry)
            # Whatever is wrong with a run is for its own claim to meet and report.
            with contextlib.suppress(Exception):
                fitted = self.adapt_classes(run)
                blocks += [self._block(fitted, block) for block in _blocks(self.key(fitted).seeds_per_block, seeds)]
        self._notes.plan(blocks)

    def _noted_as_training(self, run: Run, seeds: Sequence[int]) -> contextlib.AbstractContextManager[None]:
        with contextlib.suppress(Exception):
            if self._notes:
                return self._notes.training(self._block(run, seeds))
        return contextlib.nullcontext()

    def _block(self, run: Run, seeds: Sequence[int]) -> Block:
        data, recipe = self.data(run.dataset), run.recipe
        images = len(data.train_labels) if recipe.images_per_class is None else recipe.images_per_class * data.classes
        each = cost(run, len(data.train_labels), len(data.test_labels))
        return Block(self.key(run), seeds, each, images * recipe.epochs)

    def _train_ahead(self) -> bool:
        """Train one block that another claim of the session needs; False if none is left for this worker."""
        wanted = [
            (self._known[text], seeds) for text, seeds in self._store.wanted(self._session) if text in self._known
        ]
        for run, seeds in [*self._backlog, *wanted]:
            entry = run.canonical, seeds
            if entry in self._settled:
                continue
            try:
                fitted = self.adapt_classes(run)
                if self._train_free_blocks(fitted, seeds, most=1):
                    return True
                if not self.missing(fitted, seeds):
                    self._settled.add(entry)
            except StoreError:
                raise
            except Exception:
                # Whatever is wrong with this run is for its own claim to meet and report, not for the one now waiting.
                self._settled.add(entry)
        return False


def _blocks(width: int, seeds: range) -> list[range]:
    """Seeds as whole blocks: a seed is always trained with the same neighbours, so that its result is the same to the
    last bit whichever seeds are asked for."""
    return [range(start, start + width) for start in range(seeds.start - seeds.start % width, seeds.stop, width)]
