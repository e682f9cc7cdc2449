"""Two versions of the decision rules on the same recorded runs, side by side, as Markdown.

python -m calibration.compared OLD.json NEW.json TITLE writes to standard output. Both files are what --claims-json
wrote of one store, judged with --stored by either version of the rules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Of a claim that one of the sessions did not judge, since runs that its look needs are not stored.
NOT_JUDGED = "not judged"


def judged(path: Path) -> dict[str, dict[str, Any]]:
    """The claims of a session's JSON, by test."""
    claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
    return {claim["nodeid"]: claim for claim in claims}


def compared(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A table of the claims with another verdict or another number of seeds, and the sums over all."""
    both = [name for name in before if name in after]
    same = [name for name in both if _outcome(before[name]) == _outcome(after[name])]
    seeds = [sum(session[name]["verdict"]["n"] for name in both) for session in (before, after)]
    lines = [
        f"{len(both)} claims judged by both; {len(same)} with the same verdict. Seeds an arm at which they stopped, "
        f"summed: {seeds[0]} before, {seeds[1]} now.",
        "",
        "| finding | claim | margin | before | now |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in sorted({**before, **after}):
        one, other = before.get(name), after.get(name)
        known = one or other
        if known and _told(one) != _told(other):
            margin = f"{known['verdict']['margin']:g}"
            words = known["finding"], known["claim"], margin, _told(one, bounds=True), _told(other, bounds=True)
            lines.append(f"| {' | '.join(words)} |")
    return lines


def _outcome(claim: Mapping[str, Any]) -> str:
    return str(claim["verdict"]["outcome"])


def _told(claim: Mapping[str, Any] | None, *, bounds: bool = False) -> str:
    """ "REPRODUCED with 5 seeds", with its effect and bounds if asked for."""
    if claim is None:
        return NOT_JUDGED
    verdict = claim["verdict"]
    told = f"{verdict['outcome']} with {verdict['n']} seeds"
    if not bounds:
        return told
    low, high = ("-" if value is None else f"{value:+.2f}" for value in (verdict["lower"], verdict["upper"]))
    return f"{told}: {verdict['effect']:+.2f} ({low} to {high})"


if __name__ == "__main__":
    print("\n".join([f"## {sys.argv[3]}", "", *compared(judged(Path(sys.argv[1])), judged(Path(sys.argv[2])))]))
