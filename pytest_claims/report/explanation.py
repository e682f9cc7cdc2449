"""A finding's whole story, for --explain: source, recipe, arms, verdict, and the statistics in detail."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_claims.judge.result import Result, Sibling
from pytest_claims.report.arms import arm_lines
from pytest_claims.report.beside import beside
from pytest_claims.report.devices import elsewhere_text, evidence_text
from pytest_claims.report.facts import wrapped
from pytest_claims.report.failure import scale_lines
from pytest_claims.report.fields import INDENT, field
from pytest_claims.report.in_short import in_short
from pytest_claims.report.next_step import next_step
from pytest_claims.report.notes import plain_notes
from pytest_claims.report.p_in_words import p_text, power_text
from pytest_claims.report.procedures import rule_text, tests_text
from pytest_claims.report.seeds import seed_lines
from pytest_claims.report.siblings import siblings_text
from pytest_claims.report.why import why
from pytest_claims.types import Agreement, Arm, Run, Source, Verdict


@dataclasses.dataclass(frozen=True)
class Told:
    """A claim that is explained. id, claim: its name and its words. module: the docstring of its module. source: where
    it is documented. arms: as declared, by label; none of a claim that is refused.
    scale: of the session. result: None where it could not be judged, and then not_judged says why."""

    id: str
    claim: str
    module: str
    source: Source
    arms: Mapping[str, Arm]
    scale: str
    result: Result | None
    not_judged: str = ""


def explanations(told: Sequence[Told], columns: int) -> list[str]:
    """The stories one below the other; what their modules say of a source comes once."""
    lines: list[str] = []
    results = [each.result for each in told if each.result]
    module = ""
    for each in told:
        if each.module != module:
            module = each.module
            lines += [line for part in module.split("\n\n") for line in ["", *wrapped(_flat(part), columns, "")]]
        lines += ["", "-" * columns, *_story(each, results, columns)]
    return lines


def _story(told: Told, results: Sequence[Result], columns: int) -> list[str]:
    result = told.result
    verdict = result.badge if result else "NOT JUDGED"
    lines = [*field("", f"{verdict}: {told.id}, {told.claim}", columns, indent=0), ""]
    lines += field("Source", str(told.source), columns)
    lines += field("", told.source.url, columns)
    documented = [f"{label} {arm.documented:.2f}" for label, arm in told.arms.items() if arm.documented is not None]
    lines += field("", "its figures, %: " + (", ".join(documented) or "none given"), columns)
    if result is None:
        lines += ["", *field("Verdict", f"none: {told.not_judged}", columns), ""]
        return lines + _recipes(told, columns)
    lines += ["", *field("In short", in_short(result), columns), *field("Why", why(result), columns)]
    lines += ["", *(" " * INDENT + line for line in scale_lines(result, columns - INDENT)), ""]
    lines += [*arm_lines(result, 2 * len(result.arms) + 4, columns), "", *seed_lines(result, columns), ""]
    lines += _recipes(told, columns)
    lines += [*field("Images", f"{result.data}; scale {result.scale}; {result.device}", columns), ""]
    lines += _statistics(result, columns)
    session = dataclasses.replace(result, siblings=_siblings(result, results) or result.siblings)
    own = bool(_siblings(result, results))
    lines += field("Siblings", siblings_text(session, columns - INDENT, recorded=not own), columns)
    lines += field("Next", next_step(result), columns)
    return [*lines, f"    {result.command}"]


def _statistics(result: Result, columns: int) -> list[str]:
    verdict = result.verdict
    lines = field("Rule", rule_text(verdict, result.unit), columns)
    lines += field("Tests", tests_text(verdict), columns)
    lines += field("p", p_text(result), columns)
    lines += field("Looks", looks_text(verdict), columns)
    lines += field("Power", power_text(result), columns)
    if result.agreement:
        lines += field("Agreement", agreement_text(result.agreement, result.compared), columns)
    lines += field("Evidence", evidence_text(result), columns)
    lines += field("Devices", elsewhere_text(result), columns)
    lines += field("Beside", "; ".join(beside(result)), columns)
    for note in plain_notes(result):
        lines += field("Note", note, columns)
    return lines


def looks_text(verdict: Verdict) -> str:
    """The looks taken and what each said, in words; "" where the number of seeds was fixed."""
    if not verdict.looks:
        return ""
    looks = "; ".join(f"{look.n} seeds at level {look.level:.2g}: {look.outcome}" for look in verdict.looks)
    return f"{looks} (levels that together keep the error rate at 5 %)"


def agreement_text(agreement: Agreement, compared: str) -> str:
    """Whether the documented contrast and ours agree, in words. compared: as in Result."""
    runs = "1 run" if agreement.n0 == 1 else f"{agreement.n0} runs"
    agrees = "inside" if agreement.inside else "outside"
    what = f"{compared}: " if compared else ""
    return (
        f"{what}documented {agreement.documented:+.2f} ({runs}), ours {agreement.measured:+.2f}: {agrees} the 95 % "
        f"prediction interval {agreement.low:+.2f} to {agreement.high:+.2f}"
    )


def _recipes(told: Told, columns: int) -> list[str]:
    """The networks, then the recipe in full, and of the other arms what differs from it."""
    runs = {label: arm.run(told.scale) for label, arm in told.arms.items()}
    if not runs:
        return []
    first_label, first = next(iter(runs.items()))
    lines = field("Recipe", f"{first_label}: {first.network}; {first.dataset}; {_settings(first)}", columns)
    for label, run in runs.items():
        changed = _changed(first, run)
        if changed:
            lines += field("", f"{label}: {changed}", columns)
    return lines


def _settings(run: Run) -> str:
    values = ((one.name, getattr(run.recipe, one.name)) for one in dataclasses.fields(run.recipe))
    return ", ".join(f"{name} {value}" for name, value in values if value not in (None, 0.0, ()))


def _changed(first: Run, run: Run) -> str:
    """What another arm has instead of the first one's."""
    if type(run.network) is type(first.network):
        changed = _different(first.network, run.network)
    else:
        changed = [str(run.network)]
    changed += [run.dataset] if run.dataset != first.dataset else []
    return ", ".join(changed + _different(first.recipe, run.recipe))


def _different(first: Any, other: Any) -> list[str]:
    """The fields of a dataclass that another one of its type has otherwise."""
    names = [one.name for one in dataclasses.fields(other)]
    return [f"{name} {getattr(other, name)}" for name in names if getattr(other, name) != getattr(first, name)]


def _siblings(result: Result, results: Sequence[Result]) -> tuple[Sibling, ...]:
    """The same claim at other levels, as this session judged it."""
    test = result.nodeid.partition("[")[0]
    others = [one for one in results if one.nodeid.partition("[")[0] == test and one.nodeid != result.nodeid]
    return tuple(Sibling(one.nodeid.partition("[")[2].rstrip("]"), one.badge, one.verdict.effect) for one in others)


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())
