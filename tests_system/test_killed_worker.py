"""A worker that dies takes one test with it, and no finished run."""

from tests_fast.plugin.conftest import CLAIMS, rows, write


def test_a_killed_worker_loses_one_test_and_nothing_that_was_trained(suite, run):
    write(
        suite,
        CLAIMS
        + """

    @claim("T4", "a worker dies", source=SOURCE, arms=lambda: {"a": net(5), "b": net(6)})
    def test_zz_killed(lab):
        import os, signal
        lab.values("a")
        if not os.path.exists("spared"):
            os.kill(os.getpid(), signal.SIGKILL)
        lab.assert_within("a", "b", within=50.0)
""",
    )
    result = run("-n", "1")  # which xdist replaces
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*worker 'gw*' crashed while running 'claims/test_width.py::test_zz_killed'*"])
    before = rows(suite)
    (suite.path / "spared").touch()
    again = run()
    again.assert_outcomes(passed=6)
    again.stdout.fnmatch_lines([f"runs trained in this session: {18 - before}, *"])
    assert before >= 15  # the 12 of the other claims, and the dead worker's finished arm
