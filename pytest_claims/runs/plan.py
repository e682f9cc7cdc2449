"""What a selection of claims would cost, without training anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pytest_claims.data import DataError, load, spec_of
from pytest_claims.data.kinds import FOLDERS
from pytest_claims.runs.apart import Used
from pytest_claims.runs.executor import Executor
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool, seeds_per_block
from pytest_claims.runs.quantities import about, listed, short
from pytest_claims.runs.store import Store
from pytest_claims.settings import Settings
from pytest_claims.stacked import NetworkError
from pytest_claims.train.cost import DATA_CENTRE_GPU, Cost, Speed, cost, probe
from pytest_claims.types import Arm, Claim, Run, first_look


@dataclasses.dataclass(frozen=True)
class Planned:
    """One configuration: what one seed of it costs, how many seeds would be trained and how many are stored.

    used: what names its runs (apart.py), None without its images.
    """

    run: Run
    cost: Cost
    to_train: int
    stored: int
    used: Used | None = None


def needed(
    claims: Sequence[tuple[Claim, Sequence[Arm]]], settings: Settings, *, last: bool = False, at_most: bool
) -> list[tuple[Run, range]]:
    """Every configuration that these claims need at their first look, with its seeds; twice if some of these choose
    settings.

    last: at their last look. at_most: with the judged seeds of arms of which it is not known before which will be
    chosen.
    """
    runs: dict[tuple[str, int], tuple[Run, range]] = {}

    def add(arm: Arm, seeds: range) -> None:
        run = arm.run(settings.scale)
        before = runs.get((run.canonical, seeds.start), (run, range(0)))[1]
        runs[run.canonical, seeds.start] = run, max(before, seeds, key=len)

    for claim, arms in claims:
        own = settings.from_look(first_look(arms))
        if not own.looks:
            continue
        look = own.looks[-1 if last else 0]
        if settings.placebo and arms:
            # The first arm stands for all of them, each on seeds of its own, and there is nothing to choose.
            add(arms[0], settings.range_of(look * len(arms)))
            continue
        for arm in arms:
            if claim.tunes:
                add(arm, own.tuning)
            if at_most or not claim.tunes:
                add(arm, settings.range_of(look))
    return list(runs.values())


def plan(
    runs: Sequence[tuple[Run, range]], settings: Settings, store: Store, executor: Executor
) -> tuple[list[Planned], list[str]]:
    """What each run would cost, and what stands in its way (data that is not there or does not fit), as sentences.

    Downloads nothing: where a data set would be downloaded first, nothing can be stored for it yet, and its size is
    that of the whole set.
    """
    offline = settings.data.offline
    leases = Leases(settings.store)
    pool = Pool(store, leases, executor, lambda name: load(offline, name))
    planned, obstacles = [], []
    for run, seeds in runs:
        fitted, images, used = run, (50_000, 10_000), None  # of a data set that nobody knows
        try:
            images = spec_of(run.dataset).training_images, spec_of(run.dataset).test_images
            data = pool.data(run.dataset)
            images = len(data.train_labels), len(data.test_labels)
            if data.kind == FOLDERS and settings.data.of(run.dataset).kind != FOLDERS:
                obstacles.append(settings.data.served(run.dataset, data.kind))
            try:
                fitted = pool.adapt_classes(run)
            except NetworkError as error:
                obstacles.append(str(error))
            needed, smallest = run.recipe.images_per_class, int(data.train_labels.bincount().min())
            if needed is not None and needed > smallest:
                obstacles.append(f"{run.dataset} has {smallest} training images in a class; a recipe needs {needed}")
            missing = len(pool.missing(fitted, seeds))
            key = pool.key(fitted)
            used = fitted.canonical, key.data, key.numerics
        except DataError as error:
            at_once = seeds_per_block(run, executor.device_kind)
            missing = -(-len(seeds) // at_once) * at_once
            obstacles.append(
                f"{run.dataset} is not on disk and would be downloaded first"
                if settings.data.downloads(run.dataset)
                else str(error)
            )
        stored = max(0, len(seeds) - missing) if missing else len(seeds)
        planned.append(Planned(fitted, cost(fitted, *images), missing, stored, used))
    leases.close()
    return planned, list(dict.fromkeys(obstacles))


@dataclasses.dataclass(frozen=True)
class Trainers:
    """What would train. speed: of one of them. count: how many blocks they train at once. words: for people."""

    speed: Speed
    count: int
    words: str

    @classmethod
    def here(cls, settings: Settings, workers: int) -> Trainers:
        """So many processes on the session's device, whose speed is measured for about a second."""
        processes = "1 process" if workers == 1 else f"{workers} workers"
        words = f"{processes} on this device, estimated from a probe of its speed"
        return cls(probe(settings.device), workers, words)


def plan_lines(
    planned: Sequence[Planned],
    at_most: Sequence[Planned],
    obstacles: Sequence[str],
    claims: int,
    settings: Settings,
    trainers: Trainers,
) -> list[str]:
    """The plan as text. planned: of the first look. at_most: if every claim stayed open to the last one."""

    def seconds(
        items: Sequence[Planned],
        speed: Speed = trainers.speed,
        count: int = trainers.count,
        device: str = settings.device.type,
    ) -> float:
        total = longest = 0.0
        for item in items:
            at_once = seeds_per_block(item.run, device)
            # Whole blocks, which on another device may be larger than those that to_train was counted in.
            block, blocks = at_once * speed.seconds(item.cost, at_once), -(-item.to_train // at_once)
            total += blocks * block
            longest = max(longest, block if blocks else 0.0)
        # However many there are, none trains less than a block.
        return max(total / count, longest)

    rows = [("network", "networks", "runs", "stored", "steps", "TFLOP", "time")]
    groups: dict[str, list[Planned]] = {}
    for item in planned:
        groups.setdefault(f"{type(item.run.network).__name__} on {item.run.dataset}", []).append(item)
    for name, items in {**groups, "all": list(planned)}.items():
        rows.append(
            (
                name,
                str(len({item.run.canonical for item in items})),
                str(sum(i.to_train for i in items)),
                str(sum(i.stored for i in items)),
                f"{sum(i.to_train * i.cost.steps for i in items):,}",
                f"{sum(i.to_train * i.cost.flops for i in items) / 1e12:,.1f}",
                short(seconds(items)),
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
    lines.append(
        f"runs: seeds still to train, in whole blocks of those trained side by side; time: for {trainers.words}, right "
        "within a factor of about two"
    )
    if len(settings.looks) > 1:
        lines.append(
            f"claims without a verdict then go on to {listed(settings.looks[1:])} seeds; if all did: "
            f"{sum(i.to_train for i in at_most)} runs, {about(seconds(at_most))}"
        )
    if settings.device.type == "cpu":
        lines.append(
            f"on one data-centre GPU, by the speed of an H100 ({DATA_CENTRE_GPU.seconds_per_step * 1000:g} ms a step "
            f"and {DATA_CENTRE_GPU.flops_per_second / 1e12:g} TFLOP/s): "
            f"{about(seconds(planned, DATA_CENTRE_GPU, 1, 'cuda'))}"
        )
    return lines + [f"in the way: {obstacle}" for obstacle in obstacles]
