"""--plan: what the selected claims would train, and about how long that would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_claims.errors import ExplainedError
from pytest_claims.judge.decorator import arms_at, claim_of
from pytest_claims.plugin.clustered import trainers_on
from pytest_claims.runs.laboratory import Laboratory
from pytest_claims.runs.plan import Trainers, needed, plan, plan_lines
from pytest_claims.runs.store import Store


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
        store = Store(settings.store, since=settings.since, read_only=True)
        first, last = (needed(claims, settings, last=last, at_most=True) for last in (False, True))
        planned, obstacles = plan(first, settings, store, executor)
        at_most, _ = plan(last, settings, store, executor)
    except ExplainedError as error:
        raise pytest.UsageError(str(error)) from error
    trainers = trainers_on(executor) if settings.ray else Trainers.here(settings, config.option.plan_workers)
    for line in plan_lines(planned, at_most, obstacles, len(claims), settings, trainers):
        writer.line(line)
    skipped = Counter(
        marker.kwargs["reason"]
        for item in items
        if claim_of(item) and (marker := item.get_closest_marker("skip")) and "reason" in marker.kwargs
    )
    for why, count in skipped.items():
        writer.line(f"{count} {'claim' if count == 1 else 'claims'} more, {why}")
