"""The pytest plugin: options, the `lab` fixture, and hooks that delegate to the other rooms."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Generator
from typing import Any

import psutil
import pytest

from pytest_claims.data import DataError
from pytest_claims.data.kinds import joined
from pytest_claims.data.load import synthetic_dataset
from pytest_claims.judge.decorator import arms_of, claim_of, metric_of, words_of
from pytest_claims.judge.lab import Lab, NotReproducedError
from pytest_claims.judge.metric import NotRecordedError
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.judge.result import Result
from pytest_claims.ledger.entries import Entry, LedgerError, read_all
from pytest_claims.ledger.policy import standing
from pytest_claims.optimisers import OptimiserError
from pytest_claims.plugin.lost_tests import LostTests
from pytest_claims.plugin.options import add_options
from pytest_claims.plugin.outputs import not_judged, wanted, write_outputs
from pytest_claims.plugin.progress import Progress
from pytest_claims.plugin.resolution import SettingsError, resolve
from pytest_claims.plugin.scale_selection import ScaleSelection
from pytest_claims.plugin.session import assemble, record, reports_of, result_of, results_of
from pytest_claims.report import failure_text, junit_properties, session_lines, summary_lines
from pytest_claims.report.failure import COLUMNS
from pytest_claims.report.settings_in_words import device_words, meaning, seeds_words
from pytest_claims.runs.laboratory import Laboratory
from pytest_claims.runs.plan import needed, plan, plan_lines
from pytest_claims.runs.pool import NotStoredError, TrainingError
from pytest_claims.runs.store import Store, now
from pytest_claims.runs.store_file import StoreError
from pytest_claims.settings import Settings
from pytest_claims.stacked import NetworkError
from pytest_claims.train.device import DeviceError

SETTINGS = pytest.StashKey[Settings]()
LABORATORY = pytest.StashKey[Laboratory]()
# By kind of images and by test.
LEDGERS = pytest.StashKey[dict[str, dict[str, Entry]]]()
# How many claims were selected; every worker collects them all.
CLAIMS = pytest.StashKey[int]()
# Of a test whose verdict is the recorded one and not REPRODUCED: what the ledger says.
EXPECTED = pytest.StashKey[str]()
STARTED = pytest.StashKey[str]()
# Columns that texts may take: the terminal's, or the widest text's where there is none.
WIDTH = pytest.StashKey[int]()

# Errors whose text is written for the person at the terminal; a traceback would hide it.
_EXPLAINED = (
    NotReproducedError,
    DataError,
    StoreError,
    DeviceError,
    TrainingError,
    NotRecordedError,
    NetworkError,
    OptimiserError,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    # A plan needs no workers, and xdist would hide it in one of them.
    if config.option.plan:
        config.option.plan_workers = _workers(config)
        config.option.numprocesses, config.option.dist, config.option.tx = None, "no", []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "claim(claim): declared by pytest_claims.judge.decorator.claim; the documented finding verified"
    )
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    config.stash[STARTED] = worker.get("claims_started") or now()
    option = config.option
    try:
        settings = resolve(
            gpu=option.gpu,
            tf32=option.tf32,
            scale=option.scale,
            data=option.data,
            seeds=option.seeds,
            max_seeds=option.max_seeds,
            first_seed=option.first_seed,
            placebo=option.placebo,
            store=option.store,
            since=config.stash[STARTED] if option.fresh else "",
            only_stored=option.stored,
            root=config.rootpath,
            worker=_worker(config),
        )
        if not worker and (option.store or settings.store.exists()):
            Store(settings.store).close()  # a store that cannot be used is found before anything is trained
        config.stash[LEDGERS] = read_all(settings.ledger, settings.scale) if settings.ledger else {}
    except (DataError, DeviceError, LedgerError, SettingsError, StoreError) as error:
        raise pytest.UsageError(str(error)) from error
    if option.update_ledger and settings.ledger_of(settings.data.kind) is None:
        raise pytest.UsageError(
            "--update-ledger records registered data sets and synthetic images, not images of one's own or a placebo"
        )
    if option.update_ledger and settings.tf32:
        raise pytest.UsageError("--update-ledger records runs in the recipes' own precision: leave --tf32 out")
    config.stash[SETTINGS] = settings
    config.pluginmanager.register(ScaleSelection(settings.scale))
    if not worker:
        config.pluginmanager.register(LostTests(), LostTests.NAME)
        later = settings.looks[1:]
        config.pluginmanager.register(Progress(config, settings.store, config.stash[STARTED], _workers(config), later))


# Before xdist starts its workers, and before pytest turns standard output away from the terminal.
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput"):
        config.stash[WIDTH] = int(config.workerinput["claims_columns"])
        return
    reporter = config.pluginmanager.getplugin("terminalreporter")
    asked = wanted(config.option) or ("--placebo's result" if config.option.placebo else "")
    if asked and not reporter:
        raise pytest.UsageError(
            f"-p no:terminal leaves no one to write {asked}: leave it out, or send output elsewhere"
        )
    config.stash[WIDTH] = reporter._tw.fullwidth if reporter and reporter.isatty else COLUMNS


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: tell a new worker when the session began, so that --fresh means the same to all, and how wide to write."""
    node.workerinput["claims_started"] = node.config.stash[STARTED]
    node.workerinput["claims_columns"] = node.config.stash[WIDTH]


