"""The verdicts of a session as a Markdown page, with what they were measured on."""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_claims.errors import shown
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.beside import beside
from pytest_claims.report.devices import device_lines
from pytest_claims.report.multiplicity import adjusted_p
from pytest_claims.report.notes import all_notes
from pytest_claims.types import Outcome

_VERDICTS = ("Id", "Claim", "Documented", "Effect", "Bounds", "Margin", "p", "Adjusted", "n", "Verdict", "Agrees")
_ARMS = ("Id", "Claim", "Arm", "Documented", "Mean", "SD", "Seeds")


def results_page(results: Sequence[Result], facts: Mapping[str, str]) -> str:
    """A row a claim, then a row an arm with its mean beside the documented one. facts: what it was measured with."""
    ordered = sorted(results, key=lambda result: result.place)
    totals = Counter(result.verdict.outcome for result in ordered)
    adjusted = adjusted_p(ordered)
    lines = ["# Verdicts", ""]
    lines += [f"- {name}: {_plain(value)}" for name, value in facts.items()]
    lines += ["- totals: " + ", ".join(f"{totals[outcome]} {outcome}" for outcome in Outcome if totals[outcome])]
    lines += [*(f"- {_plain(line)}" for line in device_lines(ordered)), ""]
    lines += [
        "Effects are in points (of spreads in doublings), in the claimed direction, with one-sided 95 % bounds "
        "(wider where a claim was looked at before all seeds were in; of a claim on several pairs those of the pair "
        "farthest apart, which the data chose). The margin is the smallest effect of interest, or the half-width of "
        "an equivalence. *Adjusted*: p corrected for looks and for the number of claims on this page, by Holm for "
        "TOO SMALL and CONTRADICTED, by Benjamini and Hochberg for REPRODUCED. *Agrees*: is our effect inside the "
        "95 % prediction interval of the documented one? A run marked ! collapsed to chance or diverged.",
        "",
    ]
    rows = [
        (
            result.id,
            result.claim,
            f"{result.agreement.documented:+.2f}" if result.agreement else "–",
            f"{result.verdict.effect:+.2f}",
            f"{result.verdict.lower:+.2f} to {result.verdict.upper:+.2f}",
            f"{result.verdict.margin:.2f}",
            f"{result.verdict.p:.2g}",
            "–" if p is None else f"{p:.2g}",
            str(result.verdict.n),
            f"**{result.verdict.outcome}**",
            ("yes" if result.agreement.inside else "no") if result.agreement else "–",
        )
        for result, p in zip(ordered, adjusted, strict=True)
    ]
    lines += _table(_VERDICTS, rows)
    notes = ["- " + _plain(f"{each.id}, {each.claim}: {note}") for each in ordered for note in all_notes(each)]
    lines += ["", "## Notes", "", *notes] if notes else []
    told = ["- " + _plain(f"{j.id}, {j.claim}: {'; '.join(words)}") for j in ordered if (words := beside(j))]
    lines += ["", "## Beside the verdicts, deciding nothing", "", *told] if told else []
    lines += ["", "## Every arm: test accuracy in percent, or what the claim measures", ""]
    lines += _table(_ARMS, _arm_rows(ordered))
    return "\n".join(lines) + "\n"


def _arm_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Every distinct arm under the first claim that shows it; the arms of a finding's claims overlap."""
    rows: list[tuple[str, ...]] = []
    seen = set()
    for result in results:
        for arm in result.arms:
            # The same results under another label are the same arm (a claim about one batch size leaves it out).
            if (result.finding[:2], arm.values, arm.documented) in seen:
                continue
            seen.add((result.finding[:2], arm.values, arm.documented))
            documented = f"{arm.documented:.2f}" if arm.documented is not None else "–"
            first = (result.id, result.claim, arm.label, documented)
            rows.append((*first, f"{arm.mean:.2f}", f"{_sd(arm):.2f}", _seeds(arm)))
    return rows


def _seeds(arm: ArmEvidence) -> str:
    values = zip(arm.values, arm.collapsed, strict=True)
    return " ".join(f"{value:.2f}{'!' if collapsed else ''}" for value, collapsed in values)


def _sd(arm: ArmEvidence) -> float:
    return math.sqrt(sum((value - arm.mean) ** 2 for value in arm.values) / (len(arm.values) - 1))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[_plain(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells)]


def _plain(text: str) -> str:
    """Words of claims, arms and devices as text of one line: no HTML, no link, no column of a table."""
    quoted = html.escape(shown(" ".join(text.split())), quote=False)
    return re.sub(r"([|\[\]`])", r"\\\1", quoted)
