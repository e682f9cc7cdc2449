"""Designs of looks compared: how many seeds each needs, what it finds, and how often it errs.

One arm against another, by superiority's rule without sign flips: a claim stops when L > 0 or U < margin. Differences
have standard deviation 1. An experiment is drawn once and judged by every design, so that their differences are known
better than the numbers themselves. All is vectorised: 100,000 experiments a cell, in chunks.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import special

from calibration.noise import NOISE
from calibration.record import FOLDER
from pytest_claims.stats import nominal_levels
from pytest_claims.stats.interval import half_width, hall_inverse

EXPERIMENTS = 100_000
_CHUNK = 20_000
# Seeds are trained side by side in blocks.
BLOCK = 5
# The margin of claim D in standard deviations of a paired difference, and effects in margins.
WIDE = 2.6
EFFECTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
# Margins, in standard deviations, at which claims of an effect of the margin are followed.
INFLATED = (0.6, 1.0, WIDE)

# Of the part of the seeds that were seen, and of alpha: how much of it may be spent so far.
Spending = Callable[[float, float], float]


def obrien_fleming(fraction: float, alpha: float) -> float:
    """Resembles O'Brien and Fleming's bounds (Lan & DeMets, Biometrika, 1983)."""
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(fraction)))


def pocock(fraction: float, alpha: float) -> float:
    """Resembles Pocock's bounds (Lan & DeMets, Biometrika, 1983)."""
    return alpha * math.log(1 + (math.e - 1) * fraction)


def kim_demets(fraction: float, alpha: float) -> float:
    """alpha times the square of the fraction (Kim & DeMets, Biometrika, 1987, with rho = 2)."""
    return alpha * fraction**2


@dataclasses.dataclass(frozen=True)
class Design:
    """looks: numbers of seeds. alpha: one-sided, that spending shares out. cap: by how much Hall's correction for
    skewness may widen a bound of Student's t, at most; 1 is t alone, infinity is Hall's own cubic wherever it leads."""

    name: str
    looks: tuple[int, ...]
    spending: Spending
    alpha: float
    cap: float

    @property
    def levels(self) -> tuple[float, ...]:
        """The nominal one-sided level of each look."""
        return nominal_levels(self.looks, self.alpha, self.spending)


DESIGNS = (
    Design("O'Brien-Fleming-like, 5/10/20, t and Hall", (5, 10, 20), obrien_fleming, 0.05, math.inf),
    Design("Pocock-like, 5/10/20, t", (5, 10, 20), pocock, 0.05, 1.0),
    Design("Kim-DeMets 2, 5/10/20, t", (5, 10, 20), kim_demets, 0.05, 1.0),
    Design("Kim-DeMets 2, 5/7/10/14/20, alpha .045, Hall up to 1.5 t", (5, 7, 10, 14, 20), kim_demets, 0.045, 1.5),
    Design("Kim-DeMets 2, 5/7/10/14/20, alpha .045, Hall up to 2 t", (5, 7, 10, 14, 20), kim_demets, 0.045, 2.0),
    Design("Kim-DeMets 2, 5/10/15/20, alpha .045, Hall up to 1.5 t", (5, 10, 15, 20), kim_demets, 0.045, 1.5),
)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a design comes to. design: its name. levels: of its looks.

    seeds: mean number of them at each of EFFECTS, the margin being WIDE. trained: the same in whole blocks. power: at a
    margin of 1, CONTRADICTED at no effect, decided at half the margin, REPRODUCED at the margin; last, REPRODUCED at a
    margin of .6. errors: L > 0 at no effect where nothing else stops a claim, for normal noise and for skewness -1.
    inflation: mean of the claims that stopped with L > 0 over the true effect, which is the margin, for INFLATED.
    """

    design: str
    levels: tuple[float, ...]
    seeds: tuple[float, ...]
    trained: tuple[float, ...]
    power: tuple[float, float, float, float]
    errors: tuple[float, float]
    inflation: tuple[float, ...]

    def save(self) -> None:
        """As a file in the folder of the calibration."""
        folder = FOLDER / "designs"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(self.design.encode()).hexdigest()[:20]
        (folder / f"{name}.json").write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")


def saved() -> list[Measured]:
    """All that were measured, in the order of DESIGNS."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in (FOLDER / "designs").glob("*.json")]
    found = {each["design"]: Measured(**each) for each in read}
    return [found[design.name] for design in DESIGNS if design.name in found]


