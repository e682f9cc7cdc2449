"""Hooks that the plugin calls: a conftest.py or another plugin implements those that it wants.

Each may take fewer arguments than are given here, as with all of pytest's hooks. None is called in a session without
claims. Where a hook raises pytest.UsageError, the session ends with its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_claims.judge.result import Result
    from pytest_claims.report.session import Session
    from pytest_claims.runs.executor import Executor
    from pytest_claims.settings import Settings


def pytest_claims_settings(config: pytest.Config, settings: Settings) -> None:
    """Called once in each process, workers of pytest-xdist included, when the options have been resolved.

    That is before collection if an option of the plugin was given or the folder claims/ is collected, else with the
    first claim. Nothing has been trained. The settings are values; they cannot be changed here.
    """


@pytest.hookspec(firstresult=True)
def pytest_claims_executor(config: pytest.Config, settings: Settings, workers: int) -> Executor | None:
    """Return what trains the blocks of seeds, for another place to train: a cluster, say. None leaves it to others.

    Called in each process that trains, once and only if a claim or a plan needs it. workers: how many such processes
    there are. The plugin itself comes last: it trains in the process, on the device of the settings. What the executor
    trained is stored under its kind of device and its precision. Where it cannot train, it raises an ExplainedError
    (pytest_claims.errors) of its own, whose text is then what a claim fails with.
    """


def pytest_claims_result(config: pytest.Config, result: Result) -> None:
    """Called for each claim that was judged, as soon as its test has been reported.

    Only in the process that the person started, with pytest-xdist too, and in the order in which claims finish. A claim
    that was skipped, or that failed before it had a verdict, has no result.
    """


def pytest_claims_session(config: pytest.Config, session: Session) -> str | Sequence[str] | None:
    """Called once at the end, in the process that the person started, if any claim was judged; also in a placebo.

    This is the place for a report of one's own. Returned lines are written below the summary. The plugin's own outputs
    (--update-ledger, --results, --claims-json, --claims-html) are an implementation of it, which comes first.
    """
