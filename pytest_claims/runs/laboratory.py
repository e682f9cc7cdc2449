"""A process's laboratory: store, leases, executor and pool, made when the first claim needs them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Sequence

from pytest_claims.data import DataError, Dataset, load, spec_of
from pytest_claims.data.kinds import SAMPLE
from pytest_claims.data.load import as_recorded
from pytest_claims.runs.evidence import store_of
from pytest_claims.runs.executor import Executor, ExecutorError, InProcess, Recorded
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.progress_notes import Notes
from pytest_claims.runs.store import Store
from pytest_claims.runs.wanted import Wanted
from pytest_claims.settings import Settings
from pytest_claims.train.cost import cost
from pytest_claims.types import Arm, Run, Trained


def in_process(settings: Settings, workers: int) -> Executor:
    """The executor of a session that chooses none: each worker process trains on its own device."""
    return InProcess(settings.device, workers, tf32=settings.tf32, kernels=settings.kernels, store=settings.store)


def open_store(settings: Settings, session: str = "", *, read_only: bool = False) -> Store:
    """The session's store. Where nothing is trained it is only read, with the evidence beside it.

    session: the name of what puts runs into it. Raises StoreError, EvidenceError.
    """
    beside = store_of(settings.evidence, settings.store) if settings.evidence else None
    only_read = read_only or settings.only_stored
    return Store(
        settings.store,
        since=settings.since,
        session=session,
        beside=beside,
        mix=settings.mix_capabilities,
        read_only=only_read,
    )


class Laboratory:
    """One a process. worker: its number. workers: how many there are. session: the name that they share.

    needed: the runs and seeds that the session's claims will ask for at least, in any order. make_executor: makes what
    trains, of the settings and the number of workers; called once, and only if a claim or a plan needs it.
    """

    def __init__(
        self,
        settings: Settings,
        worker: int,
        workers: int,
        session: str,
        needed: Sequence[tuple[Run, range]],
        make_executor: Callable[[Settings, int], Executor] = in_process,
    ) -> None:
        self.settings, self._worker, self._workers = settings, worker, workers
        self._session, self._needed, self._make_executor = session, needed, make_executor
        self._open = contextlib.ExitStack()
        self._no_executor: ExecutorError | None = None
        # Where nothing is trained, by kind of device and instruction set.
        self._pools: dict[tuple[str, str], Pool] = {}

    @functools.cached_property
    def executor(self) -> Executor:
        """What trains; making it may raise DeviceError, and ExecutorError once and for all."""
        if self._no_executor:
            raise self._no_executor
        try:
            executor = self._make_executor(self.settings, self._workers)
        except ExecutorError as error:
            self._no_executor = error
            raise
        self._open.callback(executor.close)
        return executor

    @property
    def trains_beside(self) -> bool:
        """Whether the executor was made and trains beside this process, several blocks at once."""
        return self.has_executor and self.executor.slots > 1

    @property
    def has_executor(self) -> bool:
        """Whether the executor was made."""
        return "executor" in self.__dict__

    @functools.cached_property
    def store(self) -> Store:
        """The store, with the evidence beside it where nothing is trained. May raise StoreError and EvidenceError."""
        return self._open.enter_context(contextlib.closing(open_store(self.settings, self._session)))

    def pool_for(self, arms: Collection[Arm], readable: Callable[[Trained], object]) -> Pool:
        """The pool that judges a claim on these arms. readable: raises for a run that lacks what the claim reads.

        Where nothing is trained, that of the kind of device and the instruction set with the most complete seeds: runs
        of several kinds are never mixed in a claim, and a kind that this machine lacks can be judged, too.
        """
        settings = self.settings
        if not settings.only_stored:
            return self.pool
        of = [kind for kind in self._kinds if settings.runs_of in ("", kind[0])]
        kinds = of or [(settings.runs_of or settings.device.type, "")]
        runs = [arm.run(settings.scale) for arm in arms]
        seeds = settings.range_of(settings.looks[-1])

        def complete(pool: Pool) -> tuple[int, int]:
            found = [pool.complete(run, seeds, readable) for run in runs]
            # An arm that decides nothing may be missing everywhere.
            return min(found), sum(found)

        return max(map(self._recorded, kinds), key=complete)

    @functools.cached_property
    def _kinds(self) -> list[tuple[str, str]]:
        """The kinds of device and instruction sets that stored runs were trained on, those of the most runs first, so
        that claims which could be judged on either are judged on one; a session that trains nothing adds none."""
        kinds = self.store.kinds()
        return sorted(kinds, key=lambda kind: (-kinds[kind], kind))

    def _recorded(self, kind: tuple[str, str]) -> Pool:
        """The pool over what is stored of a kind of device and an instruction set."""
        if kind not in self._pools:
            executor = Recorded(*kind, tf32=self.settings.tf32, kernels=self.settings.kernels)
            self._pools[kind] = Pool(self.store, self._leases, executor, self._recorded_data, only_stored=True)
        return self._pools[kind]

    def _recorded_data(self, name: str) -> Dataset:
        """The images if they are on disk, else what stands for them. Raises DataError if no run was made of them."""
        try:
            return load(self.settings.data, name)
        except DataError:
            spec, chosen = spec_of(name), self.settings.data.of(name)
            if chosen.kind == SAMPLE and spec.sample:
                return as_recorded(name, spec.sample.fingerprint)
            known = self.store.beside.fingerprints(name) if self.store.beside else set()
            known = {fingerprint for fingerprint in known if spec.kind_of(fingerprint) == chosen.kind}
            if not known:
                raise DataError(f"no run on {name} is recorded, and its images are not here") from None
            if len(known) > 1:
                raise
            return as_recorded(name, *known)

    @functools.cached_property
    def pool(self) -> Pool:
        """The pool. Making it may raise StoreError, and what making the executor raises."""
        settings = self.settings
        if settings.only_stored:
            return self._recorded((settings.device.type, ""))
        executor, store = self.executor, self.store
        wanted = None
        if self._workers > 1:
            wanted = self._open.enter_context(contextlib.closing(Wanted(settings.store, self._session)))
        self._leases.work(self._session, self._worker)
        pool = Pool(
            store,
            self._leases,
            executor,
            lambda name: load(settings.data, name),
            wanted=wanted,
            notes=Notes(settings.store, self._session, self._worker, settings.since),
        )
        self._open.callback(pool.close)
        # Long runs first: what is begun last should be short, or one worker ends long after the others.
        # (CIFAR's size stands for the data's here; only the order matters.)
        pool.expect(sorted(self._needed, key=lambda needed: length(needed[0]), reverse=True))
        return pool

    @functools.cached_property
    def _leases(self) -> Leases:
        return self._open.enter_context(contextlib.closing(Leases(self.settings.store)))

    def plan(self) -> None:
        """Note what the claims will need before the first of them asks, if any; raises nothing."""
        # What stands in the way (no data, no store) is reported by the claims, which come to it, too.
        with contextlib.suppress(Exception):
            if self._needed:
                self.pool.note_plan()

    def finish(self) -> None:
        """Help with what other workers still have to train, if this one has trained or looked up anything.

        Until none of them has a claim left that may ask for more seeds.
        """
        if "pool" in self.__dict__:
            # A worker that died was replaced under a new number.
            others = [worker for worker in range(2 * self._workers) if worker != self._worker]
            self._leases.rest(self._session, self._worker)
            self.pool.finish(lambda: self._leases.at_work(self._session, others))

    def close(self) -> None:
        """Take back what the executor has not begun, and close all that was opened."""
        self._open.close()


def length(run: Run) -> float:
    """How long a run takes, in FLOPs, to compare it with others: on images as many as CIFAR's."""
    try:
        return cost(run, 50_000, 10_000).flops
    except Exception:
        return 0.0  # a network that does not build is its own claim's error, which training it will show
