"""In a session without claims the plugin does nothing and imports nothing heavy; in others it wakes up in time."""

import re
import sqlite3

import pytest

from pytest_claims.plugin.options import DEFAULTS
from tests_fast.plugin.conftest import CLAIMS, ROOT, write

HEAVY = ("torch", "scipy", "numpy", "matplotlib", "statsmodels", "psutil")
# What the process that the person started, and each test, has imported.
CONFTEST = f"""
    import sys

    def imported():
        return [name for name in {HEAVY} if name in sys.modules]

    def pytest_unconfigure(config):
        if not hasattr(config, "workerinput"):
            print("imported:", imported())
"""
ORDINARY = """
    import pytest

    pytestmark = pytest.mark.claim("somebody else's marker of this name")

    def test_nothing_heavy_is_imported():
        from conftest import imported
        assert imported() == []

    def test_other():
        pass
"""


@pytest.fixture
def elsewhere(pytester, monkeypatch):
    """Run pytest in a folder that loads the plugin as by its entry point. alone: in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def runs(*arguments, workers=0, alone=True):
        in_workers = ("-p", "xdist.plugin", "-n", str(workers)) if workers else ()
        plugin = ("-p", "pytest_claims.plugin.hooks")
        run = pytester.runpytest_subprocess if alone or workers else pytester.runpytest_inprocess
        return run("-p", "no:cacheprovider", *plugin, *in_workers, *arguments)

    return runs


def test_a_session_without_claims_is_left_as_it_is(pytester, elsewhere):
    leaves_a_session_without_claims(pytester, elsewhere, workers=0)


def leaves_a_session_without_claims(pytester, elsewhere, workers):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_ordinary=ORDINARY)
    pytester.makeini("[pytest]\nmarkers =\n    claim: somebody else's\n")
    before = files(pytester)
    with_it = elsewhere(workers=workers)
    with_it.assert_outcomes(passed=2)
    with_it.stdout.fnmatch_lines(["imported: []"])
    without = elsewhere("-p", "no:pytest_claims.plugin.hooks", workers=workers)
    assert said(with_it) == said(without)
    assert files(pytester) == before


def files(pytester):
    """What lies in its folder, but for bytecode and what pytester itself leaves there."""
    own = re.compile(r"__pycache__|runpytest-.*|stdout|stderr")
    return {path for path in pytester.path.rglob("*") if not any(own.fullmatch(part) for part in path.parts)}


def said(result):
    """What a session printed, but for its time."""
    return re.sub(r"in [0-9.]+s", "", result.stdout.str()), result.stderr.str()


def test_a_folder_of_claims_that_is_not_collected_wakes_nothing(pytester, elsewhere):
    pytester.makeconftest(CONFTEST)
    (pytester.path / "claims").mkdir()
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests" / "test_ordinary.py").write_text("def test_ordinary():\n    pass\n")
    elsewhere("tests").stdout.fnmatch_lines(["imported: []"])
    # Where it is, the session says what it would do with claims, and trains nothing.
    result = elsewhere(".", alone=False)
    result.stdout.fnmatch_lines(["claims: scale quick, *", "* 1 passed *"])
    assert not (pytester.path / ".claims").exists()


AT_FIRST = """
    import pytest
    from pytest_claims.judge.metric import gradient


    def at_first():
        return gradient("at initialisation")

"""


def test_a_claim_anywhere_wakes_the_plugin(suite, elsewhere):
    wakes_for_a_claim_anywhere(suite, elsewhere, workers=0)


def wakes_for_a_claim_anywhere(suite, elsewhere, workers):
    """Without an option and outside a folder claims/ it is known once it is collected, with xdist by a worker."""
    (suite.path / "claims" / "test_width.py").unlink()
    (suite.path / "claims").rmdir()
    suite.makeconftest("")
    # Without an option images are the sample's, of ten classes, and claims the quick ones.
    (suite.path / "sample").symlink_to(ROOT / "sample")
    claims = CLAIMS.replace("classes=5", "classes=10").replace("images_per_class=8", "images_per_class=2")
    # Before training, when no run is at chance.
    claims = claims.replace('"b": net(width)})', '"b": net(width)}, quick=True, metric=at_first)')
    claims = claims.replace("import pytest", AT_FIRST, 1)
    suite.makepyfile(test_findings=claims.replace("epochs=8", "epochs=1"))
    result = elsewhere("test_findings.py", "-v", workers=workers, alone=False)
    result.assert_outcomes(passed=3, deselected=2 * (workers == 0))
    result.stdout.fnmatch_lines(
        ["claims: scale quick, 5 seeds, cpu *", "data: the sample of *", "verdicts: they speak *, on a sample of *"]
    )
    assert result.stdout.str().count("claims: scale quick") == 1
    result.stdout.fnmatch_lines(
        [
            "left out: 2 claims are not quick; they run with --scale rehearsal or --scale documented",
            "*= claims =*",
            "2 claims: *",
            "runs trained in this session: 10, *",
        ]
    )
    store = sqlite3.connect(suite.path / ".claims" / "runs.sqlite")
    assert store.execute("SELECT count(*) FROM runs").fetchone() == (10,)
    # Nothing that only a running session needs is left beside the store.
    assert not list((suite.path / ".claims").glob("*progress*"))


def test_a_claim_that_wakes_the_plugin_is_left_out_of_a_scale_and_found_by_its_finding(suite, elsewhere):
    suite.makeconftest("")
    write(
        suite,
        CLAIMS.replace('"a narrow network beats a wide one", ', '"a narrow network beats a wide one", quick=True, '),
    )
    (suite.path / "claims").rename(suite.path / "findings")
    result = elsewhere("findings", "-k", "T2", "--collect-only", "-q", alone=False)
    result.stdout.fnmatch_lines(["findings/test_width.py::test_narrow_beats_wide", "1/5 tests collected*"])
    other = elsewhere("findings", "-k", "T1", "--collect-only", "-q", alone=False)
    other.stdout.fnmatch_lines(["left out: 1 claim is not quick; it runs with --scale rehearsal or *"])


def test_what_keeps_the_plugin_from_waking_up_is_said(suite, elsewhere):
    says_what_keeps_it_from_waking_up(suite, elsewhere, workers=0)


def says_what_keeps_it_from_waking_up(suite, elsewhere, workers):
    (suite.path / "claims").rename(suite.path / "findings")
    suite.makeconftest("")
    # A claim comes to light late, and the ledger that it is held against is damaged.
    (suite.path / "claims" / "ledger").mkdir(parents=True)
    (suite.path / "claims" / "ledger" / "quick-sample.json").write_text("{")
    result = elsewhere("findings", "-k", "wide", workers=workers, alone=False)
    assert result.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.TESTS_FAILED)
    where = result.stdout if workers else result.stderr
    where.fnmatch_lines(["*quick-sample.json is no ledger (*Restore it from version control*"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_every_option_wakes_the_plugin(elsewhere):
    listed = elsewhere("--help", alone=False).stdout.str()
    group = listed.split("re-verifying documented findings:")[1].split("\n\n")[0]
    names = {name.replace("-", "_") for name in re.findall(r"^  --([a-z0-9-]+)", group, re.MULTILINE)}
    assert names == set(DEFAULTS)
