"""A terminal's bottom row, kept for a status while everything else scrolls above it."""

from __future__ import annotations

import os

# A smaller terminal is left alone.
_FEWEST_ROWS, _FEWEST_COLUMNS = 10, 40


class StatusRow:
    """Of the terminal behind a file descriptor, which stays the caller's. marked: in reverse video.

    What others print is not disturbed: every change saves the cursor and brings it back in a single write. The row is
    left out of the scroll region, as apt does for its progress. Raises OSError if the terminal is gone.
    """

    def __init__(self, descriptor: int, *, marked: bool = False, encoding: str = "utf-8") -> None:
        self._descriptor, self._marked, self._encoding = descriptor, marked, encoding
        self._size: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        """Columns that a status may take; 0 on a terminal that is too small for one."""
        columns, rows = os.get_terminal_size(self._descriptor)
        # The last column stays free: some terminals go on to another row when it is written.
        return columns - 1 if rows >= _FEWEST_ROWS and columns >= _FEWEST_COLUMNS else 0

    def show(self, text: str) -> None:
        """Show a text of at most `width` columns in the row; nothing on a terminal that is too small."""
        columns, rows = os.get_terminal_size(self._descriptor)
        if not self.width:
            self.end()
            return
        codes = ""
        if self._size != (columns, rows):
            # A row below the cursor's is made by scrolling if need be, and cleared of what stood there before the
            # terminal changed its size. (Setting a region moves the cursor home.)
            codes += f"\x1b7\x1b[r\x1b8\x1bD\x1b[A\x1b7\x1b[B\r\x1b[0m\x1b[J\x1b[1;{rows - 1}r\x1b8"
            self._size = columns, rows
        # Set again each time: a program that a test started may have reset the region.
        codes += f"\x1b7\x1b[1;{rows - 1}r\x1b[{rows};1H\x1b[0m"
        codes += f"\x1b[7m{text:<{columns - 1}}\x1b[0m" if self._marked else text
        self._write(codes + "\x1b[K\x1b8")

    def end(self) -> None:
        """Give the row back, cleared."""
        if self._size is not None:
            rows = os.get_terminal_size(self._descriptor).lines
            self._size = None
            self._write(f"\x1b7\x1b[r\x1b[{rows};1H\x1b[0m\x1b[2K\x1b8")

    def _write(self, codes: str) -> None:
        os.write(self._descriptor, codes.encode(self._encoding, "replace"))
