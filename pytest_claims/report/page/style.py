"""Matplotlib figures as inline SVG that takes its colours from the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType  # which Matplotlib 3.9 has not

# Colours that no figure uses stand for the page's own and are replaced in the SVG.
INK, GRID, PAPER = "#010203", "#040506", "#070809"
_PAGE = {INK: "currentColor", GRID: "var(--grid)", PAPER: "var(--paper)"}
# Eight networks (colours.py), told apart in print and by those who see fewer colours, and none of them a verdict's: the
# page gives them their colours, darker on light and lighter on dark paper. Markers and lines tell them apart, too.
SERIES = tuple(f"#0a0b0{place}" for place in range(8))
_PAGE.update({colour: f"var(--series-{place})" for place, colour in enumerate(SERIES)})
# What a verdict may come to, in colour: the claim holds, holds in part, does not hold, is not decided.
HOLDS, PARTLY, FAILS, UNDECIDED = (f"#0c0d0{place}" for place in range(4))
_PAGE.update({HOLDS: "var(--holds)", PARTLY: "var(--partly)", FAILS: "var(--fails)", UNDECIDED: "var(--undecided)"})
MARKERS, LINES = "osD^vPX*", ("-", "--", "-.", ":")

_RC: dict[RcKeyType, Any] = {
    "text.parse_math": False,  # a claim may speak of dollars
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's own font
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
_numbers = count()


@contextmanager
def styled() -> Iterator[None]:
    """The style in which every figure is drawn and written."""
    with matplotlib.rc_context(_RC):
        yield


def svg(figure: Figure, alt: str, *, widest: int | None = None) -> str:
    """The figure as an inline SVG element with a text for who does not see it.

    widest: to how many pixels a page may stretch it; its own size without.
    """
    with io.StringIO() as file:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        text = file.getvalue()
    text = text[text.index("<svg") :]
    for sentinel, own in _PAGE.items():
        text = text.replace(sentinel, own)
    # Names inside an SVG are names of the whole page.
    own = f"figure{next(_numbers)}-"
    text = re.sub(r'\bid="', f'id="{own}', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{own}", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # The page scales it; fixed sizes in points would not fit a phone.
    head, rest = text.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', head)
    head = re.sub(r' (width|height)="[\d.]+pt"', "", head)
    most = widest or (round(float(width.group(1)) * 4 / 3) if width else None)
    size = f' style="max-width: {most}px"' if most else ""
    return f'{head} role="img" aria-label="{escape(alt, quote=True)}"{size}><title>{escape(alt)}</title>{rest}'
