"""The README's table of findings is that of the claims and the ledger."""

from pathlib import Path

import pytest

from harness.findings import BEGIN, END, recorded, register, table, with_table
from harness.ledger import FOLDER, Entry, read

ROOT = Path(__file__).resolve().parent.parent


def test_the_readme_has_the_table_of_the_ledger():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    claims = register(ROOT)
    assert len(claims) > 70
    assert with_table(text, table(claims, recorded(ROOT))) == text, "run `python -m harness.findings README.md`"


def test_every_entry_of_the_ledgers_is_of_a_claim():
    names = {test for test, *_ in register(ROOT)}
    for path in (ROOT / FOLDER).glob("*.json"):
        assert set(read(path)) <= names, f"{path} has entries of no claim"


def test_a_row_shows_what_was_documented_and_found():
    entry = Entry(
        "A", "a", "S", "REPRODUCED", 2.0, 1.0, 3.0, 1.5, "doublings", 5, 0, None, None, "2026-01-01", "cpu", ""
    )
    claims = [("t::one", "A", "one is true", "S"), ("t::two", "B", "two is true", "S")]
    assert table(claims, {"t::one": entry})[2:] == [
        "| A | one is true | S |  | +2.00 (+1.00 to +3.00) doublings | 5 | REPRODUCED |",
        "| B | two is true | S |  |  |  | not run |",
    ]


def test_a_file_without_marks_is_refused():
    with pytest.raises(ValueError, match="must each stand once"):
        with_table(f"{BEGIN} {END} {END}", [])
