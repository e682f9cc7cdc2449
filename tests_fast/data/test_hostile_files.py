"""Files of images that are not what they are called, or made to do harm: each is named, and none is run or trusted."""

import contextlib
import io
import itertools
import json
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_claims.data import DataError, choose, load, spec_of
from pytest_claims.data.folders import FORMATS
from pytest_claims.runs.evidence import files, read
from pytest_claims.runs.store import COLUMNS
from tests_fast.data.test_load import arrays

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "cifar10.npz", **arrays())
    return tmp_path


def cifar10(folder):
    return load(choose(str(folder), "rehearsal", folder), "cifar10")


def test_other_images_under_the_name_of_cifar_are_ones_own(npz):
    choice = choose(str(npz), "documented", npz)
    found = load(choice, "cifar10")
    assert (found.name, found.kind) == ("cifar10", "folders")
    assert choice.served("cifar10", found.kind) == (
        f"images of your own, for they are not those of cifar10, at {npz} (as asked with --data)"
    )
    assert choice.unverified() == ["cifar10.npz"]
    # Another set's file under this name has as many classes as it has.
    np.savez(npz / "cifar10.npz", **arrays(classes=100))
    assert (cifar10(npz).classes, cifar10(npz).kind) == (100, "folders")


def test_the_published_sets_are_those_of_recorded_runs():
    found = {}
    for path in files(ROOT / "evidence"):
        for row in read(path):
            run = dict(zip(COLUMNS, row, strict=True))
            found[run["data"]] = json.loads(run["configuration"]).get("dataset", "cifar10")
    assert found == {spec_of(name).fingerprint: name for name in ("cifar10", "cifar100")}


def header(shape):
    """The beginning of an array's file, which says what follows."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def rewritten(path, members, **options):
    """Write an .npz anew, with these bytes as members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in (content | members).items():
            archive.writestr(name, data)


def encrypted(path):
    """Set the flag of an encrypted member, in both places that a zip file has it."""
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(mark, start + 4)
    path.write_bytes(data)


def with_arrays(**others):
    return lambda path: np.savez(path, **arrays() | others)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (encrypted, "password"),
        (lambda path: rewritten(path, {"train_images.npy": b"\x93NUMPY\x09\x00"}), "version"),
        (lambda path: rewritten(path, {"train_images.npy": header((30, 32, 32, 3)) + b"short"}), "cannot be read"),
        (with_arrays(class_names=np.array("one")), r"class_names are <U3 \[\]; needed: texts"),
        (with_arrays(class_names=np.arange(10)), r"class_names are int64 \[10\]; needed: texts"),
        (with_arrays(class_names=np.array([b"\xff"] * 10)), "not UTF-8"),
        (with_arrays(class_names=np.array([{}], dtype=object)), "objects, which are pickles"),
        (with_arrays(train_images=np.zeros(3, np.uint8)), "train images are uint8"),
        (with_arrays(test_labels=np.uint8(3)), "test labels are uint8"),
    ],
)
def test_what_is_no_data_set_is_named(npz, damage, message):
    damage(npz / "cifar10.npz")
    with pytest.raises(DataError, match=message) as error:
        cifar10(npz)
    assert "cifar10.npz" in str(error.value)


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(npz):
    path = npz / "cifar10.npz"
    declared = header((3_000_000, 32, 32, 3)) + bytes(50_000_000)
    rewritten(path, {"train_images.npy": declared}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"unpacks to more than 2,147,483,648 bytes \(train_images 9,216,000,000,"):
        cifar10(npz)


def test_sizes_whose_product_is_zero_in_64_bits_are_no_way_around_the_limit(npz):
    rewritten(npz / "cifar10.npz", {"train_labels.npy": header((2**32, 2**32))})
    with pytest.raises(DataError, match="unpacks to more than"):
        cifar10(npz)


def test_a_negative_size_takes_nothing_from_what_others_unpack_to(npz):
    rewritten(npz / "cifar10.npz", {"test_images.npy": header((-(10**9),))})
    with pytest.raises(DataError, match=r"test_images says that its shape is \[-1000000000\]"):
        cifar10(npz)


def test_names_by_the_million_are_refused_before_each_is_made_a_text(npz):
    with np.load(npz / "cifar10.npz") as arrays:
        changed = {**arrays, "class_names": np.zeros(50_000, "S1")}
    np.savez(npz / "cifar10.npz", **changed)
    with pytest.raises(DataError, match="50,000 class_names; allowed: 32,768 at most"):
        cifar10(npz)


@pytest.fixture
def coloured(tmp_path):
    """Two class folders in each split, an image in each."""
    for split, name in itertools.product(("train", "test"), "ab"):
        (tmp_path / split / name).mkdir(parents=True)
        Image.new("RGB", (40, 40), (250, 10, 10)).save(tmp_path / split / name / "0.png")
    return tmp_path


def test_what_is_hidden_is_no_class_and_no_image(coloured):
    for folder in (".ipynb_checkpoints", ".git"):
        (coloured / "train" / folder).mkdir()
    (coloured / "train" / "a" / ".DS_Store").write_bytes(b"no image")
    assert cifar10(coloured).class_names == ("a", "b")


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\x1b[31m", b"a\nb"])
def test_a_class_whose_name_is_no_text_is_named(coloured, name):
    for split in ("train", "test"):
        os.mkdir(os.path.join(os.fsencode(coloured / split), name))
    with pytest.raises(DataError, match="the name of this class is no text in UTF-8, or cannot be shown; rename"):
        cifar10(coloured)


def picture(width, height):
    """A PNG of a few bytes that says it has so many pixels."""
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", size), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    checked = [(len(body), name + body) for name, body in parts]
    told = [struct.pack(">I", size) + part + struct.pack(">I", zlib.crc32(part)) for size, part in checked]
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n", "not an image of PNG, JPEG"),
        (b"/* XPM */\nstatic char *a[] = {};", "not an image of PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "not an image of PNG, JPEG"),
        (picture(9000, 9000), r"has 9000 x 9000 pixels; allowed: 67,108,864 in all"),
        (picture(100_000, 100_000), "not an image of PNG, JPEG"),
        (b"", "not an image of PNG, JPEG"),
    ],
)
def test_what_no_listed_decoder_takes_is_named(coloured, content, message):
    (coloured / "test" / "b" / "1.png").write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        cifar10(coloured)
    assert "1.png" in str(error.value)


def test_every_listed_format_is_read(coloured):
    for number, form in enumerate(FORMATS):
        Image.new("RGB", (40, 40), (10, 250, 10)).save(coloured / "train" / "b" / f"{number}.image", format=form)
    assert len(cifar10(coloured).train_labels) == 2 + len(FORMATS)


@contextlib.contextmanager
def as_nobody():
    """As a user who may read nothing that is not everyone's; root may read all."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("closed", ["", "train", "train/b", "train/b/0.png", "cifar10.npz"])
def test_what_may_not_be_read_is_named(coloured, closed):
    # The folders above the usual temporary one are this user's alone.
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "images")
        if closed == "cifar10.npz":
            place.mkdir()
            np.savez(place / closed, **arrays())
        else:
            shutil.copytree(coloured, place)
        for open_to_all in (folder, place):
            os.chmod(open_to_all, 0o755)
        os.chmod(place / closed, 0)
        try:
            with as_nobody(), pytest.raises(DataError, match="Permission denied") as error:
                cifar10(place)
        finally:
            os.chmod(place / closed, 0o755)
    assert str(place / closed) in str(error.value)
