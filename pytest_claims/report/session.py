"""A session as data: what the page shows and what programs read (claims.schema.json describes it)."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_claims.data.kinds import joined
from pytest_claims.judge.result import Result
from pytest_claims.report.multiplicity import adjusted_p
from pytest_claims.types import Outcome

SCHEMA = Path(__file__).with_name("claims.schema.json")
# Raised when a field is removed, renamed or changes its meaning; new fields do not raise it.
SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Session:
    """What a session came to.

    results: in the order of findings. not_judged: (test, why) of the selected claims without a verdict. facts:
    what it was measured with, in words. command: that ran it. trained: runs trained in it. reused: runs that were
    stored before and are among the evidence. seconds: wall time. enforced: whether verdicts decided the tests.
    placebo: what the last placebo on this store found, in words, empty where there was none.
    """

    results: tuple[Result, ...]
    not_judged: tuple[tuple[str, str], ...]
    facts: Mapping[str, str]
    command: str
    trained: int
    reused: int
    seconds: float
    enforced: bool
    placebo: tuple[str, ...]

    @property
    def data_kind(self) -> str:
        """Of the images that the results are about, all together (data/kinds.py); "" without results."""
        return joined(result.data_kind for result in self.results)

    @property
    def totals(self) -> dict[str, int]:
        """How many claims came to each verdict, those that none came to included."""
        found = Counter(result.verdict.outcome for result in self.results)
        return {str(outcome): found[outcome] for outcome in Outcome}


def session_json(session: Session) -> str:
    """The session as JSON text, strictly: numbers that are not finite (a bound that does not exist) are null."""
    claims = []
    for result, adjusted in zip(session.results, adjusted_p(session.results), strict=True):
        fields = dataclasses.asdict(result)
        claims.append({**fields, "adjusted_p": adjusted})
    document = {
        "schema": SCHEMA_VERSION,
        "facts": dict(session.facts),
        "command": session.command,
        "enforced": session.enforced,
        "runs_trained": session.trained,
        "runs_reused": session.reused,
        "seconds": session.seconds,
        "totals": session.totals,
        "placebo": list(session.placebo),
        "claims": claims,
        "not_judged": [{"nodeid": nodeid, "why": why} for nodeid, why in session.not_judged],
    }
    return json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
