"""The vocabulary of the suite: what is claimed, what is trained for it, and what comes out.

Frozen dataclasses and nothing else; every other module of the package may import this one. It imports one alone, the
register of optimisers, and no torch.
Accuracies are percent, differences are percentage points ("points").
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from pytest_claims import optimisers


class Outcome(enum.StrEnum):
    """What a claim's evidence says. The rules are in docs/verdicts.md."""

    REPRODUCED = "REPRODUCED"
    TOO_SMALL = "TOO SMALL"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a finding was written down: document, section, and the number of repetitions behind its figures."""

    document: str
    section: str
    repetitions: int = 1

    def __str__(self) -> str:
        runs = "1 run" if self.repetitions == 1 else f"{self.repetitions} runs"
        return f'{self.document}, "{self.section}" ({runs})'


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random changes of training images, drawn anew for each image and epoch.

    shift: at most, as a share of the image's side, either way and axis. scale: at most, as a share of the size.
    degrees: of rotation, at most. These three come together, with affine_probability. brightness, contrast: factors
    between 1 - x and 1 + x. These two come together, with jitter_probability. Raises ValueError for other values.
    """

    shift: float = 0.0
    scale: float = 0.0
    degrees: float = 0.0
    affine_probability: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    jitter_probability: float = 0.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            most = 180.0 if field.name == "degrees" else 1.0
            value = getattr(self, field.name)
            if not 0 <= value <= most:
                raise ValueError(f"Augmentation.{field.name} is {value!r}; allowed: from 0 to {most:g}")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one network is trained: everything of a run but the network, the data and the seed.

    images_per_class: size of the class-balanced training subset drawn per seed; None is the whole training set.
    batch: images a step; the last partial batch of an epoch is kept.
    epochs: passes over the subset.
    optimizer: a name in pytest_claims.optimisers, e.g. "sgd" or "adamw"; lr, momentum (where it has one) and
    weight_decay as torch.optim takes them. optimizer_options: its further numbers, e.g. (("beta1", 0.8),); a recipe
    keeps them sorted, and without those at their defaults.
    schedule: per epoch; ("constant",), ("cosine", final_lr), ("step", every_epochs, factor), or ("linear", epoch,
    factor, epoch, factor, ...): piecewise linear through these points, factors being of lr, epochs ascending from 0.
    precision: "float32", or "bfloat16" for autocast as torch.autocast does it (float32 master weights); "float64" is
    a reference to hold the others against.
    test_images_per_class: the test set is the first so many of each class; None is the whole test set.
    mean, std: of the [0, 1] pixels, per RGB channel.
    initialisation: "default" (PyTorch's) or "xavier" (uniform, biases 0). augmentation: of training images. l1: times
    the sum of absolute values of all parameters is added to the loss.
    statistics: what batch norm uses at test time: "running", or "precise", the averages over the training set under the
    final weights (Wu & Johnson, "Rethinking Batch in BatchNorm", 2021, section 3).
    test_every_epoch: also record the test accuracy after every epoch; nothing else of the run depends on it.
    """

    images_per_class: int | None
    batch: int
    epochs: int
    optimizer: str
    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: tuple[str | float, ...] = ("constant",)
    precision: str = "float32"
    test_images_per_class: int | None = None
    mean: tuple[float, float, float] = (0.4914, 0.4822, 0.4465)
    std: tuple[float, float, float] = (0.2023, 0.1994, 0.2010)
    initialisation: str = "default"
    augmentation: Augmentation | None = None
    l1: float = 0.0
    statistics: str = "running"
    optimizer_options: tuple[tuple[str, float], ...] = ()
    test_every_epoch: bool = False

    def __post_init__(self) -> None:
        def check(name: str, ok: bool, allowed: str) -> None:
            if not ok:
                raise ValueError(f"Recipe.{name} is {getattr(self, name)!r}; allowed: {allowed}")

        check("images_per_class", self.images_per_class is None or self.images_per_class >= 1, "None or >= 1")
        tested = self.test_images_per_class
        check("test_images_per_class", tested is None or tested >= 1, "None or >= 1")
        check("batch", self.batch >= 1, ">= 1")
        check("epochs", self.epochs >= 1, ">= 1")
        check("lr", self.lr > 0, "> 0")
        optimisers.check(self)
        object.__setattr__(self, "optimizer_options", optimisers.canonical_options(self))
        check("precision", self.precision in ("float32", "bfloat16", "float64"), "'float32', 'bfloat16', 'float64'")
        check("initialisation", self.initialisation in ("default", "xavier"), "'default', 'xavier'")
        check("l1", self.l1 >= 0, ">= 0")
        check("statistics", self.statistics in ("running", "precise"), "'running', 'precise'")
        check(
            "schedule",
            self._scheduled(),
            "('constant',), ('cosine', final_lr), ('step', every_epochs, factor), ('linear', 0, factor, epoch, factor, "
            "...) with ascending epochs, and factors of which none is negative",
        )

    def _scheduled(self) -> bool:
        kind, *arguments = self.schedule or ("",)
        if kind == "linear":
            if not all(isinstance(point, int | float) for point in arguments):
                return False
            points = [float(point) for point in arguments]
            epochs, factors = points[::2], points[1::2]
            ascending = all(one < other for one, other in itertools.pairwise(epochs))
            return len(epochs) == len(factors) >= 2 and epochs[0] == 0 and ascending and min(factors) >= 0
        return {"constant": 0, "cosine": 1, "step": 2}.get(str(kind)) == len(arguments)


@dataclasses.dataclass(frozen=True)
class Run:
    """One configuration to train: a network (a frozen dataclass from models/), a recipe and a data set's name."""

    network: Any
    recipe: Recipe
    dataset: str = "cifar10"

    @property
    def canonical(self) -> str:
        """The configuration as JSON with sorted keys: equal configurations, and only they, give equal text."""
        return json.dumps(canonical(self), sort_keys=True, separators=(",", ":"))


@dataclasses.dataclass(frozen=True)
class Trained:
    """One finished run.

    test_accuracy: percent, after the last epoch, in eval mode. train_accuracy (percent), train_loss (mean
    cross-entropy): per epoch, measured on the training batches as they pass. diverged: a training loss was not
    finite. seconds: this seed's share of the wall time. test_images: how many images the accuracy speaks of.
    gradients: [epochs][blocks], root mean square of the gradient of each block's weights at the first step of each
    epoch, the first being at initialisation. predictions: the class that each test image was taken for, in the order of
    the data set. Both are empty for runs that were recorded before these were. test_accuracy_by_epoch: percent, in eval
    mode, the last one being test_accuracy; empty unless the recipe says test_every_epoch.
    """

    seed: int
    test_accuracy: float
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float, ...]
    diverged: bool
    seconds: float
    test_images: int
    gradients: tuple[tuple[float, ...], ...] = ()
    predictions: tuple[int, ...] = ()
    test_accuracy_by_epoch: tuple[float, ...] = ()


