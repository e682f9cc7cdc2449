"""The failing assertion: what a person asks of it, in the order of the questions, on one screen."""

from __future__ import annotations

import functools

from pytest_claims.judge.result import Result
from pytest_claims.report.arms import arm_lines
from pytest_claims.report.devices import elsewhere_text, evidence_text
from pytest_claims.report.fields import INDENT, field
from pytest_claims.report.in_short import in_short
from pytest_claims.report.next_step import next_step
from pytest_claims.report.p_in_words import p_text, power_text
from pytest_claims.report.scale import text_scale
from pytest_claims.report.siblings import siblings_text
from pytest_claims.report.why import why

# Columns of the widest text, of a page, and of whatever is no terminal.
COLUMNS = 80
FEWEST_COLUMNS = 72
# Rows of a screen, and the lines that a field may take: the first number with which all fits, or the last.
_SCREEN = 40
_LINES = (6, 5, 4, 3, 2)


def failure_text(result: Result, columns: int = COLUMNS) -> str:
    """The text of a claim's failing assertion, plain, on one screen of 80 columns and 40 lines; on fewer columns, 72 at
    least, it may take more lines.

    The table takes what room the rest leaves; what it leaves out it says. Only the command may be longer than a line,
    since it must be copied whole.
    """
    columns = min(COLUMNS, max(FEWEST_COLUMNS, columns))
    for most in _LINES:
        lines = _lines(result, columns, most)
        if rows(lines, columns) <= _SCREEN:
            break
    return "\n".join(lines)


def _lines(result: Result, columns: int, most: int) -> list[str]:
    """The text, with at most so many lines a field."""
    told = functools.partial(field, columns=columns, most=most)
    room = columns - INDENT
    top = told("", f"{result.badge}: {result.id}, {result.claim}", indent=0)
    top += ["", *told("In short", in_short(result)), *told("Why", why(result))]
    drawn = ["", *(" " * INDENT + line for line in scale_lines(result, room)), ""]
    bottom = ["", *told("Siblings", siblings_text(result, room))]
    bottom += told("Evidence", evidence_text(result)) + told("Devices", elsewhere_text(result))
    bottom += told("Trained", f"{result.trained}; images: {result.data}; scale {result.scale}; {result.device}")
    bottom += told("p", p_text(result)) + told("Power", power_text(result)) + told("Next", next_step(result))
    # On a line of its own and never wrapped, so that it can be copied.
    bottom.append(f"    {result.command}")
    bottom += told("All else", f"--explain {result.id}: source, rule, tests, every seed")
    table = arm_lines(result, _SCREEN - len(top) - len(drawn) - rows(bottom, columns), columns)
    return [*top, *drawn, *table, *bottom]


def scale_lines(result: Result, columns: int) -> list[str]:
    """The interval drawn beside 0, the claim's limits and the documented value."""
    verdict, agreement = result.verdict, result.agreement
    marks = {"0": 0.0, **result.limits}
    if agreement and not result.compared:
        marks["documented"] = agreement.documented
    return text_scale(verdict.effect, verdict.lower, verdict.upper, marks, columns)


def rows(lines: list[str], columns: int) -> int:
    """How many rows of a screen these lines take."""
    return sum(max(1, -(-len(line) // columns)) for line in lines)
