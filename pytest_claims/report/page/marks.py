"""What a claim can be called, each word with a sign and a colour, in figures, tables and totals alike."""

from __future__ import annotations

import dataclasses

from pytest_claims.judge.result import Called, Result
from pytest_claims.report.page.style import FAILS, HOLDS, PARTLY, UNDECIDED


@dataclasses.dataclass(frozen=True)
class Mark:
    """How a verdict is shown. sign: in text. marker: in a figure, Matplotlib's; filled or hollow. colour: in a figure.
    variable: the page's name of the same colour. means: of so many claims, in a sentence."""

    called: Called
    sign: str
    marker: str
    filled: bool
    colour: str
    variable: str
    means: str

    @property
    def name(self) -> str:
        """The page's class for it."""
        return "is-" + self.called.lower().replace(" ", "-")


# In the order of the totals.
MARKS = {
    mark.called: mark
    for mark in (
        Mark(Called.REPRODUCED, "●", "o", True, HOLDS, "--holds", "hold here"),
        Mark(Called.TRANSFERS, "■", "s", True, HOLDS, "--holds", "transfer from elsewhere"),
        Mark(Called.TOO_SMALL, "▲", "^", True, PARTLY, "--partly", "hold, but smaller"),
        Mark(Called.CONTRADICTED, "✖", "X", True, FAILS, "--fails", "do not hold"),
        Mark(Called.DOES_NOT_TRANSFER, "✚", "P", True, FAILS, "--fails", "do not transfer"),
        Mark(Called.INCONCLUSIVE, "◇", "D", False, UNDECIDED, "--undecided", "stay undecided"),
        Mark(Called.NOT_COMPARABLE, "▽", "v", False, UNDECIDED, "--undecided", "cannot be compared"),
        Mark(Called.OPEN, "○", "o", False, UNDECIDED, "--undecided", "are open"),
    )
}


def mark_of(result: Result) -> Mark:
    """That of what a claim is called."""
    return MARKS[result.called]
