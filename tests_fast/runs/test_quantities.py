"""Durations and numbers as a person reads them."""

import pytest

from pytest_claims.runs.quantities import listed, short
from pytest_claims.types import LOOKS


def test_numbers_in_words():
    assert [listed(LOOKS[:n]) for n in (1, 2, 4)] == ["5", "5 and 7", "5, 7, 10 and 14"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "-"), (20, "< 1 min"), (720, "12 min"), (9000, "2.5 h"), (400_000, "5 days")]
)
def test_a_table_s_durations_are_short(seconds, said):
    assert short(seconds) == said
