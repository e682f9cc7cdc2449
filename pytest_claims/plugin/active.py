"""What the plugin adds to a session that has claims; see activation.py for when. Each hook delegates."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gc
from collections.abc import Generator, Sequence

import pytest

from pytest_claims.defaults import CUDNN
from pytest_claims.errors import ExplainedError
from pytest_claims.judge.decorator import arms_at, claim_of
from pytest_claims.judge.lab import Lab
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.ledger.beside import SCALE
from pytest_claims.ledger.entries import read_all
from pytest_claims.plugin.activation import COLUMNS, STARTED
from pytest_claims.plugin.claim_test import EXPECTED, Ledgers, judged, lab_of
from pytest_claims.plugin.closing import close
from pytest_claims.plugin.clustered import connect, executor_on_cluster, in_processes, write_notices
from pytest_claims.plugin.explaining import Explaining
from pytest_claims.plugin.foresight import Foresight, Needed
from pytest_claims.plugin.header import header
from pytest_claims.plugin.id_selection import IdSelection
from pytest_claims.plugin.image_selection import ImageSelection
from pytest_claims.plugin.lost_tests import LostTests
from pytest_claims.plugin.near_ids import NearIds
from pytest_claims.plugin.outputs import Outputs, refuse_same_paths, wanted
from pytest_claims.plugin.planning import print_plan
from pytest_claims.plugin.processes import is_worker, worker_count, worker_number
from pytest_claims.plugin.progress import Progress
from pytest_claims.plugin.refusal import RepeatedIds, refused
from pytest_claims.plugin.resolution import resolve
from pytest_claims.plugin.scale_selection import ScaleSelection
from pytest_claims.plugin.session import result_of, results_of
from pytest_claims.plugin.verdict_lines import VerdictLines, are_written, verdict_line, verdict_status
from pytest_claims.report.failure import COLUMNS as WIDEST
from pytest_claims.report.kept_apart import others_in_store
from pytest_claims.runs.executor import Executor, ExecutorError, checked
from pytest_claims.runs.laboratory import Laboratory, in_process, length
from pytest_claims.runs.plan import needed
from pytest_claims.runs.results import Results
from pytest_claims.runs.store import Store
from pytest_claims.runs.store_file import StoreError, identity
from pytest_claims.settings import Settings
from pytest_claims.train.device import capability
from pytest_claims.types import Arm, Claim, Run


class Active:
    """A pytest plugin, one a process.

    started: when the session began, as the store writes times. claims: how many were selected; every worker collects
    them all. laboratory: None in a process that collects nothing. ledgers: those of this scale, by kind of images.
    documented: those of scale documented. Raises pytest.UsageError for options that contradict
    one another or ask for what is missing.
    """

    NAME = "claims-active"

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        began = datetime.datetime.fromtimestamp(config.stash[STARTED], datetime.UTC)
        self.started = began.isoformat(timespec="microseconds")
        self.claims = 0
        self.laboratory: Laboratory | None = None
        self._items: Sequence[pytest.Item] = ()
        # The claims' tests, with what each needs at its first look; and all runs that they may ask for.
        self._needed: list[tuple[pytest.Item, Needed]] = []
        self._runs: list[Run] = []
        self._foresight: Foresight | None = None
        self.settings, self.ledgers, self.documented = self._resolved()
        self._apart = self._kept_apart()
        self._store_seen = identity(self.settings.store)
        self._header_is_written = False

    def lost_its_store(self) -> bool:
        """Whether the store is not the file any more into which this session's runs went."""
        return not self.settings.only_stored and identity(self.settings.store) != self._store_seen

    @property
    def columns(self) -> int:
        """Columns that texts may take: the terminal's, or the widest text's where there is none."""
        return self.config.stash[COLUMNS] or WIDEST

    def join(self) -> None:
        """Join the session, with the parts that are plugins of their own, and say so to other plugins."""
        plugins = self.config.pluginmanager
        plugins.register(self, Active.NAME)
        # In the order in which they select.
        plugins.register(RepeatedIds())
        plugins.register(NearIds())
        plugins.register(IdSelection())
        plugins.register(ScaleSelection(self.settings.scale))
        plugins.register(ImageSelection(self.settings))
        if not is_worker(self.config):
            plugins.register(Outputs(self.settings))
            plugins.register(VerdictLines(self.config))
            if self.config.option.explain:
                plugins.register(Explaining(self.config, self.settings.scale))
            plugins.getplugin(LostTests.NAME).judges = True
            later = self.settings.looks[1:]
            workers = worker_count(self.config)
            plugins.register(Progress(self.config, self.settings.store, self.started, workers, later))
        self.config.hook.pytest_claims_settings(config=self.config, settings=self.settings)

    def _resolved(self) -> tuple[Settings, Ledgers, Ledgers]:
        option = self.config.option
        try:
            settings = resolve(
                gpu=option.gpu,
                ray=option.ray or "",
                processes=not is_worker(self.config) and in_processes(option),
                tf32=option.tf32,
                kernels=option.kernels,
                scale=option.scale or ("documented" if option.explain else None),
                data=option.data,
                seeds=option.seeds,
                max_seeds=option.max_seeds,
                first_seed=option.first_seed,
                placebo=option.placebo,
                store=option.store,
                since=self.started if option.fresh else "",
                only_stored=option.stored or bool(option.explain),
                runs_of=option.runs_of or "",
                mix_capabilities=option.mix_capabilities,
                root=self.config.rootpath,
                worker=worker_number(self.config),
            )
            if not is_worker(self.config):
                refuse_same_paths(option, settings)
                if option.store or settings.store.exists():
                    # A store that cannot be used is found before anything is trained.
                    Store(settings.store, read_only=settings.only_stored or option.plan).close()
            ledgers, documented = (
                read_all(settings.ledger, scale) if settings.ledger else {} for scale in (settings.scale, SCALE)
            )
        except ExplainedError as error:
            raise pytest.UsageError(str(error)) from error
        if option.explain and (other := _beside_explain(option)):
            raise pytest.UsageError(f"--explain tells what recorded runs say, and nothing else: leave {other} out")
        if option.update_ledger and settings.ledger_of(settings.data.kind) is None:
            raise pytest.UsageError(
                "--update-ledger records verdicts on registered data sets, not on images of one's own or of a placebo"
            )
        if option.update_ledger and settings.tf32:
            raise pytest.UsageError("--update-ledger records runs in the recipes' own precision: leave --tf32 out")
        if option.update_ledger and settings.kernels != CUDNN:
            raise pytest.UsageError(
                f"--update-ledger records runs that cuDNN's kernels computed: leave --kernels {settings.kernels} out"
            )
        if option.update_ledger and settings.mix_capabilities:
            raise pytest.UsageError("--update-ledger records runs of one instruction set: leave --mix-capabilities out")
        return settings, ledgers, documented

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        option = self.config.option
        asked = wanted(option) or ("--placebo's result" if option.placebo else "")
        if asked and not is_worker(self.config) and not self.config.pluginmanager.hasplugin("terminalreporter"):
            raise pytest.UsageError(
                f"-p no:terminal leaves no one to write {asked}: leave it out, or send output elsewhere"
            )

    def pytest_report_header(self) -> list[str]:
        return self._header()

    def pytest_report_collectionfinish(self) -> list[str]:
        """The header where the first claim came after it."""
        shown = self.config.option.verbose >= 0 and not self.config.option.no_header
        return self._header() if shown and not self._header_is_written else []

    def write_header(self) -> None:
        """Write the header now, where other processes have collected."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        for line in self.pytest_report_collectionfinish() if reporter else []:
            reporter.write_line(line)

    def _header(self) -> list[str]:
        self._header_is_written = True
        option = self.config.option
        untrained, judged = self.settings.only_stored or option.plan, not (option.plan or option.explain)
        workers = worker_count(self.config)
        return header(self.settings, workers, untrained=untrained, judged=judged, apart=self._apart)

    def _kept_apart(self) -> str:
        """What there is to say, before anything is trained, of stored runs that this session will not use."""
        settings = self.settings
        if is_worker(self.config) or settings.only_stored or settings.mix_capabilities or not settings.store.exists():
            return ""
        if settings.ray:
            return ""  # what its nodes compute with is not known yet
        try:
            with contextlib.closing(Store(settings.store, read_only=True)) as store:
                return others_in_store(store.kinds(), capability(settings.device))
        except ExplainedError:
            return ""  # what is damaged is reported by what is judged

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.claims = 0
        self._items = session.items
        self._needed = []
        claims: list[tuple[Claim, list[Arm]]] = []
        for item in session.items:
            claim = claim_of(item)
            if claim is None or item.get_closest_marker("skip"):
                continue
            self.claims += 1
            # Whatever a claim is refused for is reported by its own test, when that asks for its lab.
            if not refused(item, self.settings.scale):
                arms = list(arms_at(item, self.settings.scale).values())
                claims.append((claim, arms))
                self._needed.append((item, needed([(claim, arms)], self.settings, at_most=False)))
        self._runs = [arm.run(self.settings.scale) for _, arms in claims for arm in arms]
        runs = needed(claims, self.settings, at_most=False)
        number, count = worker_number(self.config), worker_count(self.config)
        self.laboratory = Laboratory(self.settings, number, count, self.started, runs, self._executor)
        self.config.add_cleanup(self.laboratory.close)

    def _executor(self, settings: Settings, workers: int) -> Executor:
        hook = self.config.hook.pytest_claims_executor
        made = hook(config=self.config, settings=settings, workers=workers)
        try:
            return checked(made)
        except ExecutorError:
            with contextlib.suppress(Exception):
                made.close()
            raise

    @pytest.hookimpl(trylast=True)
    def pytest_claims_executor(self, settings: Settings, workers: int) -> Executor:
        if settings.ray:
            return executor_on_cluster(self.config, settings, self._runs, self._items)
        return in_process(settings, workers)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        option = self.config.option
        if option.plan and not session.testsfailed and self.laboratory:
            session.testsfailed += print_plan(self.config, self.laboratory, session.items)
            return True
        if self.laboratory and not (option.plan or option.collectonly or option.setuponly or option.setupplan):
            if self.settings.ray and self._needed and not session.testsfailed:
                connect(self.config, self.laboratory)
            self.laboratory.plan()
            self._foresee(self.laboratory)
        return None

    def _foresee(self, laboratory: Laboratory) -> None:
        """Where blocks are trained beside this process, keep all claims at work, not only the one that waits."""
        if not laboratory.trains_beside:
            return

        def lab(item: pytest.Item, results: Results) -> Lab:
            claim = claim_of(item)
            assert claim is not None
            told = self.ledgers, self.documented, self.claims, self.columns
            return lab_of(item, claim, laboratory, *told, results)

        # What is wrong with the store is for the claims to meet and report.
        with contextlib.suppress(ExplainedError):
            self._foresight = Foresight(laboratory.pool, self._needed, lab, length)
            self._foresight.begin()

    def lab(self, item: pytest.Item, declared: Claim) -> Lab:
        """The `lab` fixture of a claim's test."""
        assert self.laboratory  # made when this process had collected the test
        return lab_of(item, declared, self.laboratory, self.ledgers, self.documented, self.claims, self.columns)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if claim_of(item) is None:
            return (yield)
        with judged(item, self.ledgers, self.documented, self.settings, self.columns):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Name the finding. A verdict that the ledger records is expected, like a strict xfail; --runxfail shows its
        own assertion."""
        report = yield
        claim = claim_of(item)
        if claim:
            vars(report)["finding"] = claim.finding  # which xdist sends along
        if report.when == "call" and report.failed and EXPECTED in item.stash and not item.config.option.runxfail:
            report.outcome, report.wasxfail = "skipped", item.stash[EXPECTED]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if not self.config.option.fulltrace:
            # The place is shown, and nothing of the way there, whose modules would all be read and parsed.
            excinfo.traceback = excinfo.traceback[-1:]
        # pytest collects garbage ten times at its end. Torch has a million objects, and all that dies here dies anyway.
        gc.freeze()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = None if is_worker(self.config) else result_of(report)
        if result:
            # Whoever judged it had opened the store. If it is not there now it is gone, and (0, 0) is no file.
            self._store_seen = self._store_seen or identity(self.settings.store) or (0, 0)
            self.config.hook.pytest_claims_result(config=self.config, result=result)
        if self._foresight and report.when == "teardown":
            # What is wrong with the store is for the claims to meet and report.
            with contextlib.suppress(StoreError):
                self._foresight.ended(report.nodeid)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The verdict as a test's word, with the claim's id. It has no letter where a line of its own follows."""
        result = result_of(report)
        status = verdict_status(report, result) if result else None
        if result is None or status is None:
            return None
        category, letter, word = status
        if self.config.get_verbosity() > 0:
            return category, letter, verdict_line(result, word)
        return category, "" if are_written(self.config) else letter, f"{word} {result.id}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """In a worker that has run out of tests: help with what the others still have to train. Else judge the
        placebo."""
        if is_worker(self.config):
            stopped = session.shouldstop or session.shouldfail or exitstatus not in (0, 1)
            if self.laboratory and not stopped:
                self.laboratory.finish()
        elif self.settings.placebo and exitstatus == 0:
            reporter = self.config.pluginmanager.getplugin("terminalreporter")
            if not placebo_result(results_of(reporter)).passed:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        # xdist's workers have a reporter of their own, of their own tests, that no one reads.
        if not is_worker(self.config):
            if self.laboratory and self.laboratory.has_executor:
                write_notices(terminalreporter, self.laboratory.executor)
            close(self, terminalreporter)


def _beside_explain(option: argparse.Namespace) -> str:
    """An option that makes no sense beside --explain, "" for none."""
    flags = {"--plan": option.plan, "--placebo": option.placebo, "--update-ledger": option.update_ledger}
    return wanted(option) or next((name for name, given in flags.items() if given), "")
