"""Which seeds are trained side by side."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DepthCNN
from pytest_claims.runs import pool
from pytest_claims.runs.pool import _blocks, seeds_per_block
from pytest_claims.train.cost import flops_per_step
from pytest_claims.types import Recipe, Run

RUN = Run(DepthCNN(1, "relu", width=2), Recipe(1, 10, 1, "sgd", 0.01, test_images_per_class=1))
# FLOPs of a block in one step, at most. It decides the keys of recorded runs and is never measured again.
LAUNCH = 5.5e9


def with_batch(batch):
    return Run(RUN.network, dataclasses.replace(RUN.recipe, batch=batch))


@given(st.integers(1, 20), st.integers(0, 60), st.integers(1, 60))
def test_blocks_begin_at_multiples_of_their_size_and_just_cover_the_seeds(size, start, count):
    seeds = range(start, start + count)
    blocks = _blocks(size, seeds)
    assert all(block.start % size == 0 and len(block) == size for block in blocks)
    together = [seed for block in blocks for seed in block]
    assert together == sorted(set(together))
    assert set(seeds) <= set(together)
    assert all(set(block) & set(seeds) for block in blocks)


@pytest.mark.parametrize(("batch", "expected"), [(1, 5), (16, 5), (17, 1), (512, 1)])
def test_on_a_cpu_seeds_are_trained_side_by_side_up_to_batch_16(batch, expected):
    assert seeds_per_block(with_batch(batch), "cpu") == expected


@pytest.mark.parametrize(("seeds", "fewer"), [(20, 10), (10, 5), (5, 5)])
def test_on_a_gpu_the_most_seeds_of_a_look_whose_arithmetic_takes_no_longer_than_a_launch(seeds, fewer):
    largest = int(LAUNCH / seeds / flops_per_step(with_batch(1)))
    assert seeds_per_block(with_batch(largest), "cuda") == seeds
    assert seeds_per_block(with_batch(largest + 1), "cuda") == fewer


def test_arithmetic_that_takes_just_as_long_as_a_launch_takes_no_longer(monkeypatch):
    monkeypatch.setattr(pool, "flops_per_step", lambda run: LAUNCH / 10)
    assert seeds_per_block(RUN, "cuda") == 10


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_an_optimiser_that_is_not_elementwise_trains_one_seed_at_a_time(device):
    coupled = dataclasses.replace(RUN.recipe, optimizer="adafactor", batch=2)
    assert seeds_per_block(Run(RUN.network, coupled), device) == 1


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("looks", [(5, 10, 20), (5, 7, 10, 14, 20), (4, 8, 16)])
def test_how_seeds_are_grouped_does_not_depend_on_the_looks(monkeypatch, device, looks):
    """The number is in the key of every stored run: where looks move, no recorded run may be orphaned."""
    monkeypatch.setattr(pool, "LOOKS", looks, raising=False)  # once they were the groups
    launches = [int(LAUNCH / seeds / flops_per_step(with_batch(1))) for seeds in (20, 14, 10, 7, 5, 1)]
    found = {seeds_per_block(with_batch(batch), device) for batch in (16, 17, *launches)}
    assert found == ({5, 1} if device == "cpu" else {5, 10, 20})
