"""The table of every arm's value at every seed."""

from __future__ import annotations

import math

from pytest_claims.judge.result import Result

_SEED = 7


def seed_lines(result: Result, columns: int) -> list[str]:
    """A row an arm, its seeds in as many blocks of columns as it takes; `!` marks a run that is flagged."""
    arms = result.arms
    width = max(len(arm.label) for arm in arms)
    n = max(len(arm.values) for arm in arms)
    fit = max(3, (columns - width) // _SEED)
    each = math.ceil(n / math.ceil(n / fit))
    lines = []
    for start in range(0, n, each):
        seeds = arms[0].seeds[start : start + each]
        # A number stands over its value, whose last column is for the mark.
        lines.append((f"{'seed':<{width}}" + "".join(f"{seed:>{_SEED - 1}} " for seed in seeds)).rstrip())
        for arm in arms:
            pairs = list(zip(arm.values, arm.collapsed, strict=True))[start : start + each]
            values = "".join(f"{value:{_SEED - 1}.2f}{'!' if flag else ' '}" for value, flag in pairs)
            lines.append(f"{arm.label:<{width}}{values}".rstrip())
    if any(flag for arm in arms for flag in arm.collapsed):
        lines.append(f"! {result.of_kind.flag}")
    return lines
