"""What a node makes of a block that it cannot train: whose fault it is decides what becomes of the block."""

import dataclasses
import pickle

import pytest
import torch

from models import DepthCNN
from pytest_claims.cluster import on_node
from pytest_claims.cluster.nodes import versions
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny

RUN = Run(DepthCNN(1, "relu", width=4), Recipe(2, 20, 1, "sgd", 0.1))


def trained(run, *, gpu=False):
    data = tiny()
    arrays = {name: value.numpy() for name, value in vars(data).items() if hasattr(value, "numpy")}
    facts = {name: value for name, value in vars(data).items() if name not in arrays}
    payload, how = pickle.dumps((run, [0], None)), {"per_gpu": 1, "tf32": False, "kernels": "cudnn"}
    kind, result = on_node.train_block(lambda: None, payload, (facts, arrays), versions(), gpu=gpu, **how)
    return kind, pickle.loads(result)


def test_a_device_that_cannot_be_used_loses_the_block_and_fails_no_claim(monkeypatch):
    monkeypatch.setattr(on_node, "_device", lambda gpu: "cuda:99")
    kind, text = trained(RUN, gpu=True)
    assert kind == on_node.LOST
    assert text.startswith("its device cannot be used: ")


def test_what_training_raises_is_the_claims_own_error():
    kind, error = trained(dataclasses.replace(RUN, network=DepthCNN(0, "relu")))
    assert kind == on_node.RAISED
    assert isinstance(error, ValueError)


def test_what_is_trained_comes_back():
    kind, block = trained(RUN)
    assert kind == on_node.TRAINED
    assert [result.seed for result in block.results] == [0]


@pytest.mark.parametrize(
    ("error", "devices"),
    [
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA error: unspecified launch failure"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (RuntimeError("CUDA error: out of memory"), False),
        (RuntimeError("sizes differ"), False),
    ],
)
def test_errors_after_which_a_process_cannot_use_cuda(error, devices):
    assert on_node._is_of_device(error) == devices
