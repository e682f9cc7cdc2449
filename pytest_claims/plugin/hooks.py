"""The pytest plugin: what it does in every session, of which most have no claims. Each hook delegates.

`active.py` is what a session with claims adds, and `newhooks.py` the hooks that others may implement. Nothing heavy is
imported here: see activation.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_claims.judge.decorator import claim_of
from pytest_claims.plugin import activation, newhooks
from pytest_claims.plugin.options import add_options
from pytest_claims.plugin.processes import leave_xdist_out

if TYPE_CHECKING:
    from pytest_claims.judge.lab import Lab


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(newhooks)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.option.plan or config.option.explain:
        leave_xdist_out(config)


def pytest_configure(config: pytest.Config) -> None:
    activation.configure(config)


# Before xdist starts its workers.
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    activation.measure_terminal(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    activation.tell_worker(node.config, node)


def pytest_itemcollected(item: pytest.Item) -> None:
    activation.collected(item)


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Lab:
    """The arms of this test's claim and the assertions about them; see pytest_claims.judge.lab.Lab."""
    item = request.node
    declared = claim_of(item)
    if declared is None:
        raise pytest.UsageError(
            f"{item.nodeid} uses `lab` without @claim(...); see pytest_claims.judge.decorator.claim"
        )
    return activation.active(item).lab(item, declared)
