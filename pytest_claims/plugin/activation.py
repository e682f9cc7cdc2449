"""When the plugin wakes up.

pytest loads it in every session of an environment that has it, and most sessions have no claims. There it prints
nothing, makes no file and does not import torch, whose import takes seconds. It wakes up

- before collection if an option of ours is given, or what is collected includes the folder claims/,
- else as soon as a claim is collected,
- and in a process whose xdist workers collect, as soon as one of them has sent the first report of a claim.

This module is loaded in every session, so it imports nothing heavy.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_claims.defaults import CLAIMS_FOLDER
from pytest_claims.judge.decorator import claim_id, claim_of
from pytest_claims.plugin.lost_tests import LostTests
from pytest_claims.plugin.options import any_given
from pytest_claims.plugin.processes import EndsAtOnce, is_worker, told

if TYPE_CHECKING:
    from pytest_claims.plugin.active import Active

ACTIVE = pytest.StashKey["Active"]()
# When the session began, Unix time in seconds: the same in all of its processes, which share it as a name.
STARTED = pytest.StashKey[float]()
# Columns of the terminal; 0 where there is none.
COLUMNS = pytest.StashKey[int]()
# Why the plugin could not wake up in a worker.
OBSTACLE = pytest.StashKey[str]()


def configure(config: pytest.Config) -> None:
    """Make a session known to pytest; wake up if it is one about claims. Raises pytest.UsageError for bad options."""
    config.addinivalue_line(
        "markers", "claim(claim): declared by pytest_claims.judge.decorator.claim; the documented finding verified"
    )
    config.stash[STARTED] = told(config).get("claims_started") or time.time()
    if is_worker(config):
        config.stash[COLUMNS] = int(told(config)["claims_columns"])
        if told(config)["claims_expected"]:
            EndsAtOnce.join(config)
        return
    config.pluginmanager.register(LostTests(), LostTests.NAME)
    if any_given(config.option) or _collects_claims(config):
        activate(config)
    else:
        config.pluginmanager.register(_Waiting(config))


def measure_terminal(config: pytest.Config) -> None:
    """Note how wide texts may be. Done before pytest turns standard output away from the terminal."""
    if not is_worker(config):
        reporter = config.pluginmanager.getplugin("terminalreporter")
        config.stash[COLUMNS] = reporter._tw.fullwidth if reporter and reporter.isatty else 0


def tell_worker(config: pytest.Config, node: Any) -> None:
    """Tell a new worker of xdist's when the session began, so that --fresh means the same to all, how wide to write,
    and whether it will find claims."""
    node.workerinput["claims_started"] = config.stash[STARTED]
    node.workerinput["claims_columns"] = config.stash[COLUMNS]
    node.workerinput["claims_expected"] = ACTIVE in config.stash


def collected(item: pytest.Item) -> None:
    """Wake up for a claim. -k finds it by its finding and its id, as the summary calls it.

    Raises pytest.UsageError for options that contradict one another. A worker cannot end the session: there, the claims
    fail with that text.
    """
    claim = claim_of(item)
    if claim is None:
        return
    item.extra_keyword_matches |= {str(claim.finding), claim_id(item)}
    config = item.config
    if ACTIVE in config.stash or OBSTACLE in config.stash:
        return
    try:
        activate(config)
    except pytest.UsageError as error:
        if not is_worker(config):
            raise
        config.stash[OBSTACLE] = str(error)


class _Waiting:
    """A pytest plugin for the process that the person started, whose workers may find claims."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    # Before the terminal asks for the status of the test.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if ACTIVE not in self._config.stash and hasattr(report, "finding"):
            activate(self._config)
            self._config.stash[ACTIVE].write_header()


def activate(config: pytest.Config) -> None:
    """Wake up. Raises pytest.UsageError for options that contradict one another or ask for what is not there."""
    from pytest_claims.plugin.active import Active  # with torch and SciPy, which ordinary sessions do without

    config.stash[ACTIVE] = Active(config)
    config.stash[ACTIVE].join()
    if is_worker(config):
        EndsAtOnce.join(config)


def active(item: pytest.Item) -> Active:
    """What judges a claim. Fails the test, with the reason, if the plugin could not wake up in this process."""
    if ACTIVE not in item.config.stash:
        pytest.fail(item.config.stash[OBSTACLE], pytrace=False)
    return item.config.stash[ACTIVE]


def _collects_claims(config: pytest.Config) -> bool:
    """Whether the folder of claims is collected, or a part of it, or something that it is a part of."""
    folder = (config.rootpath / CLAIMS_FOLDER).resolve()
    if not folder.is_dir():
        return False
    for argument in config.args:
        path = (config.invocation_params.dir / Path(str(argument).split("::")[0])).resolve()
        if path == folder or path in folder.parents or folder in path.parents:
            return True
    return False
