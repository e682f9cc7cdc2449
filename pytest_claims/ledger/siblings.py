"""The same claim at other levels, as the ledger has it: what stands beside a verdict that no other test can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_claims.judge.result import Sibling
from pytest_claims.ledger.entries import Entry


def siblings(nodeid: str, entries: Mapping[str, Entry]) -> tuple[Sibling, ...]:
    """Of a test, its other parameters among these entries, by test; numbers in their order."""
    test, bracket, _ = nodeid.partition("[")
    others = {
        name.partition("[")[2].rstrip("]"): entry
        for name, entry in entries.items()
        if bracket and name != nodeid and name.startswith(f"{test}[")
    }
    return tuple(Sibling(level, others[level].called, others[level].effect) for level in sorted(others, key=_place))


def _place(level: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", level)]
