"""The second axis: is the documented number what our seeds would predict?"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.stats._interval import interval, sample
from pytest_claims.types import Agreement


def agreement(documented: float, values: ArrayLike, n0: int) -> Agreement:
    """Does the mean of values ([n], percent or points) lie in the 95 % prediction interval around the documented one?

    documented ± t·s·sqrt(1/n0 + 1/n), two-sided, n - 1 degrees of freedom. s is the SD of our seeds and is taken to be
    the source's too; n0 is the number of repetitions behind the source's figure. Where all values are equal (s = 0)
    the interval is a point. Spence & Stanley, "Prediction interval: what to expect when you're expecting a
    replication" (PLOS ONE, 2016). Raises ValueError for n0 < 1, a documented figure that is not finite, NaN in values
    or fewer than 3 of them.
    """
    if not math.isfinite(documented):
        raise ValueError(f"documented is {documented}; needed: a finite figure")
    if n0 < 1:
        raise ValueError(f"n0 is {n0}; the source has at least 1 repetition")
    ours = interval(sample("values", values))
    half = float(special.stdtrit(ours.n - 1, 0.975)) * ours.sd * math.sqrt(1 / n0 + 1 / ours.n)
    # Rounded so that a point interval contains the figure that it is.
    figures = (round(float(figure), 9) for figure in (documented, ours.effect, documented - half, documented + half))
    return Agreement(*figures, n0=int(n0))
