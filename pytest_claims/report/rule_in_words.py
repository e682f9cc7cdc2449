"""The decision rules in words, a function each, with a verdict's numbers: which bounds lie where, and what this means.

unit: of the effect. Which procedure has which rule says procedures.py.
"""

from __future__ import annotations

from pytest_claims.report.numbers import count, level_words, points
from pytest_claims.stats.power import POWER
from pytest_claims.stats.spreads import MOST_DOUBLINGS
from pytest_claims.types import (
    Bound,
    Comparison,
    Doubt,
    HypothesisTest,
    Method,
    Outcome,
    Procedure,
    Quantity,
    Shows,
    Verdict,
)

# Of the four-way rule on one contrast.
_MEANING = {
    Outcome.REPRODUCED: "the direction holds and the claimed size is not excluded",
    Outcome.TOO_SMALL: "the direction holds, but an effect of the claimed size is excluded",
    Outcome.CONTRADICTED: "the direction is not shown, and an effect of the claimed size is excluded",
    Outcome.INCONCLUSIVE: "neither no effect nor an effect of the claimed size is excluded",
}
# What stands between the labels of a comparison: of arms, where one is claimed to be ahead; of arms alike; of levels.
OVER, LESS, TO = " over ", " − ", " to "
_AT_CHANCE = "; but runs at chance are equal whatever the arms do, so it is INCONCLUSIVE"


def flips_name(test: HypothesisTest) -> str:
    """What the sign-flip test is called: it is exact only while all patterns are counted."""
    return f"sign-flip ({test.patterns:,} drawn patterns)" if test.patterns else "exact sign-flip"


def superiority(verdict: Verdict, unit: str) -> str:
    """Of two arms, of which one is ahead."""
    return f"{_low_and_high(verdict)}: {_MEANING[verdict.by_bounds]}{_unconfirmed_by_flips(verdict)}"


def leads(verdict: Verdict, unit: str) -> str:
    """Of several leads at once."""
    low, high = verdict.bounds[:2]
    weakest, smallest = (named(bound.comparison, OVER) for bound in (low, high))
    meaning = {
        Outcome.REPRODUCED: "each lead is shown, and the claimed size is excluded of none",
        Outcome.TOO_SMALL: f"each lead is shown, but the claimed size of {smallest} is excluded",
        Outcome.CONTRADICTED: f"{weakest} is not shown, and the claimed size of {smallest} is excluded",
        Outcome.INCONCLUSIVE: f"{weakest} is not shown, and the claimed size is excluded of none",
    }[verdict.by_bounds]
    return (
        f"of {count(len(verdict.parts), 'lead')} the least {_low_and_high(verdict)} (L of {weakest}, a "
        f"{level_words(low.alpha)} bound; U of {smallest}, a {level_words(high.alpha)} bound): "
        f"{meaning}{_unconfirmed_by_flips(verdict)}"
    )


def trend(verdict: Verdict, unit: str) -> str:
    """Of a rise or fall along levels."""
    low, _, slope = verdict.bounds
    agrees = "agrees" if slope.value > 0 else "does not confirm the direction"
    text = (
        f"end to end {_low_and_high(verdict)}, and the slope {agrees} ({points(slope.estimate, 0)} {unit} a doubling "
        f"of the level, L = {points(slope.value, 0)}): {_MEANING[verdict.by_bounds]}{_unconfirmed_by_flips(verdict)}"
    )
    if low.value > 0 and slope.value <= 0:
        text += " (the ends differ as claimed, but the levels between them do not follow)"
    return text


def spread(verdict: Verdict, unit: str) -> str:
    """Of an arm that varies less than others."""
    others = count(verdict.tests[0].of, "other arm")
    text = (
        f"over {others}, in doublings of the spread, the least {_low_and_high(verdict)} "
        f"(U a {level_words(verdict.bounds[1].alpha)} bound): {_MEANING[verdict.by_bounds]}"
    )
    if verdict.doubt == Doubt.TOO_FEW_SEEDS:
        text += (
            f"; but {verdict.n} seeds would miss even twice the standard deviation in more than {1 - POWER:.0%} of "
            f"experiments, so it is INCONCLUSIVE (at least {verdict.seeds_to_settle} are needed)"
        )
    return text


def speed(verdict: Verdict, unit: str) -> str:
    """Of epochs to an accuracy."""
    text = f"{_low_and_high(verdict)}: {_MEANING[verdict.by_bounds]}"
    if verdict.doubt:
        flips = flips_name(verdict.tests[-1])
        text += (
            f"; but some runs never came to the accuracy, and the {flips} test does not confirm {verdict.by_bounds}, "
            "so it is INCONCLUSIVE"
        )
    return text


def spans(verdict: Verdict, unit: str) -> str:
    """Of two spans of means."""
    (low, of_low), (high, of_high) = ((at, named(at.comparison, LESS)) for at in verdict.bounds[:2])
    return (
        f"{_low_and_high(verdict)} (L of {of_low}, a {level_words(low.alpha)} bound; U of {of_high}, a "
        f"{level_words(high.alpha)} bound): "
        f"{_MEANING[verdict.by_bounds]}{_unconfirmed_by_flips(verdict)}"
    )


def equivalence(verdict: Verdict, unit: str) -> str:
    """Of two arms that differ by less than the limit."""
    within = f"{verdict.margin:g}"
    shown = f"the interval {_interval(verdict.bounds)}"
    match verdict.by_bounds:
        case Outcome.REPRODUCED:
            text = f"{shown} lies inside ±{within}: a difference of {within} or more is excluded"
        case Outcome.CONTRADICTED:
            text = (
                f"the {_two_sided_level(verdict)} interval {_interval(verdict.bounds)} lies wholly outside ±{within}: "
                f"a difference below {within} is excluded"
            )
        case _:
            text = f"{shown} is neither inside ±{within} nor established to lie wholly outside it"
    return text + _doubt(verdict, Outcome.CONTRADICTED)


