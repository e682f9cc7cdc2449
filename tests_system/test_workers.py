"""A session of two workers: what they share, what other plugins hear of it, and that the store is that of one process.

A session in several processes takes ten seconds to begin, so that this one stands for all that is asked of it.
"""

import dataclasses
import os
import re
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from pytest_claims.judge.result import Result
from pytest_claims.types import LOOKS
from tests_fast.plugin.conftest import ROOT, furnish, seeds_of, write
from tests_fast.plugin.test_plugin import NO_RECIPE, properties
from tests_system.plugin.test_longer_sessions import OPEN
from tests_system.plugin.test_newhooks import (
    CONFTEST,
    ELSEWHERE,
    PLUGINS,
    assert_all_is_heard,
    seeds_trained_elsewhere,
    stored,
)

COMMAND = ("claims", "--data", "images", "--scale", "documented", "-v")


@dataclasses.dataclass
class Together:
    """The session of two workers. path: where. stdout: of it, lines as pytest's own."""

    path: Path
    stdout: pytest.LineMatcher


@pytest.fixture(scope="module")
def together(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("together")
    conftest = textwrap.dedent(CONFTEST) + textwrap.dedent(ELSEWHERE)
    furnish(folder, images, OPEN + NO_RECIPE, conftest)
    for name, text in PLUGINS.items():
        (folder / f"{name}.py").write_text(text)
    plugins = [argument for name in ("xdist.plugin", *PLUGINS) for argument in ("-p", name)]
    files = ["--store", "together.sqlite", "--junitxml", "together.xml", "--results", "together.md"]
    # A process less to load into each of several.
    set_here = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PY_COLORS": "0"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**inherited, **set_here}
    command = [sys.executable, "-m", "pytest", *plugins, *COMMAND, "-n", "2", *files]
    session = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    print(session.stdout, session.stderr)
    return Together(folder, pytest.LineMatcher(session.stdout.splitlines()))


def test_seeds_are_added_to_claims_that_are_still_open_and_workers_share_the_runs(suite, run, together):
    write(suite, OPEN + NO_RECIPE)
    alone = run("--scale", "documented", "-v", "--store", "alone.sqlite")
    sessions = {suite.path / "alone.sqlite": alone.stdout, together.path / "together.sqlite": together.stdout}
    results, verdicts = [], []
    for path, stdout in sessions.items():
        text = stdout.str()
        left_out = "left out: 1 claim has no recipe at scale documented; it runs with --scale rehearsal or --scale full"
        assert left_out in text
        stdout.fnmatch_lines(["claims: scale documented, 5, 7, 10, 14 or 20 seeds, until a verdict stands, *"])
        # Equal arms differ by nothing at all, which stands at the first look.
        assert seeds_of(path, 12) == seeds_of(path, 14) == 5
        taken = {name: int(n) for name, n in re.findall(r"^(T\d)\S* .*\n .* (\d+) [A-Z ]+ new$", text, re.MULTILINE)}
        assert taken["T3"] == 5
        assert taken["T1"] in LOOKS[1:]
        assert seeds_of(path, 16) == seeds_of(path, 6) == max(taken.values())
        if taken["T2"] > 5:
            assert "The looks, at 5" in " ".join(text.split())
        runs = stored(path)
        results.append(runs)
        verdicts.append(re.findall(r"^T\d\S* .*\n .* new$", text, re.MULTILINE))
        stdout.fnmatch_lines([f"runs trained in this session: {len(runs)}, reused: 0, *"])
    # Another plugin's executor trained those of the workers, and this one its own.
    assert results[0] == results[1]
    assert verdicts[0] == verdicts[1]


def test_a_results_page_and_junit_xml_are_written_once_with_every_result_whole(together):
    # By the process that has heard of all claims, not by each worker.
    assert len(re.findall(r"^\| T\d\S* .* \| \*\*", (together.path / "together.md").read_text(), re.MULTILINE)) == 4

    junit = ElementTree.parse(together.path / "together.xml")
    prop = junit.find(".//testcase[@name='test_narrow_beats_wide']/properties/property[@name='claim']")
    result = Result.from_json(prop.get("value"))
    assert result.finding == "T2"
    assert result.arms[0].label == "narrow"
    assert Result.from_json(result.to_json()) == result
    assert result.claims == 4  # of the session, though each worker ran some
    flat, outcome = properties(junit, "test_narrow_beats_wide"), str(result.verdict.outcome)
    texts = {"id": "T2", "finding": "T2", "verdict": outcome, "unit": "points", "source": 'A paper, "Table 1" (5 runs)'}
    assert {name: flat[name] for name in texts} == texts
    numbers = {name: getattr(result.verdict, name) for name in ("effect", "lower", "upper", "margin", "p", "n")}
    assert {name: float(flat[name]) for name in (*numbers, "documented")} == {**numbers, "documented": -40.0}


def test_other_plugins_hear_in_each_worker_of_the_settings_and_once_of_all_else(together):
    assert_all_is_heard(together.path, together.stdout.lines, "documented", 5, ["", "gw0", "gw1"])


def test_another_place_trains_for_both_workers(together):
    trained = seeds_trained_elsewhere(together.path, "together.sqlite", 2)
    assert trained.keys() == {16, 6, 12, 14}


ENDS = """
    import pytest

    pytest_plugins = ["pytest_claims.plugin.hooks"]


    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(excinfo):
        with open("ends.txt", "a") as file:
            print(len(excinfo.traceback), file=file)
"""


def test_a_worker_that_is_interrupted_makes_no_traceback_that_no_one_reads(suite, run):
    # Also before it has collected a claim. With one of every module in between it took seconds.
    (suite.path / "conftest.py").write_text(textwrap.dedent(ENDS))
    worker = "import os\nif 'PYTEST_XDIST_WORKER' in os.environ:\n    raise KeyboardInterrupt\n"
    module = suite.path / "claims" / "test_width.py"
    module.write_text(worker + module.read_text())
    found = run("-n", "1")
    assert found.ret != 0
    assert (suite.path / "ends.txt").read_text().split()[0] == "0"
