"""What a module's claims came to, in sentences: of the session's numbers and verdicts and of the claims' words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from pytest_claims.judge.result import Called, Result
from pytest_claims.report.page.colours import base
from pytest_claims.report.page.drawn_claim import documented_of
from pytest_claims.report.page.gaps import Gap, Gaps
from pytest_claims.report.page.marks import MARKS
from pytest_claims.report.why import not_tried
from pytest_claims.story import Story
from pytest_claims.types import Cause, NotTried, Outcome, Procedure

# How the gap at a level is spoken of.
_FIRST, _SECOND, _WITHIN, _UNDECIDED, _NOT_COMPARABLE = range(5)
# A module with more claims than these is summed up.
_FEW = 3


def gap_sentences(gaps: Gaps, story: Story) -> list[str]:
    """Which of the two leads where, by how much, and what that comes from."""
    groups = [(way, list(found)) for way, found in itertools.groupby(gaps.along, key=_way)]
    parts: list[str] = []
    for way, found in groups:
        places = _places(found, gaps.along, story)
        named = not parts
        parts.append(_said(way, found, places, gaps, named))
    documented = _documented(gaps.along) if len(groups) == 1 else ""
    return [capital("; ".join(parts)) + documented + ".", *_causes(gaps, story)]


def claim_sentence(result: Result) -> str:
    """What one claim came to, as a sentence around the claim's own words."""
    # "base, batch 2: the norms ...": the setting comes first here, too.
    setting, _, claim = result.claim.rpartition(": ")
    said = _said_of(result, claim)
    return f"{capital(setting)}: {said}" if setting else capital(said)


def _said_of(result: Result, claim: str) -> str:
    verdict = result.verdict
    size = f"{abs(verdict.effect):.1f} {_one(result.unit, verdict.effect)}"
    signed = f"{_signed(verdict.effect)} {result.unit}"
    match result.called:
        case Called.OPEN:
            return f"open: {claim} ({verdict.n} of {result.planned[-1]} seeds, {signed} so far)."
        case Called.INCONCLUSIVE:
            return f"undecided: {claim} ({verdict.n} seeds, {signed})."
        case Called.NOT_COMPARABLE:
            return f"not comparable: {claim}; most runs are at chance."
        case Called.CONTRADICTED | Called.DOES_NOT_TRANSFER:
            return f"does not hold here: {claim} ({signed})."
        case Called.TOO_SMALL:
            return f"{claim}, but only by {size}: less than the margin of {verdict.margin:g}."
    documented = documented_of(result)
    by = result.of_kind.directed and verdict.procedure != Procedure.NO_FALL and verdict.effect > 0
    told = ""
    if documented is not None:
        told = f" (documented: {documented:.1f})" if by and documented > 0 else f", documented {_signed(documented)}"
    confounded = f" It is confounded by {' and '.join(result.confounded_by)}." if result.confounded_by else ""
    if by:
        return f"{claim}, by {size}{told}.{confounded}"
    return f"{claim} ({signed}{told}).{confounded}"


def summed_up(results: Sequence[Result]) -> str:
    """How many claims came to what; of few, what the first of them did."""
    if len(results) <= _FEW:
        return claim_sentence(results[0])
    counts = Counter(result.called for result in results)
    parts = [f"{counts[called]} {_means(called, counts[called])}" for called in MARKS if counts[called]]
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Of {len(results)} claims, {listed}."


def _means(called: Called, count: int) -> str:
    """What the mark of so many claims means: "hold here", "holds here"."""
    words = MARKS[called].means
    if count > 1:
        return words
    verb, _, rest = words.partition(" ")
    one = {"are": "is", "do": "does", "cannot": "cannot"}.get(verb.rstrip(","), f"{verb.rstrip(',')}s")
    return f"{one}{',' if verb.endswith(',') else ''} {rest}"


def capital(words: str) -> str:
    """With a capital at its beginning, but for names that have their own spelling, "conv-norm-ReLU"."""
    first = words.split(" ")[0].rstrip(",:")
    return words[:1].upper() + words[1:] if first.isalpha() and first.islower() else words


