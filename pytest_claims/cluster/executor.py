"""The executor of a session on a Ray cluster; the session's process has one."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_claims.cluster import messages as say
from pytest_claims.cluster import on_node
from pytest_claims.cluster.nodes import ClusterError, Node, cluster_words, versions
from pytest_claims.cluster.shipping import pickler, registered_optimiser, stage
from pytest_claims.data import Dataset
from pytest_claims.runs.executor import ExecutorLostError, GivenUpError, TrainedBlock
from pytest_claims.settings import Settings
from pytest_claims.train.cost import CPU_CORE, DATA_CENTRE_GPU, Speed, cost
from pytest_claims.types import Run

# How to come by Ray, in an error's text.
INSTALL = 'python -m pip install --constraint constraints.txt -e ".[ray]"'

# Seconds that a cluster has to be connected to, and after that its nodes have to answer.
CONNECTING, ANSWERING = 90.0, 120.0
# Seconds without a word of the driver, which speaks every second, after which it counts as hanging.
_SILENCE = 90.0
# Seconds that it has to leave the cluster in the end.
_LEAVING = 2.0
# A try of a block is stuck when it takes so many times as long as a common device of its kind should, and at least half
# an hour. Seconds.
_STUCK, _STUCK_AT_LEAST = 30.0, 1800.0


class OnCluster:
    """Trains on a Ray cluster. See Executor.

    address: "auto", "local" or "ray://HOST:PORT". root: of the session, below which its code is. runs: that its claims
    may ask for. by_value: test modules and conftest.py. limit: seconds that one try of a block may take, by default
    many times what it costs. Raises ClusterError where there is no cluster to train on; nothing was trained then.
    """

    def __init__(
        self,
        address: str,
        settings: Settings,
        root: Path,
        runs: Iterable[Run],
        by_value: Iterable[ModuleType] = (),
        *,
        limit: float | None = None,
    ) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ClusterError(f"--ray {address} needs Ray, which is not installed: {INSTALL}")
        self._gpu, self._limit = settings.device.type == "cuda", limit
        self.device_kind = settings.device.type
        self.tf32, self.kernels = settings.tf32, settings.kernels
        self._numbers = itertools.count()
        self._sent: set[str] = set()
        self._futures: dict[int, Future[TrainedBlock]] = {}
        self._lock, self._gone = threading.Lock(), ""
        self._closing = False
        self._speed: Future[Speed | None] | None = None
        self._slots: int = 0
        self.notices: list[str] = []
        by_value = list(by_value)
        self._pickled = pickler(by_value)
        self._open = contextlib.ExitStack()
        try:
            folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="pytest-claims-ray-")))
            (folder / "code").mkdir()
            stage(folder / "code", root, runs, by_value)
            self._log = folder / "driver.log"
            self._driver, self._session = self._started()
            self.nodes = self._connected(address, folder / "code", settings)
        except BaseException:
            self.close()
            raise
        # The same on all nodes: see nodes.checked.
        self.capability = "" if self._gpu else self.nodes[0].capability
        self.device_name = cluster_words(self.nodes, self._slots, gpu=self._gpu)
        self._reader = threading.Thread(target=self._read, name="cluster", daemon=True)
        self._reader.start()

    @property
    def slots(self) -> int:
        """What the cluster takes at once now, and a quarter more, so that no device waits for this process.

        Not all that there is to train: what an open claim needs next would have to wait for that.
        """
        return self._slots + self._slots // 4 + 1

    @property
    def devices(self) -> int:
        """How many blocks are trained at once now."""
        return self._slots

    def submit(self, run: Run, seeds: Sequence[int], data: Dataset) -> Future[TrainedBlock]:
        """See Executor."""
        number = next(self._numbers)
        future = _Block(self, number)
        if self._gone:
            future.set_exception(ExecutorLostError(self._gone))
            return future
        payload = self._pickled((run, list(seeds), registered_optimiser(run)))
        limit = self._limit or _limit(run, seeds, data, gpu=self._gpu)
        if data.fingerprint not in self._sent:
            self._send(_images(data))
            self._sent.add(data.fingerprint)
        self._futures[number] = future
        self._send(say.Submit(number, payload, data.fingerprint, limit))
        if self._gone:  # since the first line
            self._end(number, None, ExecutorLostError(self._gone))
        return future

    def measured(self) -> Speed | None:
        """The speed of one of its devices, None where it cannot be measured within a minute."""
        self._speed = Future()
        self._send(say.Measure())
        with contextlib.suppress(TimeoutError):
            return self._speed.result(60)
        return None

    def close(self) -> None:
        """Take back what is not finished, and leave the cluster; one that was started for the session ends."""
        self._closing = True
        driver = getattr(self, "_driver", None)
        if driver:
            self._send(say.Close())
            try:
                driver.wait(_LEAVING)
            except subprocess.TimeoutExpired:
                driver.kill()  # its own processes of Ray go with it
                driver.wait()
        self._open.close()

    def take_back(self, number: int) -> None:
        """Have a block taken back that was cancelled."""
        if self._futures.pop(number, None):
            self._send(say.Cancel(number))

    def _started(self) -> tuple[subprocess.Popen[bytes], Connection]:
        """The driver's process. It has a session of its own, so that Ctrl-C reaches this process alone."""
        here, there = multiprocessing.Pipe()
        self._open.callback(here.close)
        descriptor = there.fileno()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from pytest_claims.cluster.driver import main; main({descriptor})"
        )
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "PYTHONUNBUFFERED": "1"}
        with open(self._log, "wb") as log:
            driver = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **quiet},
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        there.close()
        return driver, here

    def _connected(self, address: str, code: Path, settings: Settings) -> list[Node]:
        # A process stays on the GPU that it has once used, so it must see all of them: see on_node.device_index.
        environment = {"RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1"} if self._gpu else {}
        if capability := os.environ.get("ATEN_CPU_CAPABILITY"):
            environment["ATEN_CPU_CAPABILITY"] = capability
        connect = say.Connect(
            address, str(code), environment, versions(), self._gpu, settings.tf32, settings.kernels, ANSWERING
        )
        self._session.send(connect)
        try:
            if not self._session.poll(CONNECTING + ANSWERING):
                raise ClusterError(
                    f"--ray {address}: the cluster did not answer within {CONNECTING + ANSWERING:.0f} s. `ray status` "
                    f"on its head says how it is{self._last_words()}"
                )
            answer = self._session.recv()
        except (EOFError, OSError) as error:
            raise ClusterError(f"--ray {address}: Ray ended without a word{self._last_words()}") from error
        if isinstance(answer, say.Refused):
            raise ClusterError(answer.text)
        self._slots = answer.slots
        return list(answer.nodes)

    def _send(self, message: object) -> None:
        """Tell the driver; where it is gone, the reader finds that out."""
        with contextlib.suppress(OSError), self._lock:
            self._session.send(message)

    def _read(self) -> None:
        """Hear from the driver until it is gone; in a thread of its own."""
        try:
            while True:
                if not self._session.poll(_SILENCE):
                    self._lose(f"Ray has not answered for {_SILENCE:.0f} s")
                    self._driver.kill()
                    return
                self._hear(self._session.recv())
        except (EOFError, OSError):
            self._lose(f"Ray ended the process that was connected{self._last_words()}")
        except Exception as error:  # whatever it is, no claim may wait for a thread that has ended
            self._lose(f"{type(error).__name__}: {error}")

    def _hear(self, message: object) -> None:
        if isinstance(message, say.Alive):
            self._slots = message.slots
            self.notices += message.notices
        elif isinstance(message, say.Began):
            future = self._futures.get(message.number)
            if future:
                _runs(future)
        elif isinstance(message, say.Done):
            self._end(message.number, *_result(message))
        elif isinstance(message, say.GivenUp):
            self._end(message.number, None, GivenUpError(message.text))
        elif isinstance(message, say.Measured):
            if self._speed:
                self._speed.set_result(pickle.loads(message.speed) if message.speed else None)
        elif isinstance(message, say.Lost):
            self._lose(message.text)

    def _end(self, number: int, block: TrainedBlock | None, error: BaseException | None) -> None:
        future = self._futures.pop(number, None)
        if future is None or not _runs(future):
            return
        if block is not None:
            future.set_result(block)
        else:
            future.set_exception(error)

    def _lose(self, why: str) -> None:
        """The cluster is gone: whatever waits for it fails."""
        if self._closing:
            return
        self._gone = self._gone or (
            f"the Ray cluster was lost: {why}. What was finished is stored; the same command trains the rest, on this "
            "cluster when it is back, on another one, or without --ray"
        )
        for number in list(self._futures):
            self._end(number, None, ExecutorLostError(self._gone))

    def _last_words(self) -> str:
        """The end of what the driver wrote, where it wrote anything."""
        with contextlib.suppress(OSError):
            lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return ": " + " / ".join(lines[-3:])[-600:]
        return ""


