"""An effect and its interval drawn in plain text against 0, the margin and the documented value."""

from __future__ import annotations

import math

WIDTH = 61


def text_scale(
    effect: float, lower: float, upper: float, marks: dict[str, float], columns: int = WIDTH + 24
) -> list[str]:
    """Lines with one common axis: `[----*----]` from lower to upper, and a caret for each mark with its name.

    All values in points. columns: that names may reach to, at least 50. Marks that fall on the same column share it;
    the last line says which is which.
    """
    values = [value for value in (effect, lower, upper, *marks.values()) if math.isfinite(value)] or [0.0]
    low, high = min(values), max(values)
    pad = (high - low) * 0.05 or 1.0
    low, high = low - pad, high + pad

    width = min(WIDTH, columns)

    def column(value: float) -> int:
        # What is not finite stands at the end that it lies beyond.
        value = min(max(value, low), high) if value == value else low
        return round((value - low) / (high - low) * (width - 1))

    bar = [" "] * width
    for at in range(column(lower), column(upper) + 1):
        bar[at] = "-"
    bar[column(lower)], bar[column(upper)] = "[", "]"
    bar[column(effect)] = "*"
    lines = ["".join(bar).rstrip()]
    # One line a mark keeps names readable however close the marks are.
    for name, value in sorted(marks.items(), key=lambda mark: mark[1]):
        at = column(value)
        text = f"{name} {value:+.2f}" if value else name
        # To the left of its caret where the right side is too narrow.
        if at + 2 + len(text) <= columns:
            lines.append(" " * at + "^ " + text)
        else:
            lines.append(" " * max(0, at - len(text) - 1) + text + " ^")
    return lines