def measure(design: Design, experiments: int = EXPERIMENTS) -> Measured:
    """Every number of a design's rows."""

    def at(effect: float, margin: float, noise: str = "normal") -> _Came:
        return _simulate(design, effect, margin, noise, experiments)

    by_effect = [at(effect * WIDE, WIDE) for effect in EFFECTS]
    none, half, whole, small = at(0, 1), at(0.5, 1), at(1, 1), at(0.6, 0.6)
    # Nothing lies below this margin, so that no upper bound ends a claim.
    normal, skewed = (at(0, -math.inf, noise) for noise in ("normal", "skewness -1"))
    at_margin = [at(margin, margin) for margin in INFLATED]
    return Measured(
        design=design.name,
        levels=design.levels,
        seeds=tuple(float(came.seeds.mean()) for came in by_effect),
        trained=tuple(float((np.ceil(came.seeds / BLOCK) * BLOCK).mean()) for came in by_effect),
        power=(
            _share(none.excluded & ~none.shown),
            _share(half.shown | half.excluded),
            _share(whole.shown & ~whole.excluded),
            _share(small.shown & ~small.excluded),
        ),
        errors=(_share(normal.shown), _share(skewed.shown)),
        inflation=tuple(
            float(came.mean[came.shown].mean() / margin) for margin, came in zip(INFLATED, at_margin, strict=True)
        ),
    )


def _share(which: np.ndarray) -> float:
    return float(which.mean())


@dataclasses.dataclass(frozen=True)
class _Came:
    """What experiments came to, [experiments] each: seeds at the end, mean difference there, L > 0, U < margin."""

    seeds: np.ndarray
    mean: np.ndarray
    shown: np.ndarray
    excluded: np.ndarray


def _simulate(design: Design, effect: float, margin: float, noise: str, experiments: int) -> _Came:
    """Experiments at one truth, the same for every design."""
    # Seeded by the cell's own name.
    rng = np.random.default_rng(list(f"looks; effect {effect:g}; margin {margin:g}; {noise}".encode()))
    chunks = [
        judged(design, NOISE[noise](rng, (min(_CHUNK, experiments - start), design.looks[-1])) + effect, margin)
        for start in range(0, experiments, _CHUNK)
    ]
    return _Came(*(np.concatenate(parts) for parts in zip(*map(_fields, chunks), strict=True)))


def _fields(came: _Came) -> Iterator[np.ndarray]:
    return (getattr(came, field.name) for field in dataclasses.fields(came))


def judged(design: Design, differences: np.ndarray, margin: float) -> _Came:
    """differences: [experiments, seeds]."""
    count = len(differences)
    seeds, mean = np.zeros(count, dtype=int), np.zeros(count)
    shown, excluded, going = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
    for n, level in zip(design.looks, design.levels, strict=True):
        at = np.flatnonzero(going)
        seen = differences[at, :n]
        mean[at], seeds[at] = seen.mean(axis=1), n
        centred = seen - mean[at, None]
        sd = np.sqrt((centred**2).sum(axis=1) / (n - 1))
        skewness = (centred**3).sum(axis=1) * (n / ((n - 1) * (n - 2))) / sd**3
        half = float(special.stdtrit(n - 1, 1 - level)) / math.sqrt(n)
        shown[at] = mean[at] - widened(half, skewness, n, design.cap) * sd > 0
        excluded[at] = mean[at] + widened(half, -skewness, n, design.cap) * sd < margin
        going = ~(shown | excluded)
    return _Came(seeds, mean, shown, excluded)


def widened(half: float, skewness: np.ndarray, n: int, cap: float) -> np.ndarray:
    """Student's half-width of a lower bound, or Hall's for these skewnesses where it is wider, up to cap times."""
    if math.isfinite(cap):
        return half_width(half, skewness, n, cap)
    # The rule of old: Hall's cubic wherever it leads, also beyond its flat point.
    widened: np.ndarray = np.maximum(half, hall_inverse(half, skewness, n))
    return widened


def table(measured: Sequence[Measured]) -> list[str]:
    """Two tables in Markdown: seeds by effect; levels, power, errors and inflation."""
    seeds = [["Design", *(f"{effect:g} margins" for effect in EFFECTS)]]
    others = [
        ["Design", "Levels", "At 0", "At half", "At the margin", "The same, .6", "Normal", "Skewness -1", "Inflation"]
    ]
    for each in measured:
        pairs = zip(each.seeds, each.trained, strict=True)
        seeds.append([each.design, *(f"{mean:.1f} ({whole:.1f})" for mean, whole in pairs)])
        shares = [f"{100 * share:.1f} %" for share in (*each.power, *each.errors)]
        levels = " ".join(f"{level:.2g}" for level in each.levels)
        others.append([each.design, levels, *shares, " ".join(f"{ratio:.2f}" for ratio in each.inflation)])
    return [*_markdown(seeds), "", *_markdown(others)]


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = rows
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
