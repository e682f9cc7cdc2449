"""A whole session: how often any claim is called red, and how many of those called reproduced are not."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np

from harness.claim import Outcome, Verdict
from harness.stats import (
    LOOKS,
    benjamini_hochberg,
    best_of,
    equivalence,
    holm,
    never_falls,
    no_difference,
    sequential,
    superiority,
    trend,
)

RED = (Outcome.TOO_SMALL, Outcome.CONTRADICTED)
# One noisy arm a level of two networks, as in a table of batch sizes.
LEVELS = (2, 4, 8, 16, 32)


Judge = Callable[[np.ndarray, np.ndarray, float], Verdict]


def beats(level: int) -> Judge:
    """The claim that the first network beats the second at a level."""
    return lambda one, two, alpha: superiority(one[level], two[level], margin=1, alpha=alpha)


def _named(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    return {"a": one[0], "b": two[0], "c": two[1]}


BEATS = [beats(level) for level in range(len(LEVELS))]
# Ten claims of every kind on the same arms.
CLAIMS: list[Judge] = [
    *BEATS,
    lambda one, two, alpha: equivalence(one[0], two[0], within=1, alpha=alpha),
    lambda one, two, alpha: no_difference(_named(one, two), within=1, alpha=alpha),
    lambda one, two, alpha: best_of(_named(one, two), best="a", margin=1, alpha=alpha),
    lambda one, two, alpha: trend(LEVELS, one.T - two.T, direction=1, margin=1, alpha=alpha),
    lambda one, two, alpha: never_falls(LEVELS, one.T, margin=1, alpha=alpha),
]


def verdicts(claims: list[Judge], first: np.ndarray, second: np.ndarray, looks: bool) -> list[Verdict]:
    """The verdicts of one session on the arms [levels, n] of two networks."""

    def decided(judge: Judge) -> Verdict:
        if looks:
            return sequential(lambda n, level: judge(first[:, :n], second[:, :n], level), LOOKS)
        return judge(first, second, 0.05)

    return [decided(judge) for judge in claims]


def any_red(looks: bool, experiments: int) -> float:
    """How often Holm leaves any claim red, where every claim is just true: all effects are of the margin."""
    # statsmodels collects garbage at every correction, which takes 50 ms unless what is there is set aside.
    gc.freeze()
    rng = np.random.default_rng([int(looks), 1])
    red = 0
    for _ in range(experiments):
        first, second = rng.normal(size=(2, len(LEVELS), LOOKS[-1])) / np.sqrt(2)
        # Ahead by 1 at every level; the gap widens by 1; no step falls.
        found = verdicts(CLAIMS, first + np.linspace(1, 2, len(LEVELS))[:, None], second, looks)
        adjusted = holm([verdict.p_fails for verdict in found])
        red += any(v.outcome in RED and p <= 0.05 for v, p in zip(found, adjusted, strict=True))
    gc.unfreeze()
    return red / experiments


def false_share(looks: bool, experiments: int) -> float:
    """The mean share of false ones among what Benjamini-Hochberg calls reproduced, where 3 of 5 effects are none."""
    rng = np.random.default_rng([int(looks), 2])
    share = 0.0
    effects = np.array([0.0, 0.0, 0.0, 1.5, 1.5])
    for _ in range(experiments):
        first, second = rng.normal(size=(2, len(LEVELS), LOOKS[-1])) / np.sqrt(2)
        found = verdicts(BEATS, first + effects[:, None], second, looks)
        adjusted = benjamini_hochberg([verdict.p_holds for verdict in found])
        held = (Outcome.REPRODUCED, Outcome.TOO_SMALL)
        called = [v.outcome in held and p <= 0.05 for v, p in zip(found, adjusted, strict=True)]
        false = sum(c for c, effect in zip(called, effects, strict=True) if effect == 0)
        share += false / max(1, sum(called))
    return share / experiments
