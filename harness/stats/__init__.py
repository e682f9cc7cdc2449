"""Decision procedures: arrays of per-seed accuracies in, a Verdict out. Never sees a model.

Accuracies are float arrays in percent, effects and margins in points; arms are paired by position, which is the seed.
The rules are written out in docs/verdicts.md.
"""

from harness.stats._agreement import agreement
from harness.stats._along import never_falls, trend
from harness.stats._among import best_of, no_difference
from harness.stats._collapse import collapse, not_on_collapses
from harness.stats._pairs import equivalence, superiority
from harness.stats._power import seeds_to_settle

__all__ = [
    "agreement",
    "best_of",
    "collapse",
    "equivalence",
    "never_falls",
    "no_difference",
    "not_on_collapses",
    "seeds_to_settle",
    "superiority",
    "trend",
]