def pytest_report_header(config: pytest.Config) -> list[str]:
    settings = config.stash[SETTINGS]
    lines = [
        f"claims: scale {settings.scale}, {seeds_words(settings)}, {device_words(settings)}, store {settings.store}"
        + (" (--fresh: nothing reused)" if settings.since else ""),
        f"data: {settings.data}",
        f"verdicts: {meaning(settings, settings.data.kind)}",
    ]
    cores = psutil.cpu_count(logical=False) or 1
    if settings.device.type == "cpu" and _workers(config) == 1 and cores > 1 and not config.option.plan:
        lines.append(f"speed: one process trains on one core; -n {cores} uses all of this machine's")
    return lines


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before pytest's own selection: -k A1a finds the claims that the summary calls so."""
    for item in items:
        if claim_of(item):
            item.extra_keyword_matches.add(claim_of(item).finding)


def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    settings = config.stash[SETTINGS]
    selected = [item for item in session.items if claim_of(item) and not item.get_closest_marker("skip")]
    config.stash[CLAIMS] = len(selected)
    claims = []
    for item in selected:
        # Arms that cannot be made are reported by the claim's own test, when it asks for them.
        with contextlib.suppress(Exception):
            claims.append((claim_of(item), list(arms_of(item).values())))
    runs = needed(claims, settings, settings.looks[0], at_most=False)
    workers, started = _workers(config), config.stash[STARTED]
    config.stash[LABORATORY] = Laboratory(settings, _worker(config), workers, started, runs)
    config.add_cleanup(config.stash[LABORATORY].close)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    config = session.config
    if not config.option.plan or session.testsfailed:
        option = config.option
        if LABORATORY in config.stash and not (option.collectonly or option.setuponly or option.setupplan):
            config.stash[LABORATORY].plan()
        return None
    settings = config.stash[SETTINGS]
    claims = [(claim_of(item), list(arms_of(item).values())) for item in session.items if claim_of(item)]
    writer = config.get_terminal_writer()
    writer.line()
    try:
        executor = config.stash[LABORATORY].executor
        store = Store(settings.store, since=settings.since)
        first, last = (needed(claims, settings, look, at_most=True) for look in (settings.looks[0], settings.looks[-1]))
        planned, obstacles = plan(first, settings, store, executor)
        at_most, _ = plan(last, settings, store, executor)
        probed = synthetic_dataset("cifar10", "rehearsal").to(settings.device)
    except _EXPLAINED as error:
        raise pytest.UsageError(str(error)) from error
    workers = config.option.plan_workers
    for line in plan_lines(planned, at_most, obstacles, len(claims), settings, probed, workers):
        writer.line(line)
    return True


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Lab:
    """The arms of this test's claim and the assertions about them; see pytest_claims.judge.lab.Lab."""
    item = request.node
    declared = claim_of(item)
    if declared is None:
        raise pytest.UsageError(
            f"{item.nodeid} uses `lab` without @claim(...); see pytest_claims.judge.decorator.claim"
        )
    laboratory = request.config.stash[LABORATORY]
    try:
        pool = laboratory.pool
        settings, metric = laboratory.settings, metric_of(item)
        words, arms, claims = words_of(item), arms_of(item), request.config.stash[CLAIMS]
        explain = functools.partial(failure_text, columns=request.config.stash[WIDTH])
        return Lab(item.nodeid, declared, words, arms, settings, pool, explain, metric, claims)
    except _EXPLAINED as error:
        raise _ended(request.config, error) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    if claim_of(item) is None:
        return (yield)
    try:
        returned = yield
    except NotReproducedError as error:
        found = standing(_recorded(item, error.result), error.result, updating=item.config.option.update_ledger)
        if found.expected:
            item.stash[EXPECTED] = found.expected
        raise pytest.fail.Exception(f"{found.said}\n\n{error}".lstrip(), pytrace=False) from None
    except NotStoredError as error:
        raise pytest.skip.Exception(str(error)) from None
    except _EXPLAINED as error:
        raise _ended(item.config, error) from None
    finally:
        used = item.funcargs.get("lab")
        result = used.result if used else None
        if result:
            recorded = _recorded(item, result)
            result = dataclasses.replace(result, recorded=recorded.verdict if recorded else "")
            item.user_properties += [("claim", result.to_json()), *junit_properties(result)]
    if not result:
        pytest.fail(f"{item.nodeid} declares a claim and asserts nothing about it with `lab`", pytrace=False)
    found = standing(recorded, result, updating=item.config.option.update_ledger)
    if found.fails:
        pytest.fail(f"{found.said}\n\n{failure_text(result, item.config.stash[WIDTH])}", pytrace=False)
    return returned


