"""The cells of the table: a decision, a truth on the edge of what it must not claim, a distribution, a number of seeds.

Differences between arms have standard deviation 1 unless a truth says otherwise; the margin is 1. In a skewed cell the
first arm carries the skewness and the others vary half as much, so that the differences stay skewed (arms that are
skewed alike have symmetric differences). Either sign of it is simulated, for one of them misleads.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from calibration.noise import BEYOND_NORMAL, BOUND, NOISE, Noise
from pytest_claims.judge.kinds import Kind, kind_of
from pytest_claims.stats import (
    LOOKS,
    Level,
    best_of,
    collapse,
    crossover,
    detectable,
    equivalence,
    faster,
    fewest_for_spread,
    never_falls,
    no_difference,
    ranking,
    some_difference,
    spans,
    split,
    spread,
    superiority,
    trend,
)
from pytest_claims.types import LOOK_BESIDE_COLLAPSES, Outcome, Verdict

EXPERIMENTS = 10_000
# Three standard errors of a rate of 5 % above it, from 10,000 experiments.
BINOMIAL = 0.057
# A power of .80 less three standard errors.
POWER_FLOOR = 0.788

# The kind of claim that each decision belongs to, whose table says what its outcomes mean.
DECISIONS = {
    "one arm beats another": "effect",
    "within d": "equality",
    "within d, called larger": "equality",
    "no difference": "equality",
    "no difference of five, called larger": "equality",
    "some difference": "some difference",
    "best of four": "best",
    "ranking of three": "best",
    "crossover": "best",
    "trend": "effect",
    "never falls": "no fall",
    "never falls, called larger": "no fall",
    "spans less": "effect",
    "spread": "spread",
    "faster to": "speed",
    "one arm beats another, by whole images": "effect",
}
TIED = "one arm beats another, by whole images"
# What is counted: the outcomes that say that an effect is there, or those that say that none of the margin is.
SHOWN, EXCLUDED = "shown", "excluded"

# Arms [k, n] and a level in, a verdict out.
Judge = Callable[[np.ndarray, float], Verdict]
# A generator, a noise, experiments and seeds in; arms [experiments, k, n] out.
Draw = Callable[[np.random.Generator, Noise, int, int], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Path:
    """A decision procedure at one truth.

    decision: a name in DECISIONS. counts: SHOWN or EXCLUDED. section: "false" (a share of errors, bounded from above)
    or "power" (of right verdicts, bounded from below). looks: of cells with looks.
    """

    decision: str
    truth: str
    draw: Draw
    judge: Judge
    counts: str
    section: str = "false"
    looks: tuple[int, ...] = LOOKS

    @property
    def kind(self) -> Kind:
        return kind_of(DECISIONS[self.decision])

    @property
    def counted(self) -> tuple[Outcome, ...]:
        """The outcomes whose share is measured."""
        return self.kind.group.shows if self.counts == SHOWN else self.kind.group.excludes


@dataclasses.dataclass(frozen=True)
class Cell:
    """A path under one noise with n seeds, or with looks (n = 0). bound: of the share, None where none is promised."""

    path: Path
    noise: str
    n: int
    bound: float | None

    @property
    def name(self) -> str:
        seeds = f"{self.n} seeds" if self.n else "looks"
        return f"{self.path.decision}; {self.path.truth}; {self.noise}; {seeds}"


def simulate(cell: Cell, experiments: int = EXPERIMENTS) -> float:
    """The share of the counted outcomes."""
    n = cell.n or cell.path.looks[-1]
    # Seeded by the cell's own name: adding one moves no other.
    rng = np.random.default_rng(list(cell.name.encode()))
    arms = cell.path.draw(rng, NOISE[cell.noise], experiments, n)
    judge, counted = cell.path.judge, cell.path.counted
    if cell.n:
        outcomes = [judge(row, 0.05).outcome for row in arms]
    else:
        looks = cell.path.looks
        outcomes = [looked_at(lambda n, level, row=row: judge(row[:, :n], level), looks).outcome for row in arms]
    return sum(outcome in counted for outcome in outcomes) / experiments


def looked_at(decide: Callable[[int, float], Verdict], planned: tuple[int, ...] = LOOKS) -> Verdict:
    """pytest_claims.stats.sequential without its p-values over all looks, which cost more than all else."""
    for n in planned:
        verdict = decide(n, Level.of(planned, n))
        if verdict.outcome != Outcome.INCONCLUSIVE:
            break
    return verdict


def _two(shift: float) -> Draw:
    """Two arms whose differences carry the noise."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        differences = noise(rng, (experiments, n)) + shift
        return np.stack([differences, np.zeros_like(differences)], axis=1)

    return draw


