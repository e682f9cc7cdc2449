"""The table of a failure: a row an arm, then the row of the difference that is tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.fields import shortened
from pytest_claims.report.numbers import bound_text
from pytest_claims.report.tested import tested
from pytest_claims.types import Cause

# Columns of a seed's value with its mark, and of all numbers before the seeds.
_SEED, _NUMBERS = 6, 28


def arm_lines(result: Result, room: int, columns: int) -> list[str]:
    """The table in at most `room` lines of a width, if that is enough for the arms that the verdict rests on.

    Where it is not enough for all arms, those of the deciding comparison and of its explanation come first, and a
    line sums up the others.
    """
    first = deciding(result)
    ranked = [*first, *(arm for arm in result.arms if arm not in first)]
    for count in range(len(ranked), len(first) - 1, -1):
        lines = _table(result, [arm for arm in result.arms if arm in ranked[:count]], columns)
        if len(lines) <= room:
            break
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


def _table(result: Result, shown: Sequence[ArmEvidence], columns: int) -> list[str]:
    """With these arms, the difference, and what is left out."""
    rest = [arm for arm in result.arms if arm not in shown]
    width = max(len(result.measured), *(len(arm.label) for arm in shown), 10)
    width = min(width, columns - _NUMBERS - 20)
    each = width + _NUMBERS + _SEED * max(len(arm.values) for arm in shown) <= columns
    head = f"{result.measured:<{width}}{'mean':>8}{'SD':>7}{'source':>8}{'n':>4} "
    lines = [head + ("each seed" if each else "lowest to highest")]
    lines += [_row(arm, width, each) for arm in shown]
    lines.append(_difference(result, width))
    if any(any(arm.collapsed) for arm in shown):
        lines.append(f"! {result.of_kind.flag}")
    if rest:
        means = [arm.mean for arm in rest]
        many = f"{len(rest)} arms more, means from {min(means):.2f} to {max(means):.2f}"
        lines.append(f"and {many}" if len(rest) > 1 else f"and 1 arm more, {rest[0].label}, with mean {means[0]:.2f}")
    return [shortened(line, columns) for line in lines]


def deviation(values: Sequence[float]) -> float:
    """The standard deviation over seeds; nan of a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _row(arm: ArmEvidence, width: int, each: bool) -> str:
    documented = f"{arm.documented:.2f}" if arm.documented is not None else "-"
    numbers = f"{arm.mean:8.2f}{deviation(arm.values):7.2f}{documented:>8}{len(arm.values):4} "
    if each:
        pairs = zip(arm.values, arm.collapsed, strict=True)
        seeds = "".join(f"{value:{_SEED - 1}.1f}{'!' if flag else ' '}" for value, flag in pairs)
    else:
        seeds = f"{min(arm.values):.2f} to {max(arm.values):.2f}"
        seeds += f", {sum(arm.collapsed)}!" if any(arm.collapsed) else ""
    return f"{arm.label[:width]:<{width}}{numbers}{seeds}".rstrip()


def _difference(result: Result, width: int) -> str:
    """What is tested, with its bounds."""
    verdict, found, agreement = result.verdict, tested(result), result.agreement
    spread = f"{deviation(found.differences.tolist()):.2f}" if found else "-"
    documented = f"{agreement.documented:+.2f}" if agreement and not result.compared else "-"
    bounds = f"[{bound_text(verdict, verdict.lower)}, {bound_text(verdict, verdict.upper)}]"
    name = "difference" if found else "effect"
    return f"{name:<{width}}{verdict.effect:+8.2f}{spread:>7}{documented:>8}{verdict.n:4} {bounds}"
