"""Claims that no ledger has: how many of their runs are recorded all the same, and what the others would cost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pytest_claims.data import spec_of
from pytest_claims.defaults import DEVICE_KINDS
from pytest_claims.runs.evidence import files, read
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.runs.quantities import about
from pytest_claims.runs.store import COLUMNS
from pytest_claims.settings import TUNING_SEED
from pytest_claims.train.cost import CPU_CORE, DATA_CENTRE_GPU, cost
from pytest_claims.types import Arm, Claim, Run, first_look

# Whose speed stands for a kind of device.
_NOMINAL = {"cpu": (CPU_CORE, "a CPU core"), "cuda": (DATA_CENTRE_GPU, "an H100")}

# Recorded seeds by kind of device and by a run's configuration.
Recorded = Mapping[str, Mapping[str, Collection[int]]]


def recorded_seeds(folder: Path) -> dict[str, dict[str, set[int]]]:
    """The seeds that the files of evidence in this folder have. Raises EvidenceError."""
    found: dict[str, dict[str, set[int]]] = {kind: {} for kind in DEVICE_KINDS}
    for path in files(folder):
        for row in read(path):
            run = dict(zip(COLUMNS, row, strict=True))
            kind = json.loads(run["numerics"])["device"]
            found.setdefault(kind, {}).setdefault(run["configuration"], set()).add(run["seed"])
    return found


@dataclasses.dataclass(frozen=True)
class Unjudged:
    """A claim without a verdict. needed: runs at its first look. recorded: of these, by kind of device. seconds: that
    the others take, nominally, by kind of device."""

    needed: int
    recorded: Mapping[str, int]
    seconds: Mapping[str, float]

    def words(self, kind: str) -> str:
        """ "not run: 30 runs, about 5 h on a CPU core"; where some runs are recorded, how many. "" where a kind of
        device has none and another one has."""
        cost = f"{about(self.seconds[kind])} on {_NOMINAL[kind][1]}"
        if not any(self.recorded.values()):
            return f"not run: {self.needed} runs, {cost}"
        here = self.recorded[kind]
        if here == self.needed:
            return f"{here} runs recorded, not judged"
        return f"{here} of {self.needed} runs recorded; the others {cost}" if here else ""


def unjudged(claim: Claim, arms: Sequence[Arm], scale: str, recorded: Recorded) -> Unjudged:
    """What a claim of this scale lacks at its first look, as far as it is known before the claim runs."""
    looked = first_look(arms)
    seeds = list(range(looked)) + (list(range(TUNING_SEED, TUNING_SEED + looked)) if claim.tunes else [])
    runs = {run.canonical: run for run in (arm.run(scale) for arm in arms)}
    have = {kind: {name: len(set(seeds) & set(recorded[kind].get(name, ()))) for name in runs} for kind in DEVICE_KINDS}
    return Unjudged(
        needed=len(runs) * len(seeds),
        recorded={kind: sum(have[kind].values()) for kind in DEVICE_KINDS},
        seconds={
            kind: sum((len(seeds) - have[kind][name]) * _seconds(run, kind) for name, run in runs.items())
            for kind in DEVICE_KINDS
        },
    )


def _seconds(run: Run, kind: str) -> float:
    """Of one seed."""
    spec = spec_of(run.dataset)
    return _NOMINAL[kind][0].seconds(cost(run, spec.training_images, spec.test_images), seeds_per_block(run, kind))
