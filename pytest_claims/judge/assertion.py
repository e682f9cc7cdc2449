"""What an assertion of the lab says: the arms that it compares, how it decides on them, what the source documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from pytest_claims.judge.kinds import kind_of
from pytest_claims.judge.metric import Metric
from pytest_claims.stats import interaction, superiority
from pytest_claims.types import Confounded, Confounder, Verdict

Name = Hashable
# What was measured of the arms, float64 [seeds] by label; and which of these runs collapsed, bool [seeds] by label.
Samples = Mapping[str, np.ndarray]
Flags = Mapping[str, np.ndarray]
# A contrast of arms: of their samples it gives one value a seed, of their documented figures the documented one.
Contrast = Callable[[Mapping[Name, Any]], Any]


# Decides on the arms of an assertion, from their samples by label. Keywords: collapsed (flags by label), alpha (level
# of each one-sided bound), and, where accuracies are compared, resolution (what one test image counts for, points).
Decide = Callable[..., Verdict]


@dataclasses.dataclass(frozen=True)
class Assertion:
    """kind: of claim, a name in judge/kinds.py. arms: all that are judged, in the order of the report. procedure: the
    verdict on them.

    effect: what the verdict's effect measures, in words. contrast: what the source's figures are held against, linear
    in the arms, None where they say nothing of it; compared: what it is, in words, where it is not the effect;
    chosen_from: the number of contrasts among which the source's own figures chose it. The documented contrast is known
    where the source gives a figure for every arm that it looks up. contrasted: the arms that the words of the effect
    name. beside: arms that decide nothing; where nothing is trained, they may be missing from the samples, and from
    arms. metric: what is compared, where the assertion itself says it and not the claim. rounded: whether the procedure
    takes a resolution. Raises ValueError for an unknown kind.
    """

    kind: str
    arms: tuple[Name, ...]
    procedure: Decide
    effect: str
    contrast: Contrast | None = None
    compared: str = ""
    chosen_from: int = 1
    contrasted: tuple[Name, ...] = ()
    beside: tuple[Name, ...] = ()
    metric: Metric | None = None
    rounded: bool = True

    def __post_init__(self) -> None:
        kind_of(self.kind)

    @property
    def deciding(self) -> tuple[Name, ...]:
        """Those of arms that the verdict rests on: all of them have their runs, where those beside may be missing."""
        return tuple(name for name in self.arms if name not in self.beside)

    def weights(self) -> dict[Name, float]:
        """What the contrast multiplies each arm by; none where there is no contrast."""
        if self.contrast is None:
            return {}
        return {name: float(self.contrast({other: float(other == name) for other in self.arms})) for name in self.arms}

    def documented(self, figures: Mapping[Name, float]) -> float | None:
        """The documented contrast, from the figures of those arms that have one; None where one is missing."""
        if self.contrast is None:
            return None
        try:
            return float(self.contrast(figures))
        except KeyError:
            return None


def label(name: Name) -> str:
    """An arm's name for people: ("relu", 4) reads "relu 4"."""
    return " ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


def minus(first: Name, second: Name) -> str:
    """The difference of two arms in words."""
    return f"{label(first)} − {label(second)}"


def difference(first: Name, second: Name) -> Contrast:
    """The first arm less the second."""
    return lambda of: of[first] - of[second]


def of_pair(decide: Callable[..., Verdict], first: str, second: str, **options: Any) -> Decide:
    """The procedure that decides on two arms of these labels by superiority() or its like."""

    def procedure(arms: Samples, /, *, collapsed: Flags, **at: Any) -> Verdict:
        flags, names = (collapsed[first], collapsed[second]), (first, second)
        return decide(arms[first], arms[second], collapsed=flags, names=names, **at, **options)

    return procedure


def confounded(
    confounder: Confounder, pair: tuple[Name, Name], margin: float, samples: Samples, collapsed: Flags, **at: Any
) -> Confounded | None:
    """What came of a confounder of the effect of a pair of arms; None where an arm of it has no samples.

    samples, collapsed, at: as Decide takes them.
    """
    under = label(confounder.better), label(confounder.worse)
    claimed = label(pair[0]), label(pair[1])
    if not set(under) <= set(samples):
        return None

    def of(names: tuple[str, str], found: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return found[names[0]], found[names[1]]

    flags = of(under, collapsed)
    effect = superiority(*of(under, samples), margin=margin, collapsed=flags, names=under, **at)
    removed = interaction(
        of(claimed, samples),
        of(under, samples),
        margin=margin,
        collapsed=(of(claimed, collapsed), flags),
        names=(*claimed, *under),
        **at,
    )
    return Confounded(confounder.factor, confounder.change, effect, removed, confounder.instead_of)


def along(decide: Callable[..., Verdict], levels: Sequence[float], **options: Any) -> Decide:
    """The procedure that decides on arms along levels by trend() or its like."""

    def procedure(arms: Samples, /, *, collapsed: Flags, **at: Any) -> Verdict:
        return decide(levels, columns(arms), collapsed=columns(collapsed), **at, **options)

    return procedure


def columns(arms: Mapping[str, np.ndarray]) -> np.ndarray:
    """[seeds, arms]."""
    return np.stack(list(arms.values()), axis=1)
