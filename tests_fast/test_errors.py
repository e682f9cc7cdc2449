"""What is written to a terminal is only shown there."""

import pytest

from pytest_claims.errors import ExplainedError, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("one\rtwo", "one\\rtwo"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\nb\tc é × – 数\xa0x", "a\nb\tc é × – 数\xa0x"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text, seen):
    assert shown(text) == seen
    assert str(ExplainedError(text)) == seen
