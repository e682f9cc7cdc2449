"""The hooks that others implement: what each is told, when, and in which process. With workers: test_workers.py."""

import contextlib
import json
import sqlite3
from collections import Counter

import pytest

CONFTEST = """
    import json

    pytest_plugins = ["pytest_claims.plugin.hooks"]


    def heard(config, hook, **what):
        worker = getattr(config, "workerinput", {}).get("workerid", "")
        with open("heard", "a") as file:
            file.write(json.dumps({"hook": hook, "worker": worker, "root": str(config.rootpath), **what}) + "\\n")


    def pytest_claims_settings(config, settings):
        heard(config, "settings", scale=settings.scale, seeds=settings.looks[0])


    def pytest_claims_result(config, result):
        heard(config, "result", finding=result.finding, verdict=result.verdict.outcome)


    def pytest_claims_session(config, session):
        heard(config, "session", findings=[result.finding for result in session.results])
        return ["a report of one's own", f"on {len(session.results)} claims"]
"""


# A plugin that says a single line, one that says nothing, and one that leaves the training to others.
PLUGINS = {
    "one_line": "def pytest_claims_session(session):\n    return 'one line'\n",
    "silent": "def pytest_claims_session():\n    pass\n",
    "leaves_it": "def pytest_claims_executor(settings):\n    return None\n",
}


def told(folder):
    """What the hooks were told, in order."""
    return [json.loads(line) for line in (folder / "heard").read_text().splitlines()]


def test_other_plugins_hear_of_settings_results_and_the_session(suite, run):
    suite.makeconftest(CONFTEST)
    suite.makepyfile(**PLUGINS)
    suite.syspathinsert()
    result = run("-p", "one_line", "-p", "silent", "--seeds", "4", "--results", "claims.md")
    result.assert_outcomes(passed=5)
    assert_all_is_heard(suite.path, result.stdout.lines, "rehearsal", 4, [""])


def assert_all_is_heard(folder, lines, scale, seeds, processes):
    """What CONFTEST and PLUGINS heard and said in a session of this scale, so many seeds and these processes."""
    calls = told(folder)
    assert {call["root"] for call in calls} == {str(folder)}

    settings = [call for call in calls if call["hook"] == "settings"]
    assert {(call["scale"], call["seeds"]) for call in settings} == {(scale, seeds)}
    # Each process once, before anything else happens in it.
    assert sorted(call["worker"] for call in settings) == processes
    assert calls[0]["hook"] == "settings"

    # All else in the process that the person started, though workers judged.
    assert {call["worker"] for call in calls if call["hook"] != "settings"} == {""}
    results = [(call["finding"], call["verdict"]) for call in calls if call["hook"] == "result"]
    assert sorted(finding for finding, _ in results) == ["T1", "T2", "T3", "T3"]
    assert dict(results)["T3"] == "REPRODUCED"
    assert [call["findings"] for call in calls if call["hook"] == "session"] == [["T1", "T2", "T3", "T3"]]
    assert calls[-1]["hook"] == "session"

    # The plugin's own files come first; then what others return.
    own = [lines.index(line) for line in ("a report of one's own", "on 4 claims", "one line")]
    written = next(index for index, line in enumerate(lines) if line.startswith("written: "))
    assert own[1] == own[0] + 1
    assert written < min(own)


# Trains as the plugin does, and notes what it was given. A second plugin leaves the choice to others.
ELSEWHERE = """
    import os

    from pytest_claims.runs.executor import InProcess

    pytest_plugins = ["pytest_claims.plugin.hooks"]


    class Elsewhere(InProcess):
        device_name = "a cluster"

        def submit(self, run, seeds, data):
            with open("submitted", "a") as file:
                file.write(f"{os.getpid()} {run.network.width} {list(seeds)}\\n")
            return super().submit(run, seeds, data)


    def pytest_claims_executor(config, settings, workers):
        with open("made", "a") as file:
            file.write(f"{os.getpid()} {workers}\\n")
        return Elsewhere(settings.device, workers, tf32=settings.tf32, kernels=settings.kernels)
"""


