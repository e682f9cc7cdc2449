"""Settings of the fast tests: all cores for all of them, and Hypothesis without deadlines."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# A shared machine may pause at any time.
settings.register_profile("fast", deadline=None, max_examples=20, derandomize=True, print_blob=True)
settings.load_profile("fast")


def pytest_collection_finish() -> None:
    """In each process that runs tests: one thread, and what is loaded by now is left out of garbage collections."""
    import torch  # not in the process that only waits for others, which would begin two seconds later

    # As in a training process: results, not speed, are compared here, and small tensors gain nothing from more threads.
    torch.set_num_threads(1)
    # A million objects are. statsmodels collects whenever it corrects p, in .4 s.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """`pytest tests_fast` takes a worker a core, up to 4, and so stays under two minutes; -n 0 or a part takes none."""
    whole = [Path(argument).resolve() for argument in config.args] == [Path(__file__).parent]
    is_worker = hasattr(config, "workerinput")
    if whole and not is_worker and config.getoption("numprocesses", 0) is None:
        config.option.numprocesses = "auto"
        # Each worker imports torch, which takes half a gigabyte.
        config.option.maxprocesses = config.option.maxprocesses or 4
    if not is_worker and config.getoption("numprocesses", None) and config.option.dist == "no":
        # Tests of one xdist_group share what is dear to make. Large groups come first.
        config.option.dist = "loadgroup"
