"""Durations and lists of numbers as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence


def about(seconds: float) -> str:
    """A duration as precise as an estimate is: "about 12 min"."""
    minutes = seconds / 60
    hours = minutes / 60
    if minutes < 0.75:
        return "under 1 min"
    if minutes < 17.5:
        return f"about {round(minutes)} min"
    if minutes < 77.5:
        return f"about {5 * round(minutes / 5)} min"
    if hours < 3.75:
        return f"about {round(2 * hours) / 2:g} h"
    return f"about {round(hours)} h" if hours < 47.5 else f"about {round(hours / 24)} days"


def short(seconds: float) -> str:
    """The same for a table: "12 min", "< 1 min", and "-" for none."""
    return about(seconds).removeprefix("about ").replace("under", "<") if seconds else "-"


def listed(numbers: Sequence[int]) -> str:
    """ "7, 10 and 20"."""
    *some, last = map(str, numbers)
    return f"{', '.join(some)} and {last}" if some else last
