"""The table at the end of a session: one row a claim, and what the verdicts mean."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from harness.claim import Outcome, Verdict
from harness.judgement import CONFOUNDER, Judgement
from harness.report.multiplicity import adjusted_p

# From this many columns on, intervals are written out and the claims' words still have room.
_WIDE = 120


def summary_lines(judgements: Sequence[Judgement], width: int) -> list[str]:
    """Rows grouped by finding, cut to the terminal's width, then the totals per verdict."""
    wide = width >= _WIDE
    ordered = sorted(judgements, key=lambda judgement: judgement.place)
    rows = [("finding", "claim", "documented", "measured", "n", "p", "adj.", "verdict")]
    for judgement, adjusted in zip(ordered, adjusted_p(ordered), strict=True):
        verdict = judgement.verdict
        rows.append(
            (
                judgement.finding,
                judgement.claim,
                _documented(judgement),
                _interval(verdict, wide),
                str(verdict.n),
                _p(verdict.p),
                "-" if adjusted is None else _p(adjusted),
                str(verdict.outcome) + _change(judgement),
            )
        )
    if not wide:
        rows[0] = ("", "claim", "docum.", *rows[0][3:])
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    gap = "  " if wide else " "
    # The claim's words give way first: all else is numbers.
    sizes[1] = max(12, min(sizes[1], width - sum(sizes) + sizes[1] - len(gap) * (len(sizes) - 1)))
    lines = [_row(row, sizes, gap) for row in rows]
    lines += _confounders(ordered, width)
    totals = Counter(judgement.verdict.outcome for judgement in judgements)
    counts = ", ".join(f"{totals[outcome]} {outcome}" for outcome in Outcome if totals[outcome])
    lines += ["", f"{len(judgements)} {'claim' if len(judgements) == 1 else 'claims'}: {counts}"]
    lines.append(
        "measured: effect in points (spreads, gradients: doublings), its 90 % interval, wider if looks share the error"
    )
    lines.append(
        "adj.: p corrected for looks and number of claims, by Holm where red, Benjamini-Hochberg where REPRODUCED"
    )
    if any(judgement.agreement and not judgement.agreement.inside for judgement in judgements):
        lines.append("* our mean lies outside the 95 % prediction interval of the documented figure")
    if any(judgement.agreement and judgement.compared for judgement in judgements):
        lines.append("(documented) is of the source's own extremes, the measured effect of the pair that decides")
    return lines


def _confounders(judgements: Sequence[Judgement], width: int) -> list[str]:
    """What confounders come to where the claim passes, and no failure's text says it."""
    told = [
        (judgement, note.removeprefix(CONFOUNDER))
        for judgement in judgements
        if judgement.enforced and judgement.verdict.outcome == Outcome.REPRODUCED
        for note in judgement.verdict.notes
        if note.startswith(CONFOUNDER)
    ]
    rows = [
        line
        for judgement, note in told
        for line in textwrap.wrap(f"{judgement.finding}, {judgement.claim}: {note}", width, subsequent_indent="     ")
    ]
    return ["", "confounders of claims that are reproduced", *rows] if rows else []


def _change(judgement: Judgement) -> str:
    """ ", was REPRODUCED" where the ledger has another verdict."""
    return f", was {judgement.recorded}" if judgement.recorded not in ("", judgement.verdict.outcome) else ""


def _documented(judgement: Judgement) -> str:
    if judgement.agreement is None:
        return "- "
    value = f"{judgement.agreement.documented:+.2f}"
    return (f"({value})" if judgement.compared else value) + (" " if judgement.agreement.inside else "*")


def _interval(verdict: Verdict, wide: bool) -> str:
    """Effect and interval; on a narrow terminal with one digit less."""
    if wide:
        return f"{verdict.effect:+.2f} [{verdict.lower:+.2f}, {verdict.upper:+.2f}]"
    return f"{verdict.effect:+.1f} [{verdict.lower:+.1f},{verdict.upper:+.1f}]"


def _p(p: float) -> str:
    """Without its leading zero, as p-values are printed where columns are narrow."""
    return "<.0001" if p < 0.0001 else f"{p:.2f}" if p > 0.995 else f"{p:.4f}"[1:]


def _row(row: tuple[str, ...], sizes: list[int], gap: str) -> str:
    cells = []
    for column, (cell, size) in enumerate(zip(row, sizes, strict=True)):
        if column == 1 and len(cell) > size:
            cell = cell[: size - 1] + "…"
        cells.append(f"{cell:>{size}}" if 2 <= column <= 6 else f"{cell:<{size}}")
    return gap.join(cells).rstrip()
