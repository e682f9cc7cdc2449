"""Scale quick from outside: which claims it has, on which images, and what recorded runs say beside its verdicts."""

import json
import shutil
import sqlite3

import jsonschema
import pytest

from pytest_claims.report.session import SCHEMA
from tests_fast.plugin.conftest import CLAIMS, ROOT, write

# Gradients before any training, of which no run is at chance: two claims are quick, one for one of its parameters.
QUICK = """
    import pytest
    from pytest_claims.types import Arm, Recipe, Source
    from pytest_claims.judge.decorator import claim
    from pytest_claims.judge.metric import gradient
    from models import DepthCNN

    SOURCE = Source("A paper", "Table 1", repetitions=5)
    RECIPE = Recipe(images_per_class=2, batch=20, epochs=1, optimizer="sgd", lr=0.05, test_images_per_class=2)


    def at_first():
        return gradient("at initialisation")


    def net(width):
        return Arm(DepthCNN(1, "relu", width=width), {"rehearsal": RECIPE, "documented": RECIPE})


    def wide_and_narrow():
        return {"wide": net(8), "narrow": net(4)}


    @claim("T1", "the wide one has about the same", source=SOURCE, arms=wide_and_narrow, metric=at_first)
    def test_about_the_same(lab):
        lab.assert_within("wide", "narrow", within=99.0)


    @claim("T2", "the narrow one has far more", source=SOURCE, arms=wide_and_narrow, metric=at_first, quick=True)
    def test_far_more(lab):
        lab.assert_greater("narrow", "wide", margin=90.0)


    @pytest.mark.parametrize("width", (4, 8))
    @claim("T3", "width {width} equals itself", source=SOURCE, arms=lambda width: {"a": net(width), "b": net(width)},
           metric=at_first, quick=lambda width: width == 8)
    def test_equal(lab, width):
        lab.assert_within("a", "b", within=9.0)
"""
LARGE = """

    def large(images_per_class, dataset="cifar10", classes=10):
        recipe = Recipe(images_per_class, batch=20, epochs=1, optimizer="sgd", lr=0.05)
        network = DepthCNN(1, "relu", width=4, classes=classes)
        return {name: Arm(network, {"documented": recipe}, dataset=dataset) for name in "ab"}


    @claim("L1", "of all images", source=SOURCE, arms=lambda: large(None), quick=True)
    def test_whole(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("L2", "of a hundred classes", source=SOURCE, arms=lambda: large(200, "cifar100", 100))
    def test_hundred(lab):
        lab.assert_within("a", "b", within=50.0)
"""


@pytest.fixture
def sampled(suite):
    """The claims, in a repository with a sample and with a ledger of what whole CIFAR said."""
    write(suite, QUICK + LARGE)
    (suite.path / "sample").symlink_to(ROOT / "sample")
    entry = {
        "finding": "T2", "claim": "", "source": "", "verdict": "TOO SMALL", "effect": 1.5, "lower": 0.5, "upper": 2.5,
        "margin": 2.0, "unit": "points", "n": 20, "looks": [5, 20], "first_seed": 0, "documented": None,
        "measured": None, "compared": "", "agrees": None, "date": "2026-11-21", "device": "cuda (a card)",
        "versions": "",
    }  # fmt: skip
    ledger = suite.path / "claims" / "ledger"
    ledger.mkdir()
    on_cpu = entry | {"effect": 1.25, "device": "cpu (a processor)"}
    entries = {"claims/test_width.py::test_far_more": {"cuda": entry, "cpu": on_cpu}}
    ledger.joinpath("documented-cifar.json").write_text(json.dumps(entries))
    return suite


def runs(suite):
    return sqlite3.connect(suite.path / ".claims/runs.sqlite").execute("SELECT count(*) FROM runs").fetchone()[0]


