"""Where images come from: every form that is read, what --data means at each scale, and what damage says."""

import contextlib
import itertools
import multiprocessing
import pickle
import time

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_claims.data import DataError, choose, load
from pytest_claims.data.torchvision_import import torchvision


def arrays(classes=10, train=3, test=2):
    generator = np.random.default_rng(0)
    made = {}
    for split, per_class in (("train", train), ("test", test)):
        made[f"{split}_labels"] = np.repeat(np.arange(classes), per_class).astype(np.uint8)
        count = classes * per_class
        made[f"{split}_images"] = generator.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return made | {"class_names": np.array([f"class{label}" for label in range(classes)])}


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "cifar10.npz", **arrays())
    return tmp_path


def test_npz_is_read(npz):
    data = load(choose(str(npz), "documented", npz / "nothing"), "cifar10")
    assert data.class_names[3] == "class3"
    assert data.train_images.shape == (30, 3, 32, 32)
    # The form is right, and the images are not CIFAR's.
    assert data.kind == "folders"
    assert data.fingerprint == load(choose("auto", "rehearsal", npz), "cifar10").fingerprint


def test_scale_full_needs_the_whole_training_set(npz):
    with pytest.raises(
        DataError, match=r"cifar10 in .* has 30 training images; scale full is about the whole .* 50000"
    ):
        load(choose(str(npz), "full", npz), "cifar10")


def test_class_folders_are_read_and_scaled(tmp_path):
    for split in ("train", "test"):
        for label, colour in enumerate(((250, 10, 10), (10, 250, 10), (10, 10, 250))):
            (tmp_path / split / f"colour{label}").mkdir(parents=True)
            for index, size in enumerate(((64, 48), (32, 32))):
                Image.new("RGB", size, colour).save(tmp_path / split / f"colour{label}" / f"{index}.png")
    data = load(choose(str(tmp_path), "rehearsal", tmp_path), "cifar10")
    assert data.class_names == ("colour0", "colour1", "colour2")
    assert data.kind == "folders"
    assert torch.bincount(data.train_labels).tolist() == [2, 2, 2]
    assert data.train_images[0, :, 5, 5].tolist() == [250, 10, 10]


def cifar_batches(folder):
    """The files of torchvision's CIFAR-10 archive, with few images and so with other checksums."""
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    made = arrays()
    rows = made["train_images"].transpose(0, 3, 1, 2).reshape(30, -1)
    for index in range(5):
        content = {
            "data": rows[index * 6 : index * 6 + 6],
            "labels": made["train_labels"][index * 6 : index * 6 + 6].tolist(),
        }
        (batches / f"data_batch_{index + 1}").write_bytes(pickle.dumps(content))
    test = {"data": made["test_images"].transpose(0, 3, 1, 2).reshape(20, -1), "labels": made["test_labels"].tolist()}
    (batches / "test_batch").write_bytes(pickle.dumps(test))
    (batches / "batches.meta").write_bytes(pickle.dumps({"label_names": made["class_names"].tolist()}))


def test_an_unverified_cifar_archive_is_not_unpickled(tmp_path):
    cifar_batches(tmp_path)
    with pytest.raises(DataError, match="corrupted"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "cifar10")


def test_a_verified_cifar_archive_equals_the_npz(tmp_path, npz, monkeypatch):
    cifar_batches(tmp_path / "archive")
    # torchvision's own verification, of files that are not the real ones
    monkeypatch.setattr(torchvision("datasets").CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda path, md5: True)
    data = load(choose(str(tmp_path / "archive"), "rehearsal", tmp_path), "cifar10")
    assert data.fingerprint == load(choose(str(npz), "rehearsal", tmp_path), "cifar10").fingerprint


def test_auto_takes_each_data_set_from_disk_and_downloads_what_has_no_sample(tmp_path, npz):
    choice = choose("auto", "documented", npz)
    assert not choice.of("cifar10").download
    assert (choice.of("cifar100").kind, choice.of("cifar100").download) == ("cifar", True)
    assert [choice.downloads(name) for name in ("cifar10", "cifar100", "mnist")] == [False, True, False]
    assert str(choice) == f"cifar10 at {npz} (found on disk); other data sets are downloaded into {npz}"
    assert str(choice.of("cifar10")) == f"cifar at {npz} (found on disk)"
    assert not choice.offline.downloads("cifar100")
    assert choose("real", "rehearsal", tmp_path / "empty").of("cifar10").download


def test_a_session_that_trains_nothing_says_that_images_need_not_be_here(tmp_path, npz):
    empty = choose("auto", "documented", tmp_path / "empty").offline
    assert empty.why == "the images that the runs were recorded on"
    assert str(empty) == f"the images that runs were recorded on, which need not be here (none in {tmp_path / 'empty'})"
    assert str(choose("auto", "documented", npz).offline) == f"cifar10 at {npz} (found on disk)"


def test_no_network_and_no_data_says_how_to_get_it(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", offline)
    with pytest.raises(DataError, match=r"Network is unreachable.*python -m .* cifar10`.*--data PATH.*own images$"):
        load(choose("auto", "documented", tmp_path), "cifar10")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(b"not an archive"), "cannot be read"),
        (lambda path: np.savez(path, train_images=arrays()["train_images"]), "has no train_labels, test_images"),
        (lambda path: np.savez(path, **arrays() | {"class_names": np.array([{}], dtype=object)}), "cannot be read"),
        (lambda path: np.savez(path, **arrays() | {"train_labels": np.zeros(30)}), "needed: integers"),
    ],
)
def test_a_damaged_file_is_named(npz, damage, message):
    damage(npz / "cifar10.npz")
    with pytest.raises(DataError, match=message) as error:
        load(choose(str(npz), "rehearsal", npz), "cifar10")
    assert "cifar10.npz" in str(error.value)


def test_folders_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        choose(str(tmp_path / "missing"), "rehearsal", tmp_path)
    with pytest.raises(DataError, match="the folder holds none of"):
        choose(str(tmp_path), "rehearsal", tmp_path)
    for folder in ("train/a", "train/b", "test/a"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(DataError, match="the same folders in both"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "cifar10")
    (tmp_path / "test" / "b").mkdir()
    (tmp_path / "train" / "a" / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"broken\.png is not an image"):
        load(choose(str(tmp_path), "rehearsal", tmp_path), "cifar10")


def test_a_missing_half_is_named(npz):
    with pytest.raises(DataError, match="cifar100 is not in"):
        load(choose(str(npz), "rehearsal", npz), "cifar100")


def test_workers_that_all_miss_the_archive_download_one_after_another(tmp_path):
    # One process a worker, as locks are held by processes.
    workers = [multiprocessing.get_context("fork").Process(target=_download, args=(tmp_path, str(n))) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    spans = sorted(tuple(map(float, path.read_text().split())) for path in tmp_path.glob("span-*"))
    assert len(spans) == 3
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


def _download(folder, name):
    started = []

    class Archive:
        def __init__(self, root, train, download):
            started.append(time.monotonic())
            time.sleep(0.2)
            (folder / f"span-{name}").write_text(f"{started[0]} {time.monotonic()}")
            raise RuntimeError("no network here")

    datasets = torchvision("datasets")
    datasets.CIFAR10 = Archive
    with contextlib.suppress(DataError):
        load(choose("real", "documented", folder), "cifar10")
