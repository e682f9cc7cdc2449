"""What stands beside a verdict, in words: its notes, and its confounders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.kept_apart import mixed_words
from pytest_claims.report.numbers import p_words
from pytest_claims.report.procedures import comparison_text
from pytest_claims.types import (
    Cause,
    ChosenSettings,
    Collapses,
    Confounded,
    Deviations,
    EqualDifferences,
    MonotoneTrend,
    MoreCollapses,
    NeverReached,
    Note,
    NotTried,
    Outcome,
    Procedure,
    SameEpoch,
    SpreadOfRounding,
    Verdict,
)

# Points between an arm and its documented accuracy, from which on a verdict says so.
FAR = 10.0


def cause_sentences(result: Result) -> list[str]:
    """What the confounders say about where the effect comes from: what explains it first, then what does not.

    Empty for a claim without confounders, and where there is no effect that a cause could have.
    """
    if result.verdict.outcome not in (Outcome.REPRODUCED, Outcome.TOO_SMALL):
        return []
    found = result.verdict.confounders
    told = [_explained(result, one) for one in found if one.cause == Cause.EXPLAINS]
    told += [_explained_in_part(result, one) for one in found if one.cause == Cause.EXPLAINS_PART]
    told += _not_explained(result, [one for one in found if one.cause == Cause.DOES_NOT])
    return told + [_undecided(result, one) for one in found if one.cause == Cause.UNDECIDED]


def _explained(result: Result, found: Confounded) -> str:
    arms = _means(result, found.under)
    before, after = (_collapsed(result, of) for of in (result.verdict, found.under))
    if before and not after:
        text = f"{_upper(found.change)} neither arm collapses: {arms}."
    else:
        gone = "the effect is gone" if found.under.outcome == Outcome.CONTRADICTED else "most of the effect is gone"
        text = f"{_upper(found.change)} {gone}: {arms}, a difference of {_measured(found.under, result.unit)}."
    instead = f", not from {found.instead_of}" if found.instead_of else ""
    return f"{text} The effect comes from {found.factor}{instead}."


def _explained_in_part(result: Result, found: Confounded) -> str:
    return (
        f"{_upper(found.change)} the effect is {_measured(found.under, result.unit)}, not "
        f"{result.verdict.effect:+.2f}: a part of it comes from {found.factor}."
    )


def _not_explained(result: Result, found: Sequence[Confounded]) -> list[str]:
    if not found:
        return []
    changes = " and ".join(f"{one.change} ({one.under.effect:+.2f} {result.unit})" for one in found)
    factors = " nor from ".join(one.factor for one in found)
    comes = "comes neither" if len(found) > 1 else "does not come"
    return [f"{_upper(changes)} the effect stays: it {comes} from {factors}."]


def _undecided(result: Result, found: Confounded) -> str:
    return (
        f"{_upper(found.change)} the effect is {_measured(found.under, result.unit)}: these seeds do not say whether "
        f"it comes from {found.factor}."
    )


def _measured(verdict: Verdict, unit: str) -> str:
    return f"{verdict.effect:+.2f} {unit} ({verdict.lower:+.2f} to {verdict.upper:+.2f})"


def _means(result: Result, verdict: Verdict) -> str:
    """ "group norm 51.3 %, batch norm 51.7 %"; of anything else than accuracies without the sign."""
    arms = {arm.label: arm for arm in result.arms}
    sign = " %" if result.measured == ACCURACY.name else ""
    return ", ".join(f"{label} {arms[label].mean:.1f}{sign}" for label in verdict.comparison if label in arms)


def _collapsed(result: Result, verdict: Verdict) -> bool:
    """Whether a run of a compared arm collapsed."""
    return any(any(arm.collapsed) for arm in result.arms if arm.label in verdict.comparison)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def all_notes(result: Result) -> list[str]:
    """Every note, each for itself, what confounders say among them: for pages and programs."""
    mixed = list(filter(None, [mixed_words(result)]))
    return verdict_notes(result.verdict) + cause_sentences(result) + mixed + [_elsewhere([arm]) for arm in _far(result)]


def verdict_notes(verdict: Verdict) -> list[str]:
    """Those that are the verdict's own, and its parts'."""
    return [f"{before}: {text}" if before else text for before, text in _noted(verdict)]


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
    notes += filter(None, [mixed_words(result)])
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
        case NotTried():
            return [f"not tried here: whether the effect comes from {' or '.join(note.factors)}"]
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
