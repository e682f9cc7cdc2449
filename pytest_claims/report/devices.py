"""The same claims on several kinds of device: where their verdicts differ, in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pytest_claims.judge.result import Result
from pytest_claims.types import Outcome


@dataclasses.dataclass(frozen=True)
class OnBoth:
    """A claim that was judged on two kinds of device. verdicts: the outcome by kind, the session's own first."""

    id: str
    verdicts: tuple[tuple[str, str], tuple[str, str]]

    @property
    def decided(self) -> tuple[str, ...]:
        """The kinds that decide it."""
        return tuple(kind for kind, verdict in self.verdicts if verdict != Outcome.INCONCLUSIVE)

    @property
    def disagrees(self) -> bool:
        """Whether both decide it, and otherwise. One that is undecided contradicts nothing."""
        return len(self.decided) == 2 and self.verdicts[0][1] != self.verdicts[1][1]


def on_both(results: Sequence[Result]) -> list[OnBoth]:
    """The claims of a session that the ledger has on another kind of device, an item a kind; none of a rehearsal or a
    placebo, whose verdicts say nothing of the findings."""
    return [
        OnBoth(result.id, ((result.device_kind, str(result.verdict.outcome)), (other.device_kind, other.verdict)))
        for result in results
        if result.enforced
        for other in result.elsewhere
    ]


def device_lines(results: Sequence[Result]) -> list[str]:
    """How the verdicts of this session stand beside those of the ledger on other kinds of device.

    A line for where they disagree, which is also said where nothing does, and one for what one kind alone decides.
    """
    found = on_both(results)
    if not found:
        return []
    compared = [one for one in found if len(one.decided) == 2]
    differing = [one for one in compared if one.disagrees]
    kinds = " and ".join(sorted({kind.upper() for one in found for kind, _ in one.verdicts}))
    of = f"{len(compared)} {'claim' if len(compared) == 1 else 'claims'} decided on both"
    lines = []
    if differing:
        told = ", ".join(f"{one.id} ({_verdicts(one)})" for one in differing)
        lines = [f"{kinds} DISAGREE on {len(differing)} of {of}: {told}"]
    elif compared:
        lines = [f"{kinds} disagree on none of {of}"]
    alone: dict[str, list[str]] = {}
    for one in found:
        if len(one.decided) == 1:
            alone.setdefault(one.decided[0], []).append(one.id)
    if alone:
        lines.append(
            "decided on one kind of device and undecided on the other: "
            + "; ".join(f"{kind.upper()} {', '.join(alone[kind])}" for kind in sorted(alone))
        )
    return lines


def evidence_text(result: Result) -> str:
    """What recorded runs on whole data sets say of the claim, on each kind of device; "" for nothing."""
    if not result.evidence:
        return ""
    first, *others = result.evidence
    return "; ".join(
        [f"on {first.device_kind.upper()} {first.words}"]
        + [f"on {other.device_kind.upper()} {other.measured} ({other.n} seeds)" for other in others]
    )


def elsewhere_text(result: Result) -> str:
    """What the ledger has on other kinds of device; "" for nothing, and where this verdict says nothing of it."""
    if not result.enforced:
        return ""
    return "; ".join(
        f"on {other.device_kind.upper()} {other.measured} ({other.n} seeds, {other.device}, {other.date})"
        for other in result.elsewhere
    )


def _verdicts(one: OnBoth) -> str:
    return ", ".join(f"{kind.upper()} {verdict}" for kind, verdict in one.verdicts)
