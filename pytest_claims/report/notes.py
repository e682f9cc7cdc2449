"""What stands beside a verdict, in words: its notes, and its confounders."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.numbers import p_words
from pytest_claims.report.rule_in_words import comparison_text
from pytest_claims.types import (
    ChosenSettings,
    Collapses,
    Deviations,
    EqualDifferences,
    MonotoneTrend,
    MoreCollapses,
    NeverReached,
    Note,
    Outcome,
    Procedure,
    SameEpoch,
    SpreadOfRounding,
    Verdict,
)

# Points between an arm and its documented accuracy, from which on a verdict says so.
FAR = 10.0

_CONFOUNDED = {
    Outcome.REPRODUCED: "the effect stays",
    Outcome.CONTRADICTED: "the effect is gone, so this is what it comes from",
    Outcome.TOO_SMALL: "most of the effect is gone",
    Outcome.INCONCLUSIVE: "these seeds do not say whether the effect stays",
}


@dataclasses.dataclass(frozen=True)
class Confounder:
    """One confounder of a result. verdict: on the claim with this arm in the place of the second one. arm: None where
    it has no evidence of its own."""

    verdict: Verdict
    arm: ArmEvidence | None

    @property
    def label(self) -> str:
        return self.verdict.comparison[1]

    @property
    def measured(self) -> str:
        """ "+1.00 (+0.50 to +1.50): the effect stays"."""
        found = self.verdict
        return f"{found.effect:+.2f} ({found.lower:+.2f} to {found.upper:+.2f}): {_CONFOUNDED[found.outcome]}"

    @property
    def text(self) -> str:
        """ "a − b = +1.00 (+0.50 to +1.50): the effect stays"."""
        return f"{' − '.join(self.verdict.comparison)} = {self.measured}"


def confounders(result: Result) -> list[Confounder]:
    """The confounders, the one that leaves least of the effect first.

    An arm that is as good as the better one or better, and differs from the worse one in one thing alone, is the
    likeliest explanation of the effect.
    """
    arms = {arm.label: arm for arm in result.arms}
    found = [Confounder(verdict, arms.get(verdict.comparison[1])) for verdict in result.verdict.confounders]

    def left(confounder: Confounder) -> float:
        better = arms.get(confounder.verdict.comparison[0])
        return better.mean - confounder.arm.mean if better and confounder.arm else math.inf

    return sorted(found, key=left)


def all_notes(result: Result) -> list[str]:
    """Every note, each for itself, confounders among them: for pages and programs."""
    return verdict_notes(result.verdict) + [_elsewhere([arm]) for arm in _far(result)]


def verdict_notes(verdict: Verdict) -> list[str]:
    """Those that are the verdict's own, its parts' and its confounders' among them."""
    notes = [f"{before}: {text}" if before else text for before, text in _noted(verdict)]
    return notes + [f"confounder: {Confounder(other, None).text}" for other in verdict.confounders]


def plain_notes(result: Result) -> list[str]:
    """The notes on anything but confounders; those that differ in the comparison or in the arm alone are one."""
    said: dict[str, list[str]] = {}
    for before, text in _noted(result.verdict):
        said.setdefault(text, []).append(before)
    notes = []
    for text, of in said.items():
        named = [before for before in of if before]
        head = f"{len(named)} comparisons: " if len(named) > 1 else f"{named[0]}: " if named else ""
        notes.append(head + text)
    far = _far(result)
    return [*notes, _elsewhere(far)] if far else notes


def _noted(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Every note with the comparison that it is about, "" for the claim itself."""
    # How the arms were found is said before what was found of them.
    chosen = [note for note in verdict.notes if isinstance(note, ChosenSettings)]
    yield from (("", text) for note in chosen for text in _words(note, verdict.procedure))
    for part in verdict.parts:
        yield from ((comparison_text(part), text) for _, text in _noted(part))
    others = [note for note in verdict.notes if note not in chosen]
    yield from (("", text) for note in others for text in _words(note, verdict.procedure))


def _words(note: Note, procedure: Procedure) -> list[str]:
    """The sentences of a note; procedure: of the verdict whose note it is."""
    match note:
        case EqualDifferences():
            return [f"all {note.n} differences are equal, so the interval is a point and p is 0 or 1 by definition"]
        case Collapses():
            return [_collapses(note, procedure)]
        case MoreCollapses():
            return [_more_collapses(note, procedure)]
        case MonotoneTrend():
            return [f"Page's test of a monotone trend (supporting only): {p_words(note.p)}"]
        case Deviations():
            spreads = ", ".join(f"{label} {value:.2f}" for label, value in note.values)
            return [f"standard deviations over seeds, points: {spreads}"]
        case ChosenSettings():
            edge = "a best setting is at the edge of those tried: a better one may lie beyond"
            return [f"best setting on other seeds: {'; '.join(note.labels)}", *([edge] if note.at_edge else [])]
        case NeverReached():
            bounds = zip(note.labels, note.counts, ("lower", "upper"), strict=True)
            return [
                f"{label} never came to the accuracy in {count} of {note.n} seeds: no {bound} bound"
                for label, count, bound in bounds
                if count
            ]
        case SameEpoch():
            one, two = note.labels
            return [f"{one} and {two} came to it in the same epoch in {note.count} of {note.n} seeds"]
        case SpreadOfRounding():
            return ["the epochs vary less than rounding to whole ones does, whose spread stands for theirs"]


def _collapses(note: Collapses, procedure: Procedure) -> str:
    match procedure:
        case Procedure.TREND | Procedure.NO_FALL:
            levels = ", ".join(f"{label}: {count}" for label, count in note.counts)
            return f"runs collapsed to chance or diverged, of {note.n} a level: {levels}"
        case Procedure.SPREAD:
            counts = ", ".join(f"{label} {count} of {note.n}" for label, count in note.counts)
            return f"collapsed to chance or diverged, which is spread: {counts}"
    counts = ", ".join(f"{label} {count} of {note.n}" for label, count in note.counts if count)
    return f"collapsed to chance or diverged: {counts}"


def _more_collapses(note: MoreCollapses, procedure: Procedure) -> str:
    first, second = (f"level {label}" if procedure == Procedure.TREND else label for label in note.labels)
    return (
        f"collapsed to chance or diverged: {first} {note.counts[0]} of {note.n}, {second} {note.counts[1]} of "
        f"{note.n}; exact McNemar test that {second} collapses more often: {p_words(note.p)} (seeds where only it did: "
        f"{note.alone[1]}, only {first}: {note.alone[0]})"
    )


def _far(result: Result) -> list[ArmEvidence]:
    """The arms that are not where the source's were, in a session whose verdicts speak of the source."""
    if not result.enforced or result.measured != ACCURACY.name:
        return []
    return [arm for arm in result.arms if arm.documented is not None and abs(arm.mean - arm.documented) > FAR]


def _elsewhere(arms: Sequence[ArmEvidence]) -> str:
    means = "; ".join(f"{arm.label} comes to {arm.mean:.1f} %, the source's to {arm.documented:.1f} %" for arm in arms)
    return f"{means}: these networks are not where the source's were"
