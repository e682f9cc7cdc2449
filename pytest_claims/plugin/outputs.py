"""What a session leaves behind: the ledger, and files for people and programs."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_claims.data import load
from pytest_claims.errors import ExplainedError
from pytest_claims.plugin.session import record, unheld_lines, vanished_lines
from pytest_claims.report import results_page
from pytest_claims.report.facts import number
from pytest_claims.report.session import Session, session_json
from pytest_claims.runs.laboratory import open_store
from pytest_claims.runs.store import Store
from pytest_claims.runs.store_file import StoreError, identity, is_database
from pytest_claims.settings import Settings
from pytest_claims.whole_file import write_whole

# What went wrong at the end of a session, in texts for the person: it makes the session fail, after all else is done.
FAILURES = pytest.StashKey[list[str]]()


class SamePathError(ExplainedError):
    """Two files that a session is to write are one; the text names both options."""


class Outputs:
    """A pytest plugin for the process that the person started: --update-ledger, --results, --claims-json and
    --claims-html, as any other report that implements pytest_claims_session.

    What cannot be written is told in FAILURES, and keeps nothing else from being written.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @pytest.hookimpl(tryfirst=True)
    def pytest_claims_session(self, config: pytest.Config, session: Session) -> list[str]:
        failures = config.stash.setdefault(FAILURES, [])
        said = []
        try:
            if config.option.update_ledger and session.results:
                said = record(self._settings, session)
            elif config.option.ledger:
                said = unheld_lines(session)
            if config.option.update_ledger or config.option.ledger:
                said += vanished_lines(self._settings, config.rootpath)
        except ExplainedError as error:
            failures.append(str(error))
        return said + write_files(config, self._settings, session, failures)


def write_files(config: pytest.Config, settings: Settings, session: Session, failures: list[str]) -> list[str]:
    """Write the files that the session was asked for; returns a line for each.

    failures: is given a text for each that cannot be written, which names the file and the next step.
    """
    option = config.option

    def page(folder: Path) -> Path:
        from pytest_claims.report.page import write_page  # with Matplotlib, which no other session needs

        data = settings.data.offline

        def written(store: Store) -> Path:
            return write_page(session, store, folder, root=config.rootpath, load=lambda name: load(data, name))

        try:
            # Opened here: what implements a hook is given what every other plugin gets, which is no store.
            with contextlib.closing(open_store(settings, read_only=True)) as store:
                return written(store)
        except StoreError as error:
            failures.append(f"{folder} lacks the figures of single runs: {error}")
            with contextlib.closing(Store.empty()) as store:
                return written(store)

    def text(content: Callable[[], str]) -> Callable[[Path], Path]:
        def write(path: Path) -> Path:
            write_whole(path, [content()])
            return path

        return write

    facts = {**session.facts, "runs trained in this session": number(session.trained)}
    writers: list[tuple[Path | None, Callable[[Path], Path]]] = [
        (option.results, text(lambda: results_page(session.results, facts))),
        (option.claims_json, text(lambda: session_json(session))),
        (option.claims_html, page),
    ]
    written = []
    for path, write in writers:
        if path is None:
            continue
        try:
            written.append(f"written: {write(path)}")
        except OSError as error:
            failures.append(
                f"{error.filename or path} cannot be written ({error.strerror}). The runs are safe in the store: the "
                "same command with --stored and another place writes it and trains nothing"
            )
        except Exception as error:
            # Verdicts and runs are worth more than their picture: the session ends as it must, and says what failed.
            failures.append(
                f"{path} cannot be made: {type(error).__name__}: {error}. That is a defect of this suite and not of "
                "the runs, which are safe in the store; please report it with this line"
            )
    return written


def wanted(option: Any) -> str:
    """The first file that a session was asked for, "" for none. option: pytest's."""
    return next((str(path) for path in (option.results, option.claims_json, option.claims_html) if path), "")


def refuse_same_paths(option: Any, settings: Settings) -> None:
    """Raise SamePathError where two files of a session would be one: the later would replace the earlier, or the store.

    option: pytest's.
    """
    store = settings.store
    files: list[tuple[str, Path | None]] = [
        ("--store", store),
        *((f"--store's {end}", Path(f"{os.path.realpath(store)}-{end}")) for end in ("wal", "shm", "locks")),
        ("--results", option.results),
        ("--claims-json", option.claims_json),
        ("--claims-html", option.claims_html and option.claims_html / "index.html"),
        ("--junitxml", Path(option.xmlpath) if getattr(option, "xmlpath", None) else None),
    ]
    given = [(name, path) for name, path in files if path]
    for (one, path), (other, same) in itertools.combinations(given, 2):
        if os.path.realpath(path) == os.path.realpath(same) or (identity(path) and identity(path) == identity(same)):
            raise SamePathError(f"{one} and {other} name the same file, {same}: give each a path of its own")
    for name, path in given[4:]:
        if is_database(path):
            raise SamePathError(f"{name} {path} is a database and is not written over; name another file")
