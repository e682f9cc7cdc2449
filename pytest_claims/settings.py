"""What a session was asked for: values, checked by plugin/resolution.py and put into words by report/facts.py."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import torch

from pytest_claims.data import Choice
from pytest_claims.data.kinds import are_real, are_whole

# Seeds from here on choose settings and judge nothing; --first-seed ends below.
TUNING_SEED = 2_000_000
# Where `make data` downloads to and where auto looks, below the repository root.
DATA_HOME = "data"


@dataclasses.dataclass(frozen=True)
class TrainedOn:
    """What the runs of a claim were: device_kind: torch.device.type. data_kind: of the images (data/kinds.py)."""

    device_kind: str
    data_kind: str


@dataclasses.dataclass(frozen=True)
class Settings:
    """The resolved options of a session.

    device: of this process, or of the kind that a cluster has. ray: the address of the Ray cluster that trains, "" for
    this machine's own processes. tf32: whether it rounds the operands of float32 products. kernels: what
    computes its convolutions and batch norms (pytest_claims.stacked.kernels). looks: the numbers of seeds
    at which a claim is looked at until a verdict stands; one look is a fixed number of seeds. planned: all looks
    among which the error rate is divided, of which looks are the first. first_seed: the seeds of a look are
    first_seed, first_seed + 1, ... placebo: every arm of a claim is its first one, on seeds of its own. ledger:
    the folder in which verdicts are recorded; None for a placebo. since: stored runs that finished earlier are trained
    again ("" reuses all). only_stored: train nothing, and judge what can be. evidence: the folder of recorded runs that
    are judged beside those of the store; None where runs are trained. runs_of: the kind of device whose stored runs are
    judged, "" for the kind with the most seeds, claim by claim. mix_capabilities: whether a claim's runs may have been
    trained on CPUs of several instruction sets.
    prefix, options: of a command that runs a test of this session again: what stands before and after its name.
    """

    device: torch.device
    ray: str
    tf32: bool
    kernels: str
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
    evidence: Path | None
    runs_of: str
    mix_capabilities: bool
    prefix: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def enforced(self) -> bool:
        """Whether a verdict decides its test: not in a rehearsal or in a placebo."""
        return self.scale != "rehearsal" and not self.placebo

    def ledger_of(self, kind: str) -> Path | None:
        """The file in which verdicts at this scale on images of this kind are recorded; None where none are: on images
        of one's own, and in a placebo."""
        return self.ledger / f"{self.scale}-{kind}.json" if self.ledger and are_real(kind) else None

    def from_look(self, n: int) -> Settings:
        """These settings for a claim that is first looked at with at least n seeds: earlier looks are left out, and the
        error rate is divided among the others. A fixed number of seeds stays. looks may come out empty."""
        if len(self.planned) == 1:
            return self
        planned = tuple(look for look in self.planned if look >= n) or self.planned[-1:]
        return dataclasses.replace(self, planned=planned, looks=tuple(look for look in self.looks if look in planned))

    def range_of(self, n: int) -> range:
        """The seeds of a look at n of them."""
        return range(self.first_seed, self.first_seed + n)

    @property
    def tuning(self) -> range:
        """The seeds that choose settings, and of which no verdict sees a run."""
        return range(TUNING_SEED, TUNING_SEED + self.looks[0])

    def look_on(self, nodeid: str, id: str, n: int, trained: TrainedOn) -> str:
        """The command that looks at one test's claim at n seeds, a planned look that was not taken.

        id: the claim's, as -k takes it. trained: what its runs were.
        """
        return self._command(nodeid, id, f"--max-seeds {n}", self.first_seed, trained)

    def replicate(self, nodeid: str, id: str, n: int, trained: TrainedOn) -> str:
        """The command that judges one test's claim on n seeds of which this session's looks have seen none.

        Seeds that a verdict was already read from would bring it along: looking again at more of them needs looks that
        were planned. id, trained: as look_on.
        """
        return self._command(nodeid, id, f"--seeds {n}", self.first_seed + self.looks[-1], trained)

    def _command(self, nodeid: str, id: str, seeds: str, first: int, trained: TrainedOn) -> str:
        """One that fits a line of a terminal: the folder, and the claim by its id instead of the test by its name."""
        folder, start = nodeid.split("::")[0].split("/")[0], [f"--first-seed {first}"] if first else []
        named = [shlex.quote(folder), f"-k {shlex.quote(id)}"]
        added = self._as_recorded(trained)
        # It is of CPUs alone.
        given = [option for option in self.options if "--gpu" not in added or option != "--mix-capabilities"]
        options = [*start, *added, *given]
        return " ".join([*self.prefix, *named, f"--scale {self.scale}", seeds, *options])

    def _as_recorded(self, trained: TrainedOn) -> list[str]:
        """Options that have a session train what this one only looked up: on such a device, on such images."""
        if not self.only_stored:
            return []
        given = {option.split(" ")[0] for option in self.options}
        gpu = ["--gpu"] if trained.device_kind == "cuda" and "--gpu" not in given else []
        # On a CPU, auto takes the sample where whole sets are missing; with --gpu it never does.
        whole = are_whole(trained.data_kind) and "--data" not in given and not (gpu or "--gpu" in given)
        return gpu + (["--data real"] if whole else [])
