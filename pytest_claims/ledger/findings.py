"""The table of every finding, from the claims and the ledger.

python -m pytest_claims.ledger.findings docs/findings.md
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_claims.data.kinds import are_whole
from pytest_claims.judge.decorator import claim_id, claim_of, words_of
from pytest_claims.ledger.entries import FOLDER, Entry, read_all

BEGIN, END = "<!-- findings: made by `make findings` -->", "<!-- end of findings -->"
NOT_RUN = "not run"
# The scales whose verdicts speak of the findings, on whole data sets: by the sources' own recipes, or at scale full.
SCALES = ("documented", "full")
HEAD = ("id", "finding", "source", "documented", "ours, with its bounds", "seeds", "verdict")


class _Register:
    """Keeps the claims that a session collected: (test, id, words, document)."""

    def __init__(self) -> None:
        self.claims: list[tuple[str, str, str, str]] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            claim = claim_of(item)
            if claim:
                self.claims.append((item.nodeid, claim_id(item), words_of(item), claim.source.document))


def register(root: Path) -> list[tuple[str, str, str, str]]:
    """Every claim under root: test, id, words, document. Raises RuntimeError if they cannot be collected."""
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


def recorded(root: Path) -> dict[str, Entry]:
    """What the ledgers say of the findings, by test. Raises LedgerError."""
    ledgers = (ledger for scale in SCALES for ledger in read_all(root / FOLDER, scale).items())
    return {test: entry for kind, entries in ledgers if are_whole(kind) for test, entry in entries.items()}


def table(claims: Sequence[tuple[str, str, str, str]], entries: Mapping[str, Entry]) -> list[str]:
    """The table as Markdown, a line a claim; one that the ledger has no entry for reads "not run"."""
    rows = [HEAD, ("---",) * len(HEAD)]
    for test, name, words, document in claims:
        entry = entries.get(test)
        if entry is None:
            rows.append((name, words, document, "", "", "", NOT_RUN))
            continue
        documented = "" if entry.documented is None else f"{entry.documented:+.2f}"
        if entry.compared:
            documented += f" ({entry.compared}; ours {entry.measured:+.2f})"
        unit = "" if entry.unit == "points" else f" {entry.unit}"
        ours = f"{entry.effect:+.2f} ({entry.lower:+.2f} to {entry.upper:+.2f}){unit}"
        seeds = str(entry.n) if len(entry.looks) == 1 else f"{entry.n}, looks"
        seeds += f", sample {entry.samples}" if entry.samples > 1 else ""
        rows.append((name, words, document, documented, ours, seeds, entry.verdict))
    return [f"| {' | '.join(row)} |" for row in rows]


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
    path.write_text(
        with_table(path.read_text(encoding="utf-8"), table(register(root), recorded(root))), encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
