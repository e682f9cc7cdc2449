"""Named fields of a text for a terminal: a name, and beside it lines of a width."""

from __future__ import annotations

import textwrap

# Columns before a field's text.
INDENT = 10


def field(name: str, text: str, columns: int, most: int | None = None, indent: int = INDENT) -> list[str]:
    """Lines of a field, cut after `most` of them; no words are no lines."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=f"{name:<{indent}}",
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )


def shortened(line: str, columns: int) -> str:
    """A line that has room; what it is cut by reads "…"."""
    return line if len(line) <= columns else line[: columns - 1].rstrip() + "…"
