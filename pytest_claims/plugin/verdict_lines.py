"""A line as each verdict settles, so that hours of training are not hours of dots."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_claims.judge.result import Result
from pytest_claims.plugin.session import result_of
from pytest_claims.report.numbers import interval_text

_COLOURS = {"passed": "green", "skipped": "yellow", "failed": "red"}


def verdict_line(result: Result, word: str) -> str:
    """ "A3a REPRODUCED +2.6 [+1.1, +4.0] n=10". word: the verdict, as the session tells it."""
    unit = "" if result.unit == "points" else f" {result.unit}"
    word += ", confounded" if result.confounded_by else ""
    return f"{result.id} {word} {interval_text(result.verdict)}{unit} n={result.verdict.n}"


def verdict_status(report: pytest.TestReport, result: Result) -> tuple[str, str, str] | None:
    """What a claim's test counts as, its letter and its word; None where that is pytest's to say."""
    word = result.verdict_words
    if hasattr(report, "wasxfail"):
        return ("xfailed", "x", f"{word} (recorded)") if report.skipped else None
    if report.skipped:
        return "open", "o", word
    if report.passed:
        return "passed", ".", word if result.enforced else f"REHEARSED ({word})"
    return ("failed", "F", word) if report.failed else None


def are_written(config: pytest.Config) -> bool:
    """Whether verdicts have lines of their own: not with -q, and with -v every test has one."""
    return config.get_verbosity(pytest.Config.VERBOSITY_TEST_CASES) == 0 and config.get_verbosity() == 0


class VerdictLines:
    """A pytest plugin for the process that the person started, of which xdist's workers send it their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    # After the terminal, which counts the report.
    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = result_of(report)
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        status = verdict_status(report, result) if result else None
        if result is None or status is None or reporter is None or not are_written(self._config):
            return
        writer = reporter._tw
        if writer.width_of_current_line:
            writer.line()
        writer.line(verdict_line(result, status[2]), **{_COLOURS[report.outcome]: True})
        writer.flush()
