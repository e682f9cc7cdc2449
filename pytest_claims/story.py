"""How a module of claims is told first: one figure, and the words for what it is drawn along.

    from pytest_claims import Story

    STORY = Story(figure="levels", level="depth {}", levels="depths")

A page (--claims-html) looks for STORY in each module of claims. It reads the file as text, as it reads the docstring,
so every value is written out: plain strings, numbers, tuples and dicts, no names. A module without one is told, too, by
what its arms have in common. Numbers and verdicts always come from the session.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

FIGURES = ("levels", "slopes", "curves")


@dataclasses.dataclass(frozen=True)
class Story:
    """The figure and the words of one module.

    figure: "levels", values along depth, batch size or rate, and beneath them what two arms differ by; "slopes", each
    seed over the arms; "curves", training accuracy by epoch. "" leaves the choice to the page.
    findings: names of those whose arms are drawn, and which the first sentence is about; () is all of the module.
    gap: labels of two arms without their level, of which the first less the second is drawn. () is the first pair that
    a claim compares at one level.
    level, levels: one level and several, in words: "a batch of {}", "batch sizes".
    chance: whether to draw the accuracy of guessing.
    ends: training accuracies that the source documents for the last epoch, percent, by label of the arm.

    Raises ValueError for other values.
    """

    figure: str = ""
    findings: tuple[str, ...] = ()
    gap: tuple[str, ...] = ()
    level: str = ""
    levels: str = ""
    chance: bool = False
    ends: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        def check(name: str, ok: bool, allowed: str) -> None:
            if not ok:
                raise ValueError(f"Story.{name} is {getattr(self, name)!r}; allowed: {allowed}")

        check("figure", self.figure in ("", *FIGURES), f"one of {FIGURES}, or ''")
        for name, counts in (("findings", None), ("gap", (0, 2))):
            value = getattr(self, name)
            texts = isinstance(value, tuple) and all(isinstance(part, str) for part in value)
            check(name, texts and (counts is None or len(value) in counts), "a tuple of names; of `gap` two, or ()")
        check("level", self.level == "" or self.level.count("{}") == 1, "words with one {}, as in 'depth {}'")
        check("levels", bool(self.levels) == bool(self.level), "given where `level` is, and only there")
        check("ends", all(0 <= value <= 100 for value in self.ends.values()), "percent by label")
