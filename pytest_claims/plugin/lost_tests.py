"""No selected test may vanish: a session in which one never reported an outcome must not end green.

Seen with pytest 9.2 and xdist 3.8: a worker that cannot send a report exits, and alone in a run the session then ends
with status 0 and no test executed.
"""

from __future__ import annotations

from typing import Any

import pytest


class LostTests:
    """A pytest plugin for the process that the person started: compares what was selected with what was reported.

    It hears of the tests of every session, and judges those of sessions with claims. selected: names of the tests.
    judges: set by a session that has claims.
    """

    NAME = "claims-lost-tests"

    def __init__(self) -> None:
        self.selected: set[str] = set()
        self._reported: set[str] = set()
        self._lost: list[str] = []
        self._ran = False
        self.judges = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.selected = {item.nodeid for item in session.items}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self.selected = set(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        self._ran = True  # which --fixtures and the like do not come to

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown" and not (report.when == "setup" and report.passed):
            self._reported.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        option = session.config.option
        printed = option.collectonly or option.plan or option.explain or option.setuponly or option.setupplan
        on_purpose = printed or not self._ran
        if not self.judges or on_purpose or session.shouldstop or session.shouldfail or exitstatus not in (0, 1):
            return  # or already red for a reason of its own
        self._lost = sorted(self.selected - self._reported)
        if self._lost:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for nodeid in self._lost:
            terminalreporter.write_line(
                f"ERROR: {nodeid} was selected and never reported an outcome; run it alone to see why", red=True
            )
