"""The measurements as Markdown: seconds a seed, and how many times as fast as the notebook."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.limits import Limits
from benchmarks.peers import PEERS
from benchmarks.work import WORKS

BASELINE = "notebook"


def page(
    results: Mapping[str, Mapping[str, Sequence[float] | str]],
    machine: str,
    kind: str,
    bounds: Mapping[str, Limits],
    side_by_side: Mapping[tuple[str, str], int] | None = None,
) -> str:
    """results: by work and peer, seconds a seed in each turn, or why there are none. bounds: by work. side_by_side: the
    seeds that a process trained at once, by work and peer, where more did not fit."""
    lines = ["# Speed", "", f"Seconds a seed of the timed part, {machine}; median (least to most) over turns."]
    lines += ["Before the clock starts, every process has trained one step.", ""]
    for name, taken in results.items():
        work = WORKS[name]
        baseline = taken.get(BASELINE)
        lines += [
            f"## ({name}) {work.words}",
            "",
            f"Timed: {work.share:.3g} of a run. Seeds side by side: {work.seeds[kind]}.",
            "",
            "| peer | seconds a seed | times the notebook's speed, turn by turn |",
            "| --- | --- | --- |",
        ]
        for peer in PEERS:
            if peer.name not in taken:
                continue
            found = taken[peer.name]
            if isinstance(found, str):
                lines.append(f"| {peer.name}: {peer.words} | cannot: {found} | |")
                continue
            ratio = ""
            if not isinstance(baseline, str) and baseline:
                ratio = _spread([one / other for one, other in zip(baseline, found, strict=False)], "x")
            seeds = (side_by_side or {}).get((name, peer.name), 1)
            fewer = f", {seeds} seeds side by side" if 1 < seeds < work.seeds[kind] else ""
            lines.append(f"| {peer.name}: {peer.words}{fewer} | {_spread(found, '')} | {ratio} |")
        lines.append("")
        if name in bounds:
            lines += [_bound(bounds[name], taken.get("engine")), ""]
    return "\n".join(lines)


def _bound(bound: Limits, engine: Sequence[float] | str | None) -> str:
    text = (
        f"The machine's own limits: the arithmetic of a seed takes {bound.arithmetic:.3g} s at the speed of its "
        f"float32 matrix product, the operands and results of all operations {bound.traffic:.3g} s at its memory's "
        f"bandwidth (caches make that less). A step of {bound.seeds} {'seed' if bound.seeds == 1 else 'seeds'} is "
        f"{bound.operations} operations."
    )
    if engine and not isinstance(engine, str):
        text += f" The engine takes {statistics.median(engine) / bound.arithmetic:.3g} times the arithmetic."
    return text


def _spread(values: Sequence[float], unit: str) -> str:
    median = f"{statistics.median(values):.3g}{unit}"
    return median if len(values) == 1 else f"{median} ({min(values):.3g} to {max(values):.3g})"
