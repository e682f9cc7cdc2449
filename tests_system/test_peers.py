"""What is compared trains, what is written can be read, and what takes too long is interrupted."""

import dataclasses

import pytest
import torch

from benchmarks import blocks
from benchmarks.__main__ import _narrowing
from benchmarks.group import OutOfMemoryError
from benchmarks.images import images as sample
from benchmarks.limits import Machine, limits
from benchmarks.page import page
from benchmarks.peers import PEERS
from benchmarks.work import WORKS, first_step
from tests_fast.images import tiny

CPU = torch.device("cpu")


@pytest.mark.parametrize("peer", [peer for peer in PEERS if "loaders" not in peer.name], ids=lambda peer: peer.name)
@pytest.mark.parametrize("work", ["b", "c"])
def test_every_peer_trains_every_kind_of_work(peer, work):
    cut = dataclasses.replace(WORKS[work].timed.recipe, images_per_class=3, batch=20, epochs=1, test_images_per_class=2)
    peer.train(dataclasses.replace(WORKS[work].timed, recipe=cut), [0, 1], tiny(), CPU)


def test_what_is_timed_is_the_documented_run_cut_to_the_stated_share():
    for work in WORKS.values():
        whole, part = work.run.recipe, work.timed.recipe
        images = (whole.images_per_class or 5000) * whole.epochs
        assert part.images_per_class * part.epochs / images == pytest.approx(work.share)
        assert part.test_images_per_class / 1000 == pytest.approx(work.share)
        kept = {"images_per_class", "epochs", "test_images_per_class"}
        assert {k: v for k, v in vars(whole).items() if k not in kept} == {
            k: v for k, v in vars(part).items() if k not in kept
        }


def test_the_page_has_medians_and_ratios_turn_by_turn():
    text = page(
        {"b": {"notebook": [4.0, 6.0, 5.0], "engine": [1.0, 1.0, 2.0], "torch.func vmap": "no"}}, "a CPU", "cpu", {}
    )
    assert "| notebook: DataLoader, per-image transforms, one model after another | 5 (4 to 6) | 1x (1 to 1) |" in text
    assert "| engine: this suite | 1 (1 to 2) | 4x (2.5 to 6) |" in text
    assert "cannot: no" in text


def test_the_page_says_where_fewer_seeds_fitted():
    results = {"b": {"engine": [1.0], "torch.func vmap": [2.0]}}
    text = page(results, "a card", "cuda", {}, {("b", "engine"): 64, ("b", "torch.func vmap"): 16})
    assert "no test, 16 seeds side by side | 2 |" in text
    assert "| engine: this suite | 1 |" in text


def test_half_as_many_seeds_are_tried_where_they_do_not_fit(monkeypatch, capsys):
    asked = []

    def measured(peer, work, device, seeds, processes):
        asked.append(seeds)
        if seeds > 16:
            raise OutOfMemoryError("CUDA out of memory")
        return 1.5

    monkeypatch.setattr("benchmarks.__main__.seconds_a_seed", measured)
    assert _narrowing("torch.func vmap", "b", "cuda:0", 64, 1) == (1.5, 16)
    assert asked == [64, 32, 16]
    assert "b torch.func vmap: 64 seeds side by side do not fit into memory" in capsys.readouterr().out


def test_before_the_clock_starts_one_step_of_the_same_shape_is_trained():
    for work in WORKS.values():
        cut = first_step(work.timed)
        assert cut.network == work.timed.network
        assert cut.recipe.batch <= cut.recipe.images_per_class * 10 < cut.recipe.batch + 10
        assert cut.recipe.epochs == 1


class Memory:
    """Of a device; what it says is planted."""

    total, model, identity = 1, "planted", "planted"

    def start(self):
        pass

    def peak(self):
        return 3 * 2**20

    def release(self, *, thorough=False):
        pass


def test_what_a_block_costs_is_measured_over_whole_batches(monkeypatch):
    steps, real = [], blocks.train

    def counted(run, seeds, data):
        images = run.recipe.images_per_class * 10
        assert images % run.recipe.batch == 0
        steps.append(images // run.recipe.batch)
        if len(seeds) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(run, seeds, data)

    monkeypatch.setattr(blocks, "train", counted)
    found = blocks.measure(WORKS["b"].run, 2, tiny(), Memory())
    assert steps == [5, 5, 15]
    assert found.peak == 3 * 2**20
    assert "2 side by side: start" in blocks.line("b", 2, found)
    assert (
        blocks.line("b", 5, blocks.measure(WORKS["b"].run, 5, tiny(), Memory())) == "b    5 side by side: out of memory"
    )


def test_limits_count_arithmetic_bytes_and_operations():
    found = limits(WORKS["b"], sample(), CPU, Machine(flops=1e12, bandwidth=1e9))
    images, flops = 2000, 2 * 9 * (3 * 16 * 32**2 + 16 * 32 * 16**2 + 32 * 64 * 8**2)
    assert found.arithmetic == pytest.approx((3 * flops * images) / 1e12, rel=0.2)
    # At least the first block's activations, written and read, in bfloat16, at 1,000 steps of 2 images.
    assert found.traffic > 1000 * 2 * 2 * 2 * (16 * 32**2) / 1e9
    assert 100 < found.operations < 1000
