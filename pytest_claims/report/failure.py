"""The failing assertion: all that a person needs to know what to do next, on about one screen."""

from __future__ import annotations

import functools
import math
import textwrap
from collections.abc import Callable

from pytest_claims.judge.result import Result
from pytest_claims.report.arms import arm_lines
from pytest_claims.report.beside import beside
from pytest_claims.report.notes import cause_sentences, plain_notes
from pytest_claims.report.numbers import short_p
from pytest_claims.report.rule_in_words import rule_text
from pytest_claims.report.scale import text_scale
from pytest_claims.report.tests_in_words import tests_text
from pytest_claims.types import Agreement, Outcome, Verdict

# Columns of the widest text, of a page, and of whatever is no terminal.
COLUMNS = 100
_FEWEST_COLUMNS = 72
# Rows of a screen.
_SCREEN = 40
# Rows that notes may take from the table.
_NOTES = 3


def failure_text(result: Result, columns: int = COLUMNS) -> str:
    """The text of a claim's failing assertion, plain, on one screen of 100 columns and 40 lines; on fewer columns, 72
    at least, it takes more lines.

    Table and notes take what room the rest leaves; what they leave out they say. Fields are cut where a claim's words
    are beyond all measure, the command never.
    """
    columns = min(COLUMNS, max(_FEWEST_COLUMNS, columns))
    verdict, agreement, field = result.verdict, result.agreement, functools.partial(_field, columns=columns)
    top = field("", f"{verdict.outcome}: {result.finding}, {result.claim}", most=2, indent=0)
    top += ["", *field("source", str(result.source), most=2)]
    top += field(
        "effect",
        f"{result.contrast} = {verdict.effect:+.2f} {result.unit}, {result.of_kind.bounds(verdict, len(result.arms))} "
        f"{verdict.lower:+.2f} and {verdict.upper:+.2f}",
        most=3,
    )
    marks = {"0": 0.0, **result.limits}
    if agreement and not result.compared:
        marks["documented"] = agreement.documented
    top += [
        "          " + line for line in text_scale(verdict.effect, verdict.lower, verdict.upper, marks, columns - 15)
    ]
    top += [*field("verdict", rule_text(verdict), most=4), ""]
    told = field("test", tests_text(verdict), most=4)
    told += field("p", p_text(result))
    if len(verdict.looks) > 1 or result.next_look:
        told += field("looks", looks_text(verdict))
    if verdict.detectable is not None:
        told += field("power", power_text(result))
    told += field("beside", "; ".join(beside(result)), most=4)
    if causes := cause_sentences(result):
        told += field("cause", " ".join(causes), most=5)
    if agreement:
        told += field("agreement", agreement_text(agreement, result.compared), most=2)
    if result.evidence:
        told += field("evidence", result.evidence.words, most=2)
    bottom = field("next", next_step(result))
    bottom += field("data", f"{result.data}; scale {result.scale}; {result.device}", most=2)
    # On a line of its own and never wrapped, so that it can be copied.
    bottom += ["rerun     " + result.command]

    notes = plain_notes(result)
    room = _SCREEN * COLUMNS // columns - _rows([*top, "", *told, *bottom], columns)
    table = arm_lines(result, room - min(_NOTES, len(_notes(notes, room, field))), columns)
    return "\n".join([*top, *table, "", *told, *_notes(notes, room - len(table), field), *bottom])


def _rows(lines: list[str], columns: int) -> int:
    """How many rows of a screen these lines take."""
    return sum(max(1, math.ceil(len(line) / columns)) for line in lines)


def _notes(notes: list[str], room: int, field: Callable[..., list[str]]) -> list[str]:
    """The notes in at most `room` lines, or one; a last line says how many there are more."""
    lines: list[str] = []
    for place, note in enumerate(notes):
        text, left = field("note", note, most=3), len(notes) - place
        # All the others need a line, unless this is the last.
        if len(lines) + len(text) + (left > 1) > max(room, 1):
            more = "notes" if left > 1 else "note"
            before = f"and {left} {more} more" if lines else f"{left} {more}"
            return [*lines, f"note      {before}; --results FILE writes all"]
        lines += text
    return lines