def test_quick_claims_are_judged_beside_what_recorded_runs_say(sampled, run):
    result = run("-q", "--claims-json", "c.json", data=None, scale="quick")
    # As at documented, a verdict decides its test.
    result.assert_outcomes(passed=1, failed=1, skipped=1, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "*Evidence*on CPU TOO SMALL +1.25 [[]+0.50, +2.50[]] (whole cifar, *",
            "left out: 3 claims are not quick; they run with --scale rehearsal (2) or --scale documented",
            "*= claims =*",
            "* evidence: on CPU TOO SMALL +1.25 [[]+0.50, +2.50[]] (whole cifar, 20*",
            "*on CUDA TOO SMALL +1.50 [[]+0.50, +2.50[]] (20*",
            "evidence: what recorded runs on whole data sets say of the same claim; *",
            "data: sample at*",
            "verdicts: they speak of the documented findings, on a sample of the images:*",
            "not judged, 1 claim: the sample of cifar10 has 500 training images a class, and*",
            "for whole data sets: `make data` fetches CIFAR *",
        ]
    )
    document = json.loads((sampled.path / "c.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
    claims = {claim["finding"]: claim for claim in document["claims"]}
    assert claims.keys() == {"T2", "T3"}
    assert [each["device_kind"] for each in claims["T2"]["evidence"]] == ["cpu", "cuda"]
    assert claims["T2"]["evidence"][1] == {
        "verdict": "TOO SMALL", "effect": 1.5, "lower": 0.5, "upper": 2.5, "unit": "points", "n": 20,
        "data_kind": "cifar", "device_kind": "cuda", "device": "cuda (a card)", "date": "2026-11-21",
        "confounded_by": [],
    }  # fmt: skip
    assert claims["T3"]["evidence"] == []
    assert {claim["data_kind"] for claim in claims.values()} == {"sample"}
    assert runs(sampled) == 10

    # A recipe is a recipe: the same runs are those of scale documented, and of a session that trains nothing.
    again = run("--scale", "documented", "--seeds", "5", "-k", "far_more", data="sample")
    again.stdout.fnmatch_lines(
        ["* evidence: on CPU TOO SMALL +1.25 *", "runs trained in this session: 0, reused: 10, *"]
    )
    # That one needs no images.
    (sampled.path / "sample").unlink()
    (sampled.path / "sample").mkdir()
    shutil.copy(ROOT / "sample" / "manifest.json", sampled.path / "sample")
    stored = run("--stored", "-k", "T2", data=None, scale="quick")
    stored.stdout.fnmatch_lines(["T2*", "data: sample, as recorded"])
    # Recorded runs at scale documented are on whole sets, unless the sample is asked for.
    whole = run("--stored", "-k", "far_more", "--scale", "documented", data=None)
    whole.assert_outcomes(skipped=1)
    assert runs(sampled) == 10


def test_what_the_sample_lacks_is_said_although_nothing_is_judged(sampled, run):
    result = run("--scale", "documented", "-q", "-k", "whole or hundred", data=None)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [
            "not judged, 1 claim: the sample of cifar* has 1* training images a class, and the recipe takes 200 *",
            "not judged, 1 claim: the sample of cifar10 has 500 *, and the recipe takes the whole *fetches*",
        ]
    )
    assert not (sampled.path / ".claims" / "runs.sqlite").exists() or runs(sampled) == 0


def test_a_damaged_sample_fails_claims_with_the_way_out_and_loses_nothing(sampled, run):
    run("-k", "equal", data=None, scale="quick").assert_outcomes(passed=1, deselected=5)
    trained = runs(sampled)
    (sampled.path / "sample").unlink()
    shutil.copytree(ROOT / "sample", sampled.path / "sample")
    file = sampled.path / "sample" / "cifar10" / "ship.webp"
    file.write_bytes(file.read_bytes()[:-1])
    result = run("-k", "equal", data=None, scale="quick")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ship.webp was changed: *`git checkout -- *sample`; or fetch the whole set, *"])
    assert "Traceback" not in result.stdout.str()
    file.unlink()
    missing = run("-k", "equal", data="sample", scale="quick")
    missing.stdout.fnmatch_lines(["*ship.webp is missing, a part of the sample of cifar10. Restore it *"])
    assert runs(sampled) == trained == 5


def test_without_a_sample_asking_for_it_is_refused(suite, run):
    result = run(data="sample")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--data sample: there is no sample at *sample. A sample belongs to the repository *"])


QUICK_ARMS = """
    from pytest_claims import Confounder
    import dataclasses


    def arms():
        slow = dataclasses.replace(net(4), quick=False)
        return {"wide": net(16), "narrow": net(1), "wide, slow": slow, "narrow, slow": slow}


    @claim("Q1", "wide beats narrow, with a confounder", source=SOURCE, quick=True, arms=arms)
    def test_confounded(lab):
        lab.assert_greater("wide", "narrow", margin=2.0, confounders=[
            Confounder("slowness", "slowly", "wide, slow", "narrow")])


    @claim("Q2", "an arm that is left out", source=SOURCE, quick=True, arms=arms)
    def test_left_out(lab):
        lab.assert_greater("wide", "narrow, slow", margin=2.0)
"""


def test_a_quick_session_does_without_arms_that_confounders_alone_name(suite, run):
    write(suite, CLAIMS + QUICK_ARMS)
    quick = run("-k", "Q1", "--claims-json", "q.json", scale="quick")
    quick.stdout.fnmatch_lines(["Q1*", "runs trained in this session: 10, *"])
    (found,) = json.loads((suite.path / "q.json").read_text())["claims"]
    assert [arm["label"] for arm in found["arms"]] == ["wide", "narrow"]
    assert not found["verdict"]["confounders"]
    assert {"kind": "not tried", "factors": ["slowness"]} in found["verdict"]["notes"]
    other = run("-k", "Q1", "--scale", "documented", "--seeds", "5", "--claims-json", "d.json")
    other.stdout.fnmatch_lines(["runs trained in this session: 5, reused: 10, *"])
    (found,) = json.loads((suite.path / "d.json").read_text())["claims"]
    assert len(found["verdict"]["confounders"]) == 1
    # No claim may be about an arm that is not there.
    run("-k", "Q2", scale="quick").stdout.fnmatch_lines(["*'narrow, slow' is no arm of this claim; declared: *"])
