"""`python -m mutants [MODULE ...]`: which mutants do the tests let pass?

This process imports what the tests import from outside the project (torch takes seconds), nothing of the project.
A fork of it collects a module's tests in a copy of the working tree, and forks in turn for each mutant that changes a
function's code alone: there it is put in place (swapped.py). Other mutants, and what survives so, are written into the
copy, and a fork of this process collects and runs the tests anew.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gc
import importlib.util
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from mutants.generate import Mutant, mutants
from mutants.swapped import Host, Swap

HERE = Path(__file__).parent
ROOT = HERE.parent
MODULES = HERE / "modules.toml"
SURVIVORS = HERE / "survivors.txt"
# As in the fast tests.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# The status of tests of which one failed.
_FAILED = 1
QUIET = ("-q", "-x", "--no-header", "--tb=no", "-n", "0", "-p", "no:cacheprovider")


def allowed(seconds: float) -> float:
    """How long something may take with a mutant that took so long without. Past it the mutant is killed."""
    return 10 + 5 * seconds


@dataclasses.dataclass(frozen=True)
class Tests:
    """A module's entry in modules.toml, where the fields are explained."""

    tests: tuple[str, ...]
    processes: tuple[str, ...] = ()
    every: bool = False


@dataclasses.dataclass(frozen=True)
class Baseline:
    """The tests on the module as it is. seconds: by test, in this order. covering: by line, the tests that run it.

    imported: modules from outside the project, in the order in which they were imported.
    """

    seconds: dict[str, float]
    covering: dict[int, set[str]]
    imported: list[str]

    def tests(self, mutant: Mutant, tests: Tests, killers: Sequence[str] = ()) -> list[str]:
        """Those that run the function changed, the last to kill a mutant first, then the quickest.

        Then those that may run it in a process of their own.
        """
        latest = {name: -place for place, name in enumerate(killers, 1)}
        own = {name for name in self.seconds if name.startswith(tests.processes or "\0")}
        seen = set(self.seconds)
        if mutant.lines is not None and not tests.every:
            seen = {test for line in mutant.lines for test in self.covering.get(line, ())}
        return sorted(seen | own, key=lambda name: (name in own, latest.get(name, 0), self.seconds[name], name))


class Chosen:
    """Of the tests collected those chosen, in their order; one that takes far longer than its seconds ends the process.

    So a loop without an end costs what the first test that enters it may take, not what all may. killed: a file for the
    name of a test that fails.
    """

    def __init__(self, names: Sequence[str], seconds: dict[str, float], killed: Path) -> None:
        self.place = {name: place for place, name in enumerate(names)}
        self.seconds, self.killed = seconds, killed

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # SIGALRM as it is by default: no code of the module, in Python or in C, has a say in it.
        signal.setitimer(signal.ITIMER_REAL, allowed(self.seconds[nodeid]))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.killed.write_text(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self.place), key=lambda i: self.place[i.nodeid])


class Timed:
    """How long each test takes, its fixtures included, and which lines it runs."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration


def forked(action: Callable[[], int], tree: Path, seconds: float = math.inf) -> int | None:
    """The status of an action in a fork, in a tree; None where it took longer. What it started ends with it."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            os.chdir(tree)
            status = action()
        finally:
            os._exit(status)
    ends = time.monotonic() + seconds
    try:
        while time.monotonic() < ends:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        return None
    except BaseException:
        # It may have forks of its own, in sessions of their own, which it ends.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGTERM)
            time.sleep(1)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)


