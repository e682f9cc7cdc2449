"""The table of decision procedures as reports see them: their rule and tests in words, and what their labels are.

A procedure decides in pytest_claims.stats, where nothing is put into words. Every Procedure has one entry here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from pytest_claims.report import rule_in_words as rules
from pytest_claims.report import tests_in_words as tests
from pytest_claims.report.rule_in_words import LESS, OVER, TO, named
from pytest_claims.types import Doubt, Procedure, Verdict

_NOT_COMPARABLE = "; but most runs are at chance, which says nothing of what is compared"


@dataclasses.dataclass(frozen=True)
class Told:
    """What reports need to know of a procedure.

    rule: which bounds lie where and what this means, of a verdict and the unit of its effect. tests: with their p.
    between: what stands between the labels of a comparison. of_arms: labels are of two arms at a time; else they are of
    levels, or there are more. of_means: the effect is the difference of two arms' means.
    """

    rule: Callable[[Verdict, str], str]
    tests: Callable[[Verdict], str]
    between: str = LESS
    of_arms: bool = False
    of_means: bool = False


PROCEDURES = {
    Procedure.SUPERIORITY: Told(rules.superiority, tests.superiority, OVER, of_arms=True, of_means=True),
    Procedure.LEADS: Told(rules.leads, tests.leads, OVER, of_arms=True),
    Procedure.SPREAD: Told(rules.spread, tests.spread),
    Procedure.SPEED: Told(rules.speed, tests.speed, OVER, of_arms=True),
    Procedure.SPANS: Told(rules.spans, tests.spans),
    Procedure.EQUIVALENCE: Told(rules.equivalence, tests.equivalence, of_arms=True, of_means=True),
    Procedure.NO_DIFFERENCE: Told(rules.every_pair, tests.every_pair, of_arms=True),
    Procedure.SOME_DIFFERENCE: Told(rules.every_pair, tests.every_pair, of_arms=True),
    Procedure.TREND: Told(rules.trend, tests.trend, TO),
    Procedure.NO_FALL: Told(rules.no_fall, tests.no_fall, TO),
    Procedure.CHANGE: Told(rules.change, tests.change, TO),
}


def rule_text(verdict: Verdict, unit: str = "points") -> str:
    """ "L = +3.71 > 0 and U = +4.79 >= margin 2: the direction holds and the claimed size is not excluded".

    unit: of the effect.
    """
    if verdict.doubt == Doubt.NOT_COMPARABLE:
        return rule_text(dataclasses.replace(verdict, doubt=None), unit) + _NOT_COMPARABLE
    return PROCEDURES[verdict.procedure].rule(verdict, unit)


def tests_text(verdict: Verdict) -> str:
    """ "paired t (one-sided, skew-corrected) p < 0.0001; exact sign-flip p = 0.0312; n = 5"."""
    return f"{PROCEDURES[verdict.procedure].tests(verdict)}; n = {verdict.n}"


def comparison_text(verdict: Verdict) -> str:
    """What a verdict compares: "a over b", "a − b", of levels "4 to 8"; "" for a claim on several comparisons."""
    return named(verdict.comparison, PROCEDURES[verdict.procedure].between) if verdict.comparison else ""
