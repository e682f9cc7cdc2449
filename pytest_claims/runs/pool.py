"""All runs that a session needs, trained once each by whichever worker is free."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from pytest_claims import optimisers
from pytest_claims.data import DataError, Dataset
from pytest_claims.data.kinds import FOLDERS
from pytest_claims.errors import ExplainedError
from pytest_claims.runs.executor import Executor, ExecutorLostError, GivenUpError, TrainedBlock
from pytest_claims.runs.leases import Lease, Leases
from pytest_claims.runs.progress_notes import Block, Notes, in_words
from pytest_claims.runs.store import Key, Store
from pytest_claims.runs.store_file import StoreError
from pytest_claims.runs.wanted import Wanted
from pytest_claims.stacked import NetworkError, check_form
from pytest_claims.train.cost import cost, flops_per_step
from pytest_claims.train.engine import version_of
from pytest_claims.types import Run, Trained

# How many seeds are trained side by side where it pays: 5, of which every look but those at 7 and 14 is a multiple, or
# more on a GPU. A run's key holds its number, so that other numbers would orphan every recorded run.
SIDE_BY_SIDE = (5, 10, 20)
# Of a block on a GPU, in one step: FLOPs that took as long as launching it did, by what was assumed when the first runs
# were recorded. It decides which runs have which key, so it stays, whatever is measured since: how many seeds of a
# block are really trained at once is the executor's affair.
_FLOPS_OF_A_BLOCK = 5.5e9

# How long a worker that has nothing left to train waits before it looks again for what others are training.
_POLL_SECONDS = 0.2


def seeds_per_block(run: Run, device_kind: str) -> int:
    """How many seeds are trained side by side: one of SIDE_BY_SIDE, or 1.

    On a CPU, measured on a 2-core Xeon, torch 2.13, NormCNN, time a seed at width 5 over width 1: 0.41 at batch 2, 0.52
    at batch 8, 0.75 to 1.02 at batch 32. DepthCNN and OrderCNN fill a core at width 1.
    On a GPU the most seeds whose arithmetic is at most _FLOPS_OF_A_BLOCK, and at least the first look's, which are
    trained in any case.
    One where the optimiser is not elementwise, for it would couple seeds side by side.
    """
    if not optimisers.registered(run.recipe.optimizer).elementwise:
        return 1
    if device_kind == "cpu":
        return SIDE_BY_SIDE[0] if run.recipe.batch <= 16 else 1
    most = _FLOPS_OF_A_BLOCK / flops_per_step(run)
    return max((seeds for seeds in SIDE_BY_SIDE if seeds <= most), default=SIDE_BY_SIDE[0])


class NotStoredError(ExplainedError):
    """A session that trains nothing needs runs that are not stored; the text says how many and what trains them."""


class TrainingError(ExplainedError):
    """A block could not be trained. run, seeds: the block. The cause is what training raised.

    The text names network, batch, seeds and device, and has the traceback where the cause is no error that explains
    itself: as text, since an executor may have trained in another process or on another machine.
    """

    def __init__(self, run: Run, seeds: Sequence[int], device: str, cause: BaseException) -> None:
        self.run, self.seeds, self.__cause__ = run, seeds, cause
        many = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
        text = f"{in_words(run)}, {many}, could not be trained on {device}: "
        if isinstance(cause, ExplainedError):
            text += str(cause)
        else:
            text += f"{type(cause).__name__}: {cause}\n\n{''.join(traceback.format_exception(cause)).rstrip()}"
        super().__init__(text)


@dataclasses.dataclass
class _Submitted:
    """A block that the executor has. note: that it is being trained, until this is closed. begun: whether it is noted
    so, or was when it was submitted."""

    key: Key
    seeds: range
    lease: Lease
    note: contextlib.ExitStack
    begun: bool

    @property
    def name(self) -> str:
        return self.key.digest(self.seeds[0])


class Pool:
    """Plans, looks up, leases and stores; an executor trains. Every worker process has one, over the same store.

    load: gives the data set for a name, on the CPU; called at most once a name, and only if something is to be
    trained or looked up. wanted: where the workers of a session tell each other what their claims wait for.
    only_stored: train nothing. notes: where to say what is planned and trained, for whoever shows it.
    """

    def __init__(
        self,
        store: Store,
        leases: Leases,
        executor: Executor,
        load: Callable[[str], Dataset],
        *,
        wanted: Wanted | None = None,
        only_stored: bool = False,
        notes: Notes | None = None,
    ) -> None:
        self._store, self._leases, self._executor, self._load = store, leases, executor, load
        self._wanted, self._only_stored, self._notes = wanted, only_stored, notes
        self._data: dict[str, Dataset] = {}
        self._no_data: dict[str, DataError] = {}
        self._known: dict[str, Run] = {}
        self._backlog: list[tuple[Run, range]] = []
        # What claims asked for on the way, where there are no other workers to be told.
        self._asked: list[tuple[Run, range]] = []
        # Names of the blocks that the claim which waits now needs.
        self._first: Collection[str] = ()
        self._watch: Callable[[Collection[str]], object] = lambda names: None
        self._settled: set[tuple[str, range]] = set()
        self._noted: set[tuple[str, range]] = set()
        self._submitted: dict[Future[TrainedBlock], _Submitted] = {}
        # What training raised, by the name of the block's first run.
        self._failed: dict[str, BaseException] = {}

    def data(self, name: str) -> Dataset:
        """The data set for a name, on the CPU. Raises DataError."""
        # A failed download is not tried again for every claim.
        if name in self._no_data:
            raise self._no_data[name]
        if name not in self._data:
            try:
                self._data[name] = self._load(name)
            except DataError as error:
                self._no_data[name] = error
                raise
        return self._data[name]

    def adapt_classes(self, run: Run) -> Run:
        """The run for data with another number of classes than the claim was written for (images of one's own).

        The network gets as many outputs, and images per class change so that the training set keeps its size.
        Raises NetworkError where it is the data set itself, and the network has another number of classes.
        """
        check_form(run.network)
        data = self.data(run.dataset)
        declared, classes = run.network.classes, data.classes
        if classes == declared:
            return run
        if data.kind != FOLDERS:
            raise NetworkError(
                f"{type(run.network).__name__} has classes={declared}, and the data set {run.dataset!r} has {classes} "
                f"classes. Give the network classes={classes}, or the arm another data set"
            )

        def spread(per_class: int | None) -> int | None:
            return None if per_class is None else math.ceil(per_class * declared / classes)

        recipe = dataclasses.replace(
            run.recipe,
            images_per_class=spread(run.recipe.images_per_class),
            test_images_per_class=spread(run.recipe.test_images_per_class),
        )
        return dataclasses.replace(run, network=dataclasses.replace(run.network, classes=classes), recipe=recipe)

    def key(self, run: Run) -> Key:
        """The key of a run on this data and the executor's kind of device."""
        executor, kind = self._executor, self._executor.device_kind
        fingerprint, width = self.data(run.dataset).fingerprint, seeds_per_block(run, kind)
        engine, capability = version_of(run), executor.capability
        return Key(run, fingerprint, kind, width, engine, executor.tf32, executor.kernels, capability)

    def names(self, run: Run, seeds: Sequence[int]) -> list[str]:
        """The names of the stored runs of these seeds, in the order of seeds; those without one are left out."""
        found = self._store.names(self.key(run), seeds)
        return [found[seed] for seed in seeds if seed in found]

    def expect(self, needed: Iterable[tuple[Run, range]]) -> None:
        """Say what the session will need at least, (run, seeds), in the order in which to train it.

        Where the executor has room for more than the claim that waits needs, and is free to have, it trains from this
        list, and what other workers want of these runs. Said again when more is known, it takes back what was given to
        the executor, has not begun, and is not needed any more.
        """
        self._backlog = list(needed)
        self._known |= {run.canonical: run for run, _ in self._backlog}
        if self._submitted:
            self._take_back_unneeded()

    def watch(self, call: Callable[[Collection[str]], object]) -> None:
        """Have this called while a claim waits, with the names of the blocks that were stored since (missing_blocks).

        Often with none: other sessions may have stored some.
        """
        self._watch = call

    def note_plan(self) -> None:
        """Note what is expected, unless another worker has; loads the data for it. Raises nothing of a run's own."""
        if self._notes and not self._notes.has_plan():
            self.note(self._backlog)

    def want(self, wanted: Iterable[tuple[Run, range]]) -> None:
        """Say what a claim that is still open needs beyond what was expected, so that every free worker helps."""
        wanted = list(wanted)
        if self._wanted:
            self._wanted.add([(run.canonical, seeds) for run, seeds in wanted])
        else:
            self._asked += wanted
        self.note(wanted)

    def forget_wanted(self) -> None:
        """The claim whose turn it was has ended: what it wanted on the way, and it alone, is not trained any more."""
        self._asked, self._first = [], ()

    def results(self, run: Run, seeds: range) -> list[Trained]:
        """Results of these seeds in order, trained now where the store has none.

        Raises TrainingError if they cannot be trained, DataError if there is no data, StoreError if the store fails,
        NotStoredError if results are missing and nothing is to be trained. Whatever it raises, all that was finished is
        stored.
        """
        key = self.key(run)
        blocks = {key.digest(block[0]): block for block in _blocks(key.seeds_per_block, seeds)}
        self._first = blocks.keys()
        # What failed for another claim, or ahead of this one, is tried again: a device may have been short of memory.
        for name in blocks:
            if not isinstance(self._failed.get(name), GivenUpError):
                self._failed.pop(name, None)
        # Read at first, so that a damaged run is met before others are trained, and once all are there.
        found = self._store.get(key, seeds)
        while len(found) < len(seeds):
            if self._only_stored:
                raise NotStoredError(
                    f"not judged: {len(seeds) - len(found)} of {len(seeds)} runs of {run.network} are not stored. The "
                    f"same command without --stored trains them; it needs the images of {run.dataset}"
                )
            for name, block in blocks.items():
                if name in self._failed:
                    if isinstance(self._failed[name], ExecutorLostError):
                        raise self._failed[name]
                    raise TrainingError(run, block, self._executor.device_name, self._failed[name])
            if not self._advance((run, seeds)):
                time.sleep(_POLL_SECONDS)
            if self._store.holds(key, seeds):
                found = self._store.get(key, seeds)
        return [found[seed] for seed in seeds]

    def complete(self, run: Run, seeds: range, readable: Callable[[Trained], object]) -> int:
        """How many of these seeds are stored and can be read, from the first on without a gap.

        readable: raises for a run that has not recorded what is to be read. 0 where they cannot be looked up.
        """
        try:
            key = self.key(self.adapt_classes(run))
            readable(self._store.get(key, seeds[:1])[seeds[0]])
        except StoreError:
            raise
        except Exception:
            return 0  # whatever is wrong with it is for its own claim to meet and report
        return next((place for place, seed in enumerate(seeds) if not self._store.holds(key, [seed])), len(seeds))

    @property
    def device_kind(self) -> str:
        """Of what trains, or trained, all runs that this pool gives: one of DEVICE_KINDS."""
        return self._executor.device_kind

    def devices(self, names: Iterable[str]) -> list[str]:
        """On which devices stored runs of these names were trained, in words, each once."""
        return self._store.devices(names)

    def capabilities(self, names: Iterable[str]) -> list[str]:
        """The instruction sets that stored runs of these names were trained with on CPUs, each once; "" for one that
        is not recorded."""
        return self._store.capabilities(names)

    def missing(self, run: Run, seeds: range) -> list[int]:
        """The seeds that would be trained for these; whole blocks are, so there may be more than asked for."""
        key = self.key(run)
        blocks = [block for block in _blocks(key.seeds_per_block, seeds) if not self._store.holds(key, block)]
        return [seed for block in blocks for seed in block]

    def stored(self, run: Run, seeds: range) -> list[Trained] | None:
        """Results of these seeds in order, None unless the store has all of them."""
        found = self._store.get(self.key(run), seeds)
        return [found[seed] for seed in seeds] if len(found) == len(seeds) else None

    def missing_blocks(self, run: Run, seeds: range) -> set[str]:
        """The names of the blocks that are to be trained for these seeds: of each, the digest of its first key.

        run: as it is declared. Raises DataError.
        """
        key = self.key(self.adapt_classes(run))
        blocks = _blocks(key.seeds_per_block, seeds)
        return {key.digest(block[0]) for block in blocks if not self._store.holds(key, block)}

    def finish(self, others_at_work: Callable[[], bool] = lambda: False) -> None:
        """Train what is left and not in another worker's hands, as long as others may still want more."""
        with contextlib.suppress(StoreError):  # a full disk, say, which the claims report
            while not self._only_stored:
                if self._advance():
                    continue
                if not others_at_work():
                    break
                time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Store what the executor has finished, and take back the rest; raises nothing of either."""
        for future in list(self._submitted):
            future.cancel()
            if future.done():
                with contextlib.suppress(StoreError):
                    self._take_in(future)
        for submitted in self._submitted.values():
            submitted.note.close()
            submitted.lease.release()
        self._submitted.clear()

    def _advance(self, *first: tuple[Run, range]) -> bool:
        """Give the executor what it has room for, what is asked for first, and store what it has finished.

        False if there is nothing of either: what is left is in other workers' hands.
        """
        self._fill(first)
        if not self._submitted:
            self._watch([])  # another session, which has all that is left, may have stored some
            return False
        finished, _ = wait(self._submitted, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        names = [(self._submitted[future].name, self._take_in(future)) for future in finished]
        self._note_begun()
        self._watch([name for name, stored in names if stored])
        return True

    def _fill(self, first: Iterable[tuple[Run, range]]) -> None:
        if self._is_full():
            return
        in_hand = {submitted.name for submitted in self._submitted.values()}
        for run, seeds in itertools.chain(first, self._ahead()):
            key = self.key(run)
            for block in _blocks(key.seeds_per_block, seeds):
                if key.digest(block[0]) in in_hand:
                    continue
                if lease := self._lease(key, block):
                    self.note([(run, seeds)])  # what no one expected is planned from here on
                    self._submit(key, block, lease)
                    if self._is_full():
                        return

    def _is_full(self) -> bool:
        return len(self._submitted) >= self._executor.slots

    def _take_back_unneeded(self) -> None:
        """Take back what has not begun and is on no list any more."""
        needed = set[str]()
        for run, seeds in self._ahead():
            key = self.key(run)
            needed.update(key.digest(block[0]) for block in _blocks(key.seeds_per_block, seeds))
        for future, submitted in list(self._submitted.items()):
            if submitted.name not in needed and submitted.name not in self._first and future.cancel():
                del self._submitted[future]
                submitted.note.close()
                submitted.lease.release()

    def _lease(self, key: Key, block: range) -> Lease | None:
        """The right to train a block; None if it is finished, or someone, this pool included, is training it."""
        if self._store.holds(key, block):
            return None
        lease = self._leases.take(key.digest(block[0]))
        if lease is None:
            return None
        # Looked up again under the lease: its last holder may have finished in between.
        if self._store.holds(key, block):
            lease.release()
            return None
        return lease

    def _submit(self, key: Key, block: range, lease: Lease) -> None:
        note = contextlib.ExitStack()
        try:
            note.enter_context(self._noted_as_training(key.run, block))
            try:
                future = self._executor.submit(key.run, block, self.data(key.run.dataset))
            except Exception as error:
                future = Future()
                future.set_exception(error)
        except BaseException:  # Ctrl-C, where submit trains
            note.close()
            lease.release()
            raise
        begun = future.running() or future.done()
        if not begun:
            note.close()  # it waits for a device
        self._submitted[future] = _Submitted(key, block, lease, note, begun)

    def _note_begun(self) -> None:
        """Note what has begun since it was submitted."""
        for future, submitted in self._submitted.items():
            if not submitted.begun and future.running():
                submitted.begun = True
                submitted.note.enter_context(self._noted_as_training(submitted.key.run, submitted.seeds))

    def _take_in(self, future: Future[TrainedBlock]) -> bool:
        """Store what a finished block gave, or keep what training it raised for its claims; whether it was stored."""
        submitted = self._submitted.pop(future)
        key, seeds = submitted.key, submitted.seeds
        submitted.note.close()
        try:
            if error := _error(future, seeds):
                self._failed[key.digest(seeds[0])] = error
                return False
            block = future.result()
            self._store.put(key, block.results, block.device, at_once=block.at_once)
            return True
        finally:
            submitted.lease.release()

    def _ahead(self) -> Iterator[tuple[Run, range]]:
        """What other claims of the session need that is neither finished nor has failed here."""
        wanted = self._wanted.all() if self._wanted else []
        others = ((self._known[text], n) for text, n in wanted if text in self._known)
        for run, seeds in [*self._asked, *self._backlog, *others]:
            entry = run.canonical, seeds
            if entry in self._settled:
                continue
            try:
                fitted = self.adapt_classes(run)
                key = self.key(fitted)
                names = [key.digest(block[0]) for block in _blocks(key.seeds_per_block, seeds)]
                missing = self.missing(fitted, seeds)
            except StoreError:
                raise
            except Exception:
                # Whatever is wrong with this run is for its own claim to meet and report, not for the one now waiting.
                self._settled.add(entry)
                continue
            if not missing or not self._failed.keys().isdisjoint(names):
                self._settled.add(entry)
            else:
                yield fitted, seeds

    def note(self, needed: Iterable[tuple[Run, range]]) -> None:
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
        # Under a key of another instruction set, where these are mixed.
        self._notes.plan(blocks, lambda block: self._store.holds(block.key, block.seeds))

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


def _error(future: Future[TrainedBlock], seeds: Sequence[int]) -> BaseException | None:
    """What is wrong with a finished block: what training raised, or that the results are of other seeds."""
    if future.cancelled():
        return CancelledError("the executor took it back")
    if error := future.exception():
        return error
    block = future.result()
    if not isinstance(block, TrainedBlock):
        return TypeError(f"the executor gave a {type(block).__name__}; needed: a TrainedBlock")
    given, needed = [result.seed for result in block.results], list(seeds)
    words = f"the executor gave results of seeds {given}; needed: of {needed}, in this order"
    return None if given == needed else ValueError(words)


def _blocks(size: int, seeds: range) -> list[range]:
    """Seeds as whole blocks: a seed always has the same neighbours, so that its result is the same whichever seeds are
    asked for: to the last bit on a CPU, where whole blocks are trained side by side."""
    return [range(start, start + size) for start in range(seeds.start - seeds.start % size, seeds.stop, size)]
