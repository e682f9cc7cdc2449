"""What --ray adds to a session: an executor on the cluster, made once the claims are known, and what it has to say."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pytest_claims.errors import ExplainedError, shown
from pytest_claims.runs.executor import Executor
from pytest_claims.runs.laboratory import Laboratory
from pytest_claims.runs.plan import Trainers
from pytest_claims.settings import Settings
from pytest_claims.train.cost import CPU_CORE, DATA_CENTRE_GPU
from pytest_claims.types import Run

if TYPE_CHECKING:
    from pytest_claims.cluster.executor import OnCluster


def in_processes(option: argparse.Namespace) -> bool:
    """Whether pytest-xdist was asked for processes. option: pytest's."""
    return bool(getattr(option, "numprocesses", None) or getattr(option, "tx", None))


def executor_on_cluster(
    config: pytest.Config, settings: Settings, runs: Iterable[Run], items: Sequence[pytest.Item]
) -> OnCluster:
    """What trains on the cluster of the settings. items: the session's tests. Raises ClusterError."""
    from pytest_claims.cluster.executor import OnCluster  # which only such a session needs

    return OnCluster(settings.ray, settings, config.rootpath, runs, imported_by_pytest(config, items))


def imported_by_pytest(config: pytest.Config, items: Sequence[pytest.Item]) -> list[ModuleType]:
    """Test modules and conftest.py, which pytest has imported by their paths."""
    modules = [getattr(item, "module", None) for item in items]
    modules += [plugin for plugin in config.pluginmanager.get_plugins() if _is_conftest(plugin)]
    return [module for module in dict.fromkeys(modules) if isinstance(module, ModuleType)]


def _is_conftest(plugin: object) -> bool:
    return isinstance(plugin, ModuleType) and plugin.__name__.split(".")[-1] == "conftest"


def connect(config: pytest.Config, laboratory: Laboratory) -> None:
    """Connect to the cluster and say what it is. Raises pytest.UsageError if there is none to train on."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    try:
        executor = laboratory.executor
    except ExplainedError as error:
        raise pytest.UsageError(str(error)) from error
    if reporter and config.option.verbose >= 0 and not config.option.no_header:
        reporter.write_line(shown(f"cluster: {executor.device_name}"))


def trainers_on(executor: Executor) -> Trainers:
    """The cluster as a plan counts it. A cluster that does not answer in a minute counts as common devices."""
    from pytest_claims.cluster.executor import OnCluster

    assert isinstance(executor, OnCluster)
    measured = executor.measured()
    speed = measured or (DATA_CENTRE_GPU if executor.device_kind == "cuda" else CPU_CORE)
    how = "from a probe of one of its devices" if measured else "by the speed of common devices, for it has none free"
    return Trainers(speed, executor.devices, f"the cluster ({executor.device_name}), estimated {how}")


def write_notices(reporter: pytest.TerminalReporter, executor: Executor) -> None:
    """Write what happened to the cluster during the session."""
    for notice in dict.fromkeys(getattr(executor, "notices", ())):
        reporter.write_line(shown(f"cluster: {notice}"))