def test_another_place_trains_all_that_is_stored(suite, run):
    suite.makepyfile(**PLUGINS)
    suite.syspathinsert()
    plain = run("-p", "leaves_it", "--store", "plain.sqlite", "--seeds", "4")
    plain.assert_outcomes(passed=5)
    suite.makeconftest(ELSEWHERE)
    run("--plan", "--seeds", "4", "-p", "leaves_it").stdout.fnmatch_lines(["all *4 *16 *0 *"])
    assert (suite.path / "made").read_text().split()[1] == "1"
    assert not (suite.path / "submitted").exists()  # a plan trains nothing
    (suite.path / "made").unlink()

    run("-p", "leaves_it", "--seeds", "4").assert_outcomes(passed=5)
    assert seeds_trained_elsewhere(suite.path, ".claims/runs.sqlite", 1) == {16: 4, 1: 4, 12: 4, 14: 4}
    # The same runs under the same names as when the plugin trains itself.
    assert stored(suite.path / ".claims" / "runs.sqlite") == stored(suite.path / "plain.sqlite")


def seeds_trained_elsewhere(folder, store, workers):
    """How many seeds ELSEWHERE trained, by width: made at most once in each worker, each run of the store once."""
    made = [line.split() for line in (folder / "made").read_text().splitlines()]
    assert {count for _, count in made} == {str(workers)}
    assert len({process for process, _ in made}) == len(made) <= workers
    submitted = [line.split(maxsplit=2) for line in (folder / "submitted").read_text().splitlines()]
    assert {process for process, _, _ in submitted} <= {process for process, _ in made}
    trained = Counter((int(width), seed) for _, width, seeds in submitted for seed in json.loads(seeds))
    with contextlib.closing(sqlite3.connect(folder / store)) as rows:
        runs = rows.execute("SELECT configuration, seed FROM runs").fetchall()
    assert trained == Counter((json.loads(run)["network"]["width"], seed) for run, seed in runs)
    assert set(trained.values()) == {1}
    return Counter(width for width, _ in trained)


def stored(path):
    """Names and accuracies of the runs in a store."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        return dict(store.execute("SELECT key, test_accuracy FROM runs").fetchall())


def test_a_session_that_judges_nothing_calls_only_the_settings_hook(suite, run):
    suite.makeconftest(CONFTEST)
    run("-k", "ordinary").assert_outcomes(passed=1, deselected=4)
    assert [call["hook"] for call in told(suite.path)] == ["settings"]


def test_without_claims_no_hook_is_called(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_ordinary():\n    pass\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    assert not (pytester.path / "heard").exists()


def test_a_usage_error_of_another_plugin_ends_the_session_with_its_text(suite, run):
    suite.makeconftest(
        """
        import pytest

        pytest_plugins = ["pytest_claims.plugin.hooks"]


        def pytest_claims_settings(settings):
            if settings.scale == "full":
                raise pytest.UsageError("scale full is not for this machine")
        """
    )
    result = run("--scale", "full")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*scale full is not for this machine"])
    run("-k", "ordinary").assert_outcomes(passed=1, deselected=4)


WRONG = """
    from pytest_claims.runs.executor import InProcess


    class Wrong(InProcess):
        def close(self):
            with open("closed", "a") as file:
                file.write("once ")


    def pytest_claims_executor(settings):
        with open("made", "a") as file:
            file.write("once ")
        executor = Wrong(settings.device)
        executor.kernels = None
        return executor
"""


def test_an_executor_that_is_none_is_told_by_every_claim_made_once_and_closed(suite, run):
    suite.makeconftest(WRONG)
    result = run()
    result.assert_outcomes(errors=4, passed=1)  # one test is no claim
    assert result.stdout.str().count("Wrong is no executor: its kernels is None; needed: a text.") >= 4
    assert ((suite.path / "made").read_text(), (suite.path / "closed").read_text()) == ("once ", "once ")


def test_a_hook_that_fails_is_named_with_its_place_after_all_that_was_judged(suite, run):
    suite.makeconftest("""
        def pytest_claims_session(session):
            return [session.no_such_thing]
    """)
    result = run("--claims-json", "claims.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["wall time: *"])
    said = "ERROR: a hook pytest_claims_session failed: AttributeError: * (*conftest.py:2). What was judged stands *"
    result.stderr.fnmatch_lines([said])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert (suite.path / "claims.json").exists()
