"""Claims on any registered data set, from outside: their images, ledgers and words are those of their arms."""

import json

import numpy as np
import pytest

from pytest_claims.data.torchvision_import import torchvision
from pytest_claims.ledger.entries import read
from tests_fast.plugin.conftest import ROOT, write

CLAIMS = """
    from pytest_claims.types import Arm, Recipe, Source
    from pytest_claims.judge.decorator import claim
    from pytest_claims.judge.metric import gradient
    from models import DepthCNN

    SOURCE = Source("A paper", "Table 1", repetitions=5)
    RECIPE = Recipe(images_per_class=6, batch=20, epochs=1, optimizer="sgd", lr=0.05, momentum=0.9)


    def at_first():
        return gradient("at initialisation")  # of which no run is at chance


    def net(dataset, width=8):
        return Arm(DepthCNN(1, "relu", width=width), {"rehearsal": RECIPE, "documented": RECIPE}, dataset=dataset)


    @claim("F1", "the width matters little to the gradient on clothes", source=SOURCE, metric=at_first, arms=lambda: {
        "wide": net("fashion_mnist", 12), "narrow": net("fashion_mnist")})
    def test_clothes(lab):
        lab.assert_within("wide", "narrow", within=99.0)


    @claim("F2", "clothes give the gradient that CIFAR gives", source=SOURCE, metric=at_first, arms=lambda: {
        "clothes": net("fashion_mnist"), "CIFAR": net("cifar10")})
    def test_clothes_and_cifar(lab):
        lab.assert_within("clothes", "CIFAR", within=99.0)
"""
UNKNOWN = """

    @claim("F3", "the width matters little to the gradient on digits", source=SOURCE, metric=at_first, arms=lambda: {
        "wide": net("mnist", 12), "narrow": net("mnist")})
    def test_digits(lab):
        lab.assert_within("wide", "narrow", within=99.0)
"""


@pytest.fixture
def clothes(suite, any_cifar):
    """The claims, and a folder with few images as FashionMNIST and CIFAR-10, grey and in the form of each source."""
    write(suite, CLAIMS)
    (suite.path / "few").mkdir()
    for name, form in (("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))):
        save(suite.path / "few" / f"{name}.npz", form)
    return suite


def save(path, form):
    """Noise whose brightness tells the class, as an .npz of images of this form."""
    arrays, generator = {}, np.random.default_rng(0)
    for split, per_class in (("train", 8), ("test", 10)):
        labels = np.repeat(np.arange(10), per_class)
        images = generator.integers(0, 12, (len(labels), *form)) + 24 * labels.reshape(-1, *(1 for _ in form))
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels}
    np.savez(path, **arrays, class_names=[f"c{label}" for label in range(10)])


def test_nothing_stands_in_for_a_data_set_without_a_sample(clothes, run, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(torchvision("datasets").mnist, "download_and_extract_archive", offline)
    (clothes.path / "sample").symlink_to(ROOT / "sample")
    result = run("-k", "F2", data=None)
    result.stdout.fnmatch_lines(
        [
            "data: the sample of cifar10, cifar100 at *sample (not whole in *data); other data sets are downloaded *",
            "*fashion_mnist at *data: *. Ways to get it: `python -m pytest_claims.data data fashion_mnist`, *",
        ]
    )
    result.assert_outcomes(failed=1)
    named = run("-k", "F1", data="sample")
    named.assert_outcomes(skipped=1)
    named.stdout.fnmatch_lines(["not judged, 1 claim: fashion_mnist has no sample. Ways to get it: *"])


def test_on_real_images_verdicts_decide_and_each_is_in_the_ledger_of_its_kind(clothes, run):
    documented = ("--scale", "documented", "--seeds", "5")
    result = run(*documented, "--update-ledger", "--claims-json", "claims.json", data="few")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "data: cifar10, fashion_mnist at few (as asked with --data)",
            "verdicts: they speak of the documented findings: *",
            "data: fashion_mnist at few (as asked with --data); cifar at few (as asked with",
            "ledger: 1 of 1 entries changed in *claims/ledger/documented-fashion_mnist.json",
            "ledger: 1 of 1 entries changed in *claims/ledger/documented-cifar+fashion_mnist.json",
        ]
    )
    ledgers = clothes.path / "claims" / "ledger"
    assert {path.name: [kinds["cpu"].finding for kinds in read(path).values()] for path in ledgers.iterdir()} == {
        "documented-fashion_mnist.json": ["F1"],
        "documented-cifar+fashion_mnist.json": ["F2"],
    }
    found = {claim["finding"]: claim for claim in json.loads((clothes.path / "claims.json").read_text())["claims"]}
    assert (found["F1"]["data_kind"], found["F1"]["enforced"]) == ("fashion_mnist", True)
    assert (found["F2"]["data_kind"], found["F2"]["enforced"]) == ("cifar+fashion_mnist", True)
    assert found["F1"]["data"] == "fashion_mnist at few (as asked with --data)"

    # Each is held against its own ledger, and another one says nothing of it.
    path = ledgers / "documented-fashion_mnist.json"
    entries = json.loads(path.read_text())
    entries["claims/test_width.py::test_clothes"]["cpu"]["verdict"] = "CONTRADICTED"
    path.write_text(json.dumps(entries))
    changed = run(*documented, "--ledger", data="few")
    changed.assert_outcomes(passed=1, failed=1)
    changed.stdout.fnmatch_lines(["CHANGED: F1 was CONTRADICTED on *, now REPRODUCED with 5. *"])
    path.write_text("{")
    damaged = run(*documented, data="few")
    assert damaged.ret == pytest.ExitCode.USAGE_ERROR
    damaged.stderr.fnmatch_lines(["*documented-fashion_mnist.json is no ledger (*"])