def p_text(result: Result) -> str:
    """The p that the verdict rests on, and what is left of it at most when the session's claims are counted."""
    verdict, claims = result.verdict, result.claims
    if verdict.outcome == Outcome.INCONCLUSIVE:
        return f"{short_p(verdict.p)}, n = {verdict.n}; INCONCLUSIVE calls nothing, so there is nothing to correct"
    held = verdict.outcome == Outcome.REPRODUCED
    p, by = (verdict.p_holds, "Benjamini-Hochberg") if held else (verdict.p_fails, "Holm")
    looks = " with its looks counted" if len(result.planned) > 1 else ""
    said = f"{short_p(p)}{looks}, n = {verdict.n}"
    if claims == 1:
        return f"{said}; this is the session's only claim, so there is nothing to correct"
    # Neither correction multiplies by more than the number of claims.
    return (
        f"{said}; at most {short_p(min(1.0, claims * p))} corrected for this session's {claims} claims ({by}; the "
        "summary has the exact one)"
    )


def looks_text(verdict: Verdict) -> str:
    """The looks taken and what each said, in words."""
    looks = "; ".join(f"{look.n} seeds at level {look.level:.2g}: {look.outcome}" for look in verdict.looks)
    return f"{looks} (levels that together keep the error rate at 5 %)"


def power_text(result: Result) -> str:
    """What these seeds could have found, in words."""
    verdict = result.verdict
    found = result.of_kind.power.format(detectable=f"{verdict.detectable:.2f} {result.unit}")
    return f"at the spread seen, {verdict.n} seeds {found}"


def agreement_text(agreement: Agreement, compared: str) -> str:
    """Whether the documented contrast and ours agree, in words. compared: as in Result."""
    runs = "1 run" if agreement.n0 == 1 else f"{agreement.n0} runs"
    agrees = "inside" if agreement.inside else "outside"
    what = f"{compared}: " if compared else ""
    return (
        f"{what}documented {agreement.documented:+.2f} ({runs}), ours {agreement.measured:+.2f}: {agrees} the 95 % "
        f"prediction interval {agreement.low:+.2f} to {agreement.high:+.2f}"
    )


def next_step(result: Result) -> str:
    """What the reader can do about this verdict."""
    verdict, kind = result.verdict, result.of_kind
    flags = [flag for arm in result.arms for flag in arm.collapsed]
    if all(flags):
        return kind.all_flagged
    if verdict.outcome == Outcome.REPRODUCED:
        return "Nothing: the finding holds here."
    if verdict.outcome == Outcome.TOO_SMALL:
        return "The direction holds, but the effect is smaller than the claim's smallest effect of interest."
    if verdict.outcome == Outcome.CONTRADICTED:
        return f"{kind.contradicted} More seeds will rarely change that; look at the arms above."
    if result.next_look:
        return (
            f"The look at {verdict.n} seeds does not settle it; the next planned one is at {result.next_look}, with "
            "all stored runs reused."
        )
    if advice := kind.unsettled(verdict, any(flags)):
        return advice
    if verdict.seeds_to_settle is None:
        return f"{verdict.n} seeds do not settle it, nor would 1,000 if effect and spread stay as they are."
    return (
        f"{verdict.n} seeds do not settle it; about {verdict.seeds_to_settle} would (power .80, if effect and spread "
        "stay as they are). Take seeds that no verdict was read from, as below."
    )


def _field(name: str, text: str, *, columns: int, most: int | None = None, indent: int = 10) -> list[str]:
    """Lines of a named field, cut after `most` of them on the widest screen."""
    if most is not None:
        most = math.ceil(most * COLUMNS / columns)
    return textwrap.wrap(
        text,
        columns - 2,  # tables take all
        initial_indent=f"{name:<{indent}}",
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )
