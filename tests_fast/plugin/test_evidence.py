"""Evidence from outside: judged without images, on a machine that lacks the device, and red where it is red."""

import json
import platform

import pytest
import torch

from models import DepthCNN
from pytest_claims.data import spec_of
from pytest_claims.plugin.resolution import resolve
from pytest_claims.runs.store import Key, Store
from pytest_claims.settings import TrainedOn
from pytest_claims.train.engine import version_of
from pytest_claims.types import Run
from tests_fast.plugin.conftest import RECIPE, ROOT, drawn


def test_evidence_is_judged_without_images_on_a_machine_without_its_device(recorded, run):
    found = run("--scale", "documented", "--stored", "-k", "beats", "--claims-json", "c.json", data=None)
    found.stdout.fnmatch_lines(
        [
            "claims: *runs recorded on any device, nothing is trained*",
            "data: the images that runs were recorded on, which need not be here *",
            "T1 *",
            "runs trained in this session: 0, reused: 10, *",
            "data: cifar, as recorded",
            "device: a card of another machine",
        ]
    )
    claims = json.loads((recorded.path / "c.json").read_text())["claims"]
    assert {claim["device"] for claim in claims} == {"a card of another machine"}
    # Red is red.
    found.assert_outcomes(passed=1, failed=1)
    # What is told to be run next trains as those runs were trained, not on a CPU.
    found.stdout.fnmatch_lines(
        [
            "CONTRADICTED: T2, a narrow network beats a wide one",
            "    pytest claims -k T2 --scale documented --seeds * --first-seed * --gpu",
        ]
    )
    expected = run("--scale", "documented", "--stored", "-k", "beats", "--update-ledger", data=None)
    expected.assert_outcomes(passed=1, xfailed=1)
    # Versions are those that the runs were trained with, and not the session's.
    ledger = json.loads((recorded.path / "claims" / "ledger" / "documented-cifar.json").read_text())
    assert {entries["cuda"]["versions"] for entries in ledger.values()} == {
        f"Python {platform.python_version()}, torch {torch.__version__}, engine 1"
    }


def test_the_kind_of_device_can_be_named_and_kinds_are_never_mixed(recorded, run):
    none = run("--scale", "documented", "--stored", "--runs-of", "cpu", "-k", "beats", data=None)
    none.assert_outcomes(skipped=2)
    named = run("--scale", "documented", "--stored", "--runs-of", "cuda", "-k", "beats", data=None)
    named.stdout.fnmatch_lines(["device: a card of another machine"])
    # Of one arm runs of this machine's kind are there, too: they are not mixed with the others.
    run_of = Run(DepthCNN(1, "relu", width=16), RECIPE)
    key = Key(run_of, spec_of("cifar10").fingerprint, "cpu", 1, version_of(run_of))
    own = Store(recorded.path / ".claims" / "runs.sqlite")
    own.put(key, [drawn(seed, 10.0) for seed in range(20)], "a processor")
    own.close()
    both = run("--scale", "documented", "--stored", "-k", "beats", data=None)
    both.stdout.fnmatch_lines(["device: a card of another machine"])
    refused = run("--runs-of", "cuda")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*--runs-of cuda chooses among stored runs, and this session trains: add --stored*"])


def test_damaged_evidence_ends_in_a_text_that_names_it(recorded, run):
    path = recorded.path / "evidence" / "a.jsonl"
    path.write_text(path.read_text().replace("accuracy", "acuracy", 1))
    found = run("--scale", "documented", "--stored", "-k", "wide_beats", data=None)
    assert found.ret != 0
    assert (
        "a.jsonl is damaged: its content is not what its checksum was made of"
        in found.stdout.str() + found.stderr.str()
    )
    assert "INTERNALERROR" not in found.stdout.str()


def test_no_store_and_no_evidence_is_said_before_anything(suite, run):
    found = run("--stored", data=None)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(
        ["*--stored: there is no store at *, and no evidence in *evidence. Run the same command*"]
    )


@pytest.mark.parametrize(
    ("given", "device_kind", "data_kind", "added"),
    [
        ({"only_stored": True}, "cuda", "cifar", "--gpu"),
        ({"only_stored": True}, "cpu", "cifar", "--data real"),
        ({"only_stored": True, "data": "sample"}, "cpu", "sample", "--data sample"),
        ({"only_stored": False}, "cpu", "sample", ""),
    ],
)
def test_the_next_command_trains_as_the_runs_were_trained(given, device_kind, data_kind, added):
    session = {"gpu": False, "tf32": False, "kernels": "cudnn", "scale": "documented", "data": "auto", "seeds": None}
    session |= {"max_seeds": None, "first_seed": 0, "placebo": False, "store": None, "since": "", "runs_of": ""}
    session |= {"ray": "", "processes": False, "mix_capabilities": False}
    settings, trained = resolve(**session | given, root=ROOT, worker=0), TrainedOn(device_kind, data_kind)
    looked = settings.look_on("claims/test_a.py::t", "A1", 7, trained)
    replicated = settings.replicate("claims/test_a.py::t", "A1", 40, trained)
    named = f"{' '.join(settings.prefix)} claims -k A1 --scale documented"
    assert looked == f"{named} --max-seeds 7 {added}".rstrip()
    assert replicated == f"{named} --seeds 40 --first-seed 20 {added}".rstrip()
