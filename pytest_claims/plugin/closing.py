"""What a session with claims ends with: its table, its facts, the ledger and the files that it was asked for."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING

import pytest

from pytest_claims.data.kinds import joined
from pytest_claims.errors import ExplainedError, shown
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.judge.result import Result
from pytest_claims.plugin.outputs import FAILURES, wanted
from pytest_claims.plugin.session import assemble, not_judged, reports_of, results_of
from pytest_claims.report import session_lines, summary_lines
from pytest_claims.report.facts import not_judged_lines, rehearsed_words
from pytest_claims.report.session import Session
from pytest_claims.report.settings_in_words import seeds_words
from pytest_claims.runs.laboratory import open_store
from pytest_claims.runs.store_file import gone
from pytest_claims.settings import Settings

if TYPE_CHECKING:
    from pytest_claims.plugin.active import Active


def close(active: Active, reporter: pytest.TerminalReporter) -> None:
    """Write the end of a session.

    Raises pytest.UsageError, after all else, if a file that it was asked for cannot be written or its store is damaged
    or gone.
    """
    config, settings, results = active.config, active.settings, results_of(reporter)
    if config.option.plan or config.option.explain:
        return
    if not results and not (settings.placebo and active.laboratory):
        if wanted(config.option):
            why = next((f" ({why})" for _, why in not_judged(reports_of(reporter), [], [])), "")
            raise pytest.UsageError(f"nothing was judged{why}, so {wanted(config.option)} is not written")
        for line in not_judged_lines(not_judged(reports_of(reporter), [], [])):
            reporter.write_line(line)
        return
    width = reporter._tw.fullwidth
    reporter.section("placebo" if settings.placebo else "claims")
    session, failures = _session(active, reporter, results)
    if settings.placebo:
        lines = list(placebo_result(results).lines)
    elif settings.scale == "rehearsal" and config.option.verbose < 1:
        lines = [rehearsed_words(session)]
    else:
        lines = summary_lines(results, width)
    for line in [*lines, *session_lines(settings, session, width)]:
        reporter.write_line(shown(line))
    try:
        for said in config.hook.pytest_claims_session(config=config, session=session):
            for line in [said] if isinstance(said, str) else said:
                reporter.write_line(shown(line))
    except Exception as error:  # of a hook of someone's own
        at = traceback.extract_tb(error.__traceback__)[-1]
        failures.append(
            f"a hook pytest_claims_session failed: {type(error).__name__}: {error} ({at.filename}:{at.lineno}). "
            "What was judged stands above, and the runs are in the store"
        )
    failures = [*failures, *config.stash[FAILURES]]
    if failures:
        raise pytest.UsageError("\nERROR: ".join(dict.fromkeys(failures)))


def _session(active: Active, reporter: pytest.TerminalReporter, results: list[Result]) -> tuple[Session, list[str]]:
    """What the session came to, and what is wrong with its store. Verdicts are in memory and need none."""
    config, settings = active.config, active.settings
    told = config, settings, active.started, reporter
    try:
        if active.lost_its_store():
            raise gone(settings.store)
        # Only read: where the file is gone, no new one is made.
        if settings.placebo and not settings.only_stored:
            _keep_placebo(settings, results)
        with contextlib.closing(open_store(settings, read_only=True)) as store:
            return assemble(*told, store, results), []
    except ExplainedError as error:
        return assemble(*told, None, results), [str(error)]


def _keep_placebo(settings: Settings, results: list[Result]) -> None:
    """Keep what a placebo found for the pages of later sessions. Raises StoreError."""
    if any(result.placebo for result in results):
        many = f"{len(results)} {'claim' if len(results) == 1 else 'claims'} at {seeds_words(settings)}"
        kind = joined(result.data_kind for result in results)
        with contextlib.closing(PlaceboRecord(settings.store)) as record:
            record.keep(settings.scale, kind, [many, *placebo_result(results).lines])
