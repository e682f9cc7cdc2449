"""Where an effect comes from, as far as it is known: which arm moved against the source's, and what confounders say."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.notes import FAR, cause_sentences
from pytest_claims.report.numbers import count
from pytest_claims.report.tested import tested
from pytest_claims.types import NotTried

# Arms whose move is told one by one.
_NAMED = 3


def why(result: Result) -> str:
    """The sentences."""
    return " ".join(filter(None, [_moved(result), _confounded(result), _collapsed(result)]))


def _moved(result: Result) -> str:
    """How far the arms are from the source's, those that decide first."""
    if result.measured != ACCURACY.name or not result.comparable:
        return ""
    known = [arm for arm in result.arms if arm.documented is not None]
    if not known:
        return ""
    found = tested(result)
    pair = [arm for arm in (found.pair or () if found else ()) if arm in known]
    if len(pair) == 2 and result.agreement and not result.compared:
        change = _move(pair[0]) - _move(pair[1])
        words = f"The difference is {abs(change):.2f} {'above' if change >= 0 else 'below'} the source's: "
        words += "; ".join(f"{arm.label} came to {_than(arm)}" for arm in pair) + "."
        return words + _far(known)
    named = [*pair, *sorted((arm for arm in known if arm not in pair), key=lambda arm: -abs(_move(arm)))]
    if len(named) > _NAMED + 1:
        named = named[:_NAMED]
    words = "Against the source, " + "; ".join(f"{arm.label} came to {_than(arm)}" for arm in named)
    rest = [_move(arm) for arm in known if arm not in named]
    if rest:
        words += f"; the other {len(rest)} moved by {min(rest):+.2f} to {max(rest):+.2f}"
    return f"{words}.{_far(known)}"


def _move(arm: ArmEvidence) -> float:
    """Ours less the source's, points."""
    return arm.mean - (arm.documented or 0.0)


def _than(arm: ArmEvidence) -> str:
    """ "1.85 less"."""
    move = _move(arm)
    return f"{abs(move):.2f} {'more' if move >= 0 else 'less'}"


def _far(known: list[ArmEvidence]) -> str:
    far = any(abs(_move(arm)) > FAR for arm in known)
    return " So these networks are not where the source's were." if far else ""


def _confounded(result: Result) -> str:
    """What confounders say, which ones nothing is known of, or that there were none."""
    untried = _untried(result)
    if not result.verdict.confounders and not untried:
        return "No confounder was tried." if result.of_kind.directed else ""
    said = cause_sentences(result)
    return " ".join([*said, not_tried(untried)] if untried else said)


def not_tried(factors: Iterable[str]) -> str:
    """The sentence on confounders that have no runs here."""
    return f"Not tried here: whether it comes from {' or '.join(factors)}."


def _untried(result: Result) -> list[str]:
    """The factors of confounders that have no runs here."""
    notes = [note for note in result.verdict.notes if isinstance(note, NotTried)]
    return [factor for note in notes for factor in note.factors]


def _collapsed(result: Result) -> str:
    """How many runs of which arm are flagged; where there are confounders, of the compared arms alone."""
    confounded = bool(result.verdict.confounders or _untried(result))
    fallen = [arm for arm in result.arms if any(arm.collapsed) and (arm.label in result.contrasted or not confounded)]
    if not fallen:
        return ""
    what = result.of_kind.flag.split(":")[0]
    counts = ", ".join(f"{arm.label} {sum(arm.collapsed)} of {len(arm.collapsed)}" for arm in fallen[:_NAMED])
    more = f", and others in {count(len(fallen) - _NAMED, 'arm')} more" if len(fallen) > _NAMED else ""
    return f"Runs that {what}: {counts}{more}."
