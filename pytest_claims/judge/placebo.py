"""The placebo: where all arms of a claim are the same network, how often is an effect found all the same?"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from scipy import stats

from pytest_claims.judge.kinds import KINDS
from pytest_claims.judge.result import Result
from pytest_claims.stats import ALPHA

# Below this many the binomial bound is so wide that passing it says little.
FEWEST = 200


@dataclasses.dataclass(frozen=True)
class Placebo:
    """lines: the result in words. passed: something was judged, each group by enough verdicts, and none found more than
    chance allows."""

    lines: tuple[str, ...]
    passed: bool


def placebo_result(results: Sequence[Result]) -> Placebo:
    """Count the verdicts on reassigned results against the binomial 99 % bound of what a 5 % error rate allows.

    What must not be found where nothing is there, the claim's kind says.
    """
    lines, passed = [], True
    for group in dict.fromkeys(kind.group for kind in KINDS.values()):
        outcomes: Counter[str] = Counter()
        for result in results:
            if result.of_kind.group == group:
                outcomes.update(result.placebo)
        drawn, found = outcomes.total(), sum(outcomes[outcome] for outcome in group.shows)
        if not drawn:
            continue
        text = (
            f"{group.name}: {group.found} in {found} of {drawn} verdicts on results reassigned at random "
            f"({found / drawn:.1%})"
        )
        if drawn < FEWEST:
            lines.append(f"{text}: too few to judge; {FEWEST} are needed")
            passed = False
            continue
        allowed = int(stats.binom.ppf(0.99, drawn, ALPHA))
        holds = found <= allowed
        passed = passed and holds
        verdict = "holds" if holds else "DOES NOT HOLD: the statistics call noise an effect"
        lines.append(f"{text}; a 5 % error rate gives at most {allowed} in 99 % of such sessions: {verdict}")
    if not lines:
        return Placebo(("nothing was judged: select claims that run, at least one",), False)
    return Placebo(tuple(lines), passed)
