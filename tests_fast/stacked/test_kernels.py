"""The Triton convolutions: right for every shape of the models, the same bits twice, and seen by captures and counters.

Here they run in Triton's interpreter where triton is installed, and on a CUDA device where there is one.
"""

import importlib.util
import json
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from models import NormCNN, SkipCNN
from pytest_claims.stacked import BATCH, Conv2d, kernels
from pytest_claims.stacked.kernels import KernelsError, convolution
from pytest_claims.train.device import prepare
from pytest_claims.train.engine import train
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny
from tests_fast.stacked.against_float64 import NAMES, by_torch, by_triton, errors, gradient_of, operands
from tests_fast.stacked.shapes import shapes_of_models

needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs triton")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
# Relative to the largest value. The interpreter cuts bfloat16 off where devices round.
LIMITS = {"float32": 1e-6, "bfloat16": 2**-6}


@pytest.fixture
def by_kernels():
    yield
    kernels.use("cudnn")


@needs_triton
def test_interpreted_programs_give_what_float64_gives():
    command = [sys.executable, "-m", "tests_fast.stacked.interpreted"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert {tuple(each["shape"]) for each in found["shapes"]} > {s for s in shapes_of_models() if max(s[:2]) <= 128}
    for each in found["shapes"]:
        assert max(each["errors"]) < LIMITS[each["dtype"]], each
    assert max(found["tiles"]["errors"]) < LIMITS["float32"]
    assert found["tiles"]["same"]
    for precision, differences in (*found["norms"].items(), *found["blocks"].items()):
        assert max(differences) < LIMITS[precision], (precision, differences)


@pytest.mark.parametrize("kernel", [1, 3])
def test_flops_are_counted_as_torch_counts_them(kernel):
    """On shapes alone, which no kernel runs for. One group: of several, torch counts the weight's gradient too high."""
    with torch.device("meta"):
        x, weight = torch.empty(5, 6, 8, 9), torch.empty(8, 6, kernel, kernel)
    counts = []
    for ours in (True, False):
        leaves = x.clone().requires_grad_(), weight.clone().requires_grad_()
        with FlopCounterMode(display=False) as counter:
            out = convolution(*leaves, None, 1, kernel // 2) if ours else F.conv2d(*leaves, None, 1, kernel // 2)
            out.sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0


def test_kernels_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(KernelsError, match=r"needs the package triton, which is not installed.*leave the option out"):
        kernels.use("triton")
    with pytest.raises(ValueError, match="kernels 'other'; allowed: cudnn, triton"):
        kernels.use("other")
    assert kernels.chosen() == "cudnn"


@needs_triton
def test_a_cpu_has_torchs_own_convolutions_whatever_is_chosen(by_kernels):
    layer, images = Conv2d(6, 8, 3, padding=1, groups=2), torch.randn(2, 6, 4, 4)
    before = layer(images)
    kernels.use("triton")
    assert torch.equal(layer(images), before)


@needs_cuda
@needs_triton
@pytest.mark.parametrize("precision", LIMITS)
def test_errors_on_cuda_are_those_of_cudnn(precision):
    prepare(torch.device("cuda"))
    dtype = getattr(torch, precision)
    for shape in shapes_of_models():
        size = (1, 1) if shape[0] > 128 else (9, 10)
        given = operands(3, 33, shape, size, dtype, "cuda")
        exact = by_torch(*given, 3, shape[3])
        ours = errors(by_triton(*given, 3, shape[3]), exact)
        own = errors(by_torch(*given, 3, shape[3], dtype), exact)
        for name, our, their in zip(NAMES, ours, own, strict=True):
            assert our < 2 * their + LIMITS[precision], (shape, name, our, their)


@needs_cuda
@needs_triton
def test_a_captured_convolution_gives_the_bits_of_a_launched_one_on_cuda():
    prepare(torch.device("cuda"))
    given = operands(3, 33, (16, 32, 3, 1), (9, 10), torch.float32, "cuda")
    gradient = gradient_of(convolution(*given, 3, 1))

    def computed() -> tuple[torch.Tensor, ...]:
        # Leaves of their own: autograd ties a leaf to the stream that first used it, and a capture has its own stream.
        leaves = [value.detach().requires_grad_() for value in given]
        out = convolution(*leaves, 3, 1)
        return out.detach(), *torch.autograd.grad(out, leaves, gradient)

    launched = computed()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = computed()
    graph.replay()
    assert all(torch.equal(one, other) for one, other in zip(captured, launched, strict=True))


@needs_cuda
@needs_triton
@pytest.mark.parametrize("network", [NormCNN((BATCH,) * 3), SkipCNN(BATCH)], ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_on_cuda_comes_to_the_same_with_both_kernels(network, precision, by_kernels, recwarn):
    """Replayed steps, the first epoch's loss: rounding has grown little in it."""
    run = Run(network, Recipe(8, 32, 1, "adamw", 1e-3, precision=precision))
    data, found = tiny().to(torch.device("cuda")), {}
    for choice in ("cudnn", "triton"):
        prepare(torch.device("cuda"), kernels=choice)
        found[choice] = [trained.train_loss[0] for trained in train(run, [0, 1, 2], data)]
    assert not [warning for warning in recwarn if "without CUDA graphs" in str(warning.message)]
    assert found["triton"] == pytest.approx(found["cudnn"], rel=1e-3 if precision == "float32" else 2e-2)
