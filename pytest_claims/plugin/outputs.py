"""What a session leaves behind for people and programs: --results, --claims-html and --claims-json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_claims.data import load
from pytest_claims.judge.result import Result
from pytest_claims.report import results_page
from pytest_claims.report.session import Session, session_json
from pytest_claims.runs.store import Store
from pytest_claims.settings import Settings


def write_outputs(config: pytest.Config, settings: Settings, session: Session, store: Store) -> list[str]:
    """Write the files that the session was asked for; returns a line for each.

    Raises pytest.UsageError, which names the file and the next step, if one cannot be written.
    """
    option = config.option

    def page(folder: Path) -> Path:
        from pytest_claims.report.page import write_page  # with Matplotlib, which no other session needs

        data = settings.data.offline
        return write_page(session, store, folder, root=config.rootpath, load=lambda name: load(data, name))

    def text(content: Callable[[], str]) -> Callable[[Path], Path]:
        def write(path: Path) -> Path:
            path.write_text(content(), encoding="utf-8")
            return path

        return write

    facts = {**session.facts, "runs trained in this session": str(session.trained)}
    writers = {
        option.results: text(lambda: results_page(session.results, facts)),
        option.claims_json: text(lambda: session_json(session)),
        option.claims_html: page,
    }
    written = []
    for path, write in writers.items():
        if path is None:
            continue
        try:
            written.append(f"written: {write(path)}")
        except OSError as error:
            raise pytest.UsageError(
                f"{error.filename or path} cannot be written ({error.strerror}). The runs are safe in the store: the "
                "same command with --stored and another place writes it and trains nothing"
            ) from error
        except Exception as error:
            # Verdicts and runs are worth more than their picture: the session ends as it must, and says what failed.
            raise pytest.UsageError(
                f"{path} cannot be made: {type(error).__name__}: {error}. That is a defect of this suite and not of "
                "the runs, which are safe in the store; please report it with this line"
            ) from error
    return written


def wanted(option: Any) -> str:
    """The first file that a session was asked for, "" for none. option: pytest's."""
    return next((str(path) for path in (option.results, option.claims_json, option.claims_html) if path), "")


def not_judged(
    reports: Sequence[Any], results: Sequence[Result], selected: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """Claims that ended without a result, and why. reports: of all tests. selected: all tests of the session."""
    ended = {result.nodeid: "" for result in results}
    for report in reports:
        if not isinstance(report, pytest.TestReport) or ended.get(report.nodeid):
            continue
        # Ordinary tests beside the claims are none of them.
        if "claim" not in report.keywords:
            ended.setdefault(report.nodeid, "")
        elif (report.skipped or report.failed) and report.nodeid not in ended:
            ended[report.nodeid] = _reason(report)
    missing = dict.fromkeys(set(selected) - set(ended), "not run: the session ended before it")
    return tuple(sorted((nodeid, why) for nodeid, why in {**ended, **missing}.items() if why))


def _reason(report: pytest.TestReport) -> str:
    """Why a test was skipped or failed, in a line."""
    if isinstance(report.longrepr, tuple):
        said = report.longrepr[2].removeprefix("Skipped: ")
    else:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = crash.message if crash else report.longreprtext
    return next(iter(said.strip().splitlines()), "no reason given")
