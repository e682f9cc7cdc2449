"""The table of findings in docs/ is that of the claims and the ledger."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_claims.ledger.entries import FOLDER, Entry, read
from pytest_claims.ledger.findings import BEGIN, END, NOT_RUN, recorded, register, table, with_table

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_has_the_recorded_verdicts_and_no_others():
    lines = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines()
    shown = [line for line in lines if line and not line.endswith(f"| {NOT_RUN} |")]
    # A claim that no one has verified yet may be missing: whoever adds one touches its own file alone.
    expected = [line for line in table(register(ROOT), recorded(ROOT)) if not line.endswith(f"| {NOT_RUN} |")]
    assert shown == expected, "run `make findings`"


def test_every_entry_of_the_ledgers_is_of_a_claim():
    names = {test for test, *_ in register(ROOT)}
    for path in (ROOT / FOLDER).glob("*.json"):
        assert set(read(path)) <= names, f"{path} has entries of no claim"


def test_a_row_shows_what_was_documented_and_found():
    entry = Entry(
        finding="A",
        claim="a",
        source="S",
        verdict="REPRODUCED",
        effect=2.0,
        lower=1.0,
        upper=3.0,
        margin=1.5,
        unit="doublings",
        n=5,
        looks=(5,),
        first_seed=0,
        documented=None,
        measured=None,
        compared="",
        agrees=None,
        date="2026-01-01",
        device="cpu",
        versions="",
    )
    of_extremes = replace(entry, unit="points", documented=4.0, measured=5.0, compared="x − y", n=10, looks=(5, 10, 20))
    claims = [(f"t::{name}", name, f"{name} is true", "S") for name in ("one", "two", "three")]
    assert table(claims, {"t::one": entry, "t::two": of_extremes})[2:] == [
        "| one | one is true | S |  | +2.00 (+1.00 to +3.00) doublings | 5 | REPRODUCED |",
        "| two | two is true | S | +4.00 (x − y; ours +5.00) | +2.00 (+1.00 to +3.00) | 10, looks | REPRODUCED |",
        "| three | three is true | S |  |  |  | not run |",
    ]


def test_a_file_without_marks_is_refused():
    with pytest.raises(ValueError, match="must each stand once"):
        with_table(f"{BEGIN} {END} {END}", [])
