"""What a person sees of a session's training: the plan before it, and during it a line that is kept up to date."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_claims.plugin.status_row import StatusRow
from pytest_claims.runs.progress_notes import InTraining, Plan, Reader, State, forget
from pytest_claims.runs.quantities import about, listed
from pytest_claims.runs.stopped import Stopped, in_words

# Between two looks at the notes where there is a terminal, and between two lines where there is none.
_LOOK_SECONDS = 0.5
_LINE_SECONDS = 60.0
# Columns of such a line, at most.
_LINE_WIDTH = 160
# Reading the notes may take this share of the time; where it takes long, they are read less often.
_SHARE = 0.005
# What is left is estimated once all processes together have trained so long and this share of the work: how fast the
# first networks were says little about others, whose nominal work differs from the real one by factors.
_TRAINED_SECONDS, _TRAINED_SHARE = 3.0, 0.02
# A block is late once it has taken this many times what was expected, and so many seconds more.
_LATE, _LATE_SECONDS = 1.5, 20.0
# Networks are named where there is room for so many columns.
_FEWEST_COLUMNS = 12


def plan_line(plan: Plan, later: Sequence[int] = ()) -> str:
    """What a session needs, as a line of its header. later: numbers of seeds that open claims go on to."""
    networks, runs = _count(plan.networks, "network"), _count(plan.runs, "run")
    if plan.stored == plan.runs:
        rest = ", all stored"
    else:
        rest = f", {plan.stored:,} of them stored" if plan.stored else ""
        rest += f"; {_count(plan.steps, 'step')} to train"
    looks = f"; open claims go on to {listed(later)} seeds" if later else ""
    return f"plan: {networks}, {runs}{rest}{looks}"


def status(state: State, workers: int, now: float, width: int, last: int = 0) -> str:
    """How far a session's training is, in at most width columns.

    workers: how many processes train. now: Unix time, seconds. last: the number of seeds of the last look, to which
    open claims may go on.
    """
    done = f"{state.done:,}/{_count(state.runs, 'run')}"
    # A cluster trains as many blocks at once as it has devices, whatever the processes here.
    seconds = seconds_left(state, max(workers, len(state.in_training)), now)
    left = []
    if seconds is not None and state.done < state.runs:
        left = [_left(seconds, may_take_longer(state, last), is_late(state, now))]
    busy = len(state.in_training)
    speed = [f"{_rounded(state.speed * busy):,} images/s"] if state.speed and busy else []
    networks = _networks(state.in_training)
    room = width - len(" | ".join([done, "", *speed, *left]))
    if networks and room >= min(_FEWEST_COLUMNS, len(networks)):
        networks = networks if len(networks) <= room else networks[: room - 1] + "…"
        return " | ".join([done, networks, *speed, *left])
    # What matters least goes first.
    for parts in ([done, *speed, *left], [done, *left]):
        if len(text := " | ".join(parts)) <= width:
            return text
    return done[: max(0, width)]


def seconds_left(state: State, workers: int, now: float) -> float | None:
    """Estimated time until all that is planned is trained; None before there is a speed to estimate it from.

    Seeds of a configuration that has been trained take as long as those did, others as long as their nominal work
    takes at the speed so far.
    """
    pace = _seconds_of_work(state)
    if pace is None:
        return None
    expected = _expected(state, pace)
    # What is in training for longer than expected takes at least that long, and so do the other seeds of it.
    for block in state.in_training:
        if block.configuration in expected:
            so_far = (now - block.began) / block.seeds
            expected[block.configuration] = max(expected[block.configuration], so_far)
    left = sum((group.runs - group.done) * expected[group.configuration] for group in state.groups)
    longest = 0.0
    for block in state.in_training:
        whole = block.seeds * expected.get(block.configuration, block.work * pace)
        rest = max(0.0, whole - max(0.0, now - block.began))
        left, longest = left - (whole - rest), max(longest, rest)
    return max(left / workers, longest)


def _seconds_of_work(state: State) -> float | None:
    """How long a unit of nominal work took so far; None before there is enough of it to say."""
    trained = [group for group in state.groups if group.done]
    work = sum(group.work * group.done for group in trained)
    seconds = sum((group.seconds or 0.0) * group.done for group in trained)
    share = work / (sum(group.work * group.runs for group in state.groups) or 1)
    if work <= 0 or seconds < _TRAINED_SECONDS or share < _TRAINED_SHARE:
        return None
    return seconds / work


def _expected(state: State, pace: float) -> dict[str, float]:
    """Seconds of a seed by configuration: as those took that are done, else its work at this pace."""
    return {
        group.configuration: group.work * pace if group.seconds is None else group.seconds for group in state.groups
    }


def is_late(state: State, now: float) -> bool:
    """Whether a block has taken so much longer than expected that no one knows how much of it is left."""
    pace = _seconds_of_work(state)
    if pace is None:
        return False
    expected = _expected(state, pace)
    return any(
        now - block.began > _LATE * block.seeds * expected.get(block.configuration, block.work * pace) + _LATE_SECONDS
        for block in state.in_training
    )


def _left(seconds: float, more: bool, late: bool) -> str:
    """ "about 12 min left". more: whether claims that stay open may take longer. late: whether a block takes longer
    than expected. Then the time is the least that is left, and "under 1 min" would say nothing."""
    words = about(seconds)
    if late and words.startswith("under"):
        return "longer than expected"
    if more and words.startswith("under"):
        return f"{words} to the next look"
    return f"at least {words} left" if more or late else f"{words} left"


def may_take_longer(state: State, last: int) -> bool:
    """Whether what is planned is the least that is left: claims that stay open go on to `last` seeds."""
    return any(group.runs < last for group in state.groups)


def _row(waits: str, state: State, workers: int, now: float, width: int, last: int = 0) -> str:
    """The status, behind what the session waits for, where it does."""
    before = f"{waits} | " if waits else ""
    return (before + status(state, workers, now, max(0, width - len(before)), last))[: max(0, width)]


class Progress:
    """A pytest plugin for the process that the person started: shows what this one, or xdist's workers, train.

    store: the path of the store. session: the time at which it began, the name that its processes share. workers: how
    many of them train. later: numbers of seeds that open claims go on to. Whatever fails in it ends the progress and
    nothing else.
    """

    def __init__(
        self, config: pytest.Config, store: Path, session: str, workers: int, later: Sequence[int] = ()
    ) -> None:
        self._config, self._store, self._session = config, store, session
        self._workers, self._later = workers, later
        self._looked = False
        self._shown: _Shown | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            self._finish()

    # The loop had begun before where the first claim came to light in it.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._finish()

    # Every process has noted what the session needs before the first test that it starts.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        if not self._looked:
            self._looked = True
            with contextlib.suppress(Exception):
                self._begin()

    def _finish(self) -> None:
        if self._shown:
            with contextlib.suppress(Exception):
                self._shown.stop()
            self._shown = None
        if self._looked:
            self._looked = False
            forget(self._store, self._session)

    def _begin(self) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or not self._store.exists():
            return
        with contextlib.closing(Reader(self._store, self._session)) as reader:
            plan = reader.plan()
        if not plan.runs:
            return
        if self._config.option.verbose >= 0 and not self._config.option.no_header:
            reporter.write_line(plan_line(plan, self._later))
            reporter.flush()
        output = _output(self._config)
        if output:
            last = max(self._later, default=0)
            self._shown = _Shown(output, self._store, self._session, self._workers, last)


class _Output(Protocol):
    """Where the status goes. pause: seconds between two of them. descriptor: of the file. Methods may raise OSError."""

    pause: float
    descriptor: int

    def show(self, text: Callable[[int], str]) -> None:
        """Show the text for a number of columns."""

    def end(self) -> None:
        """Leave everything as it was."""


class _Row:
    """A terminal's bottom row."""

    def __init__(self, descriptor: int, *, marked: bool, encoding: str) -> None:
        self.pause, self.descriptor = _LOOK_SECONDS, descriptor
        self._row = StatusRow(descriptor, marked=marked, encoding=encoding)

    def show(self, text: Callable[[int], str]) -> None:
        self._row.show(text(self._row.width))

    def end(self) -> None:
        self._row.end()


