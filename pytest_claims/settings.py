"""What a session was asked for, resolved and checked once."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
from pathlib import Path

import torch

from pytest_claims.data import NAMED, Choice, choose
from pytest_claims.ledger.entries import FOLDER
from pytest_claims.stats import LOOKS
from pytest_claims.train import device as devices
from pytest_claims.types import SCALES

DEFAULT_STORE = Path(".claims") / "runs.sqlite"
# A rehearsal, and a placebo, take a fixed number of seeds; otherwise seeds are added until a verdict stands.
REHEARSED_SEEDS = 3
PLACEBO_SEEDS = 5
# Seeds from here on choose settings and judge nothing; --first-seed ends below.
TUNING_SEED = 2_000_000
# Images whose verdicts are worth recording for others.
KINDS = ("cifar", "synthetic")
# Where `make data` downloads to and where auto looks, below the repository root.
DATA_HOME = "data"


class SettingsError(Exception):
    """Options that contradict one another; the text names them and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The resolved options of a session.

    device: of this process. tf32: whether it rounds the operands of float32 products. looks: the numbers of seeds
    at which a claim is looked at until a verdict stands; one look is a fixed number of seeds. planned: all looks
    among which the error rate is divided, of which looks are the first. first_seed: the seeds of a look are
    first_seed, first_seed + 1, ... placebo: every arm of a claim is its first one, on seeds of its own. ledger:
    where verdicts at this scale on these images are recorded; None for images of one's own and for a placebo.
    since: stored runs that finished earlier are trained again ("" reuses all). only_stored: train nothing, and
    judge what can be.
    prefix, options: of a command that runs a test of this session again: what stands before and after its name.
    enforced: whether verdicts decide the tests: not in a rehearsal, on synthetic images or in a placebo.
    """

    device: torch.device
    tf32: bool
    scale: str
    data: Choice
    looks: tuple[int, ...]
    planned: tuple[int, ...]
    first_seed: int
    placebo: bool
    store: Path
    ledger: Path | None
    since: str
    only_stored: bool
    prefix: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def enforced(self) -> bool:
        return self.scale != "rehearsal" and self.data.kind != "synthetic" and not self.placebo

    @property
    def device_words(self) -> str:
        """The device, and how it multiplies where that is not as recipes say."""
        return devices.describe(self.device) + (", float32 products in TF32" if self.tf32 else "")

    @property
    def seeds(self) -> str:
        """How many seeds, in words."""
        first = f", from seed {self.first_seed} on" if self.first_seed else ""
        if len(self.planned) == 1:
            return f"{self.looks[0]} seeds{first}"
        *some, last = map(str, self.looks)
        looks = f"{', '.join(some)} or {last}" if some else last
        return f"{looks} seeds, until a verdict stands{first}" if some else f"{looks} seeds (the first look){first}"

    def range_of(self, n: int) -> range:
        """The seeds of a look at n of them."""
        return range(self.first_seed, self.first_seed + n)

    @property
    def tuning(self) -> range:
        """The seeds that choose settings, and of which no verdict sees a run."""
        return range(TUNING_SEED, TUNING_SEED + self.looks[0])

    @property
    def meaning(self) -> str:
        """What this session's verdicts mean, in a sentence."""
        if self.placebo:
            return "a placebo: all arms of a claim are the same network on other seeds, so there is no effect to find"
        if self.enforced and self.data.kind == "cifar":
            return "they speak of the documented findings: a claim that is not REPRODUCED fails"
        if self.enforced:
            return "they speak of your images, not of CIFAR: a claim that is not REPRODUCED on them fails"
        if self.data.kind == "synthetic":
            return "a rehearsal: on synthetic images, verdicts say nothing about CIFAR and fail no test by themselves"
        return (
            "a rehearsal: recipes are cut short, verdicts say nothing about the findings and fail no test by themselves"
        )

    def look_on(self, nodeid: str, n: int) -> str:
        """The command that looks at one test's claim at n seeds, a planned look that was not taken."""
        return self._command(nodeid, f"--max-seeds {n}", self.first_seed)

    def replicate(self, nodeid: str, n: int) -> str:
        """The command that judges one test's claim on n seeds of which this session's looks have seen none.

        Seeds that a verdict was already read from would bring it along: looking again at more of them needs looks that
        were planned.
        """
        return self._command(nodeid, f"--seeds {n}", self.first_seed + self.looks[-1])

    def _command(self, nodeid: str, seeds: str, first: int) -> str:
        start = [f"--first-seed {first}"] if first else []
        return " ".join([*self.prefix, shlex.quote(nodeid), f"--scale {self.scale}", seeds, *start, *self.options])


