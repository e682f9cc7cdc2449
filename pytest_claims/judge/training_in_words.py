"""How a claim's arms are trained, in one sentence: network, data set, recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pytest_claims.types import Recipe, Run

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)")


def training_words(runs: Sequence[Run]) -> str:
    """ "NormCNN on cifar10: 200 images a class, batch 2 to 128, 10 epochs, sgd at 0.0195, momentum 0.91, ...".

    Where recipes differ in one number, the least and the largest stand for all.
    """
    networks = " and ".join(dict.fromkeys(type(run.network).__name__ for run in runs))
    datasets = " and ".join(dict.fromkeys(run.dataset for run in runs))
    told = (_together(list(dict.fromkeys(part(run.recipe) for run in runs))) for part in _PARTS)
    return f"{networks} on {datasets}: {', '.join(filter(None, told))}"


def _together(texts: Sequence[str]) -> str:
    """Texts that differ, as one: of one number its range, else one beside the other."""
    numbers = [_NUMBER.findall(text) for text in texts]
    around = {_NUMBER.sub("#", text) for text in texts}
    if len(texts) > 1 and len(around) == 1 and all(len(found) == 1 for found in numbers):
        least, *_, most = sorted((found[0] for found in numbers), key=float)
        return around.pop().replace("#", f"{least} to {most}")
    return " or ".join(text or "none" for text in texts) if any(texts) else ""


def _images(recipe: Recipe) -> str:
    number = recipe.images_per_class
    return "all training images" if number is None else f"{number} images a class"


def _schedule(recipe: Recipe) -> str:
    kind, *numbers = recipe.schedule
    match kind:
        case "cosine":
            return f"cosine to {numbers[0]:g}"
        case "step":
            return f"times {numbers[1]:g} every {numbers[0]:g} epochs"
        case "linear":
            return "piecewise linear rate"
    return ""


def _tested(recipe: Recipe) -> str:
    number = recipe.test_images_per_class
    return "" if number is None else f"tested on {number} images a class"


# Parts at their defaults, which most recipes have, are left out.
_PARTS: tuple[Callable[[Recipe], str], ...] = (
    _images,
    lambda recipe: f"batch {recipe.batch}",
    lambda recipe: f"{recipe.epochs} epochs",
    lambda recipe: f"{recipe.optimizer} at {recipe.lr:g}",
    lambda recipe: f"momentum {recipe.momentum:g}" if recipe.momentum else "",
    lambda recipe: ", ".join(f"{name} {value:g}" for name, value in recipe.optimizer_options),
    lambda recipe: f"weight decay {recipe.weight_decay:g}" if recipe.weight_decay else "",
    _schedule,
    lambda recipe: f"L1 {recipe.l1:g}" if recipe.l1 else "",
    lambda recipe: "augmented" if recipe.augmentation else "",
    lambda recipe: "Xavier's initialisation" if recipe.initialisation == "xavier" else "",
    lambda recipe: "precise statistics" if recipe.statistics == "precise" else "",
    _tested,
    lambda recipe: recipe.precision,
)
