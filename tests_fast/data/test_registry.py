"""Data sets by name: those of a stranger beside the package's own, and what wrong ones are told."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pytest_claims.data import DataError, DatasetSpec, Splits, choose, load, register, registered, spec, spec_of
from pytest_claims.data.__main__ import main


@dataclasses.dataclass(frozen=True)
class Raw:
    """A Loader of a stranger: one file of bytes, made by what it calls a download."""

    files: tuple[str, ...] = ("letters.raw",)

    def read(self, folder: Path, *, download: bool) -> Splits:
        path = folder / self.files[0]
        if download and not path.exists():
            folder.mkdir(exist_ok=True)
            path.write_bytes(np.random.default_rng(0).bytes(30 * 20 * 20))
        images = np.frombuffer(path.read_bytes(), np.uint8).reshape(30, 20, 20)
        labels = np.arange(30) % 3
        return Splits(str(path), (), (images[:21], labels[:21]), (images[21:], labels[21:]))


LETTERS = DatasetSpec("letters", classes=3, training_images=21, test_images=9, channels=1, size=20, loader=Raw())


@pytest.fixture
def letters(monkeypatch):
    """A registry of its own, with one data set more."""
    monkeypatch.setattr(spec, "_registered", dict(spec._registered))
    register(LETTERS)


@pytest.mark.usefixtures("letters")
def test_a_strangers_data_set_is_chosen_loaded_and_downloaded_like_the_packages_own(tmp_path, capsys):
    assert spec_of("letters") in registered()
    assert choose("auto", "documented", tmp_path).downloads("letters")
    assert main([str(tmp_path / "here"), "letters"]) == 0
    assert capsys.readouterr().out == f"letters: 21 training and 9 test images in {tmp_path / 'here'}\n"
    data = load(choose(str(tmp_path / "here"), "full", tmp_path), "letters")
    assert (data.name, data.kind, data.class_names) == ("letters", "letters", ("class 0", "class 1", "class 2"))
    assert data.train_images.shape == (21, 3, 32, 32)
    raw = Raw().read(tmp_path / "here", download=False)
    splits = {f"{part}_{what}": at for part in ("train", "test") for what, at in _named(getattr(raw, part))}
    np.savez(tmp_path / "letters.npz", **splits, class_names=["a", "b", "c"])
    as_npz = load(choose("auto", "rehearsal", tmp_path), "letters")
    assert as_npz.class_names == ("a", "b", "c")
    assert as_npz.fingerprint == data.fingerprint


def _named(split):
    return zip(("images", "labels"), split, strict=True)


@pytest.mark.usefixtures("letters")
def test_what_a_loader_raises_is_told_with_the_way_out(tmp_path):
    (tmp_path / "letters.raw").write_bytes(b"too few")
    with pytest.raises(DataError, match=rf"letters at {tmp_path}: cannot reshape .*\. Ways to get it: `python -m"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "letters")


@pytest.mark.usefixtures("letters")
def test_a_name_is_of_one_data_set():
    register(dataclasses.replace(LETTERS))  # an equal one, as of a module that is imported again
    with pytest.raises(ValueError, match="the data set 'letters' is registered already, with other values"):
        register(dataclasses.replace(LETTERS, classes=4))


@pytest.mark.parametrize("name", ["mnist", "CIFAR10", "", None, ["cifar10"]])
def test_an_unknown_name_is_told_the_known_ones(tmp_path, name):
    choice = choose("real", "rehearsal", tmp_path)
    for ask in (spec_of, choice.of, lambda name: load(choice, name)):
        with pytest.raises(DataError) as error:
            ask(name)
        assert str(error.value).startswith(f"unknown data set {name!r}; known: cifar10, cifar100")


def test_unknown_names_are_refused_before_anything_is_downloaded(tmp_path, capsys):
    assert main([str(tmp_path / "here"), "cifar10", "mnist"]) == 1
    assert capsys.readouterr().err.startswith("unknown data set 'mnist'; known: ")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "My set"}, "DatasetSpec.name is 'My set'; allowed: small letters, digits and _, a letter first"),
        ({"family": "sample"}, "DatasetSpec.family is 'sample'; allowed: "),
        ({"family": "a+b"}, "DatasetSpec.family is 'a+b'; allowed: "),
        ({"classes": 1}, "DatasetSpec.classes is 1; allowed: from 2 to 256"),
        ({"training_images": 2}, "DatasetSpec.training_images is 2; allowed: at least one a class"),
        ({"test_images": 2}, "DatasetSpec.test_images is 2; allowed: at least one a class"),
        ({"channels": 4}, "DatasetSpec.channels is 4; allowed: 1 (grey) or 3 (RGB)"),
        ({"size": 96}, "DatasetSpec.size is 96; allowed: from 1 to 32; scale larger images down first"),
        ({"class_names": ("a", "b")}, "DatasetSpec.class_names is ('a', 'b'); allowed: none or 3"),
        ({"loader": Raw(files=())}, "DatasetSpec.loader is Raw(files=()); allowed: None, or one whose `files`"),
    ],
)
def test_a_data_set_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError) as error:
        dataclasses.replace(LETTERS, **change)
    assert str(error.value).startswith(message)


def _rings(folder, *, named=True, train=12, test=6, classes=3):
    splits = {}
    for part, images in (("train", train), ("test", test)):
        splits[f"{part}_images"] = np.zeros((images, 32, 32, 3), np.uint8)
        splits[f"{part}_labels"] = np.arange(images) % classes
    names = {"class_names": [f"ring {place}" for place in range(classes)]} if named else {}
    np.savez(folder / "rings.npz", **splits, **names)


RINGS = DatasetSpec("rings", classes=3, training_images=12, test_images=6)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            {"classes": 2},
            "has classes=2, and 'rings' is registered with classes=3. Correct its DatasetSpec, or the file",
        ),
        (
            {"train": 9, "test": 3},
            "has training_images=9, test_images=3, and 'rings' is registered with training_images",
        ),
        ({"classes": 2, "named": False}, r"rings\.npz has no class_names; needed: "),
    ],
)
def test_a_file_that_is_not_what_its_set_was_registered_as_is_refused_by_its_numbers(
    monkeypatch, tmp_path, written, said
):
    monkeypatch.setitem(spec._registered, "rings", RINGS)
    _rings(tmp_path, **written)
    with pytest.raises(DataError, match=said):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "rings")


def test_labels_that_are_none_are_told_before_they_are_counted(monkeypatch, tmp_path):
    monkeypatch.setitem(spec._registered, "rings", RINGS)
    _rings(tmp_path)
    arrays = dict(np.load(tmp_path / "rings.npz"))
    np.savez(tmp_path / "rings.npz", **{**arrays, "train_labels": np.int64(3)})
    with pytest.raises(DataError, match=r"train labels are int64 \[\]; needed: integers \[12\]"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "rings")


def test_class_names_that_a_set_is_registered_with_need_not_be_in_its_file(monkeypatch, tmp_path):
    monkeypatch.setitem(spec._registered, "rings", dataclasses.replace(RINGS, class_names=("one", "two", "three")))
    _rings(tmp_path, named=False)
    assert load(choose(str(tmp_path), "rehearsal", tmp_path), "rings").class_names == ("one", "two", "three")
    _rings(tmp_path, named=False, classes=2)
    with pytest.raises(DataError, match="train has no image of class 2; every class needs at least one"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "rings")