def _several(*shifts: float) -> Draw:
    """Arms of which the first carries the noise; differences from it have standard deviation 1."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        first = noise(rng, (experiments, 1, n)) * np.sqrt(0.8)
        others = rng.normal(size=(experiments, len(shifts) - 1, n)) * np.sqrt(0.2)
        return np.concatenate([first, others], axis=1) + np.array(shifts)[:, None]

    return draw


def _named(arms: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip("abcdefgh", arms, strict=False))


def _superiority(margin: float) -> Judge:
    return lambda arms, alpha: superiority(*arms, margin=margin, alpha=alpha)


def _equivalence(within: float) -> Judge:
    return lambda arms, alpha: equivalence(*arms, within=within, alpha=alpha)


def _no_difference(within: float) -> Judge:
    return lambda arms, alpha: no_difference(_named(arms), within=within, alpha=alpha)


def _some_difference(beyond: float) -> Judge:
    return lambda arms, alpha: some_difference(_named(arms), beyond=beyond, alpha=alpha)


def _best(margin: float) -> Judge:
    return lambda arms, alpha: best_of(_named(arms), best="a", margin=margin, alpha=alpha)


def _ranking(margin: float) -> Judge:
    return lambda arms, alpha: ranking(_named(arms), order=list(_named(arms)), margin=margin, alpha=alpha)


def _crossover(margin: float) -> Judge:
    def judge(arms: np.ndarray, alpha: float) -> Verdict:
        return crossover(_named(arms), first=("a", "b"), second=("c", "d"), margin=margin, alpha=alpha)

    return judge


LEVELS = (1, 2, 4, 8)


def _trend(margin: float) -> Judge:
    return lambda arms, alpha: trend(LEVELS, arms.T, direction=1, margin=margin, alpha=alpha)


def _never_falls(margin: float) -> Judge:
    return lambda arms, alpha: never_falls(LEVELS[: len(arms)], arms.T, margin=margin, alpha=alpha)


def _spans(margin: float) -> Judge:
    return lambda arms, alpha: spans(_named(arms), wide="abc", narrow="def", margin=margin, alpha=alpha)


def _rounded(margin: float) -> Judge:
    """Of accuracies of which one test image counts for 1 point."""
    return lambda arms, alpha: superiority(*arms, margin=margin, alpha=alpha, resolution=1.0)


def _spread(margin: float) -> Judge:
    return lambda arms, alpha: spread(_named(arms), steady="a", margin=margin, alpha=alpha)


def _groups(means: tuple[float, ...], scale: float = 1.0) -> Draw:
    """Two groups of three arms; those of the first vary `scale` times as much."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        arms = rng.normal(size=(experiments, 6, n))
        if noise in (NOISE["normal"], NOISE["t(4)"]):
            arms = noise(rng, arms.shape)
        else:
            # One such arm in either group.
            arms[:, 0], arms[:, 3] = noise(rng, (2, experiments, n))
        arms[:, :3] *= scale
        return arms + np.array(means)[:, None]

    return draw


