"""Benchmarks measure in processes of their own, and say so if one dies."""

import dataclasses
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from benchmarks import growth
from benchmarks.group import seconds_a_seed
from benchmarks.growth import curves, draw
from benchmarks.work import WORKS
from tests_fast.images import tiny

CPU = torch.device("cpu")


def test_a_killed_process_ends_the_measurement_instead_of_hanging_it():
    with ThreadPoolExecutor() as pool:
        measured = pool.submit(seconds_a_seed, "engine", "b", "cpu", 1, 2)
        while len(children := multiprocessing.active_children()) < 2:
            time.sleep(0.01)
        children[0].kill()
        with pytest.raises(RuntimeError, match="exit code -9 and no result"):
            measured.result(30)
    assert not multiprocessing.active_children()


def test_growth_is_measured_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.growth.SEEDS", (1, 2))
    monkeypatch.setattr("benchmarks.growth.BATCHES", (2,))
    monkeypatch.setattr("benchmarks.growth.WIDTHS", (4,))
    run = WORKS["b"].timed
    recipe = dataclasses.replace(run.recipe, images_per_class=2, batch=4, test_images_per_class=1)
    seconds, memory = growth.measure(dataclasses.replace(run, recipe=recipe), 1, CPU)  # in a process of its own
    assert seconds > 0
    assert memory > 100
    monkeypatch.setattr("benchmarks.growth.measure", growth._measure)
    monkeypatch.setattr("benchmarks.growth.images", lambda: tiny(train=70))
    found = curves(CPU, 20)
    assert [size for size, *_ in found["seeds; batch norm's small CNN, batch 2"]] == [1, 2]
    assert all(seconds > 0 and memory > 0 for points in found.values() for _, seconds, memory in points)
    draw(found, "a CPU", tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