def measure(tree: Path, module: str, tests: Sequence[str]) -> Baseline:
    """Run a module's tests as they are; exits where they fail."""
    report = tree / "baseline.json"

    def action() -> int:
        import coverage
        import pytest

        measured = coverage.Coverage(data_file=None, include=[str(tree / module)], config_file=False)
        timed = Timed(measured)
        measured.start()
        status = int(pytest.main([*QUIET, f"--basetemp={tree.parent / 'basetemp'}", *tests], plugins=[timed]))
        measured.stop()
        lines = measured.get_data().contexts_by_lineno(str(tree / module))
        outside = [
            name
            for name, loaded in list(sys.modules.items())
            if (file := getattr(loaded, "__file__", None)) and not file.startswith(str(tree)) and name != "__main__"
        ]
        report.write_text(json.dumps([timed.seconds, list(lines.items()), outside]))
        return status

    status = forked(action, tree, 1800)
    if status != 0:
        sys.exit(f"the tests of {module} do not pass as they are (status {status}): pytest {' '.join(tests)}")
    seconds, lines, outside = json.loads(report.read_text())
    covering = {line: {name for name in names if name} for line, names in lines}
    if not covering:
        sys.exit(f"the tests of {module} do not import it: {' '.join(tests)}")
    return Baseline(seconds, covering, [name for name in outside if name.split(".")[0] != "mutants"])


def killed_by(tree: Path) -> Path:
    """The file with the name of the test that failed last."""
    return tree.parent / "killed-by"


def survives(tree: Path, module: str, changed: str, tests: Sequence[str], seconds: dict[str, float]) -> bool:
    """Do all of these tests pass with this text as the module's, each and all in a few times their seconds?"""
    if not tests:
        return True

    def action() -> int:
        import pytest

        # Bytecode is chosen by a date to the second: that of the baseline is read, and none is left by a mutant.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        files = list(dict.fromkeys(name.split("::")[0] for name in tests))
        arguments = [*QUIET, f"--basetemp={tree.parent / 'basetemp'}", *files]
        return int(pytest.main(arguments, plugins=[Chosen(tests, seconds, killed_by(tree))]))

    path = tree / module
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    text = path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    try:
        return forked(action, tree, allowed(sum(seconds[name] for name in tests))) == 0
    finally:
        path.write_text(text, encoding="utf-8")


def killed_in_place(
    tree: Path, module: str, made: Sequence[Mutant], baseline: Baseline, tests: Tests
) -> tuple[set[int], int]:
    """Which of these mutants are killed where they are put in place of their function, and how many were tried so.

    The others are undecided: what surviving tests ran at collection, and what they ran in processes of their own, they
    ran as it was.
    """
    path = str(tree / module)
    found = tree.parent / "in-place.json"
    killed: set[int] = set()
    tried: list[int] = []

    def each(run: Callable[[Sequence[str]], int]) -> None:
        swap = Swap(path, Path(path).read_text(encoding="utf-8"))
        unchanged = sorted(baseline.seconds, key=baseline.seconds.__getitem__)
        if forked(lambda: run(unchanged), tree, allowed(sum(baseline.seconds.values()))) != 0:
            return
        killers: list[str] = []
        for place, mutant in enumerate(made):
            changed = swap.code(mutant)
            names = baseline.tests(mutant, tests, killers[-20:])
            if changed is None or not names:
                continue
            tried.append(place)

            def action(changed: tuple[str, CodeType] = changed, names: list[str] = names) -> int:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                # What cannot be exchanged after all is undecided, as what survives.
                return run(names) if swap.exchange(*changed) else 0

            status = forked(action, tree, allowed(sum(baseline.seconds[name] for name in names)))
            # A test failed, or something took too long. Whatever else ends a fork says nothing of the mutant.
            if status is None or status < 0 or status == _FAILED:
                killed.add(place)
                if killed_by(tree).exists():
                    killers.append(killed_by(tree).read_text())
                    killed_by(tree).unlink()
        found.write_text(json.dumps([sorted(killed), len(tried)]))

    def action() -> int:
        import pytest

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        files = list(dict.fromkeys(name.split("::")[0] for name in baseline.seconds))
        chosen = Chosen(list(baseline.seconds), baseline.seconds, killed_by(tree))
        arguments = [*QUIET, f"--basetemp={tree.parent / 'basetemp'}", *files]
        return int(pytest.main(arguments, plugins=[chosen, Host(each)]))

    found.unlink(missing_ok=True)
    forked(action, tree)
    if not found.exists():
        sys.exit(f"{module}: its tests do not pass in a fork of what collected them, or do not import it")
    places, count = json.loads(found.read_text())
    return set(places), count


