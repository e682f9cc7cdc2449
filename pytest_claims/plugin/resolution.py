"""Options become settings, checked once: what a session was asked for, and what contradicts itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import torch

from pytest_claims.data import NAMED, choose
from pytest_claims.data.sample import FOLDER as SAMPLE
from pytest_claims.defaults import CUDNN, DEFAULT_STORE, FIXED_SEEDS, PLACEBO_SEEDS
from pytest_claims.errors import ExplainedError
from pytest_claims.ledger.entries import FOLDER
from pytest_claims.runs.evidence import FOLDER as EVIDENCE
from pytest_claims.runs.evidence import files
from pytest_claims.settings import DATA_HOME, Settings
from pytest_claims.stacked.kernels import require
from pytest_claims.train import device as devices
from pytest_claims.types import LOOKS, SCALES


class SettingsError(ExplainedError):
    """Options that contradict one another; the text names them and what is allowed."""


def resolve(
    *,
    gpu: bool,
    ray: str,
    processes: bool,
    tf32: bool,
    kernels: str,
    scale: str | None,
    data: str,
    seeds: int | None,
    max_seeds: int | None,
    first_seed: int,
    placebo: bool,
    store: Path | None,
    since: str,
    only_stored: bool,
    runs_of: str,
    mix_capabilities: bool,
    root: Path,
    worker: int,
) -> Settings:
    """Settings from option values; root: the repository, worker: this process's number. ray: a cluster's address,
    "" for none. processes: whether xdist's -n was given.

    Raises DataError for data that is not there, DeviceError for --gpu without one, KernelsError for kernels that
    are not there, SettingsError for options that exclude each other, ValueError for an unknown scale or kernels.
    """
    if tf32 and not gpu:
        raise SettingsError("--tf32 changes how CUDA devices multiply; a CPU has no TF32. Add --gpu or leave it out")
    if kernels != CUDNN and not gpu:
        raise SettingsError(
            f"--kernels {kernels} changes how CUDA devices compute, and this session has none. Add --gpu or leave "
            "it out"
        )
    if ray and processes:
        raise SettingsError(
            f"--ray {ray} trains on a cluster, and -n in processes of this machine: give one of them. --ray local uses "
            "all of this machine"
        )
    if ray and only_stored:
        raise SettingsError(f"--ray {ray} is where to train, and --stored trains nothing: give one of them")
    if ray:
        device = torch.device("cuda" if gpu else "cpu")  # of the nodes; this machine may have none
    else:
        require(kernels)
        device = devices.choose(gpu, worker)
    scale = scale or ("documented" if gpu else "quick")
    if scale not in SCALES:
        raise ValueError(f"scale {scale!r}; allowed: {SCALES}")
    if only_stored and since:
        raise SettingsError("--stored trains nothing, and --fresh trains all again: give one of them")
    stored = store or root / DEFAULT_STORE
    if only_stored and not stored.exists() and (store or not files(root / EVIDENCE)):
        raise SettingsError(
            f"--stored: there is no store at {stored}"
            + ("" if store else f", and no evidence in {root / EVIDENCE}")
            + ". Run the same command without --stored first, which trains what is missing, or name another --store"
        )
    if max_seeds and (seeds or placebo):
        raise SettingsError(
            f"--max-seeds {max_seeds} caps the looks at a growing number of seeds, and "
            f"{'--placebo takes' if placebo else '--seeds fixes'} one number: give one of them"
        )
    if runs_of and not only_stored:
        raise SettingsError(f"--runs-of {runs_of} chooses among stored runs, and this session trains: add --stored")
    if mix_capabilities and gpu:
        raise SettingsError(
            "--mix-capabilities mixes runs of CPUs of several instruction sets, and --gpu trains on none: give one of "
            "them"
        )
    looks: tuple[int, ...]
    planned: tuple[int, ...]
    if seeds or placebo or (scale in FIXED_SEEDS and not max_seeds):
        looks = planned = (seeds or (PLACEBO_SEEDS if placebo else FIXED_SEEDS[scale]),)
    else:
        planned = LOOKS
        looks = tuple(look for look in LOOKS if look <= (max_seeds or LOOKS[-1]))
    # Node ids are relative to the root. Run from elsewhere, the command goes there and names paths in full.
    at_root = Path.cwd().resolve() == root.resolve()
    # With a GPU, and at scale full, the sample does not serve unasked. Recorded runs of the sources' recipes are on
    # whole sets, too.
    whole = scale == "full" or (scale == "documented" and only_stored) or (gpu and scale != "rehearsal")
    choice = choose(data, scale, root / DATA_HOME, root / SAMPLE, whole=whole)
    if only_stored:
        choice = choice.offline  # images that are not here have no stored runs either

    def path(text: str | Path) -> str:
        return shlex.quote(str(text if at_root else Path(text).expanduser().resolve()))

    repeated = ["--gpu"] if gpu else []
    repeated += [f"--ray {ray}"] if ray else []
    repeated += ["--tf32"] if tf32 else []
    repeated += [f"--kernels {kernels}"] if kernels != CUDNN else []
    repeated += ["--mix-capabilities"] if mix_capabilities else []
    repeated += [f"--data {data if data in NAMED else path(data)}"] if data != "auto" else []
    repeated += [f"--store {path(store)}"] if store else []
    return Settings(
        device=device,
        ray=ray,
        tf32=tf32,
        kernels=kernels,
        scale=scale,
        data=choice,
        looks=looks,
        planned=planned,
        first_seed=first_seed,
        placebo=placebo,
        store=stored,
        ledger=None if placebo else root / FOLDER,
        since=since,
        only_stored=only_stored,
        evidence=root / EVIDENCE if only_stored else None,
        runs_of=runs_of,
        mix_capabilities=mix_capabilities,
        prefix=("pytest",) if at_root else ("cd", shlex.quote(str(root)), "&&", "pytest"),
        options=tuple(repeated),
    )
