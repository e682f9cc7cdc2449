"""The sample of CIFAR that ships with the project: what it is, what it serves for, and what damage to it says."""

import dataclasses
import hashlib
import json
import re
import shutil

import numpy as np
import pytest
import torch

from pytest_claims.data import DataError, DatasetSpec, choose, load, register, spec, spec_of
from pytest_claims.data.dataset import dataset
from pytest_claims.data.load import as_recorded, from_sample
from pytest_claims.data.make_sample import first_of_each_class, main, write_sample
from pytest_claims.data.spec import Sample
from pytest_claims.types import Recipe
from tests_fast.plugin.conftest import ROOT

SAMPLE = ROOT / "sample"
HOME = ROOT / "no-images-here"


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_projects_sample_is_the_one_that_is_known(name):
    data, known = from_sample(spec_of(name), SAMPLE), spec_of(name).sample
    assert data.kind == "sample"
    assert data.fingerprint == known.fingerprint
    assert set(torch.bincount(data.train_labels).tolist()) == {known.train}
    assert set(torch.bincount(data.test_labels).tolist()) == {known.test}
    assert data.classes == spec_of(name).classes
    assert (data.class_names[0], data.class_names[-1]) == {
        "cifar10": ("airplane", "truck"),
        "cifar100": ("apple", "worm"),
    }[name]


def test_the_sample_is_small_and_says_how_to_cite_it():
    files = {path: path.stat().st_size for path in SAMPLE.rglob("*.webp")}
    assert max(files.values()) < 3_000_000
    assert sum(size for path, size in files.items() if path.parent.name == "cifar10") <= 13_000_000
    assert "Learning Multiple Layers of Features from Tiny Images" in (SAMPLE / "README.md").read_text(encoding="utf-8")


def test_it_serves_where_the_whole_set_is_not_on_disk(tmp_path):
    choice = choose("auto", "documented", HOME, SAMPLE)
    assert choice.of("cifar10").kind == choice.of("cifar100").kind == "sample"
    assert not choice.downloads("cifar10")
    assert str(choice).startswith(
        f"the sample of cifar10, cifar100 at {SAMPLE} (not whole in {HOME}); other data sets "
    )
    assert choice.why == "whole sets on disk, else the sample"
    # Nothing stands in for a data set without a sample.
    assert (choice.of("svhn").kind, choice.of("svhn").download) == ("svhn", True)
    (tmp_path / "cifar10.npz").touch()
    assert choose("auto", "documented", tmp_path, SAMPLE).of("cifar10").kind == "cifar"
    for whole in (choose("auto", "full", HOME, SAMPLE, whole=True), choose("real", "quick", HOME, SAMPLE)):
        assert (whole.of("cifar10").kind, whole.of("cifar10").download) == ("cifar", True)
    named = choose("sample", "quick", HOME, SAMPLE)
    assert str(named) == f"the sample at {SAMPLE} (as asked with --data sample)"
    assert load(named, "cifar100").kind == "sample"
    with pytest.raises(DataError, match=r"svhn has no sample\. Ways to get it: "):
        load(named, "svhn")


def test_a_repository_without_a_sample_is_told_the_ways_out(tmp_path):
    with pytest.raises(
        DataError, match=r"--data sample: there is no sample at .*nowhere.*git checkout.*data/ \(about 330 MB"
    ):
        choose("sample", "quick", tmp_path, tmp_path / "nowhere")
    assert choose("auto", "quick", tmp_path, tmp_path / "nowhere").of("cifar10").download


def recipe(images_per_class):
    return Recipe(images_per_class, 20, 1, "sgd", 0.1)


def test_recipes_that_need_more_are_told_what_the_sample_lacks():
    choice = choose("sample", "documented", HOME, SAMPLE)
    assert not choice.lacks("cifar10", recipe(500))
    assert choice.lacks("cifar10", recipe(501)) == (
        "the sample of cifar10 has 500 training images a class, and the recipe takes 501 a class; "
        "`python -m pytest_claims.data data cifar10` fetches it whole"
    )
    assert "the recipe takes the whole training set" in choice.lacks("cifar10", recipe(None))
    assert "has 15 training images a class" in choice.lacks("cifar100", recipe(200))
    assert choice.lacks("svhn", recipe(1)).startswith("svhn has no sample. Ways to get it: ")
    assert not choose("real", "documented", HOME, SAMPLE).lacks("cifar10", recipe(None))


