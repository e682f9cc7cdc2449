"""What a terminal shows after the bytes that it was sent: as much of a VT100 as pytest and a status row use."""

import re

_TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1b([78D])|([\r\n])|([^\x1b\r\n]+)|(.)", re.DOTALL)


class Screen:
    """rows x columns; `lines` is what scrolled off its top and what is on it, region the rows that scroll."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.gone, self.grid = [], [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.saved, self.region = (0, 0), (0, rows - 1)

    @property
    def lines(self):
        return self.gone + ["".join(row).rstrip() for row in self.grid]

    def feed(self, text):
        for numbers, final, escape, control, printed, unknown in _TOKEN.findall(text):
            assert not unknown, f"not understood: {unknown!r}"
            if final:
                self._sequence([int(number or 0) for number in numbers.split(";")], final)
            elif escape == "7":
                self.saved = self.row, self.column
            elif escape == "8":
                self.row, self.column = self.saved
            elif escape == "D" or control == "\n":
                self._down()
            elif control == "\r":
                self.column = 0
            for sign in printed:
                if self.column == self.columns:
                    self.column = 0
                    self._down()
                self.grid[self.row][self.column] = sign
                self.column += 1
        return self

    def _down(self):
        top, bottom = self.region
        if self.row == bottom:
            gone = self.grid.pop(top)
            if top == 0:
                self.gone.append("".join(gone).rstrip())
            self.grid.insert(bottom, [" "] * self.columns)
        elif self.row < self.rows - 1:
            self.row += 1

    def _sequence(self, numbers, final):
        first, last = numbers[0], numbers[-1]
        if final == "r":
            self.region = max(first, 1) - 1, (last if len(numbers) > 1 else self.rows) - 1
            self.row = self.column = 0
        elif final == "H":
            self.row, self.column = max(first, 1) - 1, max(last if len(numbers) > 1 else 1, 1) - 1
        elif final == "A":
            self.row = max(0, self.row - max(first, 1))
        elif final == "B":
            self.row = min(self.rows - 1, self.row + max(first, 1))
        elif final == "K":
            start = 0 if first == 2 else self.column
            self.grid[self.row][start:] = [" "] * (self.columns - start)
        elif final == "J":
            assert first == 0
            self._sequence([0], "K")
            self.grid[self.row + 1 :] = [[" "] * self.columns for _ in self.grid[self.row + 1 :]]
        else:
            assert final == "m", f"not understood: {final!r}"
