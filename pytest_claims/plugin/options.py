"""The command-line options of the suite."""

from __future__ import annotations

import argparse

import pytest

from pytest_claims.defaults import CUDNN, DEFAULT_STORE, DEVICE_KINDS, FIXED_SEEDS, KERNELS, PLACEBO_SEEDS
from pytest_claims.plugin.arguments import (
    cluster,
    file_to_write,
    folder_to_write,
    most_seeds,
    seed_count,
    seed_number,
    store_path,
)
from pytest_claims.types import LOOKS, SCALES

# What each option is where it is not given.
DEFAULTS: dict[str, object] = {
    "gpu": False,
    "ray": None,
    "tf32": False,
    "kernels": CUDNN,
    "scale": None,
    "data": "auto",
    "seeds": None,
    "max_seeds": None,
    "first_seed": 0,
    "placebo": False,
    "store": None,
    "fresh": False,
    "stored": False,
    "runs_of": None,
    "mix_capabilities": False,
    "results": None,
    "claims_html": None,
    "claims_json": None,
    "ledger": False,
    "update_ledger": False,
    "plan": False,
    "explain": None,
}


def any_given(option: argparse.Namespace) -> bool:
    """Whether any of these options was given. option: pytest's."""
    return any(getattr(option, name) != default for name, default in DEFAULTS.items())


def add_options(parser: pytest.Parser) -> None:
    """Add them to pytest's, in a group of their own."""
    group = parser.getgroup("claims", "re-verifying documented findings")
    group.addoption("--gpu", action="store_true", help="train on CUDA devices, one a worker in turn; an error without")
    group.addoption(
        "--ray",
        type=cluster,
        metavar="auto|local|ray://HOST:PORT",
        help="train on a Ray cluster, which this process judges from: auto, a cluster that this machine is a node of; "
        "local, one of this machine's cores, or GPUs with --gpu, that ends with the session; ray://HOST:PORT, one "
        "elsewhere; instead of -n (docs/cluster.md)",
    )
    group.addoption(
        "--tf32",
        action="store_true",
        help="on CUDA devices, round the operands of float32 products to TF32 (10 bits of mantissa): faster, and kept "
        "apart from runs in float32 (default: off, recipes in float32 are computed in it)",
    )
    group.addoption(
        "--kernels",
        choices=KERNELS,
        default=CUDNN,
        help="what computes convolutions and batch norms on CUDA devices: cudnn, or triton, this project's kernels for "
        f"seeds side by side; the last bits differ, so runs are kept apart (default: {CUDNN})",
    )
    group.addoption(
        "--scale",
        choices=SCALES,
        help="quick: the claims that are declared quick, by the sources' own recipes; rehearsal: all claims, by "
        "recipes cut short; documented: all claims, by the sources' own recipes; full: whole training sets, by recipes "
        "of ours, for a source that gives none (default: documented with --gpu, else quick)",
    )
    group.addoption(
        "--data",
        default="auto",
        metavar="auto|real|sample|PATH",
        help="auto: each data set from data/ if it is there (`make data` fetches CIFAR), else its sample in sample/, "
        "else (and with --gpu, and at scale full) a download; real: the whole data sets, downloaded if need be; "
        "sample: the samples alone; PATH: a folder with <name>.npz of data sets, torchvision's files, or "
        "train/<class>/* and test/<class>/* of images",
    )
    group.addoption(
        "--seeds",
        type=seed_count,
        metavar="N",
        help=f"fix the number of seeds an arm, at least 3 (default: {FIXED_SEEDS['quick']} at quick, "
        f"{FIXED_SEEDS['rehearsal']} in a rehearsal; at documented claims are looked at with "
        f"{', '.join(map(str, LOOKS))} seeds, until a verdict stands)",
    )
    group.addoption(
        "--max-seeds",
        type=most_seeds,
        metavar="N",
        help=f"cap the looks at {', '.join(map(str, LOOKS))} seeds; a later session without the cap looks on",
    )
    group.addoption(
        "--first-seed",
        type=seed_number,
        default=0,
        metavar="K",
        help="use the seeds K, K + 1, ...: seeds that no verdict has been read from make a replication (default: 0)",
    )
    group.addoption(
        "--placebo",
        action="store_true",
        help="give all arms of a claim the same network on other seeds, reassign the results to arms at random, and "
        f"fail if effects are found more often than chance allows ({PLACEBO_SEEDS} seeds an arm, or --seeds)",
    )
    group.addoption(
        "--store",
        type=store_path,
        metavar="PATH",
        help=f"SQLite file of finished runs, shared by all workers and sessions (default: {DEFAULT_STORE})",
    )
    group.addoption("--fresh", action="store_true", help="train every run again instead of using stored ones")
    group.addoption(
        "--stored",
        action="store_true",
        help="train nothing: judge by stored runs and by those in evidence/, and skip the claims that lack some; needs "
        "no images",
    )
    group.addoption(
        "--runs-of",
        choices=DEVICE_KINDS,
        help="with --stored: judge runs that were trained on this kind of device (default: for each claim the kind "
        "with the most seeds; kinds are never mixed in a claim)",
    )
    group.addoption(
        "--mix-capabilities",
        action="store_true",
        help="let a claim's runs come from CPUs of several instruction sets (AVX512, AVX2, ...; also unrecorded "
        "ones), which the verdict then says: their sums differ, so by default each is kept apart",
    )
    group.addoption(
        "--results",
        type=file_to_write,
        metavar="FILE",
        help="write the session's verdicts, with every arm's accuracies, to a Markdown file",
    )
    group.addoption(
        "--claims-html",
        type=folder_to_write,
        metavar="DIR",
        help="write the session as a page to read: DIR/index.html, which needs no network and nothing beside it",
    )
    group.addoption(
        "--claims-json",
        type=file_to_write,
        metavar="FILE",
        help="write the session for programs, by the JSON Schema in pytest_claims/report/claims.schema.json",
    )
    group.addoption(
        "--ledger",
        action="store_true",
        help="hold verdicts against those recorded in claims/ledger/ on the same kind of device: as recorded passes or "
        "is expected to fail, and only a change fails (default: all verdicts fail but REPRODUCED, TRANSFERS and OPEN)",
    )
    group.addoption(
        "--update-ledger",
        action="store_true",
        help="record this session's verdicts in claims/ledger/, against which later sessions are held",
    )
    group.addoption(
        "--plan",
        action="store_true",
        help="print what the selected claims would train and about how long it would take, and train nothing",
    )
    group.addoption(
        "--explain",
        action="append",
        metavar="ID",
        help="tell the whole story of a claim, or of a finding such as A2b: source, recipe, arms, verdict, statistics; "
        "judged from stored runs and evidence as with --stored, at scale documented unless --scale says another; may "
        "be repeated, or take several names with commas between them",
    )
