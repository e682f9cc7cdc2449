"""The failing assertion: all that a person needs to know what to do next, on about one screen."""

from __future__ import annotations

import textwrap

from harness.claim import Outcome, Verdict
from harness.judgement import ArmEvidence, Judgement
from harness.report.scale import text_scale

_WIDTH = 98

_CONTRADICTED = {
    "effect": "An effect of the claimed size is excluded at these seeds: the finding, as worded, does not hold here.",
    "spread": "A difference of spreads of the claimed size is excluded: the finding, as worded, does not hold here.",
    "best": "A lead of the claimed size is excluded at these seeds: the finding, as worded, does not hold here.",
    "equality": "A difference beyond the limit is shown at these seeds: the finding, as worded, does not hold here.",
    "some difference": "All pairs are shown to be within the limit: the finding, as worded, does not hold here.",
    "no fall": "A fall beyond the limit is shown at these seeds: the finding, as worded, does not hold here.",
}


def failure_text(judgement: Judgement) -> str:
    """The text of a claim's failing assertion, plain, at most 98 columns wide where its words allow."""
    verdict, agreement = judgement.verdict, judgement.agreement
    lines = [f"{verdict.outcome}: {judgement.finding}, {judgement.claim}", ""]
    lines += _field("source", judgement.source)
    lines += _field(
        "effect",
        f"{judgement.contrast} = {verdict.effect:+.2f} {judgement.unit}, {_bounds(judgement)} "
        f"{verdict.lower:+.2f} and {verdict.upper:+.2f}",
    )
    marks = {"0": 0.0, **_limits(judgement)}
    if agreement and not judgement.compared:
        marks["documented"] = agreement.documented
    lines += ["          " + line for line in text_scale(verdict.effect, verdict.lower, verdict.upper, marks)]
    lines += _field("verdict", verdict.rule)
    lines += _field("test", verdict.test)
    if len(verdict.looks) > 1 or judgement.next_look:
        lines += _field("looks", looks_text(verdict))
    if verdict.detectable is not None:
        lines += _field("power", power_text(judgement))
    for note in verdict.notes:
        lines += _field("note", note)
    if agreement:
        lines += _field("agreement", agreement_text(judgement))
    lines.append("")
    lines += arm_table(judgement.arms, judgement.measured)
    lines.append("")
    lines += _field("next", next_step(judgement))
    lines += _field("data", f"{judgement.data}; scale {judgement.scale}; {judgement.device}")
    # On a line of its own and never wrapped, so that it can be copied.
    lines += ["rerun     " + judgement.command]
    return "\n".join(lines)


def _bounds(judgement: Judgement) -> str:
    # Comparisons inside a compound claim share the error rate, so that its two bounds have levels of their own.
    if judgement.kind in ("equality", "some difference") and judgement.verdict.parts:
        return "bounds (of a pair that the data chose)"
    if judgement.kind not in ("effect", "equality", "spread") or (
        judgement.kind == "spread" and len(judgement.arms) > 2
    ):
        return "bounds"
    return f"one-sided {100 * (1 - judgement.verdict.alpha):.4g} % bounds"


def looks_text(verdict: Verdict) -> str:
    """The looks taken and what each said, in words."""
    looks = "; ".join(f"{look.n} seeds at level {look.level:.2g}: {look.outcome}" for look in verdict.looks)
    return f"{looks} (levels that together keep the error rate at 5 %)"


def power_text(judgement: Judgement) -> str:
    """What these seeds could have found, in words."""
    verdict = judgement.verdict
    seeds = f"at the spread seen, {verdict.n} seeds"
    match judgement.kind:
        case "equality" | "some difference":
            return f"{seeds} show equal arms to be so within {verdict.detectable:.2f} {judgement.unit} in 80 of 100"
        case "no fall":
            return f"{seeds} exclude falls beyond {verdict.detectable:.2f} {judgement.unit}, if none are, in 80 of 100"
    return f"{seeds} find an effect of {verdict.detectable:.2f} {judgement.unit} in 80 of 100 experiments"


