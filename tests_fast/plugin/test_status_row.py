"""A status in a terminal's bottom row, on a pseudo-terminal whose bytes are interpreted."""

import contextlib
import fcntl
import os
import pty
import struct
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.plugin.status_row import StatusRow
from tests_fast.screen import Screen


@contextlib.contextmanager
def terminal(rows, columns):
    """Both ends of a new pseudo-terminal."""
    ends = pty.openpty()
    resize(ends[1], rows, columns)
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


def resize(end, rows, columns):
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def sent(controlling):
    """What was written to the other end, up to now."""
    os.set_blocking(controlling, False)
    with contextlib.suppress(BlockingIOError):
        return os.read(controlling, 100_000).decode()
    return ""


words = st.text("abc xyz", max_size=100)


@given(st.lists(st.tuples(words, words), max_size=40), st.integers(10, 24), st.booleans())
def test_what_others_print_stays_whole(pairs, rows, marked):
    with terminal(rows, 40) as (controlling, end):
        row, screen, plain = StatusRow(end, marked=marked), Screen(rows, 40), Screen(rows, 40)
        for printed, status in pairs:
            row.show(status[: row.width])
            screen.feed(sent(controlling))
            assert "".join(screen.grid[-1]).rstrip() == status[: row.width].rstrip()
            assert screen.region == (0, rows - 2)
            for text in (printed, "\r\n"):
                screen.feed(text)
                plain.feed(text)
                row.show(status[: row.width])
                screen.feed(sent(controlling))
        row.end()
        screen.feed(sent(controlling))
    assert screen.region == (0, rows - 1)
    assert "\n".join(screen.lines).rstrip() == "\n".join(plain.lines).rstrip()


def test_a_terminal_that_changes_its_size_or_is_too_small():
    with terminal(24, 80) as (controlling, end):
        row = StatusRow(end)
        assert row.width == 79
        row.show("a")
        assert "\x1b[1;23r\x1b[24;1H" in sent(controlling)
        resize(end, 30, 100)
        row.show("b")
        assert "\x1b[1;29r\x1b[30;1H" in sent(controlling)
        resize(end, 9, 100)
        assert row.width == 0
        row.show("c")
        assert sent(controlling) == "\x1b7\x1b[r\x1b[9;1H\x1b[0m\x1b[2K\x1b8"
        row.show("d")
        row.end()
        assert sent(controlling) == ""


def test_a_terminal_that_is_gone_is_an_error_of_the_system():
    with terminal(24, 80) as (controlling, end):
        row = StatusRow(end)
        row.show("a")
        os.close(controlling)
        with pytest.raises(OSError):
            row.show("b")
