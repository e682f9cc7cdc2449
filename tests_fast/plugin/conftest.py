"""Real pytest runs in folders of their own, with the plugin, tiny real networks and class folders of tiny images."""

import dataclasses
import importlib
import sqlite3
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import DepthCNN
from pytest_claims.data import spec, spec_of
from pytest_claims.runs.evidence import publish
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.runs.store import Key, Store
from pytest_claims.train import train
from pytest_claims.train.cost import Speed, cost
from pytest_claims.train.engine import version_of
from pytest_claims.types import Recipe, Run, Trained
from tests_fast.images import tiny

ROOT = Path(__file__).resolve().parents[2]

STORE = ".claims/runs.sqlite"

CLAIMS = """
    import pytest
    from pytest_claims.types import Arm, Recipe, Source
    from pytest_claims.judge.decorator import claim
    from models import DepthCNN

    SOURCE = Source("A paper", "Table 1", repetitions=5)
    RECIPE = Recipe(images_per_class=8, batch=20, epochs=8, optimizer="sgd", lr=0.05, momentum=0.9)
    RECIPES = {"rehearsal": RECIPE, "documented": RECIPE}


    def net(width, documented=None):
        return Arm(DepthCNN(1, "relu", width=width, classes=5), RECIPES, documented)


    def wide_and_narrow():
        return {"wide": net(16, 60.0), "narrow": net(1, 20.0)}


    @claim("T1", "a wide network beats a narrow one", source=SOURCE, arms=wide_and_narrow)
    def test_wide_beats_narrow(lab):
        lab.assert_greater("wide", "narrow", margin=2.0)


    @claim("T2", "a narrow network beats a wide one", source=SOURCE, arms=wide_and_narrow)
    def test_narrow_beats_wide(lab):
        lab.assert_greater("narrow", "wide", margin=2.0)


    @pytest.mark.parametrize("width", (12, 14))
    @claim("T3", "width {width} equals itself", source=SOURCE, arms=lambda width: {"a": net(width), "b": net(width)})
    def test_equal(lab, width):
        lab.assert_within("a", "b", within=50.0)  # of 25 test images one counts for 4 points


    def test_ordinary():
        pass
"""


@pytest.fixture(scope="session", autouse=True)
def warm():
    """Import all that the plugin and torch import lazily: an in-process run forgets what it was first to import."""
    importlib.import_module("pytest_claims.plugin.active")
    train(Run(DepthCNN(1, "relu", width=4), Recipe(2, 20, 1, "sgd", 0.1)), [0], tiny())
    cost(Run(DepthCNN(1, "relu"), Recipe(2, 20, 1, "sgd", 0.1)), 1, 1)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Class folders of images, the same for all tests: so many files take longer to remove than to train on."""
    root, generator = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 10)):
        for label in range(5):
            folder = root / split / f"class{label}"
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 60, (32, 32, 3))
                pixels[..., label % 3] += 80 if label < 3 else 160
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index}.png")
    return root


@pytest.fixture
def suite(pytester, monkeypatch, images):
    """A folder with claims/, the plugin loaded as in this repository, and images/ to train on."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    furnish(pytester.path, images)
    return pytester


def furnish(folder, images, claims=CLAIMS, conftest='pytest_plugins = ["pytest_claims.plugin.hooks"]'):
    """Put these claims into a folder, with all that a session there needs."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib --strict-markers --strict-config -p no:cacheprovider\n"
    )
    (folder / "claims").mkdir()
    (folder / "claims" / "test_width.py").write_text(textwrap.dedent(claims))
    (folder / "images").symlink_to(images)


@pytest.fixture
def any_cifar(monkeypatch):
    """In sessions of this process, whatever images have the name of CIFAR-10 are CIFAR-10."""
    anything = dataclasses.replace(spec_of("cifar10"), fingerprint="")
    monkeypatch.setitem(spec._registered, "cifar10", anything)


def write(pytester, claims):
    (pytester.path / "claims" / "test_width.py").write_text(textwrap.dedent(claims))


@pytest.fixture
def run(suite, monkeypatch):
    """Run pytest on the suite's images, by default as a rehearsal; returns the result. With workers, in a process of
    its own."""

    def runs(*arguments, data="images", scale="rehearsal"):
        if "--scale" not in arguments:
            arguments = ("--scale", scale, *arguments)
        in_workers = "-n" in arguments and "--plan" not in arguments
        runner = suite.runpytest_subprocess if in_workers else suite.runpytest_inprocess
        if in_workers:
            # A process less to load into each of several.
            monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            arguments = ("-p", "xdist.plugin", *arguments)
        return runner("claims", *(["--data", data] if data else []), *arguments)

    return runs


# Of CLAIMS.
RECIPE = Recipe(images_per_class=8, batch=20, epochs=8, optimizer="sgd", lr=0.05, momentum=0.9)


def drawn(seed, mean):
    """A run of a wide or a narrow network, that is far from the other."""
    accuracy = mean + 0.01 * (seed % 3)
    return Trained(seed, accuracy, (10.0,) * 8, (2.0,) * 8, False, 1.0, 10_000)


@pytest.fixture
def recorded(suite):
    """Runs of two of the suite's claims, drawn and published as evidence of a card that is not here."""
    write(suite, CLAIMS.replace(", classes=5", ""))
    store = Store(suite.path / "drawn.sqlite")
    for width, mean in ((16, 60.0), (1, 50.0)):
        key = Key(Run(DepthCNN(1, "relu", width=width), RECIPE), spec_of("cifar10").fingerprint, "cuda", 20, 1)
        run = dataclasses.replace(key, seeds_per_block=seeds_per_block(key.run, "cuda"), engine=version_of(key.run))
        store.put(run, [drawn(seed, mean) for seed in range(5)], "a card of another machine")
    (suite.path / "evidence").mkdir()
    publish(store.rows(), suite.path / "evidence" / "a.jsonl", lambda name, data: None)
    store.close()
    return suite


def rows(suite):
    return sqlite3.connect(suite.path / STORE).execute("SELECT count(*) FROM runs").fetchone()[0]


def seeds_of(path, width):
    """How many seeds of the network of this width are stored."""
    found = sqlite3.connect(path).execute("SELECT configuration FROM runs").fetchall()
    return sum(f'"width":{width}}}' in text for (text,) in found)


@pytest.fixture
def known_speed(monkeypatch):
    """A plan's estimate without its probe of the device, which takes a second."""
    monkeypatch.setattr("pytest_claims.runs.plan.probe", lambda data: Speed(1e-3, 1e10))
