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


def needed(claims: Sequence[Sequence[Arm]], settings: Settings, look: int) -> list[tuple[Run, range]]:
    """Every configuration that the arms of these claims need at a look, once, with its seeds."""
    runs: dict[str, tuple[Run, range]] = {}
    for arms in claims:
        # A placebo has the first arm stand for all of them, each on seeds of its own.
        wanted = [(arms[0], look * len(arms))] if settings.placebo and arms else [(arm, look) for arm in arms]
        for arm, seeds in wanted:
            run = arm.run(settings.scale)
            before = runs.get(run.canonical, (run, range(0)))[1]
            runs[run.canonical] = run, max(before, settings.range_of(seeds), key=len)
    return list(runs.values())


def plan(runs: Sequence[tuple[Run, range]], settings: Settings, store: Store) -> tuple[list[Planned], list[str]]:
    """What each run would cost, and what stands in its way (data that is not there or does not fit), as sentences.

    Downloads nothing: where the data would be downloaded first, nothing can be stored for it yet, and its size is
    taken to be CIFAR's.
    """
    offline = dataclasses.replace(settings.data, download=False)
    pool = Pool(store, settings.device, lambda name: load(offline, name))
    planned, obstacles = [], []
    for run, seeds in runs:
        fitted, images = run, (50_000, 10_000)
        try:
            data = pool.data(run.dataset)
            images = len(data.train_labels), len(data.test_labels)
            fitted = pool.fitted(run)
            needed, smallest = run.recipe.images_per_class, int(data.train_labels.bincount().min())
            if needed is not None and needed > smallest:
                obstacles.append(f"{run.dataset} has {smallest} training images in a class; a recipe needs {needed}")
            missing = len(pool.missing(fitted, seeds))
        except DataError as error:
            missing = -(-len(seeds) // width(run, settings.device.type)) * width(run, settings.device.type)
            obstacles.append(
                f"{run.dataset} is not on disk and would be downloaded first" if settings.data.download else str(error)
            )
        stored = max(0, len(seeds) - missing) if missing else len(seeds)
        planned.append(Planned(fitted, cost(fitted, *images), missing, stored))
    return planned, list(dict.fromkeys(obstacles))


def plan_lines(
    planned: Sequence[Planned],
    at_most: Sequence[Planned],
    obstacles: Sequence[str],
    claims: int,
    settings: Settings,
    data: Dataset,
    workers: int,
) -> list[str]:
    """The plan as text. planned: of the first look. at_most: if every claim stayed open to the last one. data: any data
    set on the device, for the probe of its speed."""
    speed: Speed = probe(data)

    def minutes(items: Sequence[Planned]) -> float:
        seconds = sum(i.to_train * speed.seconds(i.cost, width(i.run, settings.device.type)) for i in items)
        return seconds / 60 / workers

    rows = [("network", "networks", "runs", "stored", "steps", "TFLOP", "minutes")]
    groups: dict[str, list[Planned]] = {}
    for item in planned:
        groups.setdefault(f"{type(item.run.network).__name__} on {item.run.dataset}", []).append(item)
    for name, items in {**groups, "all": list(planned)}.items():
        rows.append(
            (
                name,
                str(len(items)),
                str(sum(i.to_train for i in items)),
                str(sum(i.stored for i in items)),
                f"{sum(i.to_train * i.cost.steps for i in items):,}",
                f"{sum(i.to_train * i.cost.flops for i in items) / 1e12:,.1f}",
                f"{minutes(items):,.1f}",
            )
        )
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{claims} {'claim' if claims == 1 else 'claims'} at {settings.looks[0]} seeds; nothing is trained"]
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
    if len(settings.looks) > 1:
        lines.append(
            f"claims without a verdict then go on to {' and '.join(map(str, settings.looks[1:]))} seeds; if all did: "
            f"{sum(i.to_train for i in at_most)} runs, {minutes(at_most):,.1f} minutes"
        )
    return lines + [f"in the way: {obstacle}" for obstacle in obstacles]
