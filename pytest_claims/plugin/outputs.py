"""What a session leaves behind: the ledger, and files for people and programs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_claims.data import load
from pytest_claims.plugin.session import record
from pytest_claims.report import results_page
from pytest_claims.report.session import Session, session_json
from pytest_claims.runs.laboratory import open_store
from pytest_claims.settings import Settings


class Outputs:
    """A pytest plugin for the process that the person started: --update-ledger, --results, --claims-json and
    --claims-html, as any other report that implements pytest_claims_session."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @pytest.hookimpl(tryfirst=True)
    def pytest_claims_session(self, config: pytest.Config, session: Session) -> list[str]:
        recorded = record(self._settings, session) if config.option.update_ledger and session.results else []
        return recorded + write_files(config, self._settings, session)


def write_files(config: pytest.Config, settings: Settings, session: Session) -> list[str]:
    """Write the files that the session was asked for; returns a line for each.

    Raises pytest.UsageError, which names the file and the next step, if one cannot be written.
    """
    option = config.option

    def page(folder: Path) -> Path:
        from pytest_claims.report.page import write_page  # with Matplotlib, which no other session needs

        data = settings.data.offline
        # Opened here: what implements a hook is given what every other plugin gets, which is no store.
        with contextlib.closing(open_store(settings)) as store:
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
