"""Decision procedures: arrays of per-seed accuracies in, a Verdict out. Never sees a model, never writes a sentence.

Accuracies are float arrays in percent, effects and margins in points; arms are paired by position, which is the seed.
The rules are written out in docs/verdicts.md.
"""

from pytest_claims.stats.collapses import at_chance, collapse, not_comparable
from pytest_claims.stats.equality import equivalence, no_difference, some_difference
from pytest_claims.stats.interval import agreement, in_order_of_seeds
from pytest_claims.stats.leads import best_of, crossover, interaction, ranking, superiority
from pytest_claims.stats.levels import never_falls, trend
from pytest_claims.stats.looks import ALPHA, LOOKS, Level, nominal_levels, over_looks, overall_p, sequential, split
from pytest_claims.stats.multiplicity import benjamini_hochberg, holm
from pytest_claims.stats.power import detectable, seeds_for, seeds_to_settle
from pytest_claims.stats.spans import spans
from pytest_claims.stats.speed import faster
from pytest_claims.stats.spreads import fewest_for_spread, spread

__all__ = [
    "ALPHA",
    "LOOKS",
    "Level",
    "agreement",
    "at_chance",
    "benjamini_hochberg",
    "best_of",
    "collapse",
    "crossover",
    "detectable",
    "equivalence",
    "faster",
    "fewest_for_spread",
    "holm",
    "in_order_of_seeds",
    "interaction",
    "never_falls",
    "no_difference",
    "nominal_levels",
    "not_comparable",
    "over_looks",
    "overall_p",
    "ranking",
    "seeds_for",
    "seeds_to_settle",
    "sequential",
    "some_difference",
    "spans",
    "split",
    "spread",
    "superiority",
    "trend",
]
