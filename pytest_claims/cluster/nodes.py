"""What a cluster's nodes are, and whether a session can train on them."""

from __future__ import annotations

import dataclasses
import math
import platform
from collections.abc import Iterable, Sequence

from pytest_claims.errors import ExplainedError

# Processes that share a GPU: as many as `-n 4 --gpu` has, fewer on a card with less memory for each.
PER_GPU = 4
_MEMORY_OF_A_PROCESS = 16e9


class ClusterError(ExplainedError):
    """A session cannot train on the cluster that it was given; the text says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A node as it was found. id: Ray's. host: its name or address, for people. cpus, gpus: that Ray may give.

    python, torch, numpy: versions; "" for what cannot be imported there, and missing says why. capability: of the CPU,
    the vector instructions that torch uses. processor: CPU in words. gpu: model, "" for none; gpu_memory: of one,
    bytes.
    """

    id: str
    host: str
    cpus: int
    gpus: int
    python: str = ""
    torch: str = ""
    numpy: str = ""
    missing: str = ""
    capability: str = ""
    processor: str = ""
    gpu: str = ""
    gpu_memory: int = 0

    @property
    def words(self) -> str:
        return f"node {self.host}"


def versions() -> dict[str, str]:
    """Of this process, by name: those that decide results, so that they must be the same everywhere."""
    import numpy
    import torch  # which the driver does without

    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}


def same_version(one: str, other: str) -> bool:
    """Whether two versions are equal but for the build: a laptop's "2.13.0+cpu" may lead nodes with "2.13.0+cu130"."""
    return one.split("+")[0] == other.split("+")[0]


def differences(node: dict[str, str], session: dict[str, str]) -> str:
    """Which versions of a node are others than the session's, in words; "" for none. What a node lacks is none."""
    named = {"python": "Python", "torch": "torch", "numpy": "numpy"}
    return ", ".join(
        f"{words} {node[name]} instead of {session[name]}"
        for name, words in named.items()
        if node[name] and not same_version(node[name], session[name])
    )


def processes_per_gpu(memory: int) -> int:
    """How many processes share a GPU with so many bytes."""
    return max(1, min(PER_GPU, int(memory // _MEMORY_OF_A_PROCESS)))


def slots_of(cpus: float, gpus: float, per_gpu: int) -> int:
    """How many blocks a node trains at once. per_gpu: processes that share a GPU, 0 for a session on CPUs."""
    return min(math.floor(cpus), math.floor(gpus) * per_gpu) if per_gpu else math.floor(cpus)


def checked(nodes: Sequence[Node], session: dict[str, str], *, gpu: bool, where: str) -> list[Node]:
    """The nodes that this session trains on: all that have a CPU, or with gpu, a GPU.

    session: its versions. where: the cluster, in words. Raises ClusterError, before anything is trained, if there is
    none, or if one of them would give other results than the session's versions do.
    """
    having = [node for node in nodes if slots_of(node.cpus, node.gpus, PER_GPU if gpu else 0)]
    if gpu and not having:
        raise ClusterError(
            f"--gpu needs a GPU in the cluster, and {where} has none that Ray knows of ({_inventory(nodes)}). Leave "
            "--gpu out to train on its CPUs, or start a node with one: ray start --address=HEAD:6379 --num-gpus=1"
        )
    if not having:
        raise ClusterError(
            f"{where} has no CPU to train on ({_inventory(nodes)}). Add a node: ray start --address=HEAD:6379"
        )
    wrong = [
        f"{node.words}: {why}"
        for node in having
        if (why := differences({name: getattr(node, name) for name in session}, session) or node.missing)
    ]
    if wrong:
        needed = f"Python {session['python']}, torch {session['torch'].split('+')[0]}, numpy {session['numpy']}"
        raise ClusterError(
            f"the nodes must have this session's versions, for results depend on them ({needed}). Not so: "
            f"{'; '.join(wrong)}. Install these versions there (constraints.txt pins them), or start the session with "
            "theirs"
        )
    without = [node.words for node in having if gpu and not node.gpu]
    if without:
        raise ClusterError(
            f"--gpu: Ray counts a GPU on {', '.join(without)}, and torch finds none there. Install a CUDA build of "
            "torch on it and check that nvidia-smi lists the GPU"
        )
    capabilities = {node.capability for node in having}
    if not gpu and len(capabilities) > 1:
        found = "; ".join(f"{node.words}: {node.capability}" for node in having)
        raise ClusterError(
            "the nodes' CPUs compute with different vector instructions, so that the last bits of results differ "
            f"({found}). Have all of them use the same: ATEN_CPU_CAPABILITY=avx2 pytest ... (it travels to the nodes), "
            "or leave the others out of the cluster"
        )
    return having


def cluster_words(nodes: Sequence[Node], slots: int, *, gpu: bool) -> str:
    """The cluster for people: "2 nodes, 16 CPUs (Intel(R) Xeon(R) Processor, AVX512)"."""
    many = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    if gpu:
        gpus = sum(node.gpus for node in nodes)
        models = ", ".join(_each(node.gpu for node in nodes))
        devices = f"{gpus} {'GPU' if gpus == 1 else 'GPUs'} ({models}), {slots} blocks at once"
    else:
        models = ", ".join(_each(f"{node.processor}, {node.capability}" for node in nodes))
        devices = f"{slots} {'CPU' if slots == 1 else 'CPUs'} ({models})"
    return f"{many}, {devices}"


def _inventory(nodes: Sequence[Node]) -> str:
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    return f"{len(nodes)} nodes, {cpus} CPUs, {gpus} GPUs"


def _each(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
