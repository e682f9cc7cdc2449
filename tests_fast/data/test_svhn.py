"""SVHN as torchvision downloads and reads it, from small files of its own format."""

import hashlib

import numpy as np
import pytest
import scipy.io

from pytest_claims.data import DataError, choose, load
from pytest_claims.data.__main__ import main
from pytest_claims.data.torchvision_import import torchvision
from tests_fast.data.served import served

COUNTS = {"train": 30, "test": 20}


def images_of(split):
    count = COUNTS[split]
    images = np.random.default_rng(count).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return images, np.arange(count) % 10


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A folder with both files, whose checksums torchvision holds for the right ones; not a mock of its check."""
    folder, known = tmp_path / "host", {}
    folder.mkdir()
    for split in COUNTS:
        images, labels = images_of(split)
        # The digit 0 has the label 10, and the number of an image is the last axis.
        marked = np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)
        path = folder / f"{split}_32x32.mat"
        scipy.io.savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": marked})
        known[split] = ["http://127.0.0.1:9/" + path.name, path.name, hashlib.md5(path.read_bytes()).hexdigest()]
    monkeypatch.setattr(torchvision("datasets").SVHN, "split_list", known)
    monkeypatch.setenv("no_proxy", "*")
    return folder


def test_images_labels_and_digits_are_those_of_the_files(tmp_path, host):
    data = load(choose(str(host), "documented", tmp_path), "svhn")
    assert (data.kind, data.class_names) == ("svhn", tuple("0123456789"))
    for split, shown, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        found = {
            image.permute(1, 2, 0).numpy().tobytes(): int(label) for image, label in zip(shown, labels, strict=True)
        }
        assert found == {image.tobytes(): label for image, label in zip(*images_of(split), strict=True)}
    splits = {f"{split}_{what}": at for split in COUNTS for what, at in _named(images_of(split))}
    np.savez(tmp_path / "svhn.npz", **splits, class_names=list("0123456789"))
    assert load(choose("auto", "documented", tmp_path), "svhn").fingerprint == data.fingerprint


def _named(split):
    return zip(("images", "labels"), split, strict=True)


def test_it_is_downloaded_and_then_found(tmp_path, host, capsys):
    home, known = tmp_path / "data", torchvision("datasets").SVHN.split_list
    with served(host) as address:
        for told in known.values():
            told[0] = address + told[1]
        assert main([str(home), "svhn"]) == 0
    assert capsys.readouterr().out == f"svhn: 30 training and 20 test images in {home}\n"
    assert not choose("auto", "documented", home).downloads("svhn")
    assert load(choose("auto", "documented", home), "svhn").train_images.shape == (30, 3, 32, 32)
    # Nothing is fetched that is there: the host is gone.
    assert main([str(home), "svhn"]) == 0


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content + b" ", lambda content: b""])
def test_a_file_that_is_not_the_published_one_is_not_read(tmp_path, host, damage):
    path = host / "train_32x32.mat"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"svhn at .*: Dataset not found or corrupted.*Ways to get it: `python -m "):
        load(choose(str(host), "documented", tmp_path), "svhn")


def test_without_its_host_the_way_out_is_told(tmp_path, host, capsys):
    assert main([str(tmp_path / "data"), "svhn"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"svhn at {tmp_path / 'data'}: <urlopen error ")
    assert "Ways to get it: `python -m pytest_claims.data data svhn`" in said