SCALES = ("rehearsal", "documented", "full")
# The numbers of seeds at which a claim is looked at, until a verdict stands.
LOOKS = (5, 10, 20)


@dataclasses.dataclass(frozen=True)
class Arm:
    """One side of a comparison: a network and its recipes by scale, on a registered data set (data/spec.py).

    A claim takes part in a session at a scale for which all its arms have a recipe. Scales: "rehearsal", cut
    short; "documented", the source's own; "full", the whole training set until the network is well trained, by a
    recipe of ours, for sources that give none. documented: the source's test accuracy for it in percent, None where it
    gives none. Raises ValueError for recipes of other scales, or for none.
    """

    network: Any
    recipes: Mapping[str, Recipe]
    documented: float | None = None
    dataset: str = "cifar10"

    def __post_init__(self) -> None:
        if not self.recipes or set(self.recipes) - set(SCALES):
            raise ValueError(f"Arm.recipes is for scales {list(self.recipes)}; allowed: one or more of {SCALES}")

    def run(self, scale: str) -> Run:
        """What is trained for this arm at this scale. Raises KeyError for one without a recipe."""
        return Run(self.network, self.recipes[scale], self.dataset)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A documented finding, declared so that its cost is known before it runs.

    finding: short name of the finding, e.g. "A1a". words: the finding as a sentence; {names} are the test's
    parameters. source: where it is documented. arms: called with the test's parameters, gives the arms by name.
    measure: called with those that it names, gives what is compared (a Metric); None is test accuracy. tunes: which
    of its arms are compared is first chosen on seeds of their own, for which every arm is trained. images: a report
    shows what the arms take images for.
    """

    finding: str
    words: str
    source: Source
    arms: Callable[..., Mapping[Hashable, Arm]]
    metric: Callable[..., Any] | None = None
    tunes: bool = False
    images: bool = False


def canonical(value: Any) -> Any:
    """A configuration as plain JSON values; dataclasses carry their class name, so that a rename is a new key.

    A field that has its default is left out, so that a new field, with a default that means what was done before,
    leaves every older configuration its key. (A default must therefore never change its meaning.)
    Raises TypeError for anything that has no unambiguous text (sets, arrays, functions).
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = {field.name: (getattr(value, field.name), field.default) for field in dataclasses.fields(value)}
        told = {name: canonical(item) for name, (item, default) in items.items() if item != default}
        return {"kind": type(value).__name__, **told}
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{value!r} ({type(value).__name__}) has no canonical text; use numbers, strings and tuples")


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The second axis: does the documented number lie in the prediction interval of our seeds?

    documented: the source's figure. measured: our mean. low, high: the two-sided 95 % prediction interval around
    the documented figure for the mean of our n seeds, documented ± t·s·sqrt(1/n0 + 1/n). inside: measured in it.
    """

    documented: float
    measured: float
    low: float
    high: float
    n0: int

    @property
    def inside(self) -> bool:
        return self.low <= self.measured <= self.high


@dataclasses.dataclass(frozen=True)
class Look:
    """One look at a growing number of seeds: n seeds, the nominal one-sided level of each bound, what it said."""

    n: int
    level: float
    outcome: Outcome


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the evidence says about one claim.

    effect: the contrast in the claimed direction, points (of spreads: doublings). lower, upper: its one-sided bounds,
    each at level 1 - alpha (at .05 together a 90 % interval). margin: smallest effect of interest, or the half-width d
    of an equivalence claim.
    p: of the test that decides, one-sided. test: that test in words. n: seeds. rule: the decision rule in words with
    its numbers.
    p_holds: of the null hypothesis whose rejection makes a claim REPRODUCED or TOO SMALL. p_fails: of the one whose
    rejection makes it CONTRADICTED or TOO SMALL. Both corrected for looks; the session corrects them for their number.
    seeds_to_settle: the number of seeds at which the verdict would be expected to stand, None unless inconclusive (or
    when no number would). detectable: the effect that this many seeds, at this spread, find with power .80, points (for
    an equivalence: the limit within which they would show equal arms to be).
    parts: the comparisons inside a compound claim (name, verdict). notes: supporting evidence that does not decide.
    looks: those taken, where seeds were added until a verdict stood; empty for a number fixed before.
    """

    outcome: Outcome
    effect: float
    lower: float
    upper: float
    margin: float
    p: float
    test: str
    n: int
    rule: str
    p_holds: float
    p_fails: float
    alpha: float
    seeds_to_settle: int | None = None
    detectable: float | None = None
    parts: tuple[tuple[str, Verdict], ...] = ()
    notes: tuple[str, ...] = ()
    looks: tuple[Look, ...] = ()
