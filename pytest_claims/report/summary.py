"""The table at the end of a session: one row a claim, grouped by finding, and what its columns mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from pytest_claims.judge.result import Called, Result
from pytest_claims.report.devices import device_lines, evidence_text
from pytest_claims.report.facts import wrapped
from pytest_claims.report.multiplicity import correction
from pytest_claims.report.notes import cause_sentences
from pytest_claims.report.numbers import documented_effect, interval_text, short_p
from pytest_claims.types import Outcome

# From this many columns on, intervals are written out and the claims' words still have room.
_WIDE = 120
_COLUMNS = ("id", "claim", "documented", "measured", "n", "p", "verdict", "ledger")
# Heads that are shorter on a narrow terminal.
_NARROW = {"id": "", "documented": "docum."}
# Columns with words, to the left; the others have numbers.
_WORDS = ("id", "claim", "verdict", "ledger")
# Of numbers below their claim's words.
_INDENT = " " * 5
# Of a verdict in the ledger, where columns are narrow.
_SHORT = {
    Outcome.REPRODUCED: "REPROD.",
    Outcome.TOO_SMALL: "SMALL",
    Outcome.CONTRADICTED: "CONTRAD.",
    Outcome.INCONCLUSIVE: "INCONCL.",
}


def summary_lines(results: Sequence[Result], width: int) -> list[str]:
    """A row a claim (two on a narrow terminal), those of one module and source under a heading, then the totals.

    No line is wider than width, from 80 columns on.
    """
    wide = width >= _WIDE
    ordered = sorted(results, key=lambda result: result.place)
    rows = [_row(result, wide) for result in ordered]
    shown = [name for name in _COLUMNS if wide or name != "p"]
    heads = {name: name if wide else _NARROW.get(name, name) for name in shown}
    sizes = {name: max(len(row[name]) for row in (heads, *rows)) for name in shown}
    gap = "  " if wide else " "
    others = sum(sizes.values()) - sizes["claim"] + len(gap) * (len(shown) - 1)
    # Where words would be cut, they stand above their numbers: claims of one finding often differ in their last word.
    apart = sizes["claim"] > width - others
    if apart:
        sizes = {name: size for name, size in sizes.items() if name not in ("id", "claim")}
    lines, group = [_line(heads, sizes, gap, apart)], ("", "")
    for about, found in _groups(ordered, rows):
        if about != group:
            group = about
            lines += ["", *wrapped(": ".join(about), width)]
        if apart:
            lines += wrapped(f"{found['id']}  {found['claim']}", width, _INDENT)
        lines.append(_line(found, sizes, gap, apart))
        lines += wrapped(found["evidence"], width, _INDENT * 2)
    lines += _causes(ordered, width)
    totals = Counter(result.called for result in results)
    counts = ", ".join(f"{totals[word]} {word}" for word in Called if totals[word])
    lines += ["", f"{len(results)} {'claim' if len(results) == 1 else 'claims'}: {counts}"]
    said = [*filter(None, [correction(ordered)]), *_effects(results), *device_lines(ordered), *_legend(results)]
    return lines + [line for text in said for line in wrapped(text, width)]


def _groups(results: Sequence[Result], rows: Sequence[dict[str, str]]) -> list[tuple[tuple[str, str], dict[str, str]]]:
    """Each row with its module's finding and its source; groups in the order of their first rows."""
    about = [(_family(result), str(result.source)) for result in results]
    places = {group: place for place, group in reversed(list(enumerate(about)))}
    first = {family: min(at for (of, _), at in places.items() if of == family) for family, _ in about}
    order = sorted(range(len(rows)), key=lambda at: (first[about[at][0]], places[about[at]], at))
    return [(about[at], rows[at]) for at in order]


def _family(result: Result) -> str:
    """ "A1 activation and depth", of claims/test_a1_activation_and_depth.py."""
    words = PurePosixPath(result.nodeid.split("::")[0]).stem.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]


