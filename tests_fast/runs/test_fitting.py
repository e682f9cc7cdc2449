"""Blocks on a device whose memory is shared: what is trained in how many parts, and what is known afterwards."""

import contextlib
import dataclasses
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import DepthCNN
from pytest_claims.runs.fitting import Fitting
from pytest_claims.runs.needs import Known, Needs, shape_of
from pytest_claims.runs.turns import Turns
from pytest_claims.train.device import DeviceError
from pytest_claims.train.memory import is_out_of_memory
from pytest_claims.types import Run
from tests_fast.runs.processes import started
from tests_fast.runs.test_store import RECIPE, RUN, result

GIB = 2**30


class PlantedMemory:
    """A device of so many GiB, of which other programs have some; and training on it, which needs some a seed."""

    model, identity = "a planted card, torch 0", "planted-0"

    def __init__(self, total=80, others=0.0, base=0.5, each=3.0):
        self.total, self._others = total * GIB, int(others * GIB)
        self._base, self._each = base * GIB, each * GIB
        self.limits, self.tried, self._peak = [], [], 0
        self._held = 0

    def free(self):
        return self.total - self._others

    def limit(self, size):
        self.limits.append(size)

    def start(self):
        self._peak = 0

    def peak(self):
        return self._peak

    def release(self, *, thorough=False):
        pass

    def train(self, run, seeds):
        self.tried.append(len(seeds))
        needed = int(self._base + self._each * len(seeds))
        if needed > min(self.limits[-1], self.free()):
            raise torch.OutOfMemoryError(f"CUDA out of memory: {needed / GIB:.1f} GiB")
        self._peak = needed
        return [result(seed, float(seed)) for seed in seeds]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


@pytest.fixture
def fitting_of(path):
    """Workers on one store: their fitting, and what they share."""
    with contextlib.ExitStack() as opened:

        def made(memory, workers=1):
            fitting = Fitting(memory, workers, Needs(path), Turns(path, memory.identity))
            return opened.enter_context(contextlib.closing(fitting))

        yield made


def trained(fitting, memory, seeds=range(5), **options):
    results, at_once = fitting.trained(RUN, seeds, memory.train, **options)
    assert [each.seed for each in results] == list(seeds)
    return at_once


def test_a_block_that_fits_is_trained_whole(fitting_of):
    memory = PlantedMemory()
    assert trained(fitting_of(memory), memory) == 5
    assert memory.tried == [5]


def _join(path, out, others):
    memory = PlantedMemory(80, others=others)
    out.write_text(str(Fitting(memory, 4, Needs(path)).budget))  # and it ends without leaving the device


def test_workers_have_equal_parts_of_what_was_free_before_the_first_began(fitting_of, path, tmp_path):
    first = fitting_of(PlantedMemory(80, others=8), 4)
    assert 15 * GIB < first.budget < 18 * GIB
    # By now the first one has loaded its images and begun to train.
    second = started(_join, path, tmp_path / "budget", 30)
    second.join(60)
    assert int((tmp_path / "budget").read_text()) == first.budget
    first.close()
    # Whoever comes when they have all ended sees another device.
    third = started(_join, path, tmp_path / "budget", 60)
    third.join(60)
    assert int((tmp_path / "budget").read_text()) < 5 * GIB


def test_where_it_does_not_suffice_half_as_many_seeds_are_tried_and_no_seed_twice(fitting_of):
    memory = PlantedMemory(80, each=6.0)
    fitting = fitting_of(memory, 4)  # some 18 GiB: two seeds
    assert trained(fitting, memory) == 2
    assert memory.tried == [5, 2, 2, 1]


def test_what_a_block_needs_is_known_before_it_starts_and_in_later_sessions(fitting_of, path):
    memory = PlantedMemory(80, each=6.0)
    trained(fitting_of(memory, 4), memory)
    later = PlantedMemory(80, each=6.0)
    assert trained(fitting_of(later, 4), later) == 2
    assert later.tried == [2, 2, 1]
    # With the device to itself, a process that knows what two seeds take trains five.
    single = PlantedMemory(80, each=6.0)
    assert trained(fitting_of(single), single) == 5
    assert single.tried == [5]
    # Another batch, network or precision is another matter; more epochs are not.
    assert shape_of(RUN) == shape_of(dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, epochs=99)))
    assert shape_of(RUN) != shape_of(dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, batch=3)))
    assert shape_of(RUN) != shape_of(Run(DepthCNN(3, "relu"), RECIPE))


def test_one_seed_that_does_not_fit_a_workers_part_is_trained_alone_on_the_device(fitting_of):
    memory = PlantedMemory(80, each=30.0)
    fitting = fitting_of(memory, 4)
    assert trained(fitting, memory, range(2)) == 1
    assert memory.tried == [2, 1, 1, 1]  # of which the last two had the whole device
    assert memory.limits == [fitting.budget, int(76 * GIB), fitting.budget, int(76 * GIB), fitting.budget]
    again = PlantedMemory(80, each=30.0)
    trained(fitting_of(again, 4), again, range(2))
    assert again.tried == [1, 1]