def _ties(values: tuple[float, ...], shares: tuple[float, ...]) -> Draw:
    """Two arms with differences of these values alone, whole numbers of test images."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        differences = rng.choice(values, p=shares, size=(experiments, n))
        return np.stack([60 + differences, np.full_like(differences, 60.0)], axis=1)

    return draw


def _scaled(*scales: float) -> Draw:
    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        return noise(rng, (experiments, len(scales), n)) * np.array(scales)[:, None]

    return draw


def _epochs(base: float, sd: float, *, ahead: float = 0.0, times: int = 1) -> Draw:
    """Epochs to an accuracy of two arms, near base; the logarithms of the second are `ahead` doublings larger, and its
    whole epochs `times` as many."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        doublings = sd * noise(rng, (experiments, 2, n)) + np.array([0.0, ahead])[:, None]
        return np.maximum(1, np.ceil(base * 2.0**doublings)) * np.array([1, times])[:, None]

    return draw


def _faster(factor: float, last: float = np.inf) -> Judge:
    """Runs that would take longer are censored at the last epoch."""
    return lambda arms, alpha: faster(*np.minimum(arms, last), factor=factor, collapsed=tuple(arms > last), alpha=alpha)


# Of claims about arms that may collapse.
LATE = tuple(look for look in LOOKS if look >= LOOK_BESIDE_COLLAPSES)


