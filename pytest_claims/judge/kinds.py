"""The kinds of claims: what each kind means by its limits, its outcomes and its bounds, and what a report says of it.

Whatever depends on the kind of a claim is read from this table, so that a new kind is one more entry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from pytest_claims.types import LOOKS, Outcome, Procedure, Verdict


@dataclasses.dataclass(frozen=True)
class Group:
    """Kinds whose verdicts a placebo counts together.

    name: of the group, in words. found: what a false verdict is, in words. shows: the outcomes which say that there is
    an effect (a difference, a fall); they are false where there is none. excludes: the outcomes which say that there is
    no effect of the limit's size; they are false where the effect is of that size.
    """

    name: str
    found: str
    shows: tuple[Outcome, ...]
    excludes: tuple[Outcome, ...]


# The claim is that something is there.
DIRECTIONAL = Group(
    "directional claims",
    "an effect found",
    shows=(Outcome.REPRODUCED, Outcome.TOO_SMALL),
    excludes=(Outcome.CONTRADICTED, Outcome.TOO_SMALL),
)
# The claim is that something is not there.
ABSENCE = Group(
    "claims of equality or of no fall",
    "a difference found",
    shows=(Outcome.CONTRADICTED,),
    excludes=(Outcome.REPRODUCED,),
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of claim.

    name: as in Result.kind. group: what a placebo and the calibration count as false.
    limits: where the verdict turns, beside 0, by what it is called, from the margin; in the unit of the effect.
    says: what each outcome says of the claim, sentences with {margin}, its unit included. nulls: the null hypotheses
    behind Verdict.p_holds and p_fails; clauses with {margin}, which follow "if".
    power: what the seeds at hand could have found; a clause with {detectable}, which follows "at the spread seen, 5
    seeds ...".
    bounds: how the bounds of a verdict on so many arms are called.
    unit: of the effect; "" is the unit of what the claim measures.
    unsettled: what to do about an INCONCLUSIVE verdict, for what only this kind can come to; "" where the general
    advice holds. Its second argument: whether any run is flagged.
    flag: what it means that a run is flagged, in the words of a table's legend.
    all_flagged: what to do where every run is flagged.
    directed: whether the sign of the effect is part of the claim.
    compares_spreads: whether a report draws the spread of every arm.
    first_look: the fewest seeds at which such a claim is looked at, where seeds are added until a verdict stands.
    """

    name: str
    group: Group
    limits: Callable[[float], dict[str, float]]
    says: Mapping[Outcome, str]
    nulls: tuple[str, str]
    power: str
    bounds: Callable[[Verdict, int], str]
    unit: str = ""
    unsettled: Callable[[Verdict, bool], str] = lambda verdict, flagged: ""
    flag: str = "collapsed: at chance, or diverged"
    all_flagged: str = (
        "Every run collapsed: nothing was learned here, so that this says nothing of the finding. Look at the data "
        "and the recipe first."
    )
    directed: bool = True
    compares_spreads: bool = False
    first_look: int = 0


def kind_of(name: str) -> Kind:
    """The kind of this name. Raises ValueError, naming those that are known, for another one."""
    if name not in KINDS:
        raise ValueError(f"unknown kind of claim {name!r}; known: {', '.join(map(repr, KINDS))}")
    return KINDS[name]


def _margin(margin: float) -> dict[str, float]:
    return {"margin": margin}


def _either_way(margin: float) -> dict[str, float]:
    return {"lower limit": -margin, "upper limit": margin}


def _below(margin: float) -> dict[str, float]:
    return {"limit": -margin}


# Comparisons inside a compound claim share the error rate, so that its two bounds have levels of their own.
_BOUNDS = "bounds"


def _one_sided(verdict: Verdict, arms: int) -> str:
    return _BOUNDS if verdict.procedure == Procedure.SPANS else f"one-sided {100 * (1 - verdict.alpha):.4g} % bounds"


def _shared(verdict: Verdict, arms: int) -> str:
    return _BOUNDS


def _of_a_pair(single: Callable[[Verdict, int], str]) -> Callable[[Verdict, int], str]:
    """Where the data chose the pair, its bounds hold no level."""
    return lambda verdict, arms: "bounds (of a pair that the data chose)" if verdict.parts else single(verdict, arms)


def _of_a_ratio(verdict: Verdict, arms: int) -> str:
    return (_one_sided if arms <= 2 else _shared)(verdict, arms)


def _no_equality_beside_collapses(verdict: Verdict, flagged: bool) -> str:
    if verdict.seeds_to_settle is None and flagged:
        return "Runs collapsed, and beside them no number of seeds shows equality; look at the arms above."
    return ""