def test_what_does_not_fit_even_alone_is_an_error_that_names_all_of_it(fitting_of):
    memory = PlantedMemory(80, others=40, each=60.0)
    fitting = fitting_of(memory, 2)
    with pytest.raises(DeviceError) as raised:
        trained(fitting, memory)
    assert str(raised.value) == (
        "DepthCNN(1, relu, 4) batch 20 needs more device memory than there is: one seed, alone on the device, does not "
        "fit into 38.0 GiB, which is what is free of its 80.0 GiB. Close what else uses the device (nvidia-smi lists "
        "it), or train on one with more memory; what is trained so far is stored"
    )
    assert memory.limits[-1] == fitting.budget


def test_no_more_seeds_at_once_than_asked_for(fitting_of):
    memory = PlantedMemory()
    assert trained(fitting_of(memory), memory, range(7), at_most=3) == 3
    assert memory.tried == [3, 2, 2]


def test_another_error_is_no_lack_of_memory(fitting_of):
    def broken(run, seeds):
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fitting_of(PlantedMemory()).trained(RUN, range(5), broken)


def _captured():
    try:
        raise torch.OutOfMemoryError("CUDA out of memory")
    finally:
        raise RuntimeError("capture failed")


def test_a_lack_of_memory_is_known_behind_what_the_end_of_a_capture_raises():
    with pytest.raises(RuntimeError, match="capture failed") as raised:
        _captured()
    assert is_out_of_memory(raised.value)
    assert is_out_of_memory(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"))
    assert not is_out_of_memory(RuntimeError("capture failed"))
    assert not is_out_of_memory(ValueError("CUDA error: out of memory"))


def test_without_a_store_a_process_learns_by_itself():
    memory = PlantedMemory(20, each=6.0)
    fitting = Fitting(memory)
    assert trained(fitting, memory) == 2
    assert trained(fitting, memory) == 2
    assert memory.tried == [5, 2, 2, 1, 2, 2, 1]


def test_a_store_that_vanishes_stops_no_training(fitting_of, path):
    memory = PlantedMemory(20, each=6.0)
    fitting = fitting_of(memory)
    fitting._needs._connection.close()
    with contextlib.suppress(Exception):
        fitting._needs._execute("SELECT 1")
    assert trained(fitting, memory) == 2


@given(
    total=st.integers(4, 100),
    others=st.floats(0, 0.9),
    each=st.floats(0.01, 60),
    workers=st.integers(1, 8),
    seeds=st.integers(1, 20),
)
def test_every_seed_once_in_order_or_an_error(total, others, each, workers, seeds):
    memory = PlantedMemory(total, others * total, base=0.2, each=each)
    fitting = Fitting(memory, workers)
    try:
        at_once = trained(fitting, memory, range(seeds))
    except DeviceError:
        assert (0.2 + each) * GIB > 0.9 * memory.free()  # one seed alone does not fit
        return
    assert at_once <= seeds
    before = list(memory.tried)
    trained(fitting, memory, range(seeds))
    assert len(memory.tried) - len(before) <= len(before)  # never more tries once it is known


@given(
    st.dictionaries(st.integers(1, 20), st.integers(1, 50), max_size=4),
    st.dictionaries(st.integers(1, 20), st.integers(1, 50), max_size=4),
    st.integers(1, 20),
    st.integers(1, 50),
)
def test_what_fitted_fits_and_what_did_not_does_not(sufficed, failed, width, size):
    known = Known(sufficed, failed)
    if sufficed.get(width, 99) <= size:
        assert known.fits(width, size)
    elif failed.get(width, 0) >= size and not any(other > width and n <= size for other, n in sufficed.items()):
        smaller = any(other < width and n * width / other <= size for other, n in sufficed.items())
        assert known.fits(width, size) == smaller
    if known.fits(width, size) and not failed and width > 1:
        assert known.fits(width, size + 1)


def _hold(path, log, alone, seconds):
    turns = Turns(path, "a device")
    with turns.alone() if alone else turns.beside():
        with open(log, "a") as file:
            file.write(f"{'alone' if alone else 'beside'} begins\n")
        time.sleep(seconds)
        with open(log, "a") as file:
            file.write(f"{'alone' if alone else 'beside'} ends\n")


def test_who_trains_alone_waits_for_the_others_and_they_for_it(path, tmp_path):
    log = tmp_path / "log"
    log.touch()

    def until(lines):
        deadline = time.monotonic() + 60
        while len(log.read_text().splitlines()) < lines and time.monotonic() < deadline:
            time.sleep(0.01)

    beside = [started(_hold, path, log, False, 0.5) for _ in range(2)]
    until(2)  # both at once
    assert log.read_text().splitlines() == ["beside begins"] * 2
    alone = started(_hold, path, log, True, 0.2)
    time.sleep(0.1)
    late = started(_hold, path, log, False, 0.0)
    for process in (*beside, alone, late):
        process.join(60)
    lines = log.read_text().splitlines()
    place = lines.index("alone begins")
    assert lines[place : place + 2] == ["alone begins", "alone ends"]
    assert lines.count("beside begins") == 3
    assert lines[:place].count("beside begins") == lines[:place].count("beside ends")