def seed_count(text: str) -> int:
    """The type of --seeds: an integer from 3 to 1000."""
    value = _integer(text)
    if not 3 <= value <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seeds; allowed: 3 to 1000 (below 3 there is no spread to test against)"
        )
    return value


def most_seeds(text: str) -> int:
    """The type of --max-seeds: an integer that at least the first of the planned looks does not exceed."""
    value = _integer(text)
    if not LOOKS[0] <= value <= LOOKS[-1]:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a cap on the looks at {', '.join(map(str, LOOKS))} seeds; allowed: {LOOKS[0]} to "
            f"{LOOKS[-1]} (for another number of seeds fix it: --seeds N)"
        )
    return value


def seed_number(text: str) -> int:
    """The type of --first-seed: an integer of at least 0."""
    value = _integer(text)
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; allowed: 0 to 1000000")
    return value


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


def store_path(text: str) -> Path:
    """The type of --store: a path that is not a folder."""
    path = Path(text).expanduser()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name an SQLite file, e.g. {path / 'runs.sqlite'}")
    return path


def file_to_write(text: str) -> Path:
    """The type of --results and --claims-json: a path in a folder that exists."""
    path = Path(text).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; name a file in a folder that exists")
    return path


def folder_to_write(text: str) -> Path:
    """The type of --claims-html: a folder, or one that can be made."""
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name a folder, which is made if need be")
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot be made: nothing may be written in {there}; name another folder"
        )
    return path


def resolve(
    *,
    gpu: bool,
    tf32: bool,
    scale: str | None,
    data: str,
    seeds: int | None,
    max_seeds: int | None,
    first_seed: int,
    placebo: bool,
    store: Path | None,
    since: str,
    only_stored: bool,
    root: Path,
    worker: int,
) -> Settings:
    """Settings from option values; root: the repository, worker: this process's number.

    Raises DataError for data that is not there, DeviceError for --gpu without one, SettingsError for options that
    exclude each other, ValueError for an unknown scale.
    """
    if tf32 and not gpu:
        raise SettingsError("--tf32 changes how CUDA devices multiply; a CPU has no TF32. Add --gpu or leave it out")
    device = devices.choose(gpu, worker)
    scale = scale or ("documented" if gpu else "rehearsal")
    if scale not in SCALES:
        raise ValueError(f"scale {scale!r}; allowed: {SCALES}")
    if only_stored and since:
        raise SettingsError("--stored trains nothing, and --fresh trains all again: give one of them")
    stored = store or root / DEFAULT_STORE
    if only_stored and not stored.exists():
        raise SettingsError(
            f"--stored: there is no store at {stored}. Run the same command without --stored first, which trains "
            "what is missing, or name another --store"
        )
    if max_seeds and (seeds or placebo):
        raise SettingsError(
            f"--max-seeds {max_seeds} caps the looks at a growing number of seeds, and "
            f"{'--placebo takes' if placebo else '--seeds fixes'} one number: give one of them"
        )
    if seeds or placebo or (scale == "rehearsal" and not max_seeds):
        looks = planned = (seeds or (PLACEBO_SEEDS if placebo else REHEARSED_SEEDS),)
    else:
        planned = LOOKS
        looks = tuple(look for look in LOOKS if look <= (max_seeds or LOOKS[-1]))
    # Node ids are relative to the root. Run from elsewhere, the command goes there and names paths in full.
    at_root = Path.cwd().resolve() == root.resolve()
    choice = choose(data, scale, root / DATA_HOME)
    if only_stored:
        choice = choice.offline  # images that are not here have no stored runs either

    def path(text: str | Path) -> str:
        return shlex.quote(str(text if at_root else Path(text).expanduser().resolve()))

    repeated = ["--gpu"] if gpu else []
    repeated += ["--tf32"] if tf32 else []
    repeated += [f"--data {data if data in NAMED else path(data)}"] if data != "auto" else []
    repeated += [f"--store {path(store)}"] if store else []
    return Settings(
        device=device,
        tf32=tf32,
        scale=scale,
        data=choice,
        looks=looks,
        planned=planned,
        first_seed=first_seed,
        placebo=placebo,
        store=stored,
        ledger=root / FOLDER / f"{scale}-{choice.kind}.json" if choice.kind in KINDS and not placebo else None,
        since=since,
        only_stored=only_stored,
        prefix=("pytest",) if at_root else ("cd", shlex.quote(str(root)), "&&", "pytest"),
        options=tuple(repeated),
    )
