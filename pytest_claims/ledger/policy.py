"""What a new verdict means beside the recorded one: expected, settled, still open, or changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pytest_claims.judge.result import Result
from pytest_claims.ledger.entries import Entry
from pytest_claims.types import Outcome


@dataclasses.dataclass(frozen=True)
class Standing:
    """How a verdict stands beside the ledger's.

    said: a sentence for the top of a failure's text, "" for none. expected: why a verdict that is not REPRODUCED is
    expected, "" where it is not. fails: whether the test fails where it would pass by its verdict alone.
    """

    said: str = ""
    expected: str = ""
    fails: bool = False


def standing(entries: Mapping[str, Entry], result: Result, *, updating: bool) -> Standing:
    """entries: the ledger's for this claim, by kind of device. A verdict is held against that of its own kind alone: an
    effect of another kind says nothing of a change. updating: this session's verdicts are being recorded."""
    recorded = entries.get(result.device_kind)
    red = result.enforced and result.verdict.outcome != Outcome.REPRODUCED
    if updating and recorded and recorded.stays(result):
        return Standing(difference(recorded, result))
    if updating:
        return Standing(expected="recorded now" if red else "")
    if recorded is None:
        return Standing(unheld(entries, result) if red else "")
    said = difference(recorded, result)
    if red:
        return Standing(said, "" if said else f"as recorded: {recorded.words}")
    # What was open before and is now reproduced passes, as a claim without an entry does.
    changed = result.enforced and said.startswith("CHANGED")
    return Standing(said, fails=changed or (not result.enforced and reversed_effect(recorded, result)))


def unheld(entries: Mapping[str, Entry], result: Result) -> str:
    """That a verdict is held against nothing, since the ledger has this claim on other kinds of device alone."""
    if not entries:
        return ""
    others = "; ".join(f"on {kind} it was {entry.words}" for kind, entry in sorted(entries.items()))
    return (
        f"NOT RECORDED ON {result.device_kind.upper()}: the ledger has {result.finding} on another kind of device "
        f"alone ({others}), which this verdict is not held against. Record it with --update-ledger."
    )


def difference(recorded: Entry, result: Result) -> str:
    """What a verdict that is not the recorded one means, in a sentence; "" where it is the recorded one.

    More seeds that settle what was open, or fewer than were recorded, contradict nothing; all else is a change.
    """
    verdict = result.verdict
    if recorded.verdict == verdict.outcome:
        return ""
    was = f"{result.finding} was {recorded.words}, now {verdict.outcome} with {verdict.n}"
    samples = recorded.chained(result)
    if recorded.verdict == Outcome.INCONCLUSIVE and samples > recorded.samples:
        return (
            f"SETTLED BY SAMPLE {samples}: {was}, on seeds or looks that were not planned with those. Each sample has "
            f"an error rate of 5 %, so that {samples} together err more often (docs/verdicts.md, Looks). Record it "
            "with --update-ledger."
        )
    if recorded.verdict == Outcome.INCONCLUSIVE and verdict.n > recorded.n:
        return f"SETTLED: {was}. Record it with --update-ledger."
    if verdict.outcome == Outcome.INCONCLUSIVE and (result.next_look or verdict.n < recorded.n):
        return f"OPEN: {was}: these seeds do not decide, and contradict nothing."
    return f"CHANGED: {was}. If that is to stay, record it with --update-ledger."


def reversed_effect(recorded: Entry, result: Result) -> bool:
    """Has a strong recorded effect, at least its margin by its lower bound, turned round beyond doubt?

    All that a rehearsal may fail for: its verdicts say nothing about the findings, and a newcomer's processor rounds
    differently.
    """
    strong = recorded.verdict == "REPRODUCED" and recorded.lower >= recorded.margin and result.of_kind.directed
    return strong and result.verdict.upper < 0
