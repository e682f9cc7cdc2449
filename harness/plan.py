"""What a selection of claims would cost, without training anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.claim import Arm, Run
from harness.data import DataError, Dataset, load
from harness.pool import Pool, width
from harness.settings import Settings
from harness.store import Store
from harness.train.cost import Cost, Speed, cost, probe


@dataclasses.dataclass(frozen=True)
class Planned:
    """One configuration: what one seed of it costs, how many seeds would be trained and how many are stored."""

    run: Run
    cost: Cost
    to_train: int
    stored: int


def distinct_runs(arms: Sequence[Arm], scale: str) -> list[Run]:
    """Every configuration that these arms need, once, in the order in which they come up."""
    runs = {run.canonical: run for run in (arm.run(scale) for arm in arms)}
    return list(runs.values())


def plan(runs: Sequence[Run], settings: Settings, store: Store) -> tuple[list[Planned], list[str]]:
    """What each run would cost, and what stands in its way (data that is not there or does not fit), as sentences.

    Downloads nothing: where the data would be downloaded first, nothing can be stored for it yet, and its size is
    taken to be CIFAR's.
    """
    offline = dataclasses.replace(settings.data, download=False)
    pool = Pool(store, settings.device, lambda name: load(offline, name))
    planned, obstacles = [], []
    for run in runs:
        fitted, seeds, images = run, settings.seeds, (50_000, 10_000)
        try:
            data = pool.data(run.dataset)
            images = len(data.train_labels), len(data.test_labels)
            fitted = pool.fitted(run)
            needed, smallest = run.recipe.images_per_class, int(data.train_labels.bincount().min())
            if needed is not None and needed > smallest:
                obstacles.append(f"{run.dataset} has {smallest} training images in a class; a recipe needs {needed}")
            missing = len(pool.missing(fitted, seeds))
        except DataError as error:
            missing = -(-seeds // width(run, settings.device.type)) * width(run, settings.device.type)
            obstacles.append(
                f"{run.dataset} is not on disk and would be downloaded first" if settings.data.download else str(error)
            )
        stored = max(0, seeds - missing) if missing else seeds
        planned.append(Planned(fitted, cost(fitted, *images), missing, stored))
    return planned, list(dict.fromkeys(obstacles))


def plan_lines(
    planned: Sequence[Planned], obstacles: Sequence[str], claims: int, settings: Settings, data: Dataset, workers: int
) -> list[str]:
    """The plan as text. data: any data set on the device, for the probe of its speed."""
    speed: Speed = probe(data)
    rows = [("network", "networks", "runs", "stored", "steps", "TFLOP", "minutes")]
    groups: dict[str, list[Planned]] = {}
    for item in planned:
        groups.setdefault(f"{type(item.run.network).__name__} on {item.run.dataset}", []).append(item)
    for name, items in {**groups, "all": list(planned)}.items():
        seconds = sum(i.to_train * speed.seconds(i.cost, width(i.run, settings.device.type)) for i in items)
        rows.append(
            (
                name,
                str(len(items)),
                str(sum(i.to_train for i in items)),
                str(sum(i.stored for i in items)),
                f"{sum(i.to_train * i.cost.steps for i in items):,}",
                f"{sum(i.to_train * i.cost.flops for i in items) / 1e12:,.1f}",
                f"{seconds / 60 / workers:,.1f}",
            )
        )
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{claims} {'claim' if claims == 1 else 'claims'} at {settings.seeds} seeds; nothing is trained"]
    lines += [
        "  ".join(
            f"{cell:<{size}}" if not at else f"{cell:>{size}}"
            for at, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        for row in rows
    ]
    processes = "1 process" if workers == 1 else f"{workers} workers"
    lines.append(
        f"runs: seeds still to train (small batches train seeds in fives); minutes: for {processes} on this device, "
        "estimated from a probe of its speed, right within a factor of about two"
    )
    return lines + [f"in the way: {obstacle}" for obstacle in obstacles]
