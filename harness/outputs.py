"""What a session leaves behind for people and programs: --results, --claims-html and --claims-json."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.data import load
from harness.judgement import Judgement
from harness.report import results_page
from harness.report.session import Session, session_json
from harness.settings import Settings
from harness.store import Store


def write_outputs(config: pytest.Config, settings: Settings, session: Session, store: Store) -> list[str]:
    """Write the files that the session was asked for; returns a line for each.

    Raises pytest.UsageError, which names the file and the next step, if one cannot be written.
    """
    option = config.option

    def page(folder: Path) -> Path:
        from harness.report.page import write_page  # with Matplotlib, which no other session needs

        local = dataclasses.replace(settings.data, download=False)
        return write_page(session, store, folder, root=config.rootpath, load=lambda name: load(local, name))

    def text(content: Callable[[], str]) -> Callable[[Path], Path]:
        def write(path: Path) -> Path:
            path.write_text(content(), encoding="utf-8")
            return path

        return write

    facts = {**session.facts, "runs trained in this session": str(session.trained)}
    wanted = {
        option.results: text(lambda: results_page(session.judgements, facts)),
        option.claims_json: text(lambda: session_json(session)),
        option.claims_html: page,
    }
    written = []
    for path, write in wanted.items():
        if path is None:
            continue
        try:
            written.append(f"written: {write(path)}")
        except OSError as error:
            raise pytest.UsageError(
                f"{error.filename or path} cannot be written ({error.strerror}). The runs are safe in the store: the "
                "same command with --stored writes it and trains nothing"
            ) from error
    return written


def not_judged(reports: Sequence[Any], judgements: Sequence[Judgement]) -> tuple[tuple[str, str], ...]:
    """Tests that ended without a judgement, and why. reports: of all tests."""
    judged, found = {judgement.nodeid for judgement in judgements}, {}
    for report in reports:
        nodeid = getattr(report, "nodeid", "")
        if nodeid in judged or not (getattr(report, "skipped", False) or getattr(report, "failed", False)):
            continue
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longreprtext)
        found.setdefault(nodeid, (reason.removeprefix("Skipped: ").strip() or "no reason given").splitlines()[0])
    return tuple(sorted(found.items()))