def _too_few_for_spreads(verdict: Verdict, flagged: bool) -> str:
    if verdict.detectable is None:
        return (
            f"{verdict.n} seeds are too few to compare spreads, whatever they show; take at least "
            f"{verdict.seeds_to_settle}, as below."
        )
    return ""


def _never_reached(verdict: Verdict, flagged: bool) -> str:
    if verdict.seeds_to_settle is None and flagged:
        return (
            "Runs never came to the accuracy, and beside them more seeds settle nothing. Claim a lower accuracy, or "
            "train for more epochs."
        )
    return ""


_HAS_SIZE = {
    Outcome.REPRODUCED: "The direction is shown, and the claimed size of {margin} is not excluded.",
    Outcome.TOO_SMALL: "The direction is shown, but the claimed size of {margin} or more is excluded.",
    Outcome.CONTRADICTED: "The direction is not shown, and the claimed size of {margin} or more is excluded.",
    Outcome.INCONCLUSIVE: "Neither no effect nor the claimed size of {margin} or more is excluded.",
}
_IS_WITHIN = {
    Outcome.REPRODUCED: "That is shown to be within the {margin} that the claim allows.",
    Outcome.CONTRADICTED: "The claim allows {margin}; more than that is shown.",
    Outcome.INCONCLUSIVE: "The claim allows {margin}; neither less nor more than that is shown.",
}
_IS_BEYOND = {
    Outcome.REPRODUCED: "The claim asks for more than {margin}, and that is shown.",
    Outcome.CONTRADICTED: "The claim asks for more than {margin}; all pairs are shown to differ by less.",
    Outcome.INCONCLUSIVE: "The claim asks for more than {margin}; neither more nor less than that is shown.",
}
_NO_FALL = {
    Outcome.REPRODUCED: "A fall of more than {margin} is excluded.",
    Outcome.CONTRADICTED: "A fall of more than {margin} is shown.",
    Outcome.INCONCLUSIVE: "A fall of more than {margin} is neither excluded nor shown.",
}
_EFFECT_NULLS = "there were no such effect", "the effect were {margin} or more"
_FAR_APART, _ALL_CLOSE = "they differed by {margin} or more", "they differed by less than {margin}"
_FOUND = "find an effect of {detectable} in 80 of 100 experiments"
_SHOWN_EQUAL = "show equal arms to be within {detectable} in 80 of 100 experiments"

KINDS = {
    kind.name: kind
    for kind in (
        # One effect, of at least the margin.
        Kind(
            "effect",
            DIRECTIONAL,
            _margin,
            _HAS_SIZE,
            _EFFECT_NULLS,
            _FOUND,
            _one_sided,
        ),
        # The same for the smallest of several leads.
        Kind(
            "best",
            DIRECTIONAL,
            _margin,
            _HAS_SIZE,
            ("one of the leads were none", "every lead were {margin} or more"),
            _FOUND,
            _shared,
        ),
        # A ratio of spreads, the smallest of several.
        Kind(
            "spread",
            DIRECTIONAL,
            _margin,
            _HAS_SIZE,
            ("it did not vary less", "it varied less by {margin} or more"),
            _FOUND,
            _of_a_ratio,
            unit="doublings",
            unsettled=_too_few_for_spreads,
            compares_spreads=True,
            first_look=LOOKS[-1],  # below stats.fewest_for_spread() nothing is decided
        ),
        # Every difference within the limit, either way.
        Kind(
            "equality",
            ABSENCE,
            _either_way,
            _IS_WITHIN,
            (_FAR_APART, _ALL_CLOSE),
            _SHOWN_EQUAL,
            _of_a_pair(_one_sided),
            unsettled=_no_equality_beside_collapses,
            directed=False,
        ),
        # Its opposite: some difference is beyond the limit.
        Kind(
            "some difference",
            DIRECTIONAL,
            _either_way,
            _IS_BEYOND,
            (_ALL_CLOSE, _FAR_APART),
            _SHOWN_EQUAL,
            _of_a_pair(_shared),
            directed=False,
        ),
        # A ratio of epochs to an accuracy.
        Kind(
            "speed",
            DIRECTIONAL,
            _margin,
            _HAS_SIZE,
            ("it were no faster", "it were faster by {margin} or more"),
            _FOUND,
            _one_sided,
            unit="doublings",
            unsettled=_never_reached,
            flag="never came to the accuracy: the number of the last epoch stands here",
            all_flagged=(
                "No run came to the accuracy: nothing was learned about speed. Claim a lower accuracy, or train for "
                "more epochs."
            ),
        ),
        # No change below the limit.
        Kind(
            "no fall",
            ABSENCE,
            _below,
            _NO_FALL,
            ("it fell by more than {margin}", "it fell by {margin} at most"),
            "exclude falls beyond {detectable}, if none are, in 80 of 100 experiments",
            _shared,
            unsettled=_no_equality_beside_collapses,
        ),
    )
}
