"""A session put together from its tests' reports: what reports and outputs show."""

from __future__ import annotations

import contextlib
import datetime
import functools
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_claims.data.kinds import FOLDERS, joined, parts
from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.judge.result import Result
from pytest_claims.ledger.entries import Entry, read, read_all, update
from pytest_claims.ledger.vanished import vanished
from pytest_claims.plugin.lost_tests import LostTests
from pytest_claims.report.kept_apart import APART, MIXED, apart_lines, mixed_line
from pytest_claims.report.session import Session, devices
from pytest_claims.report.settings_in_words import device_words, meaning, seeds_words
from pytest_claims.runs.apart import apart
from pytest_claims.runs.laboratory import open_store
from pytest_claims.runs.store import Store, now
from pytest_claims.settings import Settings
from pytest_claims.train import ENGINE_VERSION


def assemble(
    config: pytest.Config,
    settings: Settings,
    started: str,
    reporter: Any,
    store: Store | None,
    results: list[Result],
) -> Session:
    """What the session came to.

    started: when it began, as the store writes times. reporter: pytest's terminal reporter, which has heard of all
    tests. store: None where it cannot be read. The verdicts are there all the same. Raises StoreError.
    """
    results = sorted(results, key=lambda result: result.place)
    selected = config.pluginmanager.getplugin(LostTests.NAME).selected
    behind = [name for result in results for arm in result.arms for name in arm.runs]
    kind = joined(result.data_kind for result in results) or settings.data.kind
    told = facts(settings, kind, results)
    if store and (kept := apart(store, store.decided(behind))):
        told[APART] = "; ".join(apart_lines(kept))
    return Session(
        results=tuple(results),
        not_judged=not_judged(reports_of(reporter), results, selected),
        facts=told,
        command=shlex.join(["pytest", *map(str, config.invocation_params.args)]),
        trained=store.count(session=started) if store else None,
        reused=store.older(behind, started) if store else None,
        seconds=since(started),
        enforced=settings.enforced,
        placebo=_last_placebo(settings, kind) if store else (),
    )


def _last_placebo(settings: Settings, kind: str) -> tuple[str, ...]:
    with contextlib.closing(PlaceboRecord(settings.store, read_only=True)) as record:
        return record.last(settings.scale, kind)


def record(settings: Settings, session: Session) -> list[str]:
    """Record a session's verdicts, each in the ledger of its kind of images and there under its kind of device; returns
    a line for each ledger.

    Raises LedgerError if one cannot be read or written.
    """
    said = []
    for kind in dict.fromkeys(result.data_kind for result in session.results):
        results, ledger = [result for result in session.results if result.data_kind == kind], settings.ledger_of(kind)
        if ledger is None:
            said.append(f"ledger: {len(results)} verdicts on images of your own are not recorded")
            continue
        before = read(ledger)
        stay = [result.id for result in results if _stays(before.get(result.nodeid, {}), result)]
        with contextlib.closing(open_store(settings, read_only=True)) as store:
            changed = update(ledger, results, session.facts["date"], functools.partial(_versions, store))
        said.append(f"ledger: {changed} of {len(results)} entries changed in {ledger}")
        if stay:
            said.append(f"ledger: decided before and still open here, so that their entries stay: {', '.join(stay)}")
    return said


def _versions(store: Store, result: Result) -> str:
    """With what a result's runs were trained: "Python 3.12.3, torch 2.11.0+cu130, engine 1"."""
    runs = store.named(name for arm in result.arms for name in arm.runs).values()
    found = {
        "Python": {run.versions.get("python", "?") for run in runs},
        "torch": {run.versions.get("torch", "?") for run in runs},
        "engine": {str(run.engine) for run in runs},
    }
    return ", ".join(f"{part} {' and '.join(sorted(values))}" for part, values in found.items())


def _stays(entries: Mapping[str, Entry], result: Result) -> bool:
    recorded = entries.get(result.device_kind)
    return recorded is not None and recorded.stays(result)


def unheld_lines(session: Session) -> list[str]:
    """A line for the verdicts that were held against nothing, since the ledger has them on other kinds of device
    alone."""
    said = []
    for kind in sorted({result.device_kind for result in session.results}):
        alone = [each for each in session.results if each.device_kind == kind and not each.recorded and each.elsewhere]
        others = " and ".join(sorted({other.device_kind for result in alone for other in result.elsewhere}))
        if alone:
            many = "1 claim was" if len(alone) == 1 else f"{len(alone)} claims were"
            said.append(
                f"ledger: {many} held against nothing: recorded on {others} alone, and judged on {kind}. "
                "--update-ledger records them"
            )
    return said


def vanished_lines(settings: Settings, root: Path) -> list[str]:
    """A line for each ledger of the session's scale that has entries of claims which are not there any more.

    Raises LedgerError.
    """
    said = []
    for kind, entries in read_all(settings.ledger, settings.scale).items() if settings.ledger else ():
        gone = vanished(entries, root)
        if gone:
            some = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
            many = "an entry" if len(gone) == 1 else f"{len(gone)} entries"
            said.append(
                f"ledger: {settings.ledger_of(kind)} has {many} of claims that are not there any more: {some}. Rename "
                "or delete them by hand"
            )
    return said


def since(started: str) -> float:
    """Seconds from this time, as the store writes times, until now."""
    return (datetime.datetime.fromisoformat(now()) - datetime.datetime.fromisoformat(started)).total_seconds()


def facts(settings: Settings, kind: str, results: Sequence[Result] = ()) -> dict[str, str]:
    """What a session's results were measured with, on images of this kind."""
    mixed = mixed_line(results)
    return {
        "date": datetime.date.today().isoformat(),
        "scale": f"{settings.scale}, {seeds_words(settings)}",
        # Without paths: the page is for others.
        "data": f"{kind}{_misnamed(settings, kind)}, {settings.data.why}",
        "device": (devices(results) if settings.only_stored or settings.ray else "") or device_words(settings),
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}, engine {ENGINE_VERSION}",
        "meaning": meaning(settings, kind),
        **({MIXED: mixed} if mixed else {}),
    }


def _misnamed(settings: Settings, kind: str) -> str:
    """That images are not those of the data set in whose name they came, to be appended to their kind; else ""."""
    misnamed = FOLDERS in parts(kind) and settings.data.rule != FOLDERS
    return " (images of your own, for they are not those of the data set that they are named after)" if misnamed else ""


def result_of(report: Any) -> Result | None:
    """The result that a test's report carries, None for an ordinary test and for setup and teardown."""
    if getattr(report, "when", None) != "call":
        return None
    texts = [value for name, value in report.user_properties if name == "claim"]
    return Result.from_json(texts[0]) if texts else None


def reports_of(reporter: Any) -> list[Any]:
    """All that the terminal reporter has heard of."""
    return [report for reports in reporter.stats.values() for report in reports]


def results_of(reporter: Any) -> list[Result]:
    """Of all claims that it has heard of."""
    return [result for report in reports_of(reporter) if (result := result_of(report))]


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
