"""The vocabulary of the suite: what is claimed, what is trained for it, and what comes out.

Frozen dataclasses and nothing else; every other module of the package may import this one. It imports one alone, the
register of optimisers, and no torch.
Accuracies are percent, differences are percentage points ("points").
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import itertools
import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal

from pytest_claims import optimisers


class Outcome(enum.StrEnum):
    """What a claim's evidence says. The rules are in docs/verdicts.md."""

    REPRODUCED = "REPRODUCED"
    TOO_SMALL = "TOO SMALL"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a finding was written down: document, section, and the number of repetitions behind its figures.

    url: of the document, "" where none is known for certain. Raises ValueError for one that is no web address.
    elsewhere: its networks or data are others than those of the suite, whose claims ask whether the finding transfers.
    """

    document: str
    section: str
    repetitions: int = 1
    url: str = ""
    elsewhere: bool = False

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError(f"Source.url is {self.url!r}; allowed: '', or an address that begins with https://")

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


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


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

        def check_whole(name: str, *, none: bool = False) -> None:
            value = getattr(self, name)
            ok = none if value is None else type(value) is int and value >= 1
            check(name, ok, "None or an integer >= 1" if none else "an integer >= 1")

        check_whole("images_per_class", none=True)
        check_whole("test_images_per_class", none=True)
        check_whole("batch")
        check_whole("epochs")
        check("lr", _is_finite(self.lr) and self.lr > 0, "a number > 0")
        for name in ("momentum", "weight_decay"):
            check(name, _is_finite(getattr(self, name)), "a number")
        optimisers.check(self)
        object.__setattr__(self, "optimizer_options", optimisers.canonical_options(self))
        check("precision", self.precision in ("float32", "bfloat16", "float64"), "'float32', 'bfloat16', 'float64'")
        check("initialisation", self.initialisation in ("default", "xavier"), "'default', 'xavier'")
        check("l1", _is_finite(self.l1) and self.l1 >= 0, "a number >= 0")
        check("statistics", self.statistics in ("running", "precise"), "'running', 'precise'")
        check(
            "schedule",
            self._scheduled(),
            "('constant',), ('cosine', final_lr), ('step', every_epochs, factor), ('linear', 0, factor, epoch, factor, "
            "...) with ascending epochs, and factors of which none is negative",
        )

    def _scheduled(self) -> bool:
        if not isinstance(self.schedule, tuple | list):
            return False
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

    @functools.cached_property
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
    mode, the last one being test_accuracy; empty unless the recipe says test_every_epoch. confusion: of published runs,
    whose predictions are not kept: test images by true and by predicted class, [classes * classes] row by row.
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
    confusion: tuple[int, ...] = ()


# For what a session may ask, and for what an arm may have recipes: the quick claims run the documented ones.
SCALES = ("quick", "rehearsal", "documented", "full")
RECIPES = ("rehearsal", "documented", "full")
# The numbers of seeds at which a claim is looked at, until a verdict stands.
LOOKS = (5, 7, 10, 14, 20)
# The first of them beside arms that may collapse. A collapse in one run of ten is not seen by five seeds in 59 of 100
# experiments, and an arm that is ahead otherwise is then called better; by ten seeds in 35.
LOOK_BESIDE_COLLAPSES = 10


def recipe_of(scale: str) -> str:
    """By which recipes a session at this scale trains: one of RECIPES."""
    return "documented" if scale == "quick" else scale


@dataclasses.dataclass(frozen=True)
class Arm:
    """One side of a comparison: a network and its recipes by scale, on a registered data set (data/spec.py).

    A claim takes part in a session at a scale for which all its arms have a recipe. Scales: "rehearsal", cut
    short; "documented", the source's own; "full", the whole training set until the network is well trained, by a
    recipe of ours, for sources that give none. documented: the source's test accuracy for it in percent, None where it
    gives none. may_collapse: runs of this arm, or of another arm of the finding at the same batch size, have been seen
    to end at chance or to diverge; claims about it are first looked at with 10 seeds. quick: whether scale quick trains
    it; a quick claim can do without an arm that only confounders name. Raises ValueError for recipes of other scales,
    or for none.
    """

    network: Any
    recipes: Mapping[str, Recipe]
    documented: float | None = None
    dataset: str = "cifar10"
    may_collapse: bool = False
    quick: bool = True

    def __post_init__(self) -> None:
        if not self.recipes or set(self.recipes) - set(RECIPES):
            raise ValueError(f"Arm.recipes is for scales {list(self.recipes)}; allowed: one or more of {RECIPES}")

    def run(self, scale: str) -> Run:
        """What is trained for this arm at this scale. Raises KeyError for one without a recipe."""
        return Run(self.network, self.recipes[recipe_of(scale)], self.dataset)


def first_look(arms: Iterable[Arm]) -> int:
    """The fewest seeds at which a claim about these arms is looked at, where seeds are added until a verdict stands."""
    return LOOK_BESIDE_COLLAPSES if any(arm.may_collapse for arm in arms) else LOOKS[0]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A documented finding, declared so that its cost is known before it runs.

    finding: short name of the finding, e.g. "A1a". words: the finding as a sentence; {names} are the test's
    parameters. source: where it is documented. arms: called with the test's parameters, gives the arms by name.
    metric: called with those that it names, gives what is compared (a Metric); None is test accuracy. tunes: which
    of its arms are compared is first chosen on seeds of their own, for which every arm is trained. images: a report
    shows what the arms take images for. quick: whether scale quick has it; called with the test's parameters that it
    names where that depends on them.
    """

    finding: str
    words: str
    source: Source
    arms: Callable[..., Mapping[Hashable, Arm]]
    metric: Callable[..., Any] | None = None
    tunes: bool = False
    images: bool = False
    quick: bool | Callable[..., bool] = False


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
    the documented figure for the mean of our n seeds (pytest_claims.stats.agreement). inside: measured in it.
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


