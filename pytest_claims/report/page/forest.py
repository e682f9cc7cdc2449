"""All claims of a module against 0, their margins and the documented values, on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from pytest_claims.judge.result import Result
from pytest_claims.report.page.style import INK, PAPER, colour, styled, svg
from pytest_claims.types import Outcome

# Shape and colour of each verdict, here and in the page's style sheet.
MARKS = {
    Outcome.REPRODUCED: ("o", colour(0)),
    Outcome.TOO_SMALL: ("^", colour(1)),
    Outcome.CONTRADICTED: ("X", colour(2)),
    Outcome.INCONCLUSIVE: ("D", colour(3)),
}
_ROW = 0.36  # inches a claim
# So that no line runs through the words.
_BEHIND = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
_LONGEST = 74  # characters of a claim's words that fit above its row


def forest(results: Sequence[Result]) -> str:
    """One row a claim, its words above it: effect and interval, a bar at the margin (both limits of an equality), an
    open circle at the documented value."""
    unit = results[0].unit
    with styled():
        figure = Figure(figsize=(5.2, _ROW * len(results) + 0.75))
        axes = figure.subplots()
        low, high = _shown(results)
        for row, result in enumerate(results):
            verdict = result.verdict
            marker, tint = MARKS[verdict.outcome]
            axes.plot([max(verdict.lower, low), min(verdict.upper, high)], [row, row], color=tint, lw=2)
            inside = tint if verdict.outcome != Outcome.INCONCLUSIVE else "none"
            axes.plot([verdict.effect], [row], marker=marker, ms=6, color=tint, ls="none", mfc=inside)
            for limit in result.limits.values():
                axes.plot([limit, limit], [row - 0.22, row + 0.22], color=INK, lw=1.4)
            documented = _documented(result)
            if documented is not None:
                axes.plot([documented], [row], "o", ms=8, mfc="none", mec=INK, mew=0.9)
            words = f"{result.finding} · {result.claim}"
            words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
            axes.text(
                0, row - 0.3, words, transform=axes.get_yaxis_transform(), fontsize=7.5, va="bottom", bbox=_BEHIND
            )
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_xlim(low, high)
        axes.set_ylim(len(results) - 0.4, -0.9)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"effect in the claimed direction, {unit}")
        told = "; ".join(
            f"{each.finding}: {each.verdict.effect:+.2f} ({each.verdict.lower:+.2f} to {each.verdict.upper:+.2f}), "
            f"{each.verdict.outcome}"
            for each in results
        )
        return svg(figure, f"Effects with intervals, {unit}. {told}")


def _shown(results: Sequence[Result]) -> tuple[float, float]:
    """What of the scale is shown: all that is finite, with a little room; an infinite bound runs out of it."""
    values = [0.0]
    for result in results:
        verdict = result.verdict
        values += [verdict.effect, verdict.lower, verdict.upper, *result.limits.values()]
        documented = _documented(result)
        if documented is not None:
            values.append(documented)
    finite = [value for value in values if math.isfinite(value)]
    room = 0.05 * (max(finite) - min(finite)) or 1.0
    return min(finite) - room, max(finite) + room


def _documented(result: Result) -> float | None:
    """The source's effect, where it is of the same pair and may be held beside ours."""
    agreement = result.agreement
    return agreement.documented if agreement and result.comparable and not result.compared else None
