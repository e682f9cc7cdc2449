"""Numbers as tables and texts show them."""

from __future__ import annotations

import math

from pytest_claims.judge.result import Result
from pytest_claims.stats.spreads import MOST_DOUBLINGS
from pytest_claims.types import Procedure, Verdict


def short_p(p: float) -> str:
    """A p-value without its leading zero, as it is printed where room is scarce: ".0340", "<.0001", "1.00"."""
    return "<.0001" if p < 0.0001 else f"{p:.2f}" if p > 0.995 else f"{p:.4f}"[1:]


def bound_text(verdict: Verdict, value: float, decimals: int = 2) -> str:
    """A bound with its sign; of spreads one that is as good as infinite reads "< -10", and one that is none "none"."""
    if verdict.procedure == Procedure.SPREAD and abs(value) >= MOST_DOUBLINGS:
        return f"{'<' if value < 0 else '>'} {math.copysign(MOST_DOUBLINGS, value):+g}"
    return f"{value:+.{decimals}f}" if math.isfinite(value) else "none"


def interval_text(verdict: Verdict, decimals: int = 1) -> str:
    """ "+2.6 [+1.1, +4.0]": the effect with its bounds."""
    lower, upper = (bound_text(verdict, value, decimals) for value in (verdict.lower, verdict.upper))
    return f"{verdict.effect:+.{decimals}f} [{lower}, {upper}]"


def margin_text(result: Result) -> str:
    """ "3 points", "1 doubling", "0.5 doublings"."""
    number = f"{result.verdict.margin:.2f}".rstrip("0").rstrip(".")
    return f"{number} {result.unit.removesuffix('s') if number == '1' else result.unit}"


def documented_effect(result: Result) -> str:
    """The source's effect, in brackets where it is of another pair of arms, with * where ours lies outside its 95 %
    prediction interval; "" where there is none."""
    if result.agreement is None:
        return ""
    value = f"{result.agreement.documented:+.2f}"
    return (f"({value})" if result.compared else value) + ("" if result.agreement.inside else "*")


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
