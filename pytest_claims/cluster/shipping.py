"""What code a session takes to the nodes, which have Python, torch, numpy, psutil and Ray, and nothing of ours.

Packages and modules travel as a folder, Ray's working_dir, from which workers import them by name: this package, what
the session has imported from below its root (models/, helpers of claims), and the package of any other network or
optimiser that a claim names. What pytest itself has imported, test modules and conftest.py, cannot be imported by name
there, and needs pytest. A network of such a module travels with the blocks instead, as code (cloudpickle, by value).
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_claims import optimisers
from pytest_claims.cluster.nodes import ClusterError
from pytest_claims.types import Run

# Ray takes folders of up to 512 MiB. What is larger than this is no claims' code, and belongs onto the nodes.
_MOST_BYTES = 100 * 2**20
# Of a single file, below the root: images and stores lie beside code.
_MOST_BYTES_OF_A_FILE = 2**20
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.sqlite*", "*.npz", "*.pyc")
# On every node, or of no use there.
_EVERYWHERE = ("torch", "numpy", "ray", "psutil", "pytest", "_pytest")


def stage(into: Path, root: Path, runs: Iterable[Run], by_value: Iterable[ModuleType]) -> None:
    """Put into a folder what nodes import. root: of the session. runs: that its claims may ask for.

    by_value: modules of which networks travel with the blocks. Raises ClusterError for a package that is too large.
    """
    left_out = {module.__name__ for module in by_value}
    own = sys.modules["pytest_claims"]
    modules = [own, *(module for module in _below(root) if module.__name__ not in left_out)]
    for kind in _kinds(runs):
        module = sys.modules.get(kind)
        if module is not None and kind not in left_out and _is_foreign(module):
            modules.append(module)
    copied: set[Path] = set()
    for module in modules:
        source = _top_of(module)
        if source is None or source in copied:
            continue
        copied.add(source)
        _copy(source, into, whole=not _is_within(source, root))


def pickler(by_value: Iterable[ModuleType]) -> Callable[[object], bytes]:
    """Pickles for a node; what these modules define travels as code. Needs Ray, whose cloudpickle it takes."""
    cloudpickle: Any = importlib.import_module("ray.cloudpickle")
    for module in by_value:
        cloudpickle.register_pickle_by_value(module)
    dumps: Callable[[object], bytes] = cloudpickle.dumps
    return dumps


def registered_optimiser(run: Run) -> optimisers.Optimiser | None:
    """The run's optimiser where it is not one of the package's own, which nodes have."""
    name = run.recipe.optimizer
    return None if name in optimisers.OWN else optimisers.registered(name)


def _below(root: Path) -> Iterator[ModuleType]:
    """Modules that this process has imported from below a folder, but for installed ones."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and _is_within(Path(file), root) and not _is_installed(Path(file)):
            yield module


def _kinds(runs: Iterable[Run]) -> set[str]:
    """Names of the modules that define what these runs are made of."""
    found: set[str] = set()

    def visit(value: Any) -> None:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            found.update(kind.__module__ for kind in type(value).__mro__)
            for field in dataclasses.fields(value):
                visit(getattr(value, field.name))
        elif isinstance(value, tuple | list):
            for each in value:
                visit(each)

    for run in runs:
        visit(run.network)
        optimiser = registered_optimiser(run)
        if optimiser:
            found.add(getattr(optimiser.make, "__module__", ""))
    return found


def _is_foreign(module: ModuleType) -> bool:
    """Whether a module is of a package that nodes cannot be expected to have."""
    top = module.__name__.split(".")[0]
    return top not in sys.stdlib_module_names and top not in _EVERYWHERE


def _top_of(module: ModuleType) -> Path | None:
    """The folder or the file that has to be on a path of imports for this module; None where its name says none."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return None
    path, parts = Path(file), module.__name__.split(".")
    here = path.parent if path.stem == "__init__" else path.with_suffix("")
    # A module whose file lies elsewhere than its name says (__main__; a name that was made up) is imported by no name.
    if list(here.parts[-len(parts) :]) != parts:
        return None
    top = here.parents[len(parts) - 2] if len(parts) > 1 else here
    return top if top.is_dir() else path


def _taken(package: Path) -> Iterator[Path]:
    """The files of a package that travel."""
    for folder, folders, files in os.walk(package):
        left_out = _LEFT_OUT(folder, [*folders, *files])
        folders[:] = [name for name in folders if name not in left_out]
        yield from (path for name in files if name not in left_out and (path := Path(folder) / name).is_file())


def _copy(source: Path, into: Path, *, whole: bool) -> None:
    """Copy a package or a module. whole: with large files, for an installed package may need them."""
    if source.is_file():
        shutil.copy2(source, into / source.name)
        return

    def left_out(folder: str, names: list[str]) -> set[str]:
        large = {
            name
            for name in names
            if not whole
            and (path := Path(folder) / name).is_file()
            and path.suffix != ".py"
            and path.stat().st_size > _MOST_BYTES_OF_A_FILE
        }
        return _LEFT_OUT(folder, names) | large

    size = sum(path.stat().st_size for path in _taken(source)) if whole else 0
    if size > _MOST_BYTES:
        raise ClusterError(
            f"a network of the claims is of {source.name}, whose {size / 2**20:.0f} MiB ({source}) are too many to "
            "travel with each session. Install it on the nodes, and import the network in a module below the session's "
            "root"
        )
    shutil.copytree(source, into / source.name, ignore=left_out, dirs_exist_ok=True)


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _is_installed(path: Path) -> bool:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(_is_within(path, Path(place)) for place in places) or "site-packages" in path.parts
