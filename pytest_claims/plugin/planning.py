"""--plan: what the selected claims would train, and about how long that would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_claims.data import spec_of
from pytest_claims.errors import ExplainedError, shown
from pytest_claims.judge.decorator import arms_at, claim_id, claim_of
from pytest_claims.plugin.clustered import trainers_on
from pytest_claims.plugin.refusal import refuse
from pytest_claims.report.kept_apart import APART, apart_lines
from pytest_claims.runs.apart import apart
from pytest_claims.runs.identity import identity
from pytest_claims.runs.laboratory import Laboratory, open_store
from pytest_claims.runs.plan import Trainers, needed, plan, plan_lines
from pytest_claims.settings import Settings
from pytest_claims.train.cost import cost
from pytest_claims.types import Arm, Claim


def print_plan(config: pytest.Config, laboratory: Laboratory, items: Sequence[pytest.Item]) -> int:
    """Print the plan and train nothing; returns how many claims cannot be planned, for they will fail.

    Raises pytest.UsageError if there is no telling: no store, no device.
    """
    settings = laboratory.settings
    claims, refusals = _claims(items, settings)
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
    trainers = trainers_on(executor) if settings.ray else Trainers.here(settings, config.option.plan_workers)
    for line in plan_lines(planned, at_most, obstacles, len(claims), settings, trainers):
        writer.line(line)
    for line in apart_lines(kept):
        writer.line(f"{APART}: {line}")
    for line in refusals:
        writer.line(f"ERROR: not planned, for it will fail: {line}", red=True)
    skipped = Counter(
        marker.kwargs["reason"]
        for item in items
        if claim_of(item) and (marker := item.get_closest_marker("skip")) and "reason" in marker.kwargs
    )
    for why, count in skipped.items():
        writer.line(f"{count} {'claim' if count == 1 else 'claims'} more, {why}")
    return len(refusals)


def _claims(items: Sequence[pytest.Item], settings: Settings) -> tuple[list[tuple[Claim, Sequence[Arm]]], list[str]]:
    """The claims that can be planned with their arms, and why others cannot be."""
    claims: list[tuple[Claim, Sequence[Arm]]] = []
    refusals = []
    for item in items:
        claim = claim_of(item)
        if claim is None or item.get_closest_marker("skip"):
            continue
        try:
            refuse(item, settings.scale)
            arms = list(arms_at(item, settings.scale).values())
            for arm in arms:
                run = arm.run(settings.scale)
                cost(run, spec_of(run.dataset).training_images, 0)
                identity(run)  # with what an optimiser does: runs are looked up by it
            claims.append((claim, arms))
        except ExplainedError as error:
            refusals.append(f"{claim_id(item)}: {error}")
        except (Exception, SystemExit) as error:  # a network's own, where it is built or run
            refusals.append(f"{claim_id(item)}: {item.nodeid}: {type(error).__name__}: {error}")
    return claims, list(map(shown, refusals))