class Procedure(enum.StrEnum):
    """The decision procedure of pytest_claims.stats that came to a verdict."""

    SUPERIORITY = "superiority"
    LEADS = "leads"
    EQUIVALENCE = "equivalence"
    NO_DIFFERENCE = "no difference"
    SOME_DIFFERENCE = "some difference"
    TREND = "trend"
    NO_FALL = "no fall"
    CHANGE = "change"
    SPREAD = "spread"
    SPEED = "speed"
    SPANS = "spans"


class Quantity(enum.StrEnum):
    """What is estimated and tested. DIFFERENCE: mean paired difference. SLOPE: on log2 of the level. SPREAD: log2 of
    the ratio of two spreads. EPOCHS: mean of log2 of the ratio of epochs."""

    DIFFERENCE = "difference"
    SLOPE = "slope"
    SPREAD = "spread"
    EPOCHS = "epochs"


class Method(enum.StrEnum):
    """How a hypothesis is tested. Every paired t test has its correction for skewness (pytest_claims.stats.interval).

    TOST: two one-sided tests, of which the larger p counts.
    """

    PAIRED_T = "paired t"
    TOST = "two one-sided paired t"
    SIGN_FLIP = "sign-flip"
    BROWN_FORSYTHE = "Brown-Forsythe"


class Shows(enum.StrEnum):
    """What is shown of the truth where a test rejects its null hypothesis."""

    EFFECT = "an effect in the claimed direction"
    BELOW_MARGIN = "no effect as large as the margin"
    WITHIN = "a difference within the limits"
    BEYOND = "a difference beyond a limit"
    NO_FALL = "no fall beyond the limit"
    FALL = "a fall beyond the limit"


class Doubt(enum.StrEnum):
    """Why a verdict that the bounds alone would give does not stand.

    AT_CHANCE: runs collapsed, and networks that learned nothing are equal whatever was done to them. NOT_COMPARABLE:
    most runs of the compared arms collapsed, so that they say nothing about what the claim compares. UNCONFIRMED: runs
    collapsed, and the sign-flip test does not confirm what the bounds say. TOO_FEW_SEEDS: for this procedure.
    """

    AT_CHANCE = "runs at chance"
    NOT_COMPARABLE = "not comparable"
    UNCONFIRMED = "unconfirmed by sign flips"
    TOO_FEW_SEEDS = "too few seeds"