def copy(tree: Path) -> None:
    """The working tree as it is, without what git ignores."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def warm(names: Sequence[str]) -> None:
    """Import modules of other projects, so that no fork needs to."""
    for name in names:
        # Some are made at run time, and not to be found; what needs them makes them.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    # What is here stays: no fork's garbage collection goes through it, or copies it.
    gc.collect()
    gc.freeze()


def listed() -> dict[str, str]:
    """The reason of each survivor listed, by its name. Exits where one has none."""
    reasons = {}
    for line in SURVIVORS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.rpartition("  # ")
            if not name or not reason.strip() or reason.strip() == "?":
                sys.exit(f"{SURVIVORS.relative_to(ROOT)}: no reason is given: {line}")
            reasons[name] = reason
    return reasons


def main() -> None:
    """Run the mutants of the modules named, or of all; status 1 where the survivors are not those listed."""
    modules = {
        name: Tests(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
        for name, entry in tomllib.loads(MODULES.read_text(encoding="utf-8")).items()
    }
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of those in {MODULES.name}; none: all")
    words = "only mutants with this in their line, as a function; given several times: with one of these"
    parser.add_argument("-k", action="append", metavar="TEXT", help=words)
    arguments = parser.parse_args()
    chosen = arguments.modules or list(modules)

    def is_chosen(name: str) -> bool:
        return not arguments.k or any(text in name for text in arguments.k)

    unknown = [name for name in chosen if name not in modules]
    if unknown:
        parser.error(f"not in {MODULES.name}: {', '.join(unknown)}")
    reasons = listed()
    # The copy of the tree goes with it, and the fork.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ.update(ENVIRONMENT)
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != ROOT]
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder).resolve() / "tree"
        copy(tree)
        warm(["torch", "pytest"])
        for module in chosen:
            began = time.monotonic()
            baseline = measure(tree, module, modules[module].tests)
            warm(baseline.imported)
            text = (tree / module).read_text(encoding="utf-8")
            if not survives(tree, module, text, sorted(baseline.seconds, key=baseline.seconds.get), baseline.seconds):
                sys.exit(f"{module}: its tests, the quickest first, do not pass in a fork with nothing changed")
            made = [mutant for mutant in mutants(module, text) if is_chosen(mutant.name)]
            print(f"{module}: {len(made)} mutants, {len(baseline.seconds)} tests", flush=True)
            killed, tried = killed_in_place(tree, module, made, baseline, modules[module])
            print(f"  {len(killed)} of {tried} killed in place; {len(made) - len(killed)} are run anew", flush=True)
            survived, killers = 0, []
            for place, mutant in enumerate(made):
                if place in killed:
                    continue
                names = baseline.tests(mutant, modules[module], killers[-20:])
                if survives(tree, module, mutant.text, names, baseline.seconds):
                    survived += 1
                    found.append(mutant.name)
                    mark = "" if names else " (no test runs it)"
                    print(f"  {'listed' if mutant.name in reasons else 'NEW'}{mark}: {mutant.name}", flush=True)
                elif killed_by(tree).exists():
                    killers.append(killed_by(tree).read_text())
                    killed_by(tree).unlink()
            took = time.monotonic() - began
            print(
                f"  {survived} of {len(made)} survived; {took:.0f} s, {took / max(1, len(made)):.2f} s a mutant",
                flush=True,
            )
    new = [name for name in found if name not in reasons]
    gone = [name for name in reasons if name.split(" ")[0] in chosen and is_chosen(name) and name not in found]
    where = SURVIVORS.relative_to(ROOT)
    if new:
        print(f"\n{len(new)} new survivors: write a test, or list them in {where} with the reason in place of ?:")
        print("\n".join(f"{name}  # ?" for name in new))
    if gone:
        print(f"\n{len(gone)} listed survivors that did not survive: delete their lines from {where}:")
        print("\n".join(gone))
    sys.exit(bool(new or gone))


if __name__ == "__main__":
    main()