def _collapsing(better: float, worse: float, ahead: float = 0.0) -> Draw:
    """Two arms near 60 % that fall to 10 % at these rates; the first is otherwise `ahead`."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        fallen = rng.random((experiments, 2, n)) < np.array([better, worse])[:, None]
        trained = 60 + noise(rng, (experiments, 2, n)) + np.array([ahead, 0.0])[:, None]
        return np.where(fallen, 10 + 0.3 * rng.normal(size=fallen.shape), trained)

    return draw


def _all_collapsing(rate: float, arms: int) -> Draw:
    """Equal arms near 60 % that fall to 10 % at this rate."""

    def draw(rng: np.random.Generator, noise: Noise, experiments: int, n: int) -> np.ndarray:
        fallen = rng.random((experiments, arms, n)) < rate
        return np.where(fallen, 10 + 0.3 * rng.normal(size=fallen.shape), 60 + noise(rng, fallen.shape))

    return draw


def _flags(arms: np.ndarray) -> tuple[np.ndarray, ...]:
    none = np.zeros(arms.shape[-1], dtype=bool)
    return tuple(collapse(arm, chance=10, test_images=10_000, diverged=none) for arm in arms)


def _guarded(margin: float) -> Judge:
    return lambda arms, alpha: superiority(*arms, margin=margin, collapsed=_flags(arms), alpha=alpha)


# Decisions beside collapsed runs, by name: the number of arms, the decision.
_BESIDE_COLLAPSES: dict[str, tuple[int, Judge]] = {
    "within d, called larger": (
        2,
        lambda arms, alpha: equivalence(*arms, within=2, collapsed=_flags(arms), alpha=alpha),
    ),
    "no difference of five, called larger": (
        5,
        lambda arms, alpha: no_difference(_named(arms), within=2, collapsed=_named(_flags(arms)), alpha=alpha),
    ),
    "never falls, called larger": (
        4,
        lambda arms, alpha: never_falls(LEVELS, arms.T, margin=2, collapsed=np.stack(_flags(arms), 1), alpha=alpha),
    ),
    "best of four": (
        4,
        lambda arms, alpha: best_of(_named(arms), best="a", margin=2, collapsed=_named(_flags(arms)), alpha=alpha),
    ),
    "trend": (
        4,
        lambda arms, alpha: trend(
            LEVELS, arms.T, direction=1, margin=2, collapsed=np.stack(_flags(arms), 1), alpha=alpha
        ),
    ),
}


FALSE = [
    Path("one arm beats another", "no effect", _two(0), _superiority(1), SHOWN),
    Path("one arm beats another", "an effect of the margin", _two(1), _superiority(1), EXCLUDED),
    Path("within d", "a difference of d = 1", _two(1), _equivalence(1), EXCLUDED),
    Path("within d", "a difference of d = 1, called larger", _two(1), _equivalence(1), SHOWN),
    Path("within d", "a difference of d = 0.1, called larger", _two(0.1), _equivalence(0.1), SHOWN),
    Path("no difference", "three arms at 0, d, d/2", _several(0, 1, 0.5), _no_difference(1), EXCLUDED),
    Path("no difference", "three arms at 0, d, 0, called larger", _several(0, 1, 0), _no_difference(1), SHOWN),
    Path("some difference", "three arms at 0, d, d/2", _several(0, 1, 0.5), _some_difference(1), EXCLUDED),
    Path("some difference", "three arms at 0, d, 0, called larger", _several(0, 1, 0), _some_difference(1), SHOWN),
    Path("best of four", "level with one rival", _several(0, 0, -20, -20), _best(1), SHOWN),
    Path("best of four", "ahead by the margin", _several(0, -1, -1, -1), _best(1), EXCLUDED),
    Path("ranking of three", "the first two level", _several(0, 0, -20), _ranking(1), SHOWN),
    Path("ranking of three", "steps of the margin", _several(0, -1, -2), _ranking(1), EXCLUDED),
    Path("crossover", "one network without a lead", _several(0, 0, 0, -20), _crossover(1), SHOWN),
    Path("crossover", "leads of the margin", _several(0, -1, 0, -1), _crossover(1), EXCLUDED),
    Path("trend", "flat", _several(0, 0, 0, 0), _trend(1), SHOWN),
    Path("trend", "a hump, ends level", _several(0, -9, 9, 0), _trend(1), SHOWN),
    Path("trend", "ends rise, slope flat", _several(0, 9, -9, 6), _trend(1), SHOWN),
    Path("trend", "a rise of the margin", _several(0, 1 / 3, 2 / 3, 1), _trend(1), EXCLUDED),
    Path("never falls", "a fall of the margin", _several(0, -1, 5, 9), _never_falls(1), EXCLUDED),
    Path("never falls", "a fall of the margin, called larger", _several(0, -1, 0, -1), _never_falls(1), SHOWN),
    Path("spans less", "equal spans of three arms", _groups((0, 1, 0.5, 0, 1, 0.5)), _spans(1), SHOWN),
    Path("spans less", "equal means, 2.4 times the noise", _groups((0,) * 6, 2.4), _spans(1), SHOWN),
    Path("spans less", "a span larger by the margin", _groups((0, 2, 1, 0, 1, 0.5)), _spans(1), EXCLUDED),
    # Whole epochs: with few of them most seeds are equal, with more some are censored (one run in seven of the normal).
    Path("faster to", "equal arms near 3 epochs", _epochs(2.5, 0.25), _faster(2), SHOWN),
    Path("faster to", "equal arms near 8 epochs, trained for 10", _epochs(8, 0.3), _faster(2, 10), SHOWN),
    Path("faster to", "3 and 6 epochs, the margin", _epochs(2.5, 0.25, times=2), _faster(2), EXCLUDED),
    Path(
        "faster to", "8 and 16 epochs, the margin, trained for 20", _epochs(8, 0.3, times=2), _faster(2, 20), EXCLUDED
    ),
]

# No noise but that of the draw. Where a few images decide, most seeds are equal, and a t test takes that for certainty.
TIES = [
    Path(decision, truth, _ties(values, shares), _rounded(margin), counts)
    for decision, truth, values, shares, margin, counts in [
        (TIED, "no effect: 0 or an image either way", (-1.0, 0.0, 1.0), (0.15, 0.7, 0.15), 1.0, SHOWN),
        (TIED, "no effect: 3 images, or 1 lost", (3.0, 0.0, -1.0), (0.1, 0.6, 0.3), 1.0, SHOWN),
        (TIED, "the margin of .25 images: 0 or 1", (0.0, 1.0), (0.75, 0.25), 0.25, EXCLUDED),
        (TIED, "the margin of .5 images: 0 or 1", (0.0, 1.0), (0.5, 0.5), 0.5, EXCLUDED),
    ]
]

# Fewer seeds decide nothing about spreads, so that they have one look.
_spread_path = functools.partial(Path, "spread", looks=LOOKS[-1:])
SPREAD = [
    _spread_path("equal spreads", _scaled(1, 1), _spread(1), SHOWN),
    _spread_path("twice the spread, the margin", _scaled(1, 2), _spread(1), EXCLUDED),
    _spread_path("one of three others as steady", _scaled(1, 1, 4, 4), _spread(1), SHOWN),
    _spread_path("three others with twice the spread, the margin", _scaled(1, 2, 2, 2), _spread(1), EXCLUDED),
]

# Collapse rates, better and worse arm: the first is no better, and collapses no less often.
COLLAPSE = [
    Path(
        "one arm beats another",
        f"collapse rates {better:g} and {worse:g}, else no effect",
        _collapsing(better, worse),
        _guarded(2),
        SHOWN,
    )
    for better, worse in [(0.05, 0.05), (0.2, 0.2), (0.5, 0.5), (0.4, 0.2), (0.9, 0.5)]
]
COLLAPSE += [
    Path(name, f"every arm collapses at rate {rate:g}", _all_collapsing(rate, count), judge, SHOWN)
    for name, (count, judge) in _BESIDE_COLLAPSES.items()
    # Ten pairs take long, so they get one rate.
    for rate in ((0.3,) if "five" in name else (0.1, 0.3, 0.5))
]

COLLAPSE += [
    dataclasses.replace(path, truth=f"{path.truth}; looks at 10, 14, 20", looks=LATE)
    for path in COLLAPSE
    if path.decision == "one arm beats another"
]

# No promise: means made equal by an advantage and by collapses that few seeds may not show.
UNSEEN = [
    Path(
        "one arm beats another",
        f"collapses in {rate:.0%} and is ahead by as much otherwise",
        _collapsing(rate, 0.0, ahead=50 * rate / (1 - rate)),
        _guarded(2),
        SHOWN,
    )
    for rate in (0.1, 0.2, 0.3)
]
# The rule for arms that may collapse: no look before 10 seeds.
UNSEEN += [dataclasses.replace(path, truth=f"{path.truth}; looks at 10, 14, 20", looks=LATE) for path in UNSEEN]
# The same the other way: a real effect that is made of collapses which few seeds may not show.
UNSEEN += [
    Path(
        "one arm beats another",
        f"the other collapses in {rate:.0%}, half of that effect is the margin",
        _collapsing(0.0, rate),
        _guarded(25 * rate),
        EXCLUDED,
    )
    for rate in (0.1, 0.2, 0.3)
]


def _power(n: int) -> list[Path]:
    """Every path where its truth is as far off as this n should find: from detectable(), misses shared over parts."""
    alpha = Level.of(LOOKS, LOOKS[-1]) if not n else 0.05
    seeds = n or LOOKS[-1]

    def far(parts: int = 1, level: float = alpha) -> float:
        # What a verdict names as detectable. Looks before the last help a little and never hurt.
        return detectable(1.0, seeds, parts=parts, alpha=level)

    one, both, three = far(), far(2), far(3)
    paths = [
        ("one arm beats another", f"effect {one:.2f}", _two(one), _superiority(one), SHOWN),
        ("one arm beats another", "no effect, of such a margin", _two(0), _superiority(one), EXCLUDED),
        ("within d", f"equal arms, d {both:.2f}", _two(0), _equivalence(both), EXCLUDED),
        ("within d", "twice d", _two(2 * far(level=split(alpha, 2))), _equivalence(far(level=split(alpha, 2))), SHOWN),
        (
            "no difference",
            "one arm twice d away",
            _several(2 * far(level=split(alpha, 6)), 0, 0),
            _no_difference(far(level=split(alpha, 6))),
            SHOWN,
        ),
        ("ranking of three", "no steps", _several(0, 0, 0), _ranking(far(level=split(alpha, 2))), EXCLUDED),
        ("crossover", "no leads", _several(0, 0, 0, 0), _crossover(far(level=split(alpha, 2))), EXCLUDED),
        ("no difference", f"equal arms, d {far(6):.2f}", _several(0, 0, 0), _no_difference(far(6)), EXCLUDED),
        ("best of four", f"leads {three:.2f}", _several(0, *[-three] * 3), _best(three), SHOWN),
        (
            "best of four",
            "no lead, of such a margin",
            _several(0, 0, -9, -9),
            _best(far(level=split(alpha, 3))),
            EXCLUDED,
        ),
        ("ranking of three", f"steps {both:.2f}", _several(0, -both, -2 * both), _ranking(both), SHOWN),
        ("crossover", f"leads {both:.2f}", _several(0, -both, 0, -both), _crossover(both), SHOWN),
        ("trend", f"rise {both:.2f}", _several(*np.linspace(0, both, 4)), _trend(both), SHOWN),
        ("trend", "flat, of such a margin", _several(0, 0, 0, 0), _trend(one), EXCLUDED),
        ("never falls", f"flat, margin {far(6):.2f}", _several(0, 0, 0, 0), _never_falls(far(6)), EXCLUDED),
        (
            "never falls",
            "a fall of twice the margin",
            _several(0, 2 * far(level=split(alpha, 6)), 0, 0),
            _never_falls(far(level=split(alpha, 6))),
            SHOWN,
        ),
    ]
    return [Path(*path, section="power") for path in paths]


def cells() -> Iterator[Cell]:
    """Every cell, in the order of the table."""
    promised = [noise for noise, bound in BOUND.items() if bound]
    for path in FALSE:
        simple = path.decision in ("one arm beats another", "within d")
        for noise, n in itertools.product(promised, (3, 5, 10, 20, 0) if simple else (5, 20, 0)):
            yield Cell(path, noise, n, BOUND[noise])
        if not simple:
            yield Cell(path, "normal", 3, BOUND["normal"])
    for path, noise, n in itertools.product(SPREAD, promised, (fewest_for_spread(), 0)):
        yield Cell(path, noise, n, BOUND[noise])
    for path, n in itertools.product(TIES, (3, 5, 10, 20, 0)):
        yield Cell(path, "normal", n, BEYOND_NORMAL)
    for path, n in itertools.product(COLLAPSE, (3, 5, 20, 0)):
        if not n or path.looks == LOOKS:
            yield Cell(path, "normal", n, BEYOND_NORMAL)
    for n in (3, 5, 10, 20, 0):
        for path in _power(n):
            yield Cell(path, "normal", n, POWER_FLOOR)
    steady = Path("spread", "half the spread", _scaled(1, 2), _spread(1), SHOWN, section="power")
    yield Cell(steady, "normal", fewest_for_spread(), POWER_FLOOR)
    for n in (3, 5, 10, 20, 0):
        # So many epochs that whole ones hide nothing; either arm has half of the variance.
        ahead = 0.5 * detectable(1.0, n or LOOKS[-1], alpha=0.05 if n else Level.of(LOOKS, LOOKS[-1]))
        draw = _epochs(500, 0.5 / np.sqrt(2), ahead=ahead)
        fast = Path("faster to", f"{ahead:.2f} doublings", draw, _faster(2**ahead), SHOWN, section="power")
        yield Cell(fast, "normal", n, POWER_FLOOR)
    # Measured, not promised.
    for n in (3, 5, 10, 20, 0):
        yield Cell(FALSE[0], "skewness -2", n, None)
    for path, n in itertools.product(UNSEEN, (5, 10, 20, 0)):
        if not n or path.looks == LOOKS:
            yield Cell(path, "normal", n, None)
