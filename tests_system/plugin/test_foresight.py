"""Claims judged ahead of their turn, where blocks are trained beside pytest; and what --ray refuses at once."""

import importlib.util

import pytest

from pytest_claims.plugin import foresight
from pytest_claims.runs.store_file import StoreError
from tests_fast.plugin.conftest import write

# T1 takes its time. T2 is not decided by five seeds, nor by any number of them; T3 needs nothing.
CLAIMS = """
    import pytest
    from pytest_claims import Arm, Recipe, Source, claim
    from models import DepthCNN

    SOURCE = Source("A paper", "Table 1")
    RECIPES = {"documented": Recipe(images_per_class=8, batch=20, epochs=1, optimizer="sgd", lr=0.05)}


    def arms(number):
        return {name: Arm(DepthCNN(1, "relu", width=number + place, classes=5), RECIPES)
                for place, name in enumerate("ab")}


    @claim("T1", "first", source=SOURCE, arms=lambda: arms(2))
    def test_first(lab):
        print("judged first")
        lab.assert_greater("b", "a", margin=2.0)


    @claim("T2", "second", source=SOURCE, arms=lambda: arms(4))
    def test_second(lab):
        lab.assert_greater("b", "a", margin=2.0)


    @claim("T3", "third", source=SOURCE, arms=lambda: arms(6))
    def test_third(lab, tmp_path):
        lab.assert_greater("b", "a", margin=2.0)
"""
# Width 2 and 3 take longer than all others together. Of T2 the arms are equal but for noise.
CONFTEST = """
    import threading
    import time

    import pytest
    from pytest_claims.types import Trained
    from tests_fast.runs.executors import InThreads, Recording

    pytest_plugins = ["pytest_claims.plugin.hooks"]


    def result(run, seed):
        time.sleep(0.6 if run.network.width < 4 else 0.01)
        if run.network.width == 7 and {fails}:
            raise ZeroDivisionError("on purpose")
        accuracy = {{4: 50.0 + 3 * (-1) ** seed, 5: 50.0 - 3 * (-1) ** (seed // 2)}}.get(run.network.width, 40.0)
        accuracy += 20 * (run.network.width in (3, 7)) + seed % 3
        return Trained(seed, accuracy, (10.0,), (2.0,), False, 1.0, 10_000)


    class Executor(Recording):
        def __init__(self):
            super().__init__(InThreads(4, result))

        def submit(self, run, seeds, data):
            with open("submitted", "a") as file:
                file.write(f"{{run.network.width}} {{seeds[0]}}\\n")
            return super().submit(run, seeds, data)


    @pytest.hookimpl
    def pytest_claims_executor(settings):
        return Executor()


    def pytest_claims_result(result):
        with open("submitted", "a") as file:
            file.write(f"judged {{result.finding}}\\n")
"""


@pytest.fixture
def told(suite, run):
    """Run the claims; returns the result, and what was submitted and judged, in order."""
    write(suite, CLAIMS)

    def runs(*arguments, fails=False):
        suite.makeconftest(CONFTEST.format(fails=fails))
        result = run("--scale", "documented", *arguments)
        return result, (suite.path / "submitted").read_text().splitlines()

    return runs


def test_an_open_claims_next_look_waits_for_no_other_claim(told):
    result, lines = told()
    result.assert_outcomes(passed=2, failed=1)
    first = lines.index("judged T1")
    # The second claim goes on to its next looks, at 7 seeds and more, while the first one is still waited for.
    assert max(int(line.split()[1]) for line in lines[:first] if line.startswith("4 ")) >= 6
    assert "6 0" in lines[:first]
    assert len(lines) == len(set(lines))


def test_a_claim_that_was_judged_ahead_says_nothing_before_its_turn(told):
    result, lines = told("-s")
    assert result.stdout.str().count("judged first") == 1
    assert [line for line in lines if line.startswith("judged")] == ["judged T1", "judged T2", "judged T3"]


def test_what_fails_ahead_fails_its_own_claim(told):
    result, _ = told(fails=True)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*DepthCNN(1, relu, 7*could not be trained*ZeroDivisionError: on purpose*"])


@pytest.mark.parametrize(
    ("before", "takes"),
    [
        ("@pytest.fixture(autouse=True)\ndef ready():\n    pass\n", ""),
        ("def setup_function():\n    pass\n", ""),
        ("@pytest.fixture\ndef number(request):\n    return 1\n"
         "@pytest.mark.parametrize('number', (5,), indirect=True)\n", ", number"),
        ("@pytest.mark.xfail(reason='any')\n", ""),
        ("@pytest.mark.usefixtures('tmp_path')\n", ""),
        ("", ""),
        ("@pytest.mark.parametrize('number', (1,))\n", ", number"),
    ],
)  # fmt: skip
def test_only_what_takes_nothing_but_its_lab_and_parameters_is_called_ahead(pytester, before, takes):
    pytester.makepyfile(
        f"import pytest\n@pytest.fixture\ndef lab(request):\n    pass\n{before}def test_one(lab{takes}):\n    pass\n"
    )
    (item,), _ = pytester.inline_genitems()
    ahead = before in ("", "@pytest.mark.parametrize('number', (1,))\n")
    assert foresight._can_be_called(item) == ahead


def test_a_store_that_fails_as_a_claim_ends_ends_no_session(told, monkeypatch):
    def ended(self, nodeid):
        raise StoreError("it is gone")

    monkeypatch.setattr(foresight.Foresight, "ended", ended)
    result, _ = told()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2, failed=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ray", "head:6379"), "*'head:6379' is no cluster; allowed: auto *, local *ray://HOST:PORT*"),
        (
            ("--ray", "auto", "--stored"),
            "*--ray auto is where to train, and --stored trains nothing*",
        ),
        (("--ray", "auto", "--tf32"), "*--tf32 changes how CUDA devices multiply*"),
        (("--ray", "auto", "--explain", "T1"), "*--ray auto*"),
    ],
)
def test_what_contradicts_a_cluster_is_refused(suite, run, arguments, words):
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])


def test_processes_of_this_machine_beside_a_cluster_are_refused(suite):
    result = suite.runpytest_subprocess("claims", "--data", "images", "--ray", "local", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ray local trains on a cluster, and -n in processes of this machine*"])


def test_without_ray_the_way_to_it_is_named(suite, run, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ray" else found(name, *rest))
    result = run("--ray", "local")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ray local needs Ray, which is not installed: *pip install*[[]ray]*"])


def test_only_collecting_connects_to_nothing(suite, run):
    result = run("--ray", "ray://127.0.0.1:1", "--collect-only")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*CPUs of a Ray cluster (ray://127.0.0.1:1)*"])
