"""Numbers as the texts of a verdict show them."""

from __future__ import annotations

import math


def points(value: float, beside: float) -> str:
    """value with its sign and two decimals, or as many more as it takes to differ visibly from `beside`.

    So that a bound of 0.0004 never reads "+0.00 > 0".
    """
    for decimals in range(2, 10):
        text = f"{value:+.{decimals}f}"
        if value == beside or float(text) != beside:
            return text
    return f"{value:+.9f}"


def p_words(p: float) -> str:
    """ "p = 0.0031", and "p < 0.0001" for what is smaller; "p = 0" and "p = 1" only for these themselves."""
    if p in (0, 1):
        return f"p = {p:.0f}"
    return f"p = {min(p, 0.9999):.4f}" if p >= 0.0001 else "p < 0.0001"


def count(number: int, what: str) -> str:
    """ "1 change", "4 changes"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def level_words(alpha: float) -> str:
    """The level of a bound, in words: "95 %", with as many digits as tell it from certainty ("99.997 %")."""
    digits = max(2, 2 - math.floor(math.log10(alpha)))
    return f"{100 * (1 - alpha):.{digits}g} %"


def bounds_words(lower: float, upper: float, margin: float) -> str:
    """ "L = +3.10 > 0 and U = +5.20 >= margin 2"."""
    low = f"L = {points(lower, 0)} {'>' if lower > 0 else '<='} 0"
    return f"{low} and U = {points(upper, margin)} {'>=' if upper >= margin else '<'} margin {margin:g}"
