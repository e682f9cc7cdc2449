"""Numbers as tables and texts show them."""

from __future__ import annotations


def short_p(p: float) -> str:
    """A p-value without its leading zero, as it is printed where room is scarce: ".0340", "<.0001", "1.00"."""
    return "<.0001" if p < 0.0001 else f"{p:.2f}" if p > 0.995 else f"{p:.4f}"[1:]