# Labels of what is compared: two arms, the first less the second; two levels, from the first to the second; or four
# arms, the first less the second, less the third less the fourth.
Comparison = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class HypothesisTest:
    """One test that a verdict rests on.

    shows: what a small p shows. threshold: the value that it is tested against, in the verdict's unit. p: one-sided
    unless two_sided says otherwise, not corrected for `times`; 1 where collapsed runs rule out what it would show.
    level: that p may reach at most. comparison: of what, empty for several together. of: how many such tests there
    are, this one being the one that counts. times: what p is multiplied by, since any of several would have sufficed.
    patterns: how many sign patterns were drawn, 0 where all were counted. least: the smallest p that it can give with
    these seeds. fewest: seeds from which it can give one of at most level, None where these are enough.
    """

    method: Method
    shows: Shows
    threshold: float
    p: float
    level: float
    comparison: Comparison = ()
    quantity: Quantity = Quantity.DIFFERENCE
    two_sided: bool = False
    of: int = 1
    times: int = 1
    patterns: int = 0
    least: float = 0.0
    fewest: int | None = None

    def __post_init__(self) -> None:
        # A plain number, also where a look's level was given.
        object.__setattr__(self, "level", float(self.level))

    @property
    def corrected(self) -> float:
        """p, multiplied by `times`."""
        return min(1.0, self.p * self.times)


@dataclasses.dataclass(frozen=True)
class Bound:
    """A confidence bound that the decision rule holds against a threshold.

    side: "lower" or "upper". alpha: its one-sided level. estimate: what it is a bound of, as measured. comparison: of
    what; where a rule looks at several, the one that decides.
    """

    side: Literal["lower", "upper"]
    value: float
    threshold: float
    alpha: float
    estimate: float
    comparison: Comparison = ()
    quantity: Quantity = Quantity.DIFFERENCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", float(self.alpha))


@dataclasses.dataclass(frozen=True)
class EqualDifferences:
    """All n differences of a comparison are equal: its interval is a point, and p is 0 or 1 by definition."""

    n: int
    kind: Literal["equal differences"] = "equal differences"


@dataclasses.dataclass(frozen=True)
class Collapses:
    """How many of n runs collapsed to chance or diverged, by label of the arm or level."""

    counts: tuple[tuple[str, int], ...]
    n: int
    kind: Literal["collapses"] = "collapses"


@dataclasses.dataclass(frozen=True)
class MoreCollapses:
    """Whether the second of two arms or levels collapses more often than the first, by McNemar's exact test.

    counts: collapsed runs of each, of n. alone: seeds at which only this one of the two collapsed. p: one-sided.
    """

    labels: tuple[str, str]
    counts: tuple[int, int]
    alone: tuple[int, int]
    n: int
    p: float
    kind: Literal["more collapses"] = "more collapses"


@dataclasses.dataclass(frozen=True)
class MonotoneTrend:
    """Page's test of a monotone trend in the claimed direction: its one-sided p."""

    p: float
    kind: Literal["monotone trend"] = "monotone trend"


@dataclasses.dataclass(frozen=True)
class Deviations:
    """Standard deviations over seeds, points, by label of the arm."""

    values: tuple[tuple[str, float], ...]
    kind: Literal["deviations"] = "deviations"


@dataclasses.dataclass(frozen=True)
class ChosenSettings:
    """Labels of the arms that did best on seeds which judge nothing. at_edge: of the settings tried, one is the first
    or the last."""

    labels: tuple[str, ...]
    at_edge: bool
    kind: Literal["chosen settings"] = "chosen settings"


@dataclasses.dataclass(frozen=True)
class NeverReached:
    """How many of n runs never came to the accuracy, for the arm that is claimed to be fast and the slow one. Such runs
    of the fast arm take away the lower bound, those of the slow arm the upper one."""

    labels: tuple[str, str]
    counts: tuple[int, int]
    n: int
    kind: Literal["never reached"] = "never reached"


@dataclasses.dataclass(frozen=True)
class SameEpoch:
    """At how many of n seeds two arms came to the accuracy in the same epoch."""

    labels: tuple[str, str]
    count: int
    n: int
    kind: Literal["same epoch"] = "same epoch"


@dataclasses.dataclass(frozen=True)
class SpreadOfRounding:
    """The epochs vary less than rounding to whole ones does, whose spread stands for theirs."""

    kind: Literal["spread of rounding"] = "spread of rounding"


@dataclasses.dataclass(frozen=True)
class NotTried:
    """Confounders without runs: none are stored, or the scale does without their arms. factors: as declared."""

    factors: tuple[str, ...]
    kind: Literal["not tried"] = "not tried"


Note = (
    EqualDifferences
    | Collapses
    | MoreCollapses
    | MonotoneTrend
    | Deviations
    | ChosenSettings
    | NeverReached
    | SameEpoch
    | SpreadOfRounding
    | NotTried
)


