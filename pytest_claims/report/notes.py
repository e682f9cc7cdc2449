"""A verdict's notes, the confounders apart, and those that say the same of many comparisons told once."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_claims.judge.result import CONFOUNDER, ArmEvidence, Result
from pytest_claims.types import Verdict


def confounders(result: Result) -> list[tuple[str, ArmEvidence | None]]:
    """The note of each confounder, without its first word, and its arm, the one that leaves least of the effect first.

    An arm that is as good as the better one or better, and differs from the worse one in one thing alone, is the
    likeliest explanation of the effect.
    """
    found = []
    for note in result.verdict.notes:
        if note.startswith(CONFOUNDER):
            text = note.removeprefix(CONFOUNDER)
            # Labels may begin alike ("batch norm", "batch norm, float32"), so what stands around them counts.
            better = next((arm for arm in result.arms if text.startswith(f"{arm.label} − ")), None)
            arm = next((arm for arm in result.arms if f" − {arm.label} = " in text), None)
            left = better.mean - arm.mean if better and arm else float("inf")
            found.append((left, text, arm))
    return [(text, arm) for _, text, arm in sorted(found, key=lambda entry: entry[0])]


def plain_notes(verdict: Verdict) -> list[str]:
    """The notes on anything but confounders; those that differ in the comparison or in the arm alone are one."""
    notes = [note for note in verdict.notes if not note.startswith(CONFOUNDER)]
    return _ending_alike(_of_many_parts(notes, [name for name, _ in verdict.parts]))


def _of_many_parts(notes: Iterable[str], parts: Iterable[str]) -> list[str]:
    """ "a − b: it collapsed", "a − c: it collapsed" read "2 comparisons: it collapsed"."""
    names = list(parts)
    said: dict[str, list[str]] = {}
    for note in notes:
        part = next((name for name in names if note.startswith(f"{name}: ")), "")
        said.setdefault(note.removeprefix(f"{part}: ") if part else note, []).append(part)
    told = []
    for note, of in said.items():
        named = [part for part in of if part]
        before = f"{len(named)} comparisons: " if len(named) > 1 else f"{named[0]}: " if named else ""
        told.append(before + note)
    return told


def _ending_alike(notes: Iterable[str]) -> list[str]:
    """ "a is at 20: far away", "b is at 30: far away" read "a is at 20; b is at 30: far away"."""
    heads: dict[str, list[str]] = {}
    for note in notes:
        head, colon, tail = note.rpartition(": ")
        heads.setdefault(colon + tail, []).append(head)
    return ["; ".join(found) + tail for tail, found in heads.items()]