def _way(gap: Gap) -> int:
    """Who leads at a level, as far as the verdict's own bounds say it."""
    verdict = gap.result.verdict
    if gap.result.called == Called.NOT_COMPARABLE:
        return _NOT_COMPARABLE
    if verdict.procedure == Procedure.EQUIVALENCE and verdict.outcome == Outcome.REPRODUCED:
        return _WITHIN
    if verdict.doubt is None and gap.lower > 0:
        return _FIRST
    if verdict.doubt is None and gap.upper < 0:
        return _SECOND
    return _UNDECIDED


def _said(way: int, found: Sequence[Gap], places: str, gaps: Gaps, named: bool) -> str:
    first, second = gaps.first, gaps.second
    match way:
        case _ if way in (_FIRST, _SECOND):
            ahead, behind = (first, second) if way == _FIRST else (second, first)
            who = f"{ahead} leads {behind}" if named else f"{ahead} leads"
            sizes = [abs(gap.effect) for gap in found]
            if len(found) == 2:
                last = f"{found[1].level:g}"
                return f"{who} by {sizes[0]:.1f} points {_first_of(places)} and by {sizes[1]:.1f} at {last}"
            return f"{who} by {_span(sizes)} points {places}"
        case _ if way == _WITHIN:
            within = max(abs(limit) for gap in found for limit in gap.limits)
            who = f"{first} and {second}" if named else "they"
            return f"{who} are within {within:g} points of each other {places}"
        case _ if way == _NOT_COMPARABLE:
            return f"{places} most runs are at chance, and nothing can be compared"
    return f"{f'between {first} and {second}' if named else 'between them'} nothing is decided {places}"


def _span(sizes: Sequence[float]) -> str:
    low, high = f"{min(sizes):.1f}", f"{max(sizes):.1f}"
    return low if low == high else f"{low} to {high}"


def _places(found: Sequence[Gap], all_of: Sequence[Gap], story: Story) -> str:
    """At which levels: "at all 8 depths", "at depth 1", "from a batch of 8 on"."""
    level = story.level or "{}"
    one = [level.replace("{}", f"{gap.level:g}") for gap in found]
    if len(found) == len(all_of) > 2:
        return f"at all {len(all_of)} {story.levels or 'levels'}"
    if len(found) <= 2:
        return "at " + " and ".join([one[0], *(f"{gap.level:g}" for gap in found[1:])])
    if found[-1] is all_of[-1]:
        return f"from {one[0]} on"
    return f"from {one[0]} to {found[-1].level:g}"


def _first_of(places: str) -> str:
    return places.split(" and ")[0]


def _documented(along: Sequence[Gap]) -> str:
    values = [abs(gap.documented) for gap in along if gap.documented is not None]
    return f" (documented: {_span(values)})" if values else ""


def _causes(gaps: Gaps, story: Story) -> list[str]:
    """Where the gap comes from, as far as both networks were trained under another condition."""
    sentences: list[str] = []
    stays: list[tuple[str, str]] = []
    undecided: list[str] = []
    for changed, found in gaps.confounders.items():
        factor, causes = found[0][1].factor, {confounded.cause for _, confounded in found}
        levels = " and ".join(f"{level:g}" for level, _ in found)
        lead = f"the lead of {base(found[0][1].under.comparison[0])} at {(story.level or '{}').replace('{}', levels)}"
        if causes <= {Cause.EXPLAINS, Cause.EXPLAINS_PART}:
            gone = "is gone: it" if causes == {Cause.EXPLAINS} else "is smaller: a part of it"
            sentences.append(f"{capital(changed)} {lead} {gone} comes from {factor}.")
        elif causes == {Cause.DOES_NOT}:
            stays.append((changed, lead))
        else:
            undecided.append(factor)
    if stays:
        changes = " and ".join(changed for changed, _ in stays)
        sentences.append(f"{capital(changes)} {'it' if sentences else stays[0][1]} stays.")
    if undecided:
        sentences.append(f"Whether it comes from {' or '.join(undecided)} is not decided.")
    notes = (note for gap in gaps.along for note in gap.result.verdict.notes if isinstance(note, NotTried))
    missing = dict.fromkeys(factor for note in notes for factor in note.factors)
    if missing:
        sentences.append(not_tried(missing))
    return [" ".join(sentences)] if sentences else []


def _signed(value: float) -> str:
    """ "+1.0", "−1.0"."""
    return f"{value:+.1f}".replace("-", "−")


def _one(unit: str, effect: float) -> str:
    return unit.removesuffix("s") if f"{abs(effect):.1f}" == "1.0" else unit
