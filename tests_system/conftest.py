"""Whole sessions in processes, environments, browsers and clusters of their own: too slow for tests_fast."""

import signal
from pathlib import Path

import pytest

from tests_fast.conftest import pytest_collection_finish, pytest_runtest_setup  # noqa: F401, hooks, the same here
from tests_fast.plugin.conftest import any_cifar, images, known_speed, recorded, run, suite, warm  # noqa: F401, fixtures

pytest_plugins = ["pytester"]


def pytest_configure() -> None:
    """Have the sessions that tests start heed Ctrl-C: a shell's background job, as which CI may run, ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """`pytest tests_system` takes two workers, a file each at a time; -n 0 or a part of it takes none."""
    whole = [Path(argument).resolve() for argument in config.args] == [Path(__file__).parent]
    if whole and not hasattr(config, "workerinput") and config.getoption("numprocesses", 0) is None:
        # Most of these sessions have workers of their own.
        config.option.numprocesses, config.option.dist = 2, "loadfile"
