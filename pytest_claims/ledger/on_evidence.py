"""What recorded runs on whole data sets say of a claim that was judged on other runs: it stands beside the verdict."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_claims.data import spec_of
from pytest_claims.data.kinds import are_real, joined
from pytest_claims.judge.result import OnEvidence, Result
from pytest_claims.ledger.entries import Entry

# The scale of the sources' own recipes, at which evidence is judged.
SCALE = "documented"


def on_evidence(result: Result, recorded: Mapping[str, Mapping[str, Entry]]) -> OnEvidence | None:
    """The recorded verdict on the same claim, by the same recipes, on the whole data sets that its arms name.

    recorded: the entries of scale documented, by kind of images and by test. None where there is none, and where the
    result itself is of that scale and those images, for then the ledger's column says it. None on images of one's own,
    and in a rehearsal or a placebo, which say nothing of the claim.
    """
    whole = joined(spec_of(name).family for name in result.datasets)
    itself = (result.scale, result.data_kind) == (SCALE, whole)
    if itself or not result.enforced or result.scale not in ("quick", SCALE) or not are_real(result.data_kind):
        return None
    entry = recorded.get(whole, {}).get(result.nodeid)
    if entry is None:
        return None
    return OnEvidence(
        entry.verdict, entry.effect, entry.lower, entry.upper, entry.unit, entry.n, whole, entry.device, entry.date
    )