class _Block(Future[TrainedBlock]):
    """A block's future. Cancelled before it has begun, the cluster does not train it."""

    def __init__(self, executor: OnCluster, number: int) -> None:
        super().__init__()
        self._executor, self._number = executor, number

    def cancel(self) -> bool:
        if not super().cancel():
            return False
        self._executor.take_back(self._number)
        return True


def _runs(future: Future[TrainedBlock]) -> bool:
    """Have a future run if it does not yet; False if it was cancelled, as it may be just before it is taken back."""
    if future.done():
        return False
    with contextlib.suppress(RuntimeError):  # cancelled since, and that was noticed before
        return future.running() or future.set_running_or_notify_cancel()
    return False


def _result(done: say.Done) -> tuple[TrainedBlock | None, BaseException | None]:
    try:
        told: Any = pickle.loads(done.result)
    except Exception as error:
        return None, error
    return (told, None) if done.kind == on_node.TRAINED else (None, told)


def _images(data: Dataset) -> say.Images:
    """A data set for the driver: tensors as arrays, which Ray keeps once a node."""
    tensors = {name: value for name, value in vars(data).items() if hasattr(value, "numpy")}
    facts = {name: value for name, value in vars(data).items() if name not in tensors}
    return say.Images(data.fingerprint, facts, {name: tensor.numpy() for name, tensor in tensors.items()})


def _limit(run: Run, seeds: Sequence[int], data: Dataset, *, gpu: bool) -> float:
    """Seconds after which one try of a block is stuck: many times what it should take on a slow device."""
    speed = DATA_CENTRE_GPU if gpu else CPU_CORE
    try:
        each = speed.seconds(cost(run, len(data.train_labels), len(data.test_labels)), 1)
    except Exception:
        each = 0.0  # a network that does not build, which the node will report
    return max(_STUCK_AT_LEAST, _STUCK * each * len(seeds))