def test_noise_under_the_name_of_cifar_speaks_of_no_finding_and_is_in_no_ledger(suite, run):
    write(suite, CLAIMS.replace('"fashion_mnist"', '"cifar10"'))
    (suite.path / "few").mkdir()
    save(suite.path / "few" / "cifar10.npz", (32, 32, 3))
    documented = ("--scale", "documented", "--seeds", "5", "-k", "F1")
    made = ("--update-ledger", "--claims-json", "claims.json", "--claims-html", "page")
    result = run(*documented, *made, data="few")
    result.assert_outcomes(passed=1)
    own, said = "images of your own, for they are not those of cifar10, at few", "they speak of your images, not of the"
    result.stdout.fnmatch_lines(
        [
            "verdicts: they speak of the documented findings: * (as far as cifar10.npz hold*, which is seen *",
            f"data: {own} (as*",
            f"verdicts: {said}*",
            "ledger: 1 verdicts on images of your own are not recorded",
        ]
    )
    assert not (suite.path / "claims" / "ledger").exists()
    document = json.loads((suite.path / "claims.json").read_text())
    assert (document["claims"][0]["data_kind"], document["facts"]["meaning"][: len(said)]) == ("folders", said)
    page = (suite.path / "page" / "index.html").read_text()
    assert "folders (images of your own, for they are not those of the data set that they are named after)" in page
    assert said in page
    assert "the documented findings:" not in page
    planned = run(*documented, "--plan", "--fresh", data="few")
    planned.stdout.fnmatch_lines([f"in the way: {own} *"])


def test_what_is_on_disk_is_whole_and_the_sample_serves_for_the_rest(clothes, run):
    (clothes.path / "sample").symlink_to(ROOT / "sample")
    (clothes.path / "few").rename(clothes.path / "data")
    (clothes.path / "data" / "cifar10.npz").unlink()
    result = run("--claims-json", "claims.json", data=None)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "data: fashion_mnist at *data (found on disk); the sample of cifar10, cifar100 at *",
            "verdicts: a rehearsal: recipes are cut short, verdicts say nothing about the findings *",
            "for whole data sets: `make data` fetches CIFAR *",
        ]
    )
    document = json.loads((clothes.path / "claims.json").read_text())
    assert {claim["finding"]: claim["data_kind"] for claim in document["claims"]} == {
        "F1": "fashion_mnist",
        "F2": "fashion_mnist+sample",
    }
    assert document["facts"]["data"] == "fashion_mnist+sample, whole sets on disk, else the sample"


def test_an_unknown_data_set_is_its_own_claims_failure_and_no_obstacle_to_a_plan(clothes, run):
    write(clothes, CLAIMS + UNKNOWN)
    told = "unknown data set 'mnist'; known: cifar10, cifar100, fashion_mnist, svhn. Correct the arm's `dataset`, *"
    result = run(data="few")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*test_digits*", told])
    assert "Traceback" not in result.stdout.str()
    planned = run("--plan", data="few")
    assert planned.ret == 1
    planned.stdout.fnmatch_lines(["2 claims at 3 seeds; *", f"ERROR: not planned, for it will fail: F3: {told}"])


def test_a_stranger_registers_a_data_set_of_their_own(suite, run, monkeypatch):
    from pytest_claims.data import spec

    monkeypatch.setattr(spec, "_registered", dict(spec._registered))
    suite.makeconftest(
        """
        from pytest_claims.data import DatasetSpec, register

        pytest_plugins = ["pytest_claims.plugin.hooks"]
        register(DatasetSpec("letters", classes=10, training_images=80, test_images=100, channels=1, size=20))
        """
    )
    write(suite, CLAIMS.replace('"fashion_mnist"', '"letters"'))
    (suite.path / "own").mkdir()
    save(suite.path / "own" / "letters.npz", (20, 20))
    result = run("--scale", "documented", "--seeds", "5", "--update-ledger", "-k", "F1", data="own")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["ledger: 1 of 1 entries changed in *claims/ledger/documented-letters.json"])
    missing = run("--scale", "documented", "--seeds", "5", "-k", "F2", data="own")
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["cifar10 is not in own. Ways to get it: *"])
