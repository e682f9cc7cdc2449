"""What code travels to nodes: all that networks need and nodes lack, and no images."""

import dataclasses
import importlib
import sys

import pytest

from pytest_claims import optimisers
from pytest_claims.cluster import shipping
from pytest_claims.cluster.nodes import ClusterError
from pytest_claims.cluster.shipping import registered_optimiser, stage
from pytest_claims.optimisers import Optimiser
from pytest_claims.types import Run
from tests_fast.runs.test_store import RECIPE, RUN

NETWORK = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class Net:
    classes: int = 10
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder on the path of imports, whose modules are forgotten afterwards."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    known = set(sys.modules)
    yield folder
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def package(folder, name, **others):
    (folder / name).mkdir()
    for file, text in {"__init__.py": "", "net.py": NETWORK, **others}.items():
        (folder / name / file).write_text(text)
    return importlib.import_module(f"{name}.net")


def test_this_package_travels(tmp_path, into):
    stage(into, tmp_path, [], [])
    assert {"pytest_claims/__init__.py", "pytest_claims/train/engine.py"} <= files(into)
    assert not any("__pycache__" in name for name in files(into))


def test_packages_below_the_root_travel_without_what_is_no_code(place, into):
    package(place, "shipped_nets", **{"lazy.py": "", "runs.sqlite": "", "table.json": "{}", "images.npz": ""})
    (place / "shipped_nets" / "large.bin").write_bytes(bytes(2 * 2**20))
    (place / "never_imported.py").write_text("")
    stage(into, place, [], [])
    # What is imported only later, too.
    expected = {"__init__.py", "net.py", "lazy.py", "table.json"}
    assert {name for name in files(into) if not name.startswith("pytest_claims/")} == {
        f"shipped_nets/{name}" for name in expected
    }


def test_a_module_in_a_folder_without_init_keeps_its_name(place, into):
    (place / "loose").mkdir()
    (place / "loose" / "helpers.py").write_text("")
    importlib.import_module("loose.helpers")
    stage(into, place, [], [])
    assert "loose/helpers.py" in files(into)


def test_the_package_of_a_network_travels_wherever_it_is_installed(place, into, tmp_path):
    net = package(place, "others_nets").Net()
    stage(into, tmp_path / "root", [], [])
    assert "others_nets/net.py" not in files(into)
    stage(into, tmp_path / "root", [Run(net, RECIPE)], [])
    assert {"others_nets/__init__.py", "others_nets/net.py"} <= files(into)


def test_the_package_of_a_part_of_a_network_travels_too(place, into, tmp_path):
    part = package(place, "parts_nets").Net()
    whole = dataclasses.make_dataclass("Whole", [("parts", tuple), ("classes", int, 10)], frozen=True)((part,))
    stage(into, tmp_path / "root", [Run(whole, RECIPE)], [])
    assert "parts_nets/net.py" in files(into)


def test_what_travels_with_the_blocks_does_not_travel_twice(place, into):
    (place / "test_alone.py").write_text(NETWORK)
    module = importlib.import_module("test_alone")
    stage(into, place, [Run(module.Net(), RECIPE)], [module])
    assert "test_alone.py" not in files(into)


def test_a_package_that_is_too_large_is_named_with_the_way_out(place, into, tmp_path, monkeypatch):
    net = package(place, "large_nets").Net()
    (place / "large_nets" / "weights.bin").write_bytes(bytes(4 * 2**20))
    (place / "large_nets" / "__pycache__").mkdir(exist_ok=True)
    (place / "large_nets" / "__pycache__" / "net.pyc").write_bytes(bytes(2**21))  # does not travel
    monkeypatch.setattr(shipping, "_MOST_BYTES", 3 * 2**20)
    with pytest.raises(ClusterError, match=r"large_nets, whose 4 MiB .* Install it on the nodes"):
        stage(into, tmp_path / "root", [Run(net, RECIPE)], [])


def test_only_an_optimiser_of_ones_own_travels(monkeypatch):
    assert registered_optimiser(RUN) is None
    own = Optimiser("of_ones_own", print, elementwise=True)
    monkeypatch.setattr(optimisers, "_REGISTERED", {**optimisers._REGISTERED, own.name: own})
    assert registered_optimiser(Run(RUN.network, dataclasses.replace(RECIPE, optimizer=own.name))) is own
