"""All claims of a module against 0, their margins and the documented values, on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from pytest_claims.judge.result import Result
from pytest_claims.report.page.drawn_claim import documented_of, draw_claim, interval_of, reach
from pytest_claims.report.page.style import INK, PAPER, styled, svg

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
        low, high = reach(results)
        for row, result in enumerate(results):
            verdict = result.verdict
            draw_claim(
                axes,
                result,
                row,
                effect=verdict.effect,
                bounds=(max(verdict.lower, low), min(verdict.upper, high)),
                interval=interval_of(result),
                limits=list(result.limits.values()),
                documented=documented_of(result),
                reach=(row - 0.22, row + 0.22),
                upright=False,
            )
            words = f"{result.id} · {result.claim}"
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
            f"{each.id}: {each.verdict.effect:+.2f} ({each.verdict.lower:+.2f} to {each.verdict.upper:+.2f}), "
            f"{each.verdict_words}"
            for each in results
        )
        return svg(figure, f"Effects with intervals, {unit}. {told}")
