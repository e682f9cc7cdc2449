"""Errors for the person at the terminal, and texts that a terminal only shows."""

from __future__ import annotations

import re

# Control characters but for tabs and ends of lines, and those that turn the direction of what follows: from a file that
# anyone may have written they could repaint a terminal, or make it say something else.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class ExplainedError(Exception):
    """An error whose text says what is wrong and what to do; a traceback would hide it.

    It ends a claim's test, a plan or a session with its text alone.
    """

    def __init__(self, text: str) -> None:
        super().__init__(shown(text))


def shown(text: str) -> str:
    """The text with what a terminal would obey written as escapes: "\\x1b[31m"."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
