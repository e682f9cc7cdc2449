"""The process that talks to Ray. The session's process starts it, and tells it by messages.py what to train.

Ray retries nothing by itself here. A block whose worker or node is gone is given to Ray again from here, a limited
number of times, so that what is said in the end names the node and the reason of the last try.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import itertools
import os
import pickle
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from pytest_claims.cluster import messages as say
from pytest_claims.cluster import on_node
from pytest_claims.cluster.address import AUTO, LOCAL, host_and_port
from pytest_claims.cluster.nodes import ClusterError, Node, checked, processes_per_gpu, slots_of

# How often a block is given to Ray again when its worker or its node was lost, or when it was stuck.
RETRIES = 2
# So many blocks lost on a node, and none finished, show that it is the node.
_STRIKES = 3
# Seconds between two looks at: what is finished; who has begun; which nodes there are.
_LOOK, _BEGUN, _NODES = 0.02, 0.2, 1.0
# Seconds that the head may be out of reach, as when it is started again, before the cluster counts as lost.
_HEAD = 15.0
# Seconds that a session waits for a cluster without a single device, as when a node is being replaced.
_NO_DEVICE = 300.0
# A resource that the head node has. Whatever else is lost, the board should not be.
_HEAD_NODE = "node:__internal_head__"
# Bytes of images and results that a cluster of one machine keeps in shared memory.
_OBJECT_STORE = 2**30


@dataclasses.dataclass
class _Block:
    """A block that Ray has. attempt: how often one that was lost was given to it before. avoid: the id of the node that
    the last try was lost on, "" for none. excluded: ids of the nodes that it may not run on. serial: of all that are
    given to Ray, by which the board tells them apart. began: time.monotonic(); node: its id, "" before it has begun.
    stuck: it took too long and was taken back."""

    order: say.Submit
    attempt: int = 0
    avoid: str = ""
    excluded: frozenset[str] = frozenset()
    serial: int = 0
    began: float | None = None
    node: str = ""
    stuck: bool = False


class Driver:
    """Of one session and one cluster."""

    def __init__(self, session: Connection) -> None:
        self._session = session
        self._images: dict[str, Any] = {}
        self._blocks: dict[Any, _Block] = {}
        self._refs: dict[int, Any] = {}
        # Ids of nodes by address; what people call a node, by id.
        self._addresses: dict[str, list[str]] = {}
        self._hosts: dict[str, str] = {}
        # Ids of the nodes that train; of those that do not any more, and why; numbers of the blocks that were lost on a
        # node since it finished one.
        self._training: set[str] = set()
        self._left_out: dict[str, str] = {}
        self._strikes: dict[str, set[int]] = {}
        self._serials = itertools.count()
        self._drained: Any = None
        self._ray: Any = None
        self._next = dict.fromkeys(("begun", "nodes"), 0.0)
        self._slots = 0
        self._speaking = threading.Lock()
        self._without_since: float | None = None

    def run(self, connect: say.Connect) -> None:
        """Connect, and train what the session asks for until it closes."""
        self._connect = connect
        try:
            nodes = self._connected()
        except ClusterError as error:
            self._say(say.Refused(str(error)))
            return
        except Exception as error:
            self._say(say.Refused(_why_refused(connect.address, error)))
            return
        self._say(say.Connected(nodes, self._slots))
        try:
            while self._told():
                self._look()
        except Exception as error:
            with contextlib.suppress(OSError):  # where it is the session that is gone
                self._say(say.Lost(f"Ray: {_first_line(error)}"))

    def _notice(self, text: str) -> None:
        """Say at once what happened to the cluster, for whatever comes next may be the end."""
        self._say(say.Alive(self._slots, (text,)))

    def _say(self, message: object) -> None:
        with self._speaking:
            self._session.send(message)

    def _connected(self) -> list[Node]:
        # Typed as Any: its own types stand in the way of tasks that are made of given parts.
        ray: Any = importlib.import_module("ray")
        self._ray, connect = ray, self._connect
        address = connect.address
        where: dict[str, Any] = {"address": address}
        if address == LOCAL:
            where |= {
                "num_cpus": _cores(),
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE,
            }
        else:
            known = _known_address() if address == AUTO else address
            if known:
                _reachable(known)
        where |= {
            "runtime_env": {"working_dir": connect.working_dir, "env_vars": connect.environment},
            "log_to_driver": False,
            "logging_level": "ERROR",
        }
        if address.startswith("ray://"):
            _use_token()
        try:
            ray.init(**where)
        except Exception:
            # With a token only where the cluster wants one: its nodes could not talk to a process that wants one alone.
            if address != AUTO or not _use_token():
                raise
            ray.shutdown()
            ray.init(**where)
        self._head = host_and_port(address if address.startswith("ray://") else ray.get_runtime_context().gcs_address)
        # Before the nodes are asked: it would take a process that has just loaded torch.
        self._new_board = ray.remote(num_cpus=0, resources={_HEAD_NODE: 0.001})(_board()).remote
        self._board = self._new_board()
        nodes = checked(self._asked(), connect.session, gpu=connect.gpu, where=_where(address))
        if not connect.gpu:
            # A node that joins later is held against those that are there now.
            connect.session["capability"] = nodes[0].capability
        self._per_gpu = min(processes_per_gpu(node.gpu_memory) for node in nodes) if connect.gpu else 0
        share = {"num_gpus": 1 / self._per_gpu} if connect.gpu else {}
        # max_calls: a process stays for the next block, with its images and, on a GPU, its context.
        options = {"num_cpus": 1, "max_retries": 0, "max_calls": 0, **share}
        self._train = ray.remote(**options)(_task())
        self._measure = ray.remote(**options)(on_node.measure)
        self._how = {"gpu": connect.gpu, "per_gpu": self._per_gpu, "tf32": connect.tf32, "kernels": connect.kernels}
        self._see_nodes()
        threading.Thread(target=self._watch_head, name="head", daemon=True).start()
        return nodes

    def _asked(self) -> list[Node]:
        """Every node of the cluster that Ray says is alive, as it describes itself. Raises ClusterError."""
        ray, patience = self._ray, self._connect.patience
        ask = ray.remote(num_cpus=0, max_retries=2)(_description())
        asked = {}
        for node in ray.nodes():
            if node["Alive"]:
                known = Node(
                    node["NodeID"],
                    _host(node),
                    int(node["Resources"].get("CPU", 0)),
                    int(node["Resources"].get("GPU", 0)),
                )
                if known.cpus or known.gpus:
                    place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(known.id, soft=False)
                    asked[ask.options(scheduling_strategy=place).remote(gpu=self._connect.gpu)] = known
        ready, late = ray.wait(list(asked), num_returns=len(asked), timeout=patience) if asked else ([], [])
        if late:
            words = ", ".join(asked[ref].words for ref in late)
            raise ClusterError(
                f"{words} did not answer within {patience:.0f} s. Is it overloaded, or does its Python lack something? "
                "The logs in /tmp/ray/session_latest/logs there say more; `ray stop` takes it out of the cluster"
            )
        found = []
        for ref in ready:
            try:
                found.append(dataclasses.replace(asked[ref], **ray.get(ref)))
            except Exception as error:
                raise ClusterError(f"{asked[ref].words} cannot run a task: {_first_line(error)}") from error
        return sorted(found, key=lambda node: node.host)

    def _told(self) -> bool:
        """Do what the session says, for a moment; False once it has closed, or is gone."""
        wait = _LOOK
        while True:
            # Around nothing else: what Ray raises may be an OSError, too.
            try:
                if not self._session.poll(wait):
                    return True
                message = self._session.recv()
            except (EOFError, OSError):
                return False
            wait = 0.0
            if isinstance(message, say.Close):
                return False
            if isinstance(message, say.Images):
                self._images[message.fingerprint] = self._ray.put((message.facts, message.arrays))
            elif isinstance(message, say.Submit):
                self._give(_Block(message))
            elif isinstance(message, say.Cancel):
                self._take_back(message.number)
            elif isinstance(message, say.Measure):
                self._say(say.Measured(self._measured()))

    def _give(self, block: _Block) -> None:
        """Give a block to Ray."""
        without = set(self._left_out)
        if block.avoid and self._training - without - {block.avoid}:
            without.add(block.avoid)
        options = {"label_selector": {"ray.io/node-id": f"!in({','.join(sorted(without))})"}} if without else {}
        block.excluded, block.serial = frozenset(without), next(self._serials)
        order = block.order
        # In a list, images are fetched by the task itself, which says on which node that failed.
        images = [self._images[order.fingerprint]]
        ref = self._train.options(**options).remote(
            self._board, (order.number, block.serial), order.payload, images, self._connect.session, self._how
        )
        self._blocks[ref], self._refs[order.number] = block, ref

    def _give_stranded(self) -> None:
        """Give those blocks again that may run on none of the nodes that are left, for Ray would wait for others."""
        left = self._training - set(self._left_out)
        for block in list(self._blocks.values()):
            if block.began is None and left and left <= block.excluded:
                self._take_back(block.order.number)
                self._give(dataclasses.replace(block, avoid=""))

    def _take_back(self, number: int) -> None:
        ref = self._refs.pop(number, None)
        if ref is not None:
            del self._blocks[ref]
            self._ray.cancel(ref, force=True)

    def _measured(self) -> Any:
        ref = self._measure.remote(**self._how)
        with contextlib.suppress(Exception):
            return self._ray.get(ref, timeout=60)
        self._ray.cancel(ref, force=True)
        return None

    def _look(self) -> None:
        """Pass on what is new."""
        now = time.monotonic()
        if now >= self._next["begun"]:
            self._next["begun"] = now + _BEGUN
            self._see_begun(now)
        if self._blocks:
            refs = list(self._blocks)
            ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0, fetch_local=False)
            for ref in ready:
                self._finish(ref)
        for ref, block in self._blocks.items():
            if block.began is not None and not block.stuck and now - block.began > block.order.limit:
                block.stuck = True
                self._ray.cancel(ref, force=True)
        if now >= self._next["nodes"]:
            self._next["nodes"] = now + _NODES
            self._see_nodes()
            self._give_stranded()
            self._say(say.Alive(self._slots))

    def _finish(self, ref: Any) -> None:
        """Pass on a block that is finished; give it to Ray again, or give it up, where it was lost."""
        block = self._blocks.pop(ref)
        number = block.order.number
        del self._refs[number]
        try:
            node, kind, result = self._ray.get(ref)
        except Exception as error:
            # Of a task that did not come to its first line only the address of its node is known.
            there = self._addresses.get(getattr(error, "ip", ""), [])
            block.node = block.node or (there[0] if len(there) == 1 else "")
            self._lost(block, self._reason(error, block))
            return
        if kind == on_node.UNFIT:
            # It joined the cluster after the session had looked at all nodes.
            self._leave_out(node, pickle.loads(result))
            self._give(dataclasses.replace(block, began=None, node=""))
        elif kind == on_node.LOST:
            block.node = node
            self._lost(block, f"on {self._node(node)}: {pickle.loads(result)}")
        else:
            if kind == on_node.TRAINED:
                self._strikes.pop(node, None)
            self._say(say.Done(number, kind, result))

    def _leave_out(self, node: str, why: str) -> None:
        """Train no more on a node."""
        if node not in self._left_out:
            self._left_out[node] = why
            self._notice(f"{self._node(node)} is left out: {why}")
            self._see_nodes()
            if not self._slots:
                raise RuntimeError(f"no node is left to train on; the last one, {self._node(node)}, is left out: {why}")

    def _lost(self, block: _Block, reason: str) -> None:
        if block.node:
            self._strikes.setdefault(block.node, set()).add(block.order.number)
            # A node that ends all it is given at once would be given all there is. It is not the blocks' fault then.
            if len(self._strikes[block.node]) >= _STRIKES and self._training - set(self._left_out) - {block.node}:
                self._leave_out(block.node, f"{_STRIKES} blocks in a row were lost there; the last one: {reason}")
        if block.attempt < RETRIES:
            self._notice(f"a block is trained again: {reason}")
            self._give(_Block(block.order, block.attempt + 1, block.node))
        else:
            times = f"given up after {RETRIES + 1} tries; the last one: {reason}"
            self._say(say.GivenUp(block.order.number, times))

    def _reason(self, error: Exception, block: _Block) -> str:
        """Why a try came to nothing, and where."""
        errors = self._ray.exceptions
        where = f" on {self._node(block.node)}" if block.node else ""
        if block.stuck:
            return f"no result within {block.order.limit:.0f} s{where}, many times what such a block takes"
        if isinstance(error, errors.NodeDiedError):
            return f"the node was lost{where}"
        if isinstance(error, errors.OutOfMemoryError):
            return f"the node ran out of memory{where}"
        if isinstance(error, errors.WorkerCrashedError):
            return f"the process that trained it was killed or crashed{where}"
        return f"{type(error).__name__}{where}: {_first_line(getattr(error, 'cause', None) or error)}"

    def _see_begun(self, now: float) -> None:
        """Hear from the board which blocks are being trained."""
        if self._drained is None:
            if self._blocks:
                self._drained = self._board.drain.remote()
            return
        ready, _ = self._ray.wait([self._drained], timeout=0)
        if not ready:
            return
        ref, self._drained = self._drained, None
        try:
            begun = self._ray.get(ref)
        except self._ray.exceptions.ActorDiedError:
            # What was written on it is lost. Blocks that are given from here on have the new one.
            self._board = self._new_board()
            return
        except self._ray.exceptions.RayError:
            return  # out of reach for a moment
        for (number, serial), node in begun:
            block = self._blocks.get(self._refs.get(number))
            if block and block.serial == serial:  # not one that was lost since
                if block.began is None:
                    self._say(say.Began(number))
                block.began, block.node = now, node

    def _see_nodes(self) -> None:
        """Count what the cluster can train at once now."""
        slots = {}
        self._addresses = {}
        for node in self._ray.nodes():
            if node["Alive"]:
                self._addresses.setdefault(node["NodeManagerAddress"], []).append(node["NodeID"])
                self._hosts.setdefault(node["NodeID"], _host(node))
            if node["Alive"] and node["NodeID"] not in self._left_out:
                has = node["Resources"]
                slots[node["NodeID"]] = slots_of(has.get("CPU", 0), has.get("GPU", 0), self._per_gpu)
        self._training = {node for node, count in slots.items() if count}
        self._slots = sum(slots.values())
        now = time.monotonic()
        if self._slots:
            self._without_since = None
        elif self._without_since is None:
            self._without_since = now
        elif now - self._without_since > _NO_DEVICE:
            raise RuntimeError(f"no node that can train has been in the cluster for {_NO_DEVICE:.0f} s")

    def _watch_head(self) -> None:
        """End this process where the head node is out of reach for too long; in a thread of its own.

        Ray's own calls wait for a lost head, for a minute and more.
        """
        reached = time.monotonic()
        while True:
            time.sleep(_NODES)
            try:
                socket.create_connection(self._head, timeout=3).close()
                reached = time.monotonic()
            except OSError as error:
                if time.monotonic() - reached >= _HEAD:
                    host, port = self._head
                    with contextlib.suppress(OSError):
                        self._say(say.Lost(f"its head node, {host}:{port}, is out of reach ({error})"))
                    os._exit(1)

    def _node(self, id: str) -> str:
        return f"node {self._hosts.get(id, id[:8])}"


def _task() -> Callable[..., Any]:
    """The task, which travels as code: so it runs where nothing of ours can be imported, and says so."""
    unfit, lost = on_node.UNFIT, on_node.LOST

    def train_block(
        board: Any,
        which: tuple[int, int],
        payload: bytes,
        images: list[Any],
        session: dict[str, str],
        how: dict[str, Any],
    ) -> tuple[str, str, bytes]:
        import pickle

        import ray

        node = ray.get_runtime_context().get_node_id()

        def began() -> None:
            board.began.remote(which, node)

        try:
            from pytest_claims.cluster.on_node import train_block
        except Exception as error:
            return node, unfit, pickle.dumps(f"{type(error).__name__}: {error}".splitlines()[0])
        # Images may be out of reach for a moment only: the node is fit, and the try is lost.
        try:
            fetched = ray.get(images[0])
        except Exception as error:
            return node, lost, pickle.dumps(f"its images: {type(error).__name__}: {error}".splitlines()[0])
        return node, *train_block(began, payload, fetched, session, **how)

    return train_block


def _board() -> type:
    """An actor on which workers write what they have begun, until the driver reads it."""

    class Board:
        def __init__(self) -> None:
            self._begun: list[tuple[tuple[int, int], str]] = []

        def began(self, which: tuple[int, int], node: str) -> None:
            self._begun.append((which, node))

        def drain(self) -> list[tuple[tuple[int, int], str]]:
            begun, self._begun = self._begun, []
            return begun

    return Board


def _description() -> Callable[..., dict[str, Any]]:
    """A task by which a node describes itself: fields of Node. It travels as code, and needs nothing of ours."""

    def describe(*, gpu: bool) -> dict[str, Any]:
        import platform

        found: dict[str, Any] = {"python": platform.python_version()}
        try:
            import numpy
            import psutil  # noqa: F401
            import torch

            found |= {"torch": torch.__version__, "numpy": numpy.__version__}
            found["capability"] = torch.backends.cpu.get_cpu_capability()
            if gpu and torch.cuda.is_available():
                about = torch.cuda.get_device_properties(0)
                found |= {"gpu": about.name, "gpu_memory": about.total_memory}
            import pytest_claims.runs.executor  # noqa: F401
            from pytest_claims.train.device import processor

            found["processor"] = processor()
        except Exception as error:
            found["missing"] = f"{type(error).__name__}: {error}"
        return found

    return describe


def _cores() -> int:
    """Cores of this machine that a session may use, as -n auto counts them."""
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or usable, usable))


def _host(node: dict[str, Any]) -> str:
    """A node's name for people: its host's, with its address where they differ."""
    name, address = node.get("NodeManagerHostname", ""), node.get("NodeManagerAddress", "")
    return f"{name} ({address})" if name and name != address else address


def _where(address: str) -> str:
    return {AUTO: "the cluster", LOCAL: "this machine"}.get(address, f"the cluster at {address}")


def _known_address() -> str:
    """Where the cluster is that this machine is a node of, as Ray finds it; "" where it says none."""
    with contextlib.suppress(Exception):
        services = importlib.import_module("ray._private.services")
        found: str = services.canonicalize_bootstrap_address_or_die(AUTO)
        if re.fullmatch(r"[^/]+:\d+", found):
            return found
    return ""


def _reachable(address: str) -> None:
    """Raise ClusterError where nothing listens; Ray itself would try for a minute and more."""
    host, port = host_and_port(address)
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError as error:
        way = (
            f"Start its head with `ray start --head --ray-client-server-port={port}`, or correct the address; a "
            "firewall may be in between"
            if address.startswith("ray://")
            else "Ray takes the address from the variable RAY_ADDRESS, or from the last `ray start` here, whose "
            "cluster is gone: `ray stop`, then start or join one"
        )
        raise ClusterError(f"no Ray cluster at {address}: {error}. {way}") from error


def _use_token() -> bool:
    """Show the cluster this machine's token; False if it has none.

    Ray itself does so only for a cluster that it starts.
    """
    with contextlib.suppress(ImportError, AttributeError):
        setup = importlib.import_module("ray._private.authentication.authentication_token_setup")
        return bool(setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False))
    return False


def _why_refused(address: str, error: Exception) -> str:
    """What kept Ray from connecting, and the way out."""
    text = str(error)
    if "ersion mismatch" in text or "different version" in text.lower():
        words = " ".join(text.split())
        return (
            f"the cluster and this session must have the same Ray and the same Python: {words}. Install the cluster's "
            "versions here, or these there (constraints.txt pins Ray)"
        )
    token = (
        ". If the cluster asks for a token, have it here: `ray get-auth-token` on its head shows it, and the variable "
        "RAY_AUTH_TOKEN takes it"
    )
    if isinstance(error, ConnectionError) and address == AUTO:
        return (
            "--ray auto: this machine is no node of a running Ray cluster, or cannot connect to it "
            f"({_first_line(error)}). Start one with `ray start --head`, join one with `ray start "
            "--address=HEAD:6379`, give its address (--ray ray://HOST:10001), or let --ray local start one for this "
            f"session{token}"
        )
    if not address.startswith("ray://") and "uthenticat" not in text:
        token = ""
    return f"no session on {_where(address)}: {type(error).__name__}: {_first_line(error)}{token}"


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def main(descriptor: int) -> None:
    """Serve the session at the other end of a pipe, until it closes."""
    session = Connection(descriptor)
    # Relative paths of the session mean nothing here.
    os.chdir(tempfile.gettempdir())
    driver = Driver(session)
    try:
        with contextlib.suppress(EOFError):
            driver.run(session.recv())
    finally:
        with contextlib.suppress(Exception):
            session.close()
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()
