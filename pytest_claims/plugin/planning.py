"""--plan: what the selected claims would train, and about how long that would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_claims.errors import ExplainedError
from pytest_claims.judge.decorator import arms_at, claim_of
from pytest_claims.report.kept_apart import APART, apart_lines
from pytest_claims.runs.apart import apart
from pytest_claims.runs.laboratory import Laboratory, open_store
from pytest_claims.runs.plan import needed, plan, plan_lines


def print_plan(config: pytest.Config, laboratory: Laboratory, items: Sequence[pytest.Item]) -> None:
    """Print the plan and train nothing. Raises pytest.UsageError if there is no telling: no store, no device."""
    settings = laboratory.settings
    claims = [
        (claim, list(arms_at(item, settings.scale).values()))
        for item in items
        if (claim := claim_of(item)) and not item.get_closest_marker("skip")
    ]
    writer = config.get_terminal_writer()
    writer.line()
    try:
        executor = laboratory.executor
        store = open_store(settings, read_only=True)
        first, last = (needed(claims, settings, last=last, at_most=True) for last in (False, True))
        planned, obstacles = plan(first, settings, store, executor)
        at_most, _ = plan(last, settings, store, executor)
        kept = apart(store, [each.used for each in at_most if each.used])
    except ExplainedError as error:
        raise pytest.UsageError(str(error)) from error
    workers = config.option.plan_workers
    for line in plan_lines(planned, at_most, obstacles, len(claims), settings, workers):
        writer.line(line)
    for line in apart_lines(kept):
        writer.line(f"{APART}: {line}")
    skipped = Counter(
        marker.kwargs["reason"]
        for item in items
        if claim_of(item) and (marker := item.get_closest_marker("skip")) and "reason" in marker.kwargs
    )
    for why, count in skipped.items():
        writer.line(f"{count} {'claim' if count == 1 else 'claims'} more, {why}")
