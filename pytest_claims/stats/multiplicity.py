"""Many claims in one session: what is left of their p-values when all of them are counted."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats
from statsmodels.stats.multitest import multipletests


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for the chance that any of them is false (Holm, Scand. J. Statist., 1979).

    Give those of every claim that could have come out so, not only of those that did: a list cut to the small ones
    hides how many chances there were. The adjusted ones hold under any dependence between claims (they share arms).
    Raises ValueError for a p outside [0, 1].
    """
    _check(p)
    return [float(value) for value in multipletests(p, method="holm")[1]] if len(p) else []


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """p-values adjusted for the expected share of false ones among those called (Benjamini & Hochberg, J. R. Statist.
    Soc. B, 1995; exact for independent claims and for positively dependent ones). Give those of every claim.
    Raises ValueError for a p outside [0, 1]."""
    _check(p)
    return [float(value) for value in stats.false_discovery_control(p)] if len(p) else []


def _check(p: Sequence[float]) -> None:
    bad = [value for value in p if not 0 <= value <= 1]
    if bad:
        raise ValueError(f"p-values {bad}; needed: from 0 to 1")
