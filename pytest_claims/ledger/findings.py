"""The table of every finding, from the claims, the ledger and the evidence.

python -m pytest_claims.ledger.findings docs/findings.md
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_claims.data.kinds import are_whole
from pytest_claims.defaults import DEVICE_KINDS
from pytest_claims.judge.decorator import arms_at, claim_id, claim_of, words_of
from pytest_claims.judge.result import with_causes
from pytest_claims.ledger.entries import FOLDER, Entry, read_all
from pytest_claims.ledger.unjudged import Unjudged, recorded_seeds, unjudged
from pytest_claims.runs.evidence import FOLDER as EVIDENCE
from pytest_claims.types import Arm, Claim, recipe_of

BEGIN, END = "<!-- findings: made by `make findings` -->", "<!-- end of findings -->"
# The scales whose verdicts speak of the findings, on whole data sets: by the sources' own recipes, or at scale full.
SCALES = ("documented", "full")
HEAD = ("id", "finding", "source", "documented", *(f"on {kind.upper()}" for kind in DEVICE_KINDS))
# Where one kind of device has a verdict and another has none.
_NONE = "–"


@dataclasses.dataclass(frozen=True)
class Registered:
    """A claim as collected. test: its name. words: as a sentence. scale: one of SCALES, "" for a claim that can only be
    rehearsed, and so speaks of no finding."""

    test: str
    id: str
    words: str
    claim: Claim
    scale: str
    arms: tuple[Arm, ...]


class _Register:
    """Keeps the claims that a session collected."""

    def __init__(self) -> None:
        self.claims: list[Registered] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            claim = claim_of(item)
            if not claim:
                continue
            arms = arms_at(item, "rehearsal").values()
            scale = next((each for each in SCALES if all(recipe_of(each) in arm.recipes for arm in arms)), "")
            self.claims.append(Registered(item.nodeid, claim_id(item), words_of(item), claim, scale, tuple(arms)))


def register(root: Path) -> list[Registered]:
    """Every claim under root. Raises RuntimeError if they cannot be collected."""
    found = _Register()
    # All claims can be rehearsed.
    arguments = [
        str(root / "claims"),
        "--scale",
        "rehearsal",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(root),
    ]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(arguments, plugins=[found])
    if status != pytest.ExitCode.OK:
        raise RuntimeError(f"the claims of {root} cannot be collected:\n{said.getvalue()}")
    return found.claims


def recorded(root: Path) -> dict[str, dict[str, Entry]]:
    """What the ledgers say of the findings, by test and by kind of device. Raises LedgerError."""
    ledgers = (ledger for scale in SCALES for ledger in read_all(root / FOLDER, scale).items())
    return {test: entries for kind, ledger in ledgers if are_whole(kind) for test, entries in ledger.items()}


def lacking(root: Path, claims: Sequence[Registered], entries: Mapping[str, object]) -> dict[str, Unjudged]:
    """Of each claim without an entry what its runs are: recorded in evidence/, or still to be paid for.

    Raises EvidenceError.
    """
    seeds = recorded_seeds(root / EVIDENCE)
    return {
        each.test: unjudged(each.claim, each.arms, each.scale, seeds)
        for each in claims
        if each.scale and each.test not in entries
    }


def table(
    claims: Sequence[Registered], entries: Mapping[str, Mapping[str, Entry]], missing: Mapping[str, Unjudged]
) -> list[str]:
    """The table as Markdown, a line a claim, with the verdict of each kind of device side by side.

    missing: what is told of the claims without an entry.
    """
    rows = [HEAD, ("---",) * len(HEAD)]
    for each in claims:
        found = entries.get(each.test, {})
        if found:
            cells = [_judged(found[kind]) if kind in found else _NONE for kind in DEVICE_KINDS]
        else:
            lacks = missing.get(each.test)
            cells = [(lacks.words(kind) if lacks else "") or _NONE for kind in DEVICE_KINDS]
        documented = next((_documented(entry) for entry in found.values()), "")
        rows.append((each.id, each.words, each.claim.source.document, documented, *cells))
    return [f"| {' | '.join(row)} |" for row in rows]


def _documented(entry: Entry) -> str:
    """The source's figure. Of another pair of arms than the one that decides it is said which."""
    text = "" if entry.documented is None else f"{entry.documented:+.2f}"
    return f"{text} ({entry.compared})" if entry.compared else text


def _judged(entry: Entry) -> str:
    """ "REPRODUCED +2.18 (+1.32 to +3.26), 5 seeds, confounded by the learning rate"."""
    unit = "" if entry.unit == "points" else f" {entry.unit}"
    ours = f"{entry.effect:+.2f} ({entry.lower:+.2f} to {entry.upper:+.2f}){unit}"
    compared = f"; of the documented pair {entry.measured:+.2f}" if entry.compared else ""
    sample = f", sample {entry.samples}" if entry.samples > 1 else ""
    return with_causes(f"{entry.verdict} {ours}, {entry.n} seeds{sample}{compared}", entry.confounded_by)


def with_table(text: str, lines: Sequence[str]) -> str:
    """The text with the table between its two marks replaced. Raises ValueError if a mark is missing."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"the marks {BEGIN!r} and {END!r} must each stand once in the file")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *lines, "", END + after])


def main(path: Path) -> None:
    """Write the table into a file of the folder docs/, for the repository that it lies in."""
    root = path.resolve().parents[1]
    claims, entries = register(root), recorded(root)
    lines = table(claims, entries, lacking(root, claims, entries))
    path.write_text(with_table(path.read_text(encoding="utf-8"), lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
