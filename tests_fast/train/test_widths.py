"""Seeds side by side on a GPU: the fewest within 10 % of all at once, by the table that was measured."""

import dataclasses
import math
from pathlib import Path

import pytest

from claims.sources import ai_experiments, s8_assignment
from models import DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.stacked import BATCH, LAYER, ORDER, group
from pytest_claims.train.cost import DATA_CENTRE_GPU, cost, flops_per_step
from pytest_claims.train.widths import MEASURED, Replayed, fewest_side_by_side, measured_like
from pytest_claims.types import Recipe, Run

BASE = ai_experiments.BASE_RECIPE["documented"]
BATCH_128 = dataclasses.replace(BASE, batch=128)
GROUPS = (group(16), group(32), group(32))
# Each row of the table in docs/costs.md, by its words there.
RUNS = {
    "A1, 8 blocks, batch 512, float32": Run(DepthCNN(8, "relu"), ai_experiments.DEPTH_RECIPE["documented"]),
    "A2, batch norm, batch 2, bfloat16": Run(NormCNN((BATCH,) * 3), dataclasses.replace(BASE, batch=2)),
    "A2, batch norm, batch 128, bfloat16": Run(NormCNN((BATCH,) * 3), BATCH_128),
    "A2, group norm, batch 128, bfloat16": Run(NormCNN(GROUPS), BATCH_128),
    "A3, batch 256, bfloat16": Run(OrderCNN(ORDER), ai_experiments.ORDER_RECIPE["documented"]),
    "D, batch norm, batch 32, float32": Run(SkipCNN(BATCH), s8_assignment.RECIPE["documented"]),
    "D, layer norm, batch 32, float32": Run(SkipCNN(LAYER), s8_assignment.RECIPE["documented"]),
}


def table():
    """The rows of docs/costs.md: milliseconds a seed and step by the number of seeds side by side."""
    lines = (Path(__file__).parents[2] / "docs/costs.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| run | 1 | 5 | 20 | 64 |")
    rows = {}
    for line in lines[start + 2 : start + 2 + len(RUNS)]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        measured = zip((1, 5, 20, 64), cells, strict=True)
        rows[name] = {width: float(cell) for width, cell in measured if cell != "out of memory"}
    return rows


@pytest.mark.parametrize("name", RUNS)
def test_a_block_of_each_measured_run_takes_at_most_a_tenth_longer_than_all_at_once(name):
    run, measured = RUNS[name], Replayed("", 0, table()[name])
    of_a_seed = cost(run, 50_000, 10_000)
    for seeds in {seeds_per_block(run, "cuda"), 5}:

        def seconds(width, seeds=seeds):
            parts = math.ceil(seeds / width)
            side_by_side = math.ceil(seeds / parts)
            started = parts * DATA_CENTRE_GPU.seconds_per_start
            return started + seeds * of_a_seed.steps * measured.seconds(side_by_side)

        fewest = fewest_side_by_side(run, of_a_seed, seeds)
        assert seconds(fewest) <= 1.1 * seconds(seeds)
        assert all(seconds(width) > 1.1 * seconds(seeds) for width in range(1, fewest))


def test_the_measured_runs_are_those_of_the_table_and_each_is_like_itself():
    rows = table()
    kept = {tuple(each.milliseconds.items()) for each in MEASURED}
    assert kept <= {tuple(row.items()) for row in rows.values()}
    for name, run in RUNS.items():
        like = measured_like(run)
        assert like.flops == pytest.approx(flops_per_step(run), rel=0.01), name
        # Norms differ in time and in no operation that is counted: batch norm stands for all.
        if "group" not in name and "layer" not in name:
            assert like.milliseconds == rows[name]


def test_between_measured_numbers_of_seeds_it_is_linear_in_launches_a_seed():
    replayed = Replayed("float32", 1e9, {1: 10.0, 5: 2.0})
    assert replayed.seconds(1) == pytest.approx(0.01)
    assert replayed.seconds(2) == pytest.approx(0.005)
    assert replayed.seconds(5) == replayed.seconds(20) == pytest.approx(0.002)


def test_long_arithmetic_is_trained_one_by_one_and_short_steps_side_by_side():
    arithmetic, launches = RUNS["A1, 8 blocks, batch 512, float32"], RUNS["A2, batch norm, batch 2, bfloat16"]
    whole = dataclasses.replace(arithmetic, recipe=dataclasses.replace(arithmetic.recipe, images_per_class=None))
    assert fewest_side_by_side(whole, cost(whole, 50_000, 10_000), 5) == 1
    assert fewest_side_by_side(launches, cost(launches, 50_000, 10_000), 20) == 20
    assert fewest_side_by_side(launches, cost(launches, 50_000, 10_000), 1) == 1


def test_float64_goes_as_float32_does():
    run = Run(SkipCNN(BATCH), Recipe(5, 32, 1, "sgd", 0.1, precision="float64"))
    assert measured_like(run).precision == "float32"
