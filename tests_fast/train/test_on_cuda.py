"""On a CUDA device: memory that is limited, measured and given back, and blocks in parts. It all skips without one."""

import dataclasses

import pytest
import torch

from models import DepthCNN, NormCNN, SkipCNN
from pytest_claims.runs.executor import InProcess
from pytest_claims.runs.needs import Needs, shape_of
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.stacked import BATCH
from pytest_claims.train.device import DeviceError, prepare
from pytest_claims.train.engine import train
from pytest_claims.train.memory import CudaMemory
from pytest_claims.types import Recipe, Run
from tests_fast.images import tiny

pytestmark = pytest.mark.cuda

DATA = tiny(train=64, test=8)
# Some 270 MiB a seed: three blocks of 32 channels at batch 512.
LARGE = Run(DepthCNN(3, "relu"), Recipe(64, 512, 1, "adamw", 1e-3))
SMALL = Run(NormCNN((BATCH,) * 3), Recipe(8, 2, 1, "sgd", 0.01, momentum=0.9, precision="bfloat16"))
MIB = 2**20


@pytest.fixture
def device():
    found = torch.device("cuda", 0)
    prepare(found)
    torch.cuda.empty_cache()
    yield found
    torch.cuda.set_per_process_memory_fraction(1.0, found)
    torch.cuda.empty_cache()


@pytest.fixture
def executor(device, tmp_path):
    made = InProcess(device, store=tmp_path / "runs.sqlite")
    yield made
    made.close()


def needed(run, seeds, device):
    """Bytes of a block, measured."""
    memory, data = CudaMemory(device), DATA.to(device)
    memory.start()
    train(run, range(seeds), data)
    return memory.peak()


@pytest.mark.parametrize("run", [LARGE, SMALL, Run(SkipCNN(BATCH, dropout=0.1), LARGE.recipe)], ids=lambda run: "")
def test_a_run_leaves_no_memory_behind(device, run):
    data = DATA.to(device)
    for _ in range(2):  # libraries keep a workspace from their first use on
        train(run, range(2), data)
        CudaMemory(device).release(thorough=True)
    before = torch.cuda.memory_reserved(device)
    for _ in range(3):
        train(run, range(2), data)
        CudaMemory(device).release()  # without a garbage collection: graphs are closed, not left to cycles
        assert torch.cuda.memory_reserved(device) <= before + 4 * MIB


def test_more_than_the_limit_is_out_of_memory_at_once_and_training_goes_on_afterwards(device):
    memory, data = CudaMemory(device), DATA.to(device)
    expected = train(SMALL, range(2), data)
    need = needed(LARGE, 4, device)
    memory.release(thorough=True)
    memory.limit(torch.cuda.memory_reserved(device) + need // 3)
    with pytest.raises(torch.OutOfMemoryError):
        train(LARGE, range(4), data)
    memory.release(thorough=True)
    memory.limit(memory.total)
    again = train(SMALL, range(2), data)
    for ours, reference in zip(again, expected, strict=True):
        assert ours.train_loss == pytest.approx(reference.train_loss, rel=1e-2)


def test_a_block_that_does_not_fit_is_trained_in_parts_and_known_from_then_on(executor, device, tmp_path, monkeypatch):
    need = needed(LARGE, 4, device)
    torch.cuda.empty_cache()
    tried = []

    def counted(run, part, data):
        tried.append(len(part))
        return train(run, part, data)

    monkeypatch.setattr("pytest_claims.runs.executor.train", counted)
    monkeypatch.setattr(type(executor._fitting._memory), "free", lambda self: need * 2 // 3)
    fitting = executor._fitting
    fitting.budget = need * 2 // 3
    fitting._memory.limit(fitting.budget)
    block = executor.submit(LARGE, range(4), DATA).result()
    assert [each.seed for each in block.results] == [0, 1, 2, 3]
    # As fast one by one, by the nominal speed, or in halves.
    assert block.at_once in (1, 2)
    tried.clear()
    executor.submit(LARGE, range(4, 8), DATA).result()
    assert set(tried) == {block.at_once}
    needs = Needs(tmp_path / "runs.sqlite")
    known = needs.known(fitting._memory.model, shape_of(LARGE))
    assert 0 < known.sufficed[block.at_once] <= fitting.budget
    needs.close()


def test_too_large_a_block_is_explained(executor):
    fitting = executor._fitting
    fitting.budget = 32 * MIB
    fitting._memory.limit(fitting.budget)
    fitting._memory.free = lambda: 64 * MIB
    with pytest.raises(DeviceError, match=r"DepthCNN\(3, relu\) batch 512 needs more device memory than there is"):
        executor.submit(LARGE, range(2), DATA).result()
    # And the next block, which fits, is trained.
    fitting._memory.limit(fitting._memory.total)
    fitting.budget = fitting._memory.total
    assert len(executor.submit(SMALL, range(2), DATA).result().results) == 2


@pytest.mark.parametrize("run", [SMALL, LARGE], ids=["small", "large"])
def test_parts_of_a_block_give_what_the_block_gives(device, run):
    recipe = dataclasses.replace(run.recipe, epochs=1, precision="float32")
    run, data = dataclasses.replace(run, recipe=recipe), DATA.to(device)
    whole = train(run, range(4), data)
    parts = train(run, range(3), data) + train(run, range(3, 4), data)
    for ours, reference in zip(parts, whole, strict=True):
        assert ours.seed == reference.seed
        assert ours.train_loss == pytest.approx(reference.train_loss, rel=1e-2)
        assert ours.gradients[0] == pytest.approx(reference.gradients[0], rel=1e-2)


def test_the_images_are_on_the_device_once(executor):
    executor.submit(SMALL, range(2), DATA).result()
    before = torch.cuda.memory_allocated()
    executor.submit(SMALL, range(2, 4), DATA).result()
    assert torch.cuda.memory_allocated() <= before + MIB


def test_a_block_says_how_it_was_trained(executor):
    seeds = seeds_per_block(SMALL, "cuda")
    block = executor.submit(SMALL, range(seeds), DATA).result()
    assert block.at_once is None
    assert "cuda:0" in block.device
