"""What a ledger says of a claim on other runs than those of its verdict: it stands beside, and decides nothing.

Other kinds of device have entries of their own. And runs by the same recipes on whole data sets stand beside a verdict
on a sample of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_claims.data import spec_of
from pytest_claims.data.kinds import are_real, joined
from pytest_claims.judge.result import OnRecord, Result
from pytest_claims.ledger.entries import Entry, Ledger

# The scale of the sources' own recipes, at which evidence is judged.
SCALE = "documented"


def elsewhere(result: Result, ledgers: Mapping[str, Ledger]) -> tuple[OnRecord, ...]:
    """The entries of the same claim on other kinds of device. ledgers: of the result's scale, by kind of images."""
    entries = ledgers.get(result.data_kind, {}).get(result.nodeid, {})
    return tuple(
        _on_record(found, result.data_kind, kind)
        for kind, found in sorted(entries.items())
        if kind != result.device_kind
    )


def on_evidence(result: Result, documented: Mapping[str, Ledger]) -> tuple[OnRecord, ...]:
    """The recorded verdicts on the same claim, by the same recipes, on the whole data sets that its arms name.

    documented: the ledgers of scale documented, by kind of images. That of the result's own kind of device comes first.
    None where there is none, and where the result itself is of that scale and those images, for then the ledger's
    column says it. None on images of one's own, and in a rehearsal or a placebo, which say nothing of the claim.
    """
    whole = joined(spec_of(name).family for name in result.datasets)
    itself = (result.scale, result.data_kind) == (SCALE, whole)
    if itself or not result.enforced or result.scale not in ("quick", SCALE) or not are_real(result.data_kind):
        return ()
    entries = documented.get(whole, {}).get(result.nodeid, {})
    kinds = sorted(entries, key=lambda kind: (kind != result.device_kind, kind))
    return tuple(_on_record(entries[kind], whole, kind) for kind in kinds)


def _on_record(entry: Entry, data_kind: str, device_kind: str) -> OnRecord:
    measured = entry.verdict, entry.effect, entry.lower, entry.upper, entry.unit, entry.n
    return OnRecord(*measured, data_kind, device_kind, entry.device, entry.date, entry.confounded_by)
