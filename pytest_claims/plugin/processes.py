"""The processes of a session: the one that the person started, and xdist's workers."""

from __future__ import annotations

import gc
from typing import Any

import pytest


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def told(config: pytest.Config) -> dict[str, Any]:
    """What the process that the person started has told this worker; nothing in that process itself."""
    return getattr(config, "workerinput", {})


def worker_number(config: pytest.Config) -> int:
    """The number of this process among those that train."""
    return int(told(config).get("workerid", "gw0").removeprefix("gw"))


def worker_count(config: pytest.Config) -> int:
    """How many processes train: xdist's workers, or this one."""
    import psutil  # which ordinary sessions do without

    asked = told(config).get("workercount") or getattr(config.option, "numprocesses", None) or 1
    return asked if isinstance(asked, int) else psutil.cpu_count(logical=asked == "logical") or 1


def leave_xdist_out(config: pytest.Config) -> None:
    """Have a plan or an explanation made in this process: it needs no workers, and xdist would hide it in one."""
    config.option.plan_workers = worker_count(config)
    config.option.numprocesses, config.option.dist, config.option.tx = None, "no", []


class EndsAtOnce:
    """A pytest plugin for xdist's workers: after Ctrl-C they end without the traceback and the summary of their own,
    which no one would read. Fixtures are torn down as ever.

    These took seconds, and ten where cores are busy: the source of every module in between is read and parsed.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @classmethod
    def join(cls, config: pytest.Config) -> None:
        """Join the session of a worker, once."""
        if not config.pluginmanager.hasplugin(cls.__name__):
            config.pluginmanager.register(cls(config), cls.__name__)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # The reporter is called next, whether it is registered or not, and then never again.
        excinfo.traceback = excinfo.traceback[:0]
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter:
            self._config.pluginmanager.unregister(reporter)
        # As active.py does, which an interrupt may come before.
        gc.freeze()
