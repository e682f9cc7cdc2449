"""Numbers as tables and texts show them."""

from __future__ import annotations

from pytest_claims.judge.result import Result


def short_p(p: float) -> str:
    """A p-value without its leading zero, as it is printed where room is scarce: ".0340", "<.0001", "1.00"."""
    return "<.0001" if p < 0.0001 else f"{p:.2f}" if p > 0.995 else f"{p:.4f}"[1:]


def documented_effect(result: Result) -> str:
    """The source's effect, in brackets where it is of another pair of arms, with * where ours lies outside its 95 %
    prediction interval; "" where there is none."""
    if result.agreement is None:
        return ""
    value = f"{result.agreement.documented:+.2f}"
    return (f"({value})" if result.compared else value) + ("" if result.agreement.inside else "*")
