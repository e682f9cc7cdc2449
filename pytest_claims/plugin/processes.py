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


def leave_unread_reports_out(config: pytest.Config) -> None:
    """Let an xdist worker end at once after Ctrl-C: without the traceback and summary that no one would read.

    They took ten seconds and more, with the source of every module in between. Fixtures are torn down as ever.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        config.pluginmanager.unregister(reporter)
    # pytest collects garbage ten times at its end. Torch has a million objects, and all that dies here dies anyway.
    gc.freeze()
