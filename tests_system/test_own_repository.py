"""The built wheel in a fresh environment: the example's repository runs elsewhere."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: a build leaves folders behind."""
    if importlib.util.find_spec("hatchling") is None or importlib.util.find_spec("build") is None:
        pytest.skip("the wheel needs build and hatchling: pip install -e .[dev]")
    source = tmp_path_factory.mktemp("source") / "project"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "pytest_claims", source / "pytest_claims", ignore=shutil.ignore_patterns("__pycache__"))
    out = source.parent / "dist"
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of a fresh environment with the wheel.

    It borrows the third-party packages of this one, for torch is large; the project's own folder is not among them.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # An editable installation of this project would come along with the others: its own files are left out.
    borrowed = Path(sysconfig.get_path("purelib"))
    (site / "borrowed.pth").write_text(f"{_without_this_project(borrowed, site.parent / 'borrowed')}\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return folder / "bin" / "python"


def _without_this_project(packages: Path, links: Path) -> Path:
    """A folder of links to all installed packages but this one."""
    links.mkdir()
    for entry in packages.iterdir():
        if entry.suffix != ".pth" and "pytest_claims" not in entry.name:
            (links / entry.name).symlink_to(entry)
    return links


def run(python, folder, *arguments):
    """Run the environment's interpreter there, with nothing of this checkout on its path."""
    hidden = {"PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_XDIST_WORKER"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [str(python), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_the_wheel_holds_the_package_alone_and_pins_no_torch(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pytest_claims"}
    for needed in ("py.typed", "report/claims.schema.json", "report/page/templates/page.html.jinja"):
        assert f"pytest_claims/{needed}" in names
    (torch,) = (
        line for line in metadata.splitlines() if line.startswith("Requires-Dist: torch") and "vision" not in line
    )
    assert torch == "Requires-Dist: torch>=2.9"
    version = next(line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Version: "))
    assert f'__version__ = "{version}"' in (ROOT / "pytest_claims" / "__init__.py").read_text(encoding="utf-8")


def test_a_repository_of_ones_own_gets_verdicts_a_ledger_and_a_page(python, tmp_path):
    repository = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "examples" / "own_repository", repository, ignore=shutil.ignore_patterns("data", ".claims"))
    assert run(python, repository, "-m", "shapes.images").returncode == 0
    where = run(python, repository, "-c", "import pytest_claims; print(pytest_claims.__file__)").stdout
    assert Path(where.strip()).is_relative_to(python.parents[1])

    options = ["claims", "--scale", "documented", "--seeds", "5"]
    files = ["--claims-html", "page", "--claims-json", "claims.json"]
    # In a worker of its own, which finds the plugin and the repository's modules for itself.
    first = run(python, repository, "-m", "pytest", *options, "-n", "1", *files, "--update-ledger")
    assert first.returncode == 0, first.stdout + first.stderr
    found = {
        claim["finding"]: claim["verdict"]["outcome"]
        for claim in json.loads((repository / "claims.json").read_text())["claims"]
    }
    assert found.keys() == {"S1", "S2"}
    assert "16 channels beat 1" in (repository / "page" / "index.html").read_text(encoding="utf-8")
    ledger = json.loads((repository / "claims" / "ledger" / "documented-shapes.json").read_text())
    assert {kinds["cpu"]["finding"]: kinds["cpu"]["verdict"] for kinds in ledger.values()} == found

    # All of it is stored, and what is recorded is expected.
    again = run(python, repository, "-m", "pytest", *options, "--ledger")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "runs trained in this session: 0, reused: 10" in again.stdout
