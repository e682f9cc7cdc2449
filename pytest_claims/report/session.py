"""A session as data: what the page shows and what programs read (claims.schema.json describes it)."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_claims.data.kinds import joined
from pytest_claims.judge.result import Called, Result
from pytest_claims.report.devices import on_both
from pytest_claims.report.kept_apart import capabilities_words
from pytest_claims.report.multiplicity import adjusted_p
from pytest_claims.report.notes import all_notes, cause_sentences, verdict_notes
from pytest_claims.report.procedures import comparison_text, rule_text, tests_text
from pytest_claims.types import Confounded, Verdict

SCHEMA = Path(__file__).with_name("claims.schema.json")
# Raised when a field is removed, renamed or changes its meaning; new fields do not raise it.
SCHEMA_VERSION = 4


@dataclasses.dataclass(frozen=True)
class Session:
    """What a session came to.

    results: in the order of findings. not_judged: (test, why) of the selected claims without a verdict. facts:
    what it was measured with, in words. command: that ran it. trained: runs trained in it. reused: runs that were
    stored before and are among the evidence. Both are None where the store could not be read at the end. seconds: wall
    time. enforced: whether verdicts decided the tests. placebo: what the last placebo on this store found, in words,
    empty where there was none.
    """

    results: tuple[Result, ...]
    not_judged: tuple[tuple[str, str], ...]
    facts: Mapping[str, str]
    command: str
    trained: int | None
    reused: int | None
    seconds: float
    enforced: bool
    placebo: tuple[str, ...]

    @property
    def data_kind(self) -> str:
        """Of the images that the results are about, all together (data/kinds.py); "" without results."""
        return joined(result.data_kind for result in self.results)

    @property
    def totals(self) -> dict[str, int]:
        """How many claims are called what, those that none is called included."""
        found = Counter(result.called for result in self.results)
        return {str(called): found[called] for called in Called}


def devices(results: Sequence[Result]) -> str:
    """What the runs behind these results were trained on, with the instruction sets of CPUs; "" for no results."""
    return "; ".join(dict.fromkeys(f"{result.device}{capabilities_words(result)}" for result in results))


def session_json(session: Session) -> str:
    """The session as JSON text, strictly: numbers that are not finite (a bound that does not exist) are null."""
    claims = []
    for result, adjusted in zip(session.results, adjusted_p(session.results), strict=True):
        fields = dataclasses.asdict(result)
        verdict = _in_words(result.verdict, all_notes(result), result.unit)
        told = {"called": str(result.called), "badge": result.badge, "causes": cause_sentences(result)}
        claims.append({**fields, "verdict": verdict, "adjusted_p": adjusted, **told})
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
        "disagreements": [
            {"id": found.id, "verdicts": dict(found.verdicts)} for found in on_both(session.results) if found.disagrees
        ],
        "claims": claims,
        "not_judged": [{"nodeid": nodeid, "why": why} for nodeid, why in session.not_judged],
    }
    return json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _in_words(verdict: Verdict, notes: list[str], unit: str) -> dict[str, Any]:
    """The verdict's fields, and beside its numbers, and those of its parts, what a reader is told.

    unit: of the effect.
    """
    words = {
        "comparison": comparison_text(verdict),
        "rule": rule_text(verdict, unit),
        "test": tests_text(verdict),
        "notes": notes,
    }
    parts = [_in_words(part, verdict_notes(part), unit) for part in verdict.parts]
    confounders = [
        {
            **dataclasses.asdict(found),
            "cause": str(found.cause),
            **{name: _in_words(verdict, verdict_notes(verdict), unit) for name, verdict in _verdicts(found)},
        }
        for found in verdict.confounders
    ]
    return {**dataclasses.asdict(verdict), "parts": parts, "confounders": confounders, "words": words}


def _verdicts(found: Confounded) -> list[tuple[str, Verdict]]:
    return [("under", found.under), ("removed", found.removed)]


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
