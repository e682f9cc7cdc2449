"""Several arms: one is the best of them, or no two of them differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from numpy.typing import ArrayLike

from harness.claim import Outcome, Verdict
from harness.stats._interval import ALPHA
from harness.stats._pairs import equivalence, superiority


def best_of(arms: Mapping[str, ArrayLike], *, best: str, margin: float, alpha: float = ALPHA) -> Verdict:
    """Does the arm `best` beat each of the others? An intersection-union test (Berger, 1982).

    arms: accuracy in percent [n] by name, paired by seed. Every rival must be beaten at level alpha, without a split
    of it: a false REPRODUCED needs a false win over a rival that is truly as good. That one rival refutes the claim
    may happen by chance for each of them, so those verdicts use alpha / rivals: CONTRADICTED if one comparison is,
    else TOO SMALL if all directions hold and one size is excluded, else INCONCLUSIVE. The effect shown is the weakest
    comparison's. Raises ValueError as superiority, and for a best that is no arm or has no rival.
    """
    rivals = [name for name in arms if name != best]
    if best not in arms or not rivals:
        raise ValueError(f"best is {best!r}; it must be one of at least two arms: {', '.join(arms)}")

    def against(rival: str, level: float) -> Verdict:
        return superiority(arms[best], arms[rival], margin=margin, alpha=level, names=(best, rival))

    plain = {rival: against(rival, alpha) for rival in rivals}
    split = {rival: against(rival, alpha / len(rivals)) for rival in rivals}
    weakest = min(rivals, key=lambda rival: plain[rival].lower)
    directions_hold = all(verdict.lower > 0 for verdict in plain.values())
    excluded = {rival for rival in rivals if split[rival].upper < margin}
    refuted = sorted(rival for rival in excluded if split[rival].lower <= 0 and plain[rival].lower <= 0)
    if refuted:
        outcome, words, shown = Outcome.CONTRADICTED, f"it does not beat {refuted[0]} by the claimed size", refuted[0]
    elif directions_hold and excluded:
        shown = min(excluded, key=lambda rival: plain[rival].effect)
        outcome, words = Outcome.TOO_SMALL, f"it beats every rival, but {shown} by less than the claimed size"
    elif directions_hold:
        outcome, words, shown = Outcome.REPRODUCED, "it beats every rival", weakest
    else:
        outcome, words, shown = Outcome.INCONCLUSIVE, f"that it beats {weakest} is not shown, nor excluded", weakest
    return _compound(outcome, words, f"{best} − {shown}", shown, plain, f"against each of {len(rivals)} rivals")


def no_difference(arms: Mapping[str, ArrayLike], *, within: float, alpha: float = ALPHA) -> Verdict:
    """Is every pair of arms within `within` points? An intersection-union test over all pairs.

    REPRODUCED when every pair is equivalent at level alpha, without a split of it. CONTRADICTED when a pair lies
    wholly outside at level alpha / pairs, because any of them may do so by chance. Else INCONCLUSIVE. The effect
    shown is the widest pair's. Raises ValueError as equivalence, and for fewer than two arms.
    """
    pairs = list(itertools.combinations(arms, 2))
    if not pairs:
        raise ValueError(f"no_difference needs at least two arms; it has {list(arms)}")

    def compare(pair: tuple[str, str], level: float) -> Verdict:
        return equivalence(arms[pair[0]], arms[pair[1]], within=within, alpha=level, names=pair)

    plain = {" − ".join(pair): compare(pair, alpha) for pair in pairs}
    split = {" − ".join(pair): compare(pair, alpha / len(pairs)) for pair in pairs}
    widest = max(plain, key=lambda name: abs(plain[name].effect))
    if all(verdict.outcome == Outcome.REPRODUCED for verdict in plain.values()):
        outcome, words = Outcome.REPRODUCED, f"every pair lies within {within:g}"
    elif any(verdict.outcome == Outcome.CONTRADICTED for verdict in split.values()):
        outcome, words = Outcome.CONTRADICTED, f"a pair differs by more than {within:g}"
    else:
        outcome, words = Outcome.INCONCLUSIVE, f"that every pair lies within {within:g} is neither shown nor excluded"
    return _compound(outcome, words, widest, widest, plain, f"for each of {len(pairs)} pairs")


def _compound(
    outcome: Outcome, words: str, contrast: str, shown: str, parts: Mapping[str, Verdict], each: str
) -> Verdict:
    """The verdict of a compound claim, showing the numbers of one of its parts."""
    part = parts[shown]
    settle = None
    if outcome == Outcome.INCONCLUSIVE:
        # The slowest part decides; one that no number of seeds would settle leaves the whole open.
        open_parts = [verdict for verdict in parts.values() if verdict.outcome == Outcome.INCONCLUSIVE]
        needed = [verdict.seeds_to_settle for verdict in open_parts]
        settle = None if not needed or None in needed else max(needed)
    return Verdict(
        outcome,
        part.effect,
        part.lower,
        part.upper,
        part.margin,
        max(verdict.p for verdict in parts.values()),
        f"{part.test} ({contrast}; the largest p {each} decides)",
        part.n,
        f"{words}; {contrast}: {part.rule}",
        settle,
        tuple(parts.items()),
        part.notes,
    )