def test_the_sample_is_known_by_its_fingerprint_from_any_file(tmp_path):
    data = from_sample(spec_of("cifar100"), SAMPLE)
    arrays = {
        f"{split}_{what}": getattr(data, f"{split}_{what}").numpy()
        for split in ("train", "test")
        for what in ("images", "labels")
    }
    arrays |= {name: arrays[name].transpose(0, 2, 3, 1) for name in ("train_images", "test_images")}
    np.savez(tmp_path / "cifar100.npz", **arrays, class_names=np.array(data.class_names))
    again = load(choose(str(tmp_path), "quick", HOME), "cifar100")
    assert (again.kind, again.fingerprint) == ("sample", data.fingerprint)
    assert as_recorded("cifar100", data.fingerprint).kind == "sample"
    assert as_recorded("cifar100", spec_of("cifar100").fingerprint).kind == "cifar"
    assert as_recorded("cifar100", "0" * 64).kind == "folders"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A data set of a stranger's, whole, and a sample of it in a folder; written once, for packing takes seconds."""
    generator, splits = np.random.default_rng(0), []
    for per_class in (9, 7):
        labels = np.repeat(np.arange(3), per_class)
        splits.append((generator.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8), labels))
    whole = dataset("letters", "drawn", ("a", "b", "c"), *splits, kind="letters")
    chosen, folder = first_of_each_class(whole, 4, 2), tmp_path_factory.mktemp("letters")
    told = write_sample(chosen, 4, 2, folder)
    (folder / "manifest.json").write_text(
        json.dumps({"format": "pytest-claims sample 1", "datasets": {"letters": told}})
    )
    return whole, chosen, folder


@pytest.fixture
def letters(monkeypatch, tmp_path, written):
    """The same, registered, in a folder of the test's own."""
    whole, chosen, folder = written
    monkeypatch.setattr(spec, "_registered", dict(spec._registered))
    register(
        DatasetSpec(
            "letters", classes=3, training_images=27, test_images=21, sample=Sample(chosen.fingerprint, train=4, test=2)
        )
    )
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return whole, chosen, tmp_path


def test_a_sample_is_the_first_of_each_class_without_loss(letters):
    whole, chosen, folder = letters
    read = from_sample(spec_of("letters"), folder)
    assert read.fingerprint == chosen.fingerprint
    assert read.class_names == ("a", "b", "c")
    for split, count in (("train", 4), ("test", 2)):
        images, labels = (getattr(whole, f"{split}_{what}") for what in ("images", "labels"))
        expected = torch.cat([images[labels == label][:count] for label in range(3)])
        assert torch.equal(getattr(read, f"{split}_images"), expected)
    with pytest.raises(DataError, match="has 9 training images of class 'a', and the sample takes 10"):
        first_of_each_class(whole, 10, 2)


def test_a_missing_or_changed_file_is_named_with_the_way_out(letters):
    _, _, folder = letters
    file = folder / "letters" / "a-to-c.webp"
    whole = file.read_bytes()
    ways = re.escape(f"Restore it from version control, `git checkout -- {folder}`")
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DataError, match=rf"{re.escape(str(file))} was changed: .*{ways}.*Stored runs are not touched"):
        from_sample(spec_of("letters"), folder)
    file.unlink()
    with pytest.raises(
        DataError, match=rf"{re.escape(str(file))} is missing, a part of the sample of letters\. {ways}"
    ):
        from_sample(spec_of("letters"), folder)
    file.write_bytes(whole)
    assert from_sample(spec_of("letters"), folder).kind == "sample"
    # Other images with a fitting checksum are another sample.
    shutil.copy(SAMPLE / "cifar100" / "mouse-to-worm.webp", file)
    _manifest(folder, lambda told: told["mosaics"][0].update(sha256=hashlib.sha256(file.read_bytes()).hexdigest()))
    with pytest.raises(DataError, match=r"a-to-c\.webp is no mosaic of letters"):
        from_sample(spec_of("letters"), folder)


def _manifest(folder, change):
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    change(document["datasets"]["letters"])
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text(path.read_text().replace("sample 1", "sample 9")),
        lambda path: _manifest(path.parent, lambda told: told["mosaics"].clear()),
        lambda path: _manifest(path.parent, lambda told: told.pop("train")),
    ],
)
def test_a_damaged_manifest_is_named(letters, damage):
    _, _, folder = letters
    damage(folder / "manifest.json")
    with pytest.raises(DataError, match=r"manifest\.json is no list of a sample of letters .*git checkout"):
        from_sample(spec_of("letters"), folder)


def test_other_images_than_those_known_are_refused(letters, monkeypatch):
    _, chosen, folder = letters
    other = dataclasses.replace(spec_of("letters"), sample=Sample("0" * 64, train=4, test=2))
    with pytest.raises(DataError, match=f"holds other images than the sample of letters .*{chosen.fingerprint[:16]}"):
        from_sample(other, folder)


def test_a_sample_is_made_of_whole_sets_alone(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"cifar10 is not in {tmp_path}. Ways to get it: ")
    assert not (tmp_path / "out").exists()