def _recorded(item: pytest.Item, result: Result) -> Entry | None:
    """What the ledger of a result's kind of images has for this test."""
    return item.config.stash[LEDGERS].get(result.data_kind, {}).get(item.nodeid)


def _ended(config: pytest.Config, error: Exception) -> BaseException:
    """How a test ends for an error that its text explains.

    Where nothing is to be trained, what is not there (images; something that an old store has not recorded) leaves a
    claim out, as runs that are not stored do.
    """
    if config.stash[SETTINGS].only_stored and isinstance(error, DataError | StoreError | NotRecordedError):
        return pytest.skip.Exception(f"not judged: {error}")
    return pytest.fail.Exception(str(error), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A verdict that the ledger records is expected, like a strict xfail; --runxfail shows its own assertion."""
    report = yield
    if report.when == "call" and report.failed and EXPECTED in item.stash and not item.config.option.runxfail:
        report.outcome, report.wasxfail = "skipped", item.stash[EXPECTED]
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    result = result_of(report)
    if result is None:
        return None
    if hasattr(report, "wasxfail"):
        return ("xfailed", "x", f"{result.verdict.outcome} (recorded)") if report.skipped else None
    if report.passed:
        word = str(result.verdict.outcome)
        return "passed", ".", word if result.enforced else f"REHEARSED ({word})"
    return ("failed", "F", str(result.verdict.outcome)) if report.failed else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In a worker that has run out of tests: help with what the others still have to train. Judge the placebo."""
    config = session.config
    reporter = config.pluginmanager.getplugin("terminalreporter")
    worker = hasattr(config, "workerinput")
    judged = SETTINGS in config.stash and config.stash[SETTINGS].placebo and not worker and exitstatus == 0
    if judged and not placebo_result(results_of(reporter)).passed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    stopped = session.shouldstop or session.shouldfail or exitstatus not in (0, 1)
    if worker and LABORATORY in config.stash and not stopped:
        config.stash[LABORATORY].finish()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # xdist's workers have a reporter of their own, of their own tests, that no one reads
    results = results_of(terminalreporter)
    settings, write = config.stash[SETTINGS], terminalreporter.write_line
    if config.option.plan or (not results and not (settings.placebo and LABORATORY in config.stash)):
        if wanted(config.option) and not config.option.plan:
            why = next((f" ({why})" for _, why in not_judged(reports_of(terminalreporter), [], [])), "")
            raise pytest.UsageError(f"nothing was judged{why}, so {wanted(config.option)} is not written")
        return
    store = Store(settings.store)
    terminalreporter.section("placebo" if settings.placebo else "claims")
    if settings.placebo:
        found = placebo_result(results).lines
        if any(result.placebo for result in results):
            many = f"{len(results)} {'claim' if len(results) == 1 else 'claims'} at {seeds_words(settings)}"
            kind = joined(result.data_kind for result in results)
            PlaceboRecord(settings.store).keep(settings.scale, kind, [many, *found])
        for line in found:
            write(line)
    else:
        for line in summary_lines(results, terminalreporter._tw.fullwidth):
            write(line)
    session = assemble(config, settings, config.stash[STARTED], terminalreporter, store, results)
    width = terminalreporter._tw.fullwidth
    for line in session_lines(settings, session, width):
        write(line)
    if config.option.update_ledger:
        for line in record(settings, session):
            write(line)
    for line in write_outputs(config, settings, session, store):
        write(line)


def _worker(config: pytest.Config) -> int:
    """The number of this process among those that train."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    return int(worker.get("workerid", "gw0").removeprefix("gw"))


def _workers(config: pytest.Config) -> int:
    """How many processes train: xdist's workers, or this one."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    asked = worker.get("workercount") or getattr(config.option, "numprocesses", None) or 1
    return asked if isinstance(asked, int) else psutil.cpu_count(logical=asked == "logical") or 1