def _limits(judgement: Judgement) -> dict[str, float]:
    """Where the verdict turns, beside 0."""
    margin = judgement.verdict.margin
    match judgement.kind:
        case "equality" | "some difference":
            return {"lower limit": -margin, "upper limit": margin}
        case "no fall":
            return {"limit": -margin}
    return {"margin": margin}


def agreement_text(judgement: Judgement) -> str:
    """Whether the documented contrast and ours agree, in words."""
    agreement = judgement.agreement
    runs = "1 run" if agreement.n0 == 1 else f"{agreement.n0} runs"
    agrees = "inside" if agreement.inside else "outside"
    what = f"{judgement.compared}: " if judgement.compared else ""
    return (
        f"{what}documented {agreement.documented:+.2f} ({runs}), ours {agreement.measured:+.2f}: {agrees} the 95 % "
        f"prediction interval {agreement.low:+.2f} to {agreement.high:+.2f}"
    )


def next_step(judgement: Judgement) -> str:
    """What the reader can do about this verdict."""
    verdict = judgement.verdict
    if verdict.outcome == Outcome.REPRODUCED:
        return "Nothing: the finding holds here."
    if verdict.outcome == Outcome.TOO_SMALL:
        return "The direction holds, but the effect is smaller than the claim's smallest effect of interest."
    if verdict.outcome == Outcome.CONTRADICTED:
        return f"{_CONTRADICTED[judgement.kind]} More seeds will rarely change that; look at the arms above."
    if judgement.next_look:
        return (
            f"The look at {verdict.n} seeds does not settle it; the next planned one is at {judgement.next_look}, with "
            "all stored runs reused."
        )
    if judgement.kind == "spread" and verdict.detectable is None:
        return (
            f"{verdict.n} seeds are too few to compare spreads, whatever they show; take at least "
            f"{verdict.seeds_to_settle}, as below."
        )
    if verdict.seeds_to_settle is None and judgement.kind in ("equality", "no fall") and _collapsed(judgement):
        return "Runs collapsed, and beside them no number of seeds shows equality; look at the arms above."
    if verdict.seeds_to_settle is None:
        return f"{verdict.n} seeds do not settle it, nor would 1,000 if effect and spread stay as they are."
    return (
        f"{verdict.n} seeds do not settle it; about {verdict.seeds_to_settle} would (power .80, if effect and spread "
        "stay as they are). Take seeds that no verdict was read from, as below."
    )


def _collapsed(judgement: Judgement) -> bool:
    return any(flag for arm in judgement.arms for flag in arm.collapsed)


def arm_table(arms: tuple[ArmEvidence, ...], measured: str) -> list[str]:
    """What was measured of every arm, by seed; a run that collapsed to chance is marked with !"""
    width = max(len(measured), *(len(arm.label) for arm in arms))
    shown = min(10, max(len(arm.values) for arm in arms))
    head = "".join(f"{f'seed {seed}':>8}" for seed in arms[0].seeds[:shown])
    lines = [f"{measured:{width}}  {'mean':>6} {'documented':>10} {head}"]
    for arm in arms:
        documented = f"{arm.documented:.2f}" if arm.documented is not None else "-"
        values = "".join(
            f"{value:7.2f}{'!' if flag else ' '}"
            for value, flag in list(zip(arm.values, arm.collapsed, strict=True))[:shown]
        )
        more = f" and {len(arm.values) - shown} more" if len(arm.values) > shown else ""
        lines.append(f"{arm.label:{width}}  {arm.mean:6.2f} {documented:>10} {values.rstrip()}{more}")
    if any(flag for arm in arms for flag in arm.collapsed):
        lines.append("! collapsed: at chance, or diverged")
    return lines


def _field(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{name:<10}", subsequent_indent=" " * 10, break_on_hyphens=False)