def every_pair(verdict: Verdict, unit: str) -> str:
    """Of no difference, and of its opposite."""
    pairs, within = count(len(verdict.parts), "pair"), f"{verdict.margin:g}"
    shown = next(part for part in verdict.parts if part.comparison == verdict.bounds[0].comparison)
    name, some = named(shown.comparison, LESS), verdict.procedure == Procedure.SOME_DIFFERENCE
    if verdict.by_bounds == Outcome.INCONCLUSIVE:
        return (
            f"of {pairs}, not each is shown to lie inside ±{within}, and none wholly outside; the widest, {name}: "
            f"the interval {_interval(verdict.bounds)}"
        )
    if (verdict.by_bounds == Outcome.REPRODUCED) != some:
        text = f"{pairs}, each inside ±{within}; the widest, {name}: {equivalence(shown, unit)}"
        # Where runs of the widest pair collapsed, its own rule has said so.
        return text + (_AT_CHANCE if verdict.doubt and not shown.doubt else "")
    return (
        f"{name}: the {_two_sided_level(verdict)} interval (split over {pairs}) {_interval(verdict.bounds)} lies "
        f"wholly outside ±{within}{_doubt(verdict, verdict.by_bounds)}"
    )


def no_fall(verdict: Verdict, unit: str) -> str:
    """Of every change along levels."""
    low, high = verdict.bounds
    changes, limit = count(len(verdict.parts), "change"), f"{verdict.margin:g}"
    least = f"of {changes} the least L = {_value(low)} (from {named(low.comparison, TO)})"
    from_ = named(high.comparison, TO)
    match verdict.by_bounds:
        case Outcome.REPRODUCED:
            text = f"{least} > {low.threshold:g}: no fall of more than {limit}"
        case Outcome.CONTRADICTED:
            text = (
                f"of {changes} the least U = {_value(high)} (from {from_}, a {level_words(high.alpha)} bound) "
                f"< {high.threshold:g}: it falls by more than {limit}"
            )
        case _:
            text = (
                f"{least} <= {low.threshold:g} <= the least U = {_value(high)} (from {from_}): a fall of more than "
                f"{limit} is neither excluded nor shown"
            )
    return text + _doubt(verdict, Outcome.CONTRADICTED)


def change(verdict: Verdict, unit: str) -> str:
    """Of one change between two levels."""
    low, high = verdict.bounds
    meaning = {
        Outcome.REPRODUCED: f"no fall of more than {verdict.margin:g}",
        Outcome.CONTRADICTED: f"it falls by more than {verdict.margin:g}",
    }.get(verdict.by_bounds, f"a fall of more than {verdict.margin:g} is neither excluded nor shown")
    return f"L = {_value(low)}, U = {_value(high)}, limit {low.threshold:g}: {meaning}"


def named(comparison: Comparison, between: str) -> str:
    """ "a over b", "a − b", of levels "4 to 8"; of four labels "(a − b) − (c − d)"."""
    if len(comparison) == 4:
        one, other, third, fourth = comparison
        return f"({one} − {other}) − ({third} − {fourth})"
    return between.join(comparison)


def _value(bound: Bound) -> str:
    """With as many decimals as it takes to tell it from its threshold; of spreads one may be as good as infinite."""
    if bound.quantity == Quantity.SPREAD and abs(bound.value) >= MOST_DOUBLINGS:
        return f"{'below' if bound.value < 0 else 'above'} {bound.value:+g}"
    return points(bound.value, bound.threshold)


def _low_and_high(verdict: Verdict) -> str:
    """ "L = +3.10 > 0 and U = +5.20 >= margin 2"."""
    low, high = verdict.bounds[:2]
    above, reaches = ">" if low.value > 0 else "<=", ">=" if high.value >= high.threshold else "<"
    return f"L = {_value(low)} {above} 0 and U = {_value(high)} {reaches} margin {high.threshold:g}"


def _interval(bounds: tuple[Bound, ...]) -> str:
    low, high = bounds[:2]
    return f"{_value(low)} to {_value(high)}"


def _two_sided_level(verdict: Verdict) -> str:
    return level_words(sum(bound.alpha for bound in verdict.bounds))


def _doubt(verdict: Verdict, unconfirmed: Outcome) -> str:
    """Why a verdict of the bounds alone does not stand, where equality or no fall is claimed; "" where it does."""
    match verdict.doubt:
        case Doubt.AT_CHANCE:
            return _AT_CHANCE
        case Doubt.UNCONFIRMED:
            return f"; but runs collapsed, and the sign-flip test does not confirm {unconfirmed}, so it is INCONCLUSIVE"
    return ""


def _unconfirmed_by_flips(verdict: Verdict) -> str:
    """The same where an effect is claimed."""
    if verdict.doubt is None:
        return ""
    shows = Shows.BELOW_MARGIN if verdict.by_bounds == Outcome.CONTRADICTED else Shows.EFFECT
    test = next(test for test in verdict.tests if (test.method, test.shows) == (Method.SIGN_FLIP, shows))
    text = (
        f"; but runs collapsed, and the {flips_name(test)} test does not confirm {verdict.by_bounds}, so it is "
        "INCONCLUSIVE"
    )
    if test.fewest is not None:
        text += (
            f" (with {verdict.n} seeds its p is never below {test.least:.4f}; at least {test.fewest} seeds are needed)"
        )
    return text
