"""What the session's process and the driver of the cluster say to one another, through a pipe, pickled."""

from __future__ import annotations

import dataclasses
from typing import Any

from pytest_claims.cluster.nodes import Node


@dataclasses.dataclass(frozen=True)
class Connect:
    """The first thing that the driver is told. address: as --ray has it. working_dir: what travels to the nodes.

    environment: variables of the workers there. session: versions that the nodes must have. gpu, tf32, kernels: as the
    session's settings. patience: seconds that the nodes have to answer.
    """

    address: str
    working_dir: str
    environment: dict[str, str]
    session: dict[str, str]
    gpu: bool
    tf32: bool
    kernels: str
    patience: float


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set's arrays and facts, by fingerprint; sent before the first block that is trained on it."""

    fingerprint: str
    facts: dict[str, Any]
    arrays: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Submit:
    """Train a block. number: its name in other messages. payload: what on_node.train_block takes, pickled by
    cloudpickle. fingerprint: of its images. limit: seconds after which a try of it counts as stuck."""

    number: int
    payload: bytes
    fingerprint: str
    limit: float


@dataclasses.dataclass(frozen=True)
class Cancel:
    """Take a block back, whether it has begun or not."""

    number: int


@dataclasses.dataclass(frozen=True)
class Measure:
    """Measure the speed of one of the cluster's devices."""


@dataclasses.dataclass(frozen=True)
class Close:
    """Take back all that is not finished, and leave the cluster."""


@dataclasses.dataclass(frozen=True)
class Connected:
    """The nodes that the session trains on, and how many blocks they take at once."""

    nodes: list[Node]
    slots: int


@dataclasses.dataclass(frozen=True)
class Refused:
    """There is no cluster to train on; why, for people."""

    text: str


@dataclasses.dataclass(frozen=True)
class Alive:
    """Sent every second or two: how many blocks the cluster takes at once now, and what was left out or lost since."""

    slots: int
    notices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Began:
    """A block is being trained now."""

    number: int


@dataclasses.dataclass(frozen=True)
class Done:
    """A block is finished. kind, result: what on_node.train_block returned."""

    number: int
    kind: str
    result: bytes


@dataclasses.dataclass(frozen=True)
class GivenUp:
    """A block was tried as often as it may be; why it came to nothing, with the node, for people."""

    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class Measured:
    """Of one device: a pytest_claims.train.cost.Speed, pickled, or None where it could not be measured."""

    speed: bytes | None


@dataclasses.dataclass(frozen=True)
class Lost:
    """The cluster is gone, and with it all that was not finished; why, for people."""

    text: str
