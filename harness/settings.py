"""What a session was asked for, resolved and checked once."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path

import torch

from harness.claim import SCALES
from harness.data import NAMED, Choice, choose
from harness.train import device as devices

DEFAULT_STORE = Path(".claims") / "runs.sqlite"
DEFAULT_SEEDS = {"smoke": 3, "documented": 5}
# Where `make data` downloads to and where auto looks, below the repository root.
DATA_HOME = "data"


@dataclasses.dataclass(frozen=True)
class Settings:
    """The resolved options of a session.

    device: of this process. since: stored runs that finished earlier are trained again ("" reuses all).
    prefix, options: of a command that runs a test of this session again: what stands before and after its name.
    enforced: whether verdicts decide the tests: only at a scale that trains by the source's own recipe, and not on
    the stand-in.
    """

    device: torch.device
    scale: str
    data: Choice
    seeds: int
    store: Path
    since: str
    prefix: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def enforced(self) -> bool:
        return self.scale != "smoke" and self.data.kind != "synthetic"

    @property
    def meaning(self) -> str:
        """What this session's verdicts mean, in a sentence."""
        if self.enforced and self.data.kind == "cifar":
            return "verdicts speak of the documented findings: a claim that is not REPRODUCED fails"
        if self.enforced:
            return "verdicts speak of your images, not of CIFAR: a claim that is not REPRODUCED on them fails"
        if self.data.kind == "synthetic":
            return "a rehearsal: on the stand-in, verdicts say nothing about CIFAR, and none of them fails a test"
        return "a rehearsal: recipes are cut short, verdicts say nothing about the findings, and none fails a test"

    def command(self, nodeid: str, seeds: int) -> str:
        """The command that runs one test again under these settings with this many seeds."""
        return " ".join([*self.prefix, shlex.quote(nodeid), f"--scale {self.scale}", f"--seeds {seeds}", *self.options])


def seed_count(text: str) -> int:
    """The type of --seeds: an integer of at least 3."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 3 <= value <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seeds; allowed: 3 to 1000 (below 3 there is no spread to test against)"
        )
    return value


def store_path(text: str) -> Path:
    """The type of --store: a path that is not a folder."""
    path = Path(text).expanduser()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name an SQLite file, e.g. {path / 'runs.sqlite'}")
    return path


def file_to_write(text: str) -> Path:
    """The type of --results: a path in a folder that exists."""
    path = Path(text).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder that exists")
    return path


def resolve(
    *,
    gpu: bool,
    scale: str | None,
    data: str,
    seeds: int | None,
    store: Path | None,
    since: str,
    root: Path,
    worker: int,
) -> Settings:
    """Settings from option values; root: the repository, worker: this process's number.

    Raises DataError for data that is not there, DeviceError for --gpu without one, ValueError for an unknown scale.
    """
    device = devices.choose(gpu, worker)
    scale = scale or ("documented" if gpu else "smoke")
    if scale not in SCALES:
        raise ValueError(f"scale {scale!r}; allowed: {SCALES}")
    # Node ids are relative to the root. Run from elsewhere, the command goes there and names paths in full.
    at_root = Path.cwd().resolve() == root.resolve()
    choice = choose(data, scale, root / DATA_HOME)

    def path(text: str | Path) -> str:
        return shlex.quote(str(text if at_root else Path(text).expanduser().resolve()))

    repeated = ["--gpu"] if gpu else []
    repeated += [f"--data {data if data in NAMED else path(data)}"] if data != "auto" else []
    repeated += [f"--store {path(store)}"] if store else []
    return Settings(
        device=device,
        scale=scale,
        data=choice,
        seeds=seeds or DEFAULT_SEEDS[scale],
        store=store or root / DEFAULT_STORE,
        since=since,
        prefix=("pytest",) if at_root else ("cd", shlex.quote(str(root)), "&&", "pytest"),
        options=tuple(repeated),
    )
