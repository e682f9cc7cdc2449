"""One colour and one marker a network, through a whole page."""

from __future__ import annotations

from pytest_claims.report.page.style import LINES, MARKERS, SERIES


class Colours:
    """What each network is drawn in, in the order in which they are first asked for; after eight from the first again.

    A network is known by the name of its series: an arm's label without its level, and without what is changed in it
    (behind ", "), so that "group norm" is one colour at every batch size, in every claim, and in every variant.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def of(self, series: str) -> str:
        """The colour."""
        return SERIES[self._place(series) % len(SERIES)]

    def marker(self, series: str) -> str:
        """The marker."""
        return MARKERS[self._place(series) % len(MARKERS)]

    def line(self, series: str) -> str:
        """The kind of line: another one each time that the colours are used up."""
        return LINES[self._place(series) // len(SERIES) % len(LINES)]

    def _place(self, series: str) -> int:
        return self._places.setdefault(base(series), len(self._places))


def base(series: str) -> str:
    """The network that a series is a variant of: "batch norm" of "batch norm, scaled rate"."""
    return series.split(", ")[0]


def change(series: str) -> str:
    """What is changed in a variant: "scaled rate" of "batch norm, scaled rate"; "" of the network itself."""
    return series.removeprefix(base(series)).removeprefix(", ")
