"""The 95 % intervals that figures draw."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def of_mean(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % t interval of the mean; the mean itself twice for a single value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean
    half = stats.t.ppf(0.975, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean - half, mean + half


def of_spread(values: Sequence[float]) -> tuple[float, float, float]:
    """The standard deviation with its 95 % chi-square interval (of normal values)."""
    n, sd = len(values), float(np.std(values, ddof=1))
    low, high = (math.sqrt((n - 1) / stats.chi2.ppf(q, n - 1)) for q in (0.975, 0.025))
    return sd, sd * low, sd * high
