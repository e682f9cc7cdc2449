"""What a session leaves behind for people and programs: --claims-html and --claims-json."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from harness.data import load
from harness.judgement import Judgement
from harness.report.session import Session, session_json
from harness.settings import Settings
from harness.store import Store


class Outputs:
    """Writes the files of the process that the person started, and knows how long it took and how it was asked for.

    started: when the session began, UTC, ISO 8601.
    """

    def __init__(self, config: pytest.Config, settings: Settings, started: str) -> None:
        self._config, self._settings, self._started = config, settings, started
        self._began = time.monotonic()

    @property
    def wanted(self) -> bool:
        """Whether any was asked for."""
        return bool(self._config.option.claims_html or self._config.option.claims_json)

    def write(
        self, reports: Sequence[Any], judgements: Mapping[str, Judgement], facts: Mapping[str, str], store: Store
    ) -> list[str]:
        """Write what was asked for; returns a line for each file.

        reports: of all tests. judgements: by test. Raises pytest.UsageError, which names the file, if one cannot be
        written.
        """
        option, session = self._config.option, self._session(reports, judgements, facts, store)
        written = []
        try:
            if option.claims_json:
                option.claims_json.write_text(session_json(session), encoding="utf-8")
                written.append(f"written: {option.claims_json}")
            if option.claims_html:
                from harness.report.page import write_page  # with Matplotlib, which no other session needs

                local = dataclasses.replace(self._settings.data, download=False)
                root = self._config.rootpath
                page = write_page(session, store, option.claims_html, root=root, load=lambda name: load(local, name))
                written.append(f"written: {page}")
        except OSError as error:
            raise pytest.UsageError(
                f"{error.filename or option.claims_html or option.claims_json} cannot be written ({error.strerror}). "
                "The runs are safe in the store: the same command with --stored writes it and trains nothing"
            ) from error
        return written

    def _session(
        self, reports: Sequence[Any], judgements: Mapping[str, Judgement], facts: Mapping[str, str], store: Store
    ) -> Session:
        settings = self._settings
        names = {name for judgement in judgements.values() for arm in judgement.arms for name in arm.runs}
        stored = store.named(names)
        reused = sum(run.finished < self._started for run in stored.values())
        return Session(
            judgements=tuple(sorted(judgements.values(), key=lambda judgement: judgement.place)),
            not_judged=tuple(_not_judged(reports, judgements)),
            facts=facts,
            command=shlex.join(["pytest", *map(str, self._config.invocation_params.args)]),
            trained=Store(settings.store, since=self._started).count(),
            reused=reused,
            seconds=time.monotonic() - self._began,
            enforced=settings.enforced,
            placebo=store.last_placebo(settings.scale, settings.data.kind),
        )


def _not_judged(reports: Sequence[Any], judgements: Mapping[str, Judgement]) -> list[tuple[str, str]]:
    """Tests that ended without a judgement, and why."""
    found: dict[str, str] = {}
    for report in reports:
        nodeid = getattr(report, "nodeid", "")
        if nodeid in judgements or not (getattr(report, "skipped", False) or getattr(report, "failed", False)):
            continue
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longreprtext)
        found.setdefault(nodeid, (reason.removeprefix("Skipped: ").strip() or "no reason given").splitlines()[0])
    return sorted(found.items())