class _Lines:
    """Lines of a file or pipe. amid: whether pytest is in the middle of one."""

    def __init__(self, descriptor: int, encoding: str, amid: Callable[[], bool]) -> None:
        self.pause, self.descriptor = _LINE_SECONDS, descriptor
        self._encoding, self._amid = encoding, amid

    def show(self, text: Callable[[int], str]) -> None:
        line = f"progress: {text(_LINE_WIDTH)}\n"
        os.write(self.descriptor, ("\n" * self._amid() + line).encode(self._encoding, "replace"))

    def end(self) -> None:
        pass


def _output(config: pytest.Config) -> _Output | None:
    """Where pytest writes to; None on a terminal that cannot do without new lines."""
    writer = config.get_terminal_writer()
    file: Any = writer._file
    terminal = file.isatty()
    if terminal and os.environ.get("TERM", "dumb") == "dumb":
        return None
    # A descriptor of our own: pytest turns standard output away from the terminal while a test runs.
    encoding = file.encoding or "utf-8"
    descriptor = os.dup(file.fileno())
    if terminal:
        return _Row(descriptor, marked=writer.hasmarkup, encoding=encoding)
    return _Lines(descriptor, encoding, lambda: writer.width_of_current_line > 0)


class _Shown:
    """Shows the status in a thread of its own until it is stopped, or something fails."""

    def __init__(self, output: _Output, store: Path, session: str, workers: int, last: int) -> None:
        self._output, self._store, self._session, self._workers = output, store, session, workers
        self._last = last
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()
        self._before: Any = None
        # Whoever ends the session otherwise must not leave a terminal with a row less. (ValueError: no main thread.)
        if isinstance(output, _Row) and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            with contextlib.suppress(ValueError):
                self._before = signal.signal(signal.SIGTERM, self._terminate)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._stopped.set()
        try:
            self._thread.join(5)
        finally:
            self._end()  # once more, in case that the thread is still waiting for something
            if not self._thread.is_alive():
                os.close(self._output.descriptor)
            if self._before is not None:
                signal.signal(signal.SIGTERM, self._before)

    def _run(self) -> None:
        with (
            contextlib.suppress(Exception),
            contextlib.closing(Reader(self._store, self._session)) as reader,
            contextlib.closing(Stopped(self._store, self._session)) as stopped,
        ):
            pause = self._output.pause
            while not self._stopped.wait(pause):
                began = time.perf_counter()
                state = reader.state()
                waits = in_words(stopped.processes()) if state.done < state.runs else ""
                took = time.perf_counter() - began
                if state.done < state.runs:
                    self._output.show(
                        functools.partial(_row, waits, state, self._workers, time.time(), last=self._last)
                    )
                else:
                    self._output.end()  # until open claims want more seeds
                pause = max(self._output.pause, took / _SHARE)
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            self._output.end()

    def _terminate(self, number: int, frame: object) -> None:
        self.stop()
        os.kill(os.getpid(), number)


def _networks(training: Sequence[InTraining]) -> str:
    """ "NormCNN(batch) batch 2 ×5, DepthCNN(8, sigmoid) batch 512": with the number of seeds, where it is above one."""
    seeds: Counter[str] = Counter()
    for block in training:
        seeds[block.network] += block.seeds
    return ", ".join(network + (f" ×{number}" if number > 1 else "") for network, number in seeds.items())


def _rounded(value: float) -> int:
    """To two digits."""
    return int(round(value, 1 - math.floor(math.log10(value)))) if value >= 1 else 0


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
