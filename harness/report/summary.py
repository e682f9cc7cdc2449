"""The table at the end of a session: one row a claim, and what the verdicts mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.claim import Outcome, Verdict
from harness.judgement import Judgement

# From this many columns on, intervals are written out and the claims' words still have room.
_WIDE = 110


def summary_lines(judgements: Sequence[Judgement], width: int) -> list[str]:
    """Rows grouped by finding, cut to the terminal's width, then the totals per verdict."""
    wide = width >= _WIDE
    rows = [("finding", "claim", "documented", "measured [90 % interval]" if wide else "measured", "n", "verdict")]
    for judgement in sorted(judgements, key=lambda judgement: judgement.place):
        verdict = judgement.verdict
        rows.append(
            (
                judgement.finding,
                judgement.claim,
                _documented(judgement),
                _interval(verdict, wide),
                str(verdict.n),
                str(verdict.outcome),
            )
        )
    sizes = [max(len(row[column]) for row in rows) for column in range(6)]
    # The claim's words give way first: all else is numbers.
    sizes[1] = max(12, min(sizes[1], width - sum(sizes) + sizes[1] - 10))
    lines = [_row(row, sizes) for row in rows]
    totals = Counter(judgement.verdict.outcome for judgement in judgements)
    counts = ", ".join(f"{totals[outcome]} {outcome}" for outcome in Outcome if totals[outcome])
    lines += ["", f"{len(judgements)} {'claim' if len(judgements) == 1 else 'claims'}: {counts}"]
    if any(judgement.agreement and not judgement.agreement.inside for judgement in judgements):
        lines.append("* our mean lies outside the 95 % prediction interval of the documented figure")
    if any(judgement.agreement and judgement.compared for judgement in judgements):
        lines.append("(documented) is of the source's own extremes, the measured effect of the pair that decides")
    return lines


def _documented(judgement: Judgement) -> str:
    if judgement.agreement is None:
        return "- "
    value = f"{judgement.agreement.documented:+.2f}"
    return (f"({value})" if judgement.compared else value) + (" " if judgement.agreement.inside else "*")


def _interval(verdict: Verdict, wide: bool) -> str:
    """Effect and 90 % interval; on a narrow terminal by its half-width, which is shorter."""
    if wide:
        return f"{verdict.effect:+.2f} [{verdict.lower:+.2f}, {verdict.upper:+.2f}]"
    return f"{verdict.effect:+.2f} ±{(verdict.upper - verdict.lower) / 2:.2f}"


def _row(row: tuple[str, ...], sizes: list[int]) -> str:
    finding, words, documented, measured, n, verdict = row
    if len(words) > sizes[1]:
        words = words[: sizes[1] - 1] + "…"
    return (
        f"{finding:<{sizes[0]}}  {words:<{sizes[1]}}  {documented:>{sizes[2]}}  {measured:>{sizes[3]}}  "
        f"{n:>{sizes[4]}}  {verdict}"
    ).rstrip()
