"""What a session with claims ends with: its table, its facts, the ledger and the files that it was asked for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from pytest_claims.data.kinds import joined
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.judge.result import Result
from pytest_claims.plugin.outputs import wanted
from pytest_claims.plugin.session import assemble, not_judged, reports_of, results_of
from pytest_claims.report import session_lines, summary_lines
from pytest_claims.report.facts import not_judged_lines, rehearsed_words
from pytest_claims.report.settings_in_words import seeds_words
from pytest_claims.runs.laboratory import open_store
from pytest_claims.settings import Settings

if TYPE_CHECKING:
    from pytest_claims.plugin.active import Active


def close(active: Active, reporter: pytest.TerminalReporter) -> None:
    """Write the end of a session. Raises pytest.UsageError if a file that it was asked for cannot be written."""
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
    with contextlib.closing(open_store(settings)) as store:
        session = assemble(config, settings, active.started, reporter, store, results)
    if settings.placebo:
        lines = _placebo(settings, results)
    elif settings.scale == "rehearsal" and config.option.verbose < 1:
        lines = [rehearsed_words(session)]
    else:
        lines = summary_lines(results, width)
    for line in [*lines, *session_lines(settings, session, width)]:
        reporter.write_line(line)
    for said in config.hook.pytest_claims_session(config=config, session=session):
        for line in [said] if isinstance(said, str) else said:
            reporter.write_line(line)


def _placebo(settings: Settings, results: list[Result]) -> list[str]:
    """The placebo's result, which is also kept for the pages of later sessions."""
    found = list(placebo_result(results).lines)
    if any(result.placebo for result in results):
        many = f"{len(results)} {'claim' if len(results) == 1 else 'claims'} at {seeds_words(settings)}"
        kind = joined(result.data_kind for result in results)
        PlaceboRecord(settings.store).keep(settings.scale, kind, [many, *found])
    return found