class Cause(enum.StrEnum):
    """What a change of conditions says about an effect, from both arms under it. The rules are in docs/verdicts.md."""

    EXPLAINS = "explains the effect"
    EXPLAINS_PART = "explains a part of the effect"
    DOES_NOT = "does not explain the effect"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True)
class Confounder:
    """What else than the claimed cause could make one arm better than the other, as a claim declares it.

    factor: what it is, with its article, e.g. "the learning rate". change: how both arms are trained instead, e.g. "at
    a learning rate scaled to the batch". better, worse: the names of the claim's two arms under that change; one that
    the change cannot touch stands for itself. instead_of: what the finding is then wrongly put down to, e.g. "batch
    statistics"; "" where nothing is.
    """

    factor: str
    change: str
    better: Hashable
    worse: Hashable
    instead_of: str = ""


@dataclasses.dataclass(frozen=True)
class Confounded:
    """What came of a Confounder: like is compared with like, both arms under the change.

    factor, change, instead_of: as declared. under: the claim's verdict on the two arms under the change. removed: the
    verdict that the effect is smaller by it (an interaction): the effect less the effect under the change.
    """

    factor: str
    change: str
    under: Verdict
    removed: Verdict
    instead_of: str = ""

    @property
    def cause(self) -> Cause:
        """Whether the factor explains the effect.

        It does where the change leaves none of the margin's size, or less than half of it, and the effect is shown to
        have become smaller. It does not where the effect is still there and is shown to have lost less than the margin.
        """
        smaller = self.removed.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)
        match self.under.outcome:
            case Outcome.CONTRADICTED if smaller:
                return Cause.EXPLAINS
            case Outcome.TOO_SMALL if smaller:
                return Cause.EXPLAINS if self.removed.effect > self.under.effect else Cause.EXPLAINS_PART
            case Outcome.REPRODUCED if smaller:
                return Cause.EXPLAINS_PART
            case Outcome.REPRODUCED if self.removed.outcome == Outcome.CONTRADICTED:
                return Cause.DOES_NOT
        return Cause.UNDECIDED


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the evidence says about one claim, in numbers; pytest_claims.report puts it into words.

    procedure: that decided. comparison: what was compared, empty for a claim on several comparisons.
    effect: the contrast in the claimed direction, points (of spreads: doublings). lower, upper: its one-sided bounds,
    each at level 1 - alpha (at .05 together a 90 % interval). margin: smallest effect of interest, or the half-width d
    of an equivalence claim.
    p: of the test that decides, one-sided. n: seeds.
    by_bounds: the outcome that the bounds alone give. doubt: why it does not stand, None where outcome is by_bounds.
    tests: those that the verdict rests on. bounds: those that the rule holds against its thresholds, where it looks at
    several comparisons the deciding ones; they differ from lower and upper where the rule takes another level.
    p_holds: of the null hypothesis whose rejection makes a claim REPRODUCED or TOO SMALL. p_fails: of the one whose
    rejection makes it CONTRADICTED or TOO SMALL. Both corrected for looks; the session corrects them for their number.
    holds_by, fails_by: the number of comparisons that they were multiplied by, any of which would have sufficed.
    seeds_to_settle: the number of seeds at which the verdict would be expected to stand, None unless inconclusive (or
    when no number would). detectable: the effect that this many seeds, at this spread, find with power .80, points (for
    an equivalence: the limit within which they would show equal arms to be).
    parts: the comparisons inside a compound claim. notes: supporting evidence that does not decide; each part has its
    own. confounders: what else could explain the effect, and whether it does; they decide nothing.
    looks: those taken, where seeds were added until a verdict stood; one for a number fixed before.
    """

    outcome: Outcome
    procedure: Procedure
    effect: float
    lower: float
    upper: float
    margin: float
    p: float
    n: int
    by_bounds: Outcome
    p_holds: float
    p_fails: float
    alpha: float
    comparison: Comparison = ()
    doubt: Doubt | None = None
    tests: tuple[HypothesisTest, ...] = ()
    bounds: tuple[Bound, ...] = ()
    seeds_to_settle: int | None = None
    detectable: float | None = None
    parts: tuple[Verdict, ...] = ()
    notes: tuple[Note, ...] = ()
    confounders: tuple[Confounded, ...] = ()
    looks: tuple[Look, ...] = ()
    holds_by: int = 1
    fails_by: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", float(self.alpha))
