"""Where a sum of differences may be after looks that did not stop it: Brownian motion seen at numbers of seeds.

The recursion of Armitage, McPherson & Rowe (J. R. Statist. Soc. A 132, 1969), by Gauss and Legendre's quadrature.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy import special

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_FARTHEST = 8.0  # standard errors from the drift, beyond which no path is followed


@dataclasses.dataclass(frozen=True)
class Path:
    """Where the sum of n independent normal differences may be, in units of their sd, after looks that went on.

    sums: [nodes] of the quadrature. weights: its weights times the density, [nodes], for a true mean of `drift`.
    """

    n: int
    drift: float
    sums: np.ndarray
    weights: np.ndarray

    @staticmethod
    def start(drift: float = 0.0) -> Path:
        """Before the first seed."""
        return Path(0, drift, np.zeros(1), np.ones(1))

    def above(self, edge: float, n: int, *, mean: float = 0.0) -> float:
        """The probability, for a true mean, to be here now and to have a mean above edge at n > self.n seeds."""
        # The density for another drift is this one times a likelihood ratio, so that one recursion serves all.
        ratio = np.exp((mean - self.drift) * self.sums - (mean**2 - self.drift**2) * self.n / 2)
        more = n - self.n
        return float((self.weights * ratio) @ special.ndtr((self.sums + mean * more - edge * n) / math.sqrt(more)))

    def on(self, n: int, low: float, high: float) -> Path:
        """The paths that go on from a look at n > self.n seeds, where the mean is between low and high."""
        reach = _FARTHEST / math.sqrt(n)
        low, high = n * max(low, min(self.drift, high) - reach), n * min(high, max(self.drift, low) + reach)
        sums, weights = low + (_NODES + 1) * (high - low) / 2, _WEIGHTS * (high - low) / 2
        more = n - self.n
        steps = (sums[:, None] - self.sums - self.drift * more) / math.sqrt(more)
        kernel = np.exp(-(steps**2) / 2) / math.sqrt(2 * math.pi * more)
        return Path(n, self.drift, sums, weights * (kernel @ self.weights))
