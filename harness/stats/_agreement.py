"""The second axis: is the documented number what our seeds would predict?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.claim import Agreement
from harness.stats._interval import sample


def agreement(documented: float, values: ArrayLike, n0: int) -> Agreement:
    """Does the mean of values ([n], points) lie in the 95 % prediction interval around the documented figure?

    documented ± t·s·sqrt(1/n0 + 1/n), two-sided, n - 1 degrees of freedom; s is the spread of our seeds, which is
    taken to be the source's too, n0 the number of repetitions behind the source's figure (Spence & Stanley, 2016,
    "Prediction interval: what to expect when you're expecting a replication"). Raises ValueError for n0 < 1.
    """
    ours = sample("values", values)
    if n0 < 1:
        raise ValueError(f"n0 is {n0}; the source has at least 1 repetition")
    n = len(ours)
    half = stats.t.ppf(0.975, n - 1) * float(np.std(ours, ddof=1)) * math.sqrt(1 / n0 + 1 / n)
    return Agreement(float(documented), float(ours.mean()), float(documented - half), float(documented + half), n0)
