"""Settings of the fast tests: all cores for all of them, and Hypothesis without deadlines."""

import gc
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# A shared machine may pause at any time.
settings.register_profile("fast", deadline=None, max_examples=10, derandomize=True, print_blob=True)
settings.load_profile("fast")


def pytest_collection_finish() -> None:
    """One thread in each process that runs tests, as in a training process.

    Results, not speed, are compared here, and small tensors gain nothing from more threads.
    """
    import torch  # not in the process that only waits for others, which would begin two seconds later

    torch.set_num_threads(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that are marked `cuda` where there is no CUDA device, and keep garbage collections short."""
    if item.get_closest_marker("cuda"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
    _freeze()


# How many modules were loaded when objects were last left out of garbage collections.
_frozen = [0]


def _freeze() -> None:
    """Leave what is loaded out of garbage collections, again where torch has loaded more since.

    It is a million objects, and statsmodels collects whenever it corrects p: .4 s each time.
    """
    if len(sys.modules) > _frozen[-1] + 100:
        gc.collect()
        gc.freeze()
        _frozen.append(len(sys.modules))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """`pytest tests_fast` takes a worker a core, up to 4, and so stays under two minutes; -n 0 or a part takes none."""
    whole = [Path(argument).resolve() for argument in config.args] == [Path(__file__).parent]
    is_worker = hasattr(config, "workerinput")
    if whole and not is_worker and config.getoption("numprocesses", 0) is None:
        config.option.numprocesses = "auto"
        # Whole parts of the list to each, so that tests of a file share what it makes once.
        config.option.dist = "worksteal"
        # Each worker imports torch, which takes half a gigabyte.
        config.option.maxprocesses = config.option.maxprocesses or 4
