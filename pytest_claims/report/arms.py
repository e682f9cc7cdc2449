"""The table of what was measured of every arm, by seed, within a number of lines and columns."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.types import Cause

_SEED = 7


def arm_lines(result: Result, room: int, columns: int) -> list[str]:
    """The table in at most `room` lines of a width, if that is enough for the arms that the verdict rests on.

    Where it is not enough for all, the arms of the deciding comparison and of its explanation come first, and a
    line sums up the others; where these alone are too many, the later seeds are left out in the same way.
    """
    arms, first = list(result.arms), deciding(result)
    ranked = [*first, *(arm for arm in arms if arm not in first)]
    for blocks in (None, 1):
        for count in range(len(arms), len(first) - 1, -1):
            lines = _table(result, [arm for arm in arms if arm in ranked[:count]], arms, columns, blocks)
            if len(lines) <= room:
                return lines
    return lines


def deciding(result: Result) -> list[ArmEvidence]:
    """The arms that the contrast and the rule's bounds compare, or else the two at either end, and those of a
    confounder that explains the effect.

    What a trend compares stands at its ends.
    """
    arms = result.arms
    named = {*result.contrasted, *(label for bound in result.verdict.bounds for label in bound.comparison)}
    compared = [arm for arm in arms if arm.label in named]
    chosen = compared if len(compared) > 1 else [*arms[:2], *arms[2:][-2:]]
    explaining = {
        label
        for found in result.verdict.confounders
        if found.cause == Cause.EXPLAINS
        for label in found.under.comparison
    }
    return [*chosen, *(arm for arm in arms if arm.label in explaining and arm not in chosen)]


def _table(
    result: Result, shown: Sequence[ArmEvidence], arms: Sequence[ArmEvidence], columns: int, blocks: int | None
) -> list[str]:
    """The arms that are shown, their seeds in as many blocks of columns as it takes or as are given, and the rest."""
    # The head may reach into the column of means, which "mean" does not fill.
    width = max(len(result.measured) - 1, *(len(arm.label) for arm in shown))
    n = max(len(arm.values) for arm in arms)
    fit = max(3, (columns - width - 15) // _SEED)
    needed = math.ceil(n / fit)
    each = math.ceil(n / needed) if blocks is None else fit
    lines = []
    for start in range(0, n, each)[:blocks]:
        seeds = [str(seed) for seed in arms[0].seeds[start : start + each]]
        seeds[0] = f"seed {seeds[0]}"
        # A number stands over its value, whose last column is for the mark.
        head = f"{seeds[0]:>6} " + "".join(f"{seed:>{_SEED - 1}} " for seed in seeds[1:])
        named = f"{result.measured}{'mean':>{width + 7 - len(result.measured)}} docum."
        left = " " * len(named) if start else named
        lines.append(f"{left} {head}".rstrip())
        for arm in shown:
            documented = f"{arm.documented:.2f}" if arm.documented is not None else "-"
            numbers = f"{arm.mean:6.2f} {documented:>6}" if not start else " " * 13
            pairs = list(zip(arm.values, arm.collapsed, strict=True))[start : start + each]
            values = "".join(f"{value:{_SEED - 1}.2f}{'!' if flag else ' '}" for value, flag in pairs)
            lines.append(f"{arm.label:{width}} {numbers} {values}".rstrip())
    if any(flag for arm in shown for flag in arm.collapsed):
        lines.append(f"! {result.of_kind.flag}")
    rest = [arm for arm in arms if arm not in shown]
    left_out = []
    if blocks is not None and n > blocks * each:
        left_out.append(f"{n - blocks * each} seeds more")
    if rest:
        means = [arm.mean for arm in rest]
        many = f"{len(rest)} arms more, with means from {min(means):.2f} to {max(means):.2f}"
        left_out.append(many if len(rest) > 1 else f"1 arm more, {rest[0].label}, with mean {means[0]:.2f}")
    if left_out:
        # Wrapped here, so that a line is a row of the screen.
        lines += textwrap.wrap(f"and {', and '.join(left_out)}; --results FILE writes them all", columns)
    return lines
