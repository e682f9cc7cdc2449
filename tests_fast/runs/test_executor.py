"""The executor that trains in this process: what it gives, what it raises, and what it keeps."""

import dataclasses
import gc
import weakref

import pytest
import torch

from models import DepthCNN
from pytest_claims.runs import executor as executors
from pytest_claims.runs.executor import ExecutorError, InProcess, checked
from pytest_claims.train import train
from pytest_claims.train.device import describe
from pytest_claims.types import Run
from tests_fast.images import tiny
from tests_fast.runs.test_store import RECIPE, RUN

CPU = torch.device("cpu")


def without_seconds(results):
    return [dataclasses.replace(each, seconds=0.0) for each in results]


def test_it_gives_what_training_gives_when_submit_returns():
    executor = InProcess(CPU)
    assert (executor.device_kind, executor.device_name, executor.slots) == ("cpu", describe(CPU), 1)
    future = executor.submit(RUN, range(2), tiny())
    assert future.done()
    assert future.result().device == describe(CPU)
    assert without_seconds(future.result().results) == without_seconds(train(RUN, [0, 1], tiny()))


def test_what_training_raises_is_the_futures():
    future = InProcess(CPU).submit(Run(DepthCNN(0, "relu"), RECIPE), [0], tiny())
    with pytest.raises(ValueError, match="it must be at least 1"):
        future.result()


def test_ctrl_c_is_not_an_error_of_training(monkeypatch):
    def interrupted(run, seeds, data):
        raise KeyboardInterrupt

    monkeypatch.setattr(executors, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        InProcess(CPU).submit(RUN, [0], tiny())


@pytest.mark.parametrize("error", [RuntimeError, torch.OutOfMemoryError])
def test_an_error_that_is_kept_keeps_no_tensors(error):
    made = []

    @dataclasses.dataclass(frozen=True)
    class Failing:
        """A network whose forward pass raises, with all that training has made by then."""

        classes: int = 10

        def build(self, seeds=1):
            module = DepthCNN(1, "relu", width=4).build(seeds)
            made.append(weakref.ref(next(module.parameters())))

            def fail(module, images):
                large = torch.zeros(1000)
                made.append(weakref.ref(large))
                raise error("on purpose")

            module.register_forward_pre_hook(fail)
            return module

    future = InProcess(CPU).submit(Run(Failing(), RECIPE), [0], tiny())
    assert "on purpose" in repr(future.exception()) + repr(future.exception().__cause__)
    gc.collect()
    assert len(made) > 1
    assert not any(reference() is not None for reference in made)


def test_data_are_moved_to_the_device_once():
    moved = []

    class Counted(type(tiny())):
        def to(self, device):
            moved.append(self.name)
            return super().to(device)

    def counted(name):
        data = tiny(name)
        return Counted(**{field.name: getattr(data, field.name) for field in dataclasses.fields(data)})

    executor = InProcess(CPU)
    for name in ("cifar10", "cifar100", "cifar10"):
        executor.submit(RUN, [0], counted(name)).result()
    assert moved == ["cifar10", "cifar100"]
    executor.close()
    executor.submit(RUN, [0], counted("cifar10")).result()
    assert moved == ["cifar10", "cifar100", "cifar10"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"slots": 0}, "Changed is no executor: its slots is 0; needed: an integer, 1 or more"),
        ({"slots": "2"}, "its slots is '2'; needed: an integer, 1 or more"),
        ({"device_kind": None}, "its device_kind is None; needed: a text"),
        ({"slots": True}, "its slots is True; needed: an integer, 1 or more"),
        ({"tf32": 1}, "its tf32 is 1; needed: True or False"),
        ({"submit": None}, "it has no method submit; needed: those of pytest_claims/runs/executor.py"),
    ],
)
def test_what_a_hook_gave_is_checked_before_anything_waits_for_it(changed, said):
    executor = InProcess(CPU)
    assert checked(executor) is executor
    wrong = type("Changed", (InProcess,), {"__init__": lambda self: None})()
    wrong.__dict__ = {**executor.__dict__, **changed}
    with pytest.raises(ExecutorError, match=said):
        checked(wrong)


def test_one_that_stands_for_another_is_an_executor():
    class Witness:
        def __init__(self, executor):
            self._executor = executor

        def __getattr__(self, name):
            return getattr(self._executor, name)

    assert checked(witness := Witness(InProcess(CPU))) is witness


def test_what_a_property_raises_is_its_own():
    class Broken(InProcess):
        slots = property(lambda self: self.cluster.size)

        def __init__(self):
            self.__dict__.update(InProcess(CPU).__dict__)

    with pytest.raises(AttributeError, match="no attribute 'cluster'"):
        checked(Broken())


def test_what_is_missing_of_an_executor_is_named():
    with pytest.raises(ExecutorError, match="NoneType is no executor: its device_kind is missing"):
        checked(None)
