"""The same claim at other levels, as the ledger has it."""

import dataclasses

from pytest_claims.judge.result import Sibling
from pytest_claims.ledger.entries import entry
from pytest_claims.ledger.siblings import siblings
from tests_fast.report.test_report import RESULT

ENTRY = entry(RESULT, "2026-01-01", "torch")


def test_siblings_are_the_other_parameters_of_a_test_with_numbers_in_order():
    entries = {
        f"claims/test_x.py::test_y[{level}-base]": dataclasses.replace(ENTRY, verdict="REPRODUCED", effect=float(level))
        for level in (128, 4, 16)
    }
    entries |= {"claims/test_x.py::test_z[8-base]": ENTRY, "claims/test_x.py::test_y": ENTRY}
    assert siblings("claims/test_x.py::test_y[4-base]", entries) == (
        Sibling("16-base", "REPRODUCED", 16.0),
        Sibling("128-base", "REPRODUCED", 128.0),
    )
    assert siblings("claims/test_x.py::test_y", entries) == ()
