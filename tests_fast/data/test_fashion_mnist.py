"""FashionMNIST as torchvision downloads and reads it, from small files of its own format."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from pytest_claims.data import DataError, choose, load
from pytest_claims.data.__main__ import main
from pytest_claims.data.torchvision_import import torchvision
from tests_fast.data.served import served

FILES = {"train": ("train", 30), "test": ("t10k", 20)}


def images_of(split):
    count = FILES[split][1]
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def idx(values):
    """An array of bytes in the IDX format (LeCun): magic number, sizes, values, big-endian."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write(folder, zipped=False):
    folder.mkdir(parents=True)
    for split, (prefix, _) in FILES.items():
        for what, values in zip(("images-idx3", "labels-idx1"), images_of(split), strict=True):
            content = idx(values)
            name = f"{prefix}-{what}-ubyte" + ".gz" * zipped
            (folder / name).write_bytes(gzip.compress(content) if zipped else content)


def test_images_are_padded_and_grey_is_in_every_channel(tmp_path):
    write(tmp_path / "FashionMNIST" / "raw")
    data = load(choose(str(tmp_path), "documented", tmp_path), "fashion_mnist")
    assert (data.kind, data.classes) == ("fashion_mnist", 10)
    assert (data.class_names[0], data.class_names[9]) == ("T-shirt/top", "Ankle boot")
    for split, shown, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        images, their_labels = images_of(split)
        assert shown.shape == (len(images), 3, 32, 32)
        found = {image[1, 2:30, 2:30].numpy().tobytes(): int(label) for image, label in zip(shown, labels, strict=True)}
        assert found == {image.tobytes(): int(label) for image, label in zip(images, their_labels, strict=True)}
        assert (shown == shown[:, :1]).all()
        assert int(shown.sum()) == 3 * int(images.sum())  # nothing but zeros around


def test_it_is_downloaded_verified_and_then_found(tmp_path, monkeypatch, capsys):
    write(tmp_path / "host", zipped=True)
    sums = [(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in sorted((tmp_path / "host").iterdir())]
    archive = torchvision("datasets").FashionMNIST
    monkeypatch.setattr(archive, "resources", sums)
    monkeypatch.setenv("no_proxy", "*")
    home = tmp_path / "data"
    with served(tmp_path / "host") as address:
        monkeypatch.setattr(archive, "mirrors", [address])
        assert main([str(home), "fashion_mnist"]) == 0
    assert capsys.readouterr().out == f"fashion_mnist: 30 training and 20 test images in {home}\n"
    assert not choose("auto", "documented", home).downloads("fashion_mnist")
    as_npz = {f"{split}_{what}": at for split in FILES for what, at in _named(images_of(split))}
    (tmp_path / "own").mkdir()
    np.savez(tmp_path / "own" / "fashion_mnist.npz", **as_npz, class_names=[str(label) for label in range(10)])
    downloaded = load(choose("auto", "documented", home), "fashion_mnist")
    assert downloaded.fingerprint == load(choose("auto", "documented", tmp_path / "own"), "fashion_mnist").fingerprint

    # A download that was changed on its way is not read.
    monkeypatch.setattr(archive, "resources", [(name, "0" * 32) for name, _ in sums])
    with served(tmp_path / "host") as address:
        monkeypatch.setattr(archive, "mirrors", [address])
        assert main([str(tmp_path / "again"), "fashion_mnist"]) == 1
    said = capsys.readouterr().err
    assert "Error downloading" in said
    assert "File not found or corrupted" in said
    assert "Ways to get it: `python -m pytest_claims.data data fashion_mnist`" in said


def _named(split):
    return zip(("images", "labels"), split, strict=True)


@pytest.mark.parametrize(
    "content", [b"", b"no images at all, but long enough", idx(np.zeros((30, 28, 28), np.uint8))[:-9]]
)
def test_a_damaged_file_is_told_with_the_way_out(tmp_path, content):
    raw = tmp_path / "FashionMNIST" / "raw"
    write(raw)
    (raw / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=rf"fashion_mnist at {tmp_path}: .+\. Ways to get it: "):
        load(choose(str(tmp_path), "documented", tmp_path), "fashion_mnist")


def test_half_a_download_is_none(tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    write(raw)
    (raw / "t10k-labels-idx1-ubyte").unlink()
    assert choose("auto", "documented", tmp_path).downloads("fashion_mnist")
