"""A whole session: how often any claim is called red, and how many of those called reproduced are not."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable

import numpy as np

from calibration.cells import looked_at
from pytest_claims.stats import (
    LOOKS,
    benjamini_hochberg,
    best_of,
    crossover,
    equivalence,
    holm,
    never_falls,
    no_difference,
    over_looks,
    ranking,
    spread,
    superiority,
    trend,
)
from pytest_claims.types import Outcome, Verdict

RED = (Outcome.TOO_SMALL, Outcome.CONTRADICTED)
# One noisy arm a level of two networks, as in a table of batch sizes.
LEVELS = (2, 4, 8, 16, 32)


Judge = Callable[[np.ndarray, np.ndarray, float], Verdict]


def beats(level: int, margin: float = 1) -> Judge:
    """The claim that the first network beats the second at a level."""
    return lambda one, two, alpha: superiority(one[level], two[level], margin=margin, alpha=alpha)


def _named(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    return {"a": one[0], "b": two[0], "c": two[1]}


def _ranked(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    return {"a": one[-1], "b": one[0], "c": two[0]}


def _crossed(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    return {"a": one[0], "b": two[0], "c": one[1], "d": two[1]}


BEATS = [beats(level) for level in range(len(LEVELS))]
# Claims of every kind on the same arms, all just true where one network is ahead by 1 to 2.
CLAIMS: list[Judge] = [
    *BEATS,
    lambda one, two, alpha: equivalence(one[0], two[0], within=1, alpha=alpha),
    lambda one, two, alpha: no_difference(_named(one, two), within=1, alpha=alpha),
    lambda one, two, alpha: best_of(_named(one, two), best="a", margin=1, alpha=alpha),
    lambda one, two, alpha: trend(LEVELS, one.T - two.T, direction=1, margin=1, alpha=alpha),
    lambda one, two, alpha: never_falls(LEVELS, one.T, margin=1, alpha=alpha),
    lambda one, two, alpha: ranking(_ranked(one, two), order="abc", margin=1, alpha=alpha),
    lambda one, two, alpha: crossover(_crossed(one, two), first=("a", "b"), second=("c", "d"), margin=1, alpha=alpha),
    lambda one, two, alpha: spread({"a": one[2], "b": 2 * two[2]}, steady="a", margin=1, alpha=alpha),
]


@dataclasses.dataclass(frozen=True)
class Called:
    """What one claim of a session came to, and its evidence over all looks; 1 where it is not called so."""

    outcome: Outcome
    p_holds: float
    p_fails: float


def called(claims: list[Judge], first: np.ndarray, second: np.ndarray, looks: bool) -> list[Called]:
    """The verdicts of one session on the arms [levels, n] of two networks, as the summary counts them."""

    def of(judge: Judge) -> Called:
        planned = LOOKS if looks else LOOKS[-1:]
        verdict = looked_at(lambda n, level: judge(first[:, :n], second[:, :n], level), planned)
        # Over all looks only the evidence that is used.
        n, held, red = verdict.n, verdict.outcome == Outcome.REPRODUCED, verdict.outcome in RED
        p_holds = over_looks(verdict.p_holds, verdict.holds_by, n, planned) if held else 1.0
        p_fails = over_looks(verdict.p_fails, verdict.fails_by, n, planned) if red else 1.0
        return Called(verdict.outcome, p_holds, p_fails)

    return [of(judge) for judge in claims]


def any_red(looks: bool, experiments: int) -> float:
    """How often Holm leaves any claim red, where every claim is just true: all effects are of the margin."""
    # statsmodels collects garbage at every correction, which takes 50 ms unless what is there is set aside.
    gc.freeze()
    rng = np.random.default_rng([int(looks), 1])
    red = 0
    for _ in range(experiments):
        first, second = rng.normal(size=(2, len(LEVELS), LOOKS[-1])) / np.sqrt(2)
        # Ahead by 1 at the first level and by 2 at the last, in steps of which none falls.
        found = called(CLAIMS, first + np.linspace(1, 2, len(LEVELS))[:, None], second, looks)
        red += any(p <= 0.05 for p in holm([claim.p_fails for claim in found]))
    gc.unfreeze()
    return red / experiments


def false_share(looks: bool, experiments: int) -> float:
    """The mean share of false ones among what Benjamini-Hochberg calls reproduced, where 3 of 5 effects are none, and
    two that are there are claimed in ten other ways to be larger than they are."""
    rng = np.random.default_rng([int(looks), 2])
    share = 0.0
    effects = np.array([0.0, 0.0, 0.0, 1.5, 1.5])
    claims = BEATS + [beats(level, margin) for level in (3, 4) for margin in (4, 5, 6, 7, 8)]
    for _ in range(experiments):
        first, second = rng.normal(size=(2, len(LEVELS), LOOKS[-1])) / np.sqrt(2)
        found = called(claims, first + effects[:, None], second, looks)
        reproduced = [p <= 0.05 for p in benjamini_hochberg([claim.p_holds for claim in found])]
        share += sum(reproduced[:3]) / max(1, sum(reproduced))
    return share / experiments