def _row(result: Result, wide: bool) -> dict[str, str]:
    verdict = result.verdict
    return {
        "id": result.id,
        "claim": result.claim,
        "documented": _documented(result),
        "measured": interval_text(verdict, 2 if wide else 1),
        "n": str(verdict.n),
        "p": short_p(verdict.p),
        "verdict": result.verdict_words + (", confounded" if result.confounded_by else ""),
        "ledger": _ledger(result, wide),
        "evidence": f"{_INDENT}evidence: {evidence_text(result)}" if result.evidence else "",
    }


def _legend(results: Sequence[Result]) -> list[str]:
    """What the columns mean, as far as this table has it."""
    lines = [
        "measured: effect in points (spreads, gradients: doublings), one-sided 95 % bounds, wider for claims that are "
        "tested at several numbers of seeds",
    ]
    kinds = " and ".join(sorted({result.device_kind for result in results}))
    ledgers = {_ledger(result, True).split(" ")[0].rstrip(",") for result in results}
    meanings = {"=": "= as recorded", "was": "was X: another verdict is recorded", "new": "new: none is recorded"}
    others = sorted({other.device_kind for result in results if not result.recorded for other in result.elsewhere})
    meanings |= {f"{kind}:": f"{kind}: X: recorded on {kind} alone" for kind in others}
    lines.append(f"ledger, on {kinds}: " + ", ".join(text for word, text in meanings.items() if word in ledgers))
    if any(result.evidence for result in results):
        lines.append("evidence: what recorded runs on whole data sets say of the same claim; `make tour` judges them")
    if any(result.samples > 1 for result in results):
        lines.append(
            "sample 2: others left the claim open; together samples err more often than 5 % (docs/verdicts.md)"
        )
    if any(result.agreement and not result.agreement.inside for result in results):
        lines.append("* our mean lies outside the 95 % prediction interval of the documented figure")
    if any(result.agreement and result.compared for result in results):
        lines.append(
            "in brackets: the source's figure is for its own extremes, the measured effect for the pair that decides"
        )
    return lines


def _effects(results: Sequence[Result]) -> list[str]:
    """How many measured effects are behind the claims that hold, and behind those that do not, where several claims
    speak of one."""
    decided = [result for result in results if result.enforced and result.verdict.outcome != Outcome.INCONCLUSIVE]
    told = []
    for words, holds in (("what holds", True), ("what does not", False)):
        found = [
            result.measured_effect for result in decided if holds == (result.verdict.outcome == Outcome.REPRODUCED)
        ]
        if len(set(found)) < len(found):
            told.append(f"{words}: {len(set(found))} distinct effects, {len(found)} claims")
    return ["; ".join(told)] if told else []


def _causes(results: Sequence[Result], width: int) -> list[str]:
    """Where effects come from, of claims that pass, for no failure's text says it."""
    rows = [
        line
        for result in results
        if result.enforced and result.verdict.outcome == Outcome.REPRODUCED and result.verdict.confounders
        for line in wrapped(f"{result.id}: {result.badge}. {' '.join(cause_sentences(result))}", width, " " * 5)
    ]
    return ["", "where the effects come from", *rows] if rows else []


def _ledger(result: Result, wide: bool) -> str:
    """What the ledger says beside the verdict: the same, another, nothing, or what another kind of device has alone."""
    sample = f", sample {result.samples}" if result.samples > 1 else ""

    def shown(verdict: str) -> str:
        return verdict if wide else _SHORT[Outcome(verdict)]

    if not result.recorded:
        return ", ".join(f"{other.device_kind}: {shown(other.verdict)}" for other in result.elsewhere) or "new"
    if result.recorded == result.verdict.outcome:
        return f"={sample}"
    return f"was {shown(result.recorded)}{sample}"


def _documented(result: Result) -> str:
    """With a column of its own for the sign behind it."""
    text = documented_effect(result) or "-"
    return text if text.endswith("*") else f"{text} "


def _line(row: dict[str, str], sizes: dict[str, int], gap: str, apart: bool) -> str:
    """The cells of a row that have a size; apart: below the claim's words."""
    cells = [f"{row[name]:<{size}}" if name in _WORDS else f"{row[name]:>{size}}" for name, size in sizes.items()]
    return (_INDENT * apart + gap.join(cells)).rstrip()
