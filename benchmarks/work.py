"""What is timed: three of the suite's own runs, cut to a stated part that both sides train alike."""

from __future__ import annotations

import dataclasses

from claims.sources import ai_experiments, s8_assignment
from models import DepthCNN, NormCNN, SkipCNN
from pytest_claims.stacked import BATCH
from pytest_claims.types import Run


@dataclasses.dataclass(frozen=True)
class Work:
    """run: as the source has it. timed: the part of it that is trained here, cut to `share` of the whole, test images
    too. seeds: how many one process trains side by side, on a CPU and on a GPU; fewer where they do not fit."""

    name: str
    words: str
    run: Run
    timed: Run
    share: float
    seeds: dict[str, int]


def first_step(run: Run) -> Run:
    """The run cut to one step and one test image a class, which loads libraries and kernels and little else."""
    per_class = -(-run.recipe.batch // run.network.classes)
    cut = dataclasses.replace(run.recipe, images_per_class=per_class, epochs=1, test_images_per_class=1)
    return dataclasses.replace(run, recipe=cut)


def _work(name: str, words: str, run: Run, share: float, seeds: dict[str, int], **cut: object) -> Work:
    timed = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **cut))
    return Work(name, words, run, timed, share, seeds)


_DEPTH = Run(DepthCNN(8, "relu"), ai_experiments.DEPTH_RECIPE["documented"])
_BATCH_2 = dataclasses.replace(ai_experiments.BASE_RECIPE["documented"], batch=2)

WORKS = {
    work.name: work
    for work in (
        _work(
            "a",
            "A1: 8 blocks, 300 images a class, 10 epochs, batch 512, float32",
            _DEPTH,
            1 / 5,
            {"cpu": 1, "cuda": 5},  # of which a step takes 3 % longer a seed than of 20; 64 need more than 80 GB
            epochs=2,
            test_images_per_class=200,
        ),
        _work(
            "a16",
            "the same in bfloat16",
            dataclasses.replace(_DEPTH, recipe=dataclasses.replace(_DEPTH.recipe, precision="bfloat16")),
            1 / 5,
            {"cpu": 1, "cuda": 5},  # of which a step takes 3 % longer a seed than of 20; 64 need more than 80 GB
            epochs=2,
            test_images_per_class=200,
        ),
        _work(
            "b",
            "A2 base: batch norm at batch 2, 200 images a class, 10 epochs, bfloat16",
            Run(NormCNN((BATCH,) * 3), _BATCH_2),
            1 / 10,
            {"cpu": 5, "cuda": 64},
            epochs=1,
            test_images_per_class=100,
        ),
        _work(
            "c",
            "D: batch norm, CIFAR-10 whole, 20 epochs, batch 32, augmentation, float32",
            Run(SkipCNN(BATCH), s8_assignment.RECIPE["documented"]),
            1 / 200,
            {"cpu": 1, "cuda": 16},
            images_per_class=500,
            epochs=1,
            test_images_per_class=5,
        ),
    )
}
