"""The tests that a verdict rests on in words, with their p-values, a function a procedure: see procedures.py."""

from __future__ import annotations

from pytest_claims.report.numbers import count, p_words
from pytest_claims.report.rule_in_words import flips_name
from pytest_claims.types import HypothesisTest, Method, Shows, Verdict


def superiority(verdict: Verdict) -> str:
    """Of two arms, of which one is ahead."""
    text = _both(verdict, Shows.EFFECT)
    if _of(verdict, Shows.BELOW_MARGIN):
        text += f"; against an effect of {verdict.margin:g} or more, {_both(verdict, Shows.BELOW_MARGIN)}"
    return text


def leads(verdict: Verdict) -> str:
    """Of several leads at once."""
    text = f"the largest p of {count(len(verdict.parts), 'lead')}, {_both(verdict, Shows.EFFECT)}"
    sizes = _of(verdict, Shows.BELOW_MARGIN)
    if sizes:
        text += (
            f"; against an effect of {verdict.margin:g} or more in every one, the smallest p (to be multiplied by "
            f"{sizes[0].times}), {_both(verdict, Shows.BELOW_MARGIN)}"
        )
    return text


def trend(verdict: Verdict) -> str:
    """Of a rise or fall along levels."""
    text = f"end to end and slope on log2(level), the larger p: {_both(verdict, Shows.EFFECT)}"
    if _of(verdict, Shows.BELOW_MARGIN):
        text += f"; against {verdict.margin:g} or more end to end, {_both(verdict, Shows.BELOW_MARGIN)}"
    return text


def spread(verdict: Verdict) -> str:
    """Of an arm that varies less than others."""
    pairs = count(_of(verdict, Shows.EFFECT)[0].of, "pair")
    return (
        f"Brown-Forsythe (one-sided, the largest p of {pairs}) {_p(verdict, Shows.EFFECT)}; against "
        f"{verdict.margin:g} doublings or more {_p(verdict, Shows.BELOW_MARGIN)}"
    )


def speed(verdict: Verdict) -> str:
    """Of epochs to an accuracy."""
    null = {
        Shows.EFFECT: "that it is no faster",
        Shows.BELOW_MARGIN: f"that it is {2**verdict.margin:g} times as fast or more",
    }
    said = []
    for shows, hypothesis in null.items():
        by_t = [test for test in _of(verdict, shows) if test.method == Method.PAIRED_T]
        flips = [test for test in _of(verdict, shows) if test.method == Method.SIGN_FLIP]
        for one, other in zip(by_t, flips, strict=True):
            said.append(
                f"{hypothesis}, paired t of log2 epochs (one-sided, skew-corrected) {p_words(one.p)}; "
                f"{flips_name(other)} {p_words(other.p)}"
            )
    return "; ".join(said or ["nothing to test: there is no bound"])


def spans(verdict: Verdict) -> str:
    """Of two spans of means."""
    said = []
    for shows in (Shows.EFFECT, Shows.BELOW_MARGIN):
        found = _of(verdict, shows)
        if found:
            hypothesis = "" if shows == Shows.EFFECT else f"against a difference of {verdict.margin:g} or more, "
            said.append(f"{hypothesis}{_both(verdict, shows)} (to be multiplied by {count(found[0].times, 'pair')})")
    return "; ".join(said)


def equivalence(verdict: Verdict) -> str:
    """Of two arms that differ by less than the limit."""
    text = f"paired equivalence (two one-sided t tests, skew-corrected) {_p(verdict, Shows.WITHIN)}"
    if _of(verdict, Shows.BEYOND):
        text += f"; that they differ by less than {verdict.margin:g} (two-sided) {_p(verdict, Shows.BEYOND)}"
    return text


def every_pair(verdict: Verdict) -> str:
    """Of no difference, and of its opposite."""
    pairs = count(len(verdict.parts), "pair")
    text = f"the largest p of {pairs}, paired equivalence (two one-sided t tests) {_p(verdict, Shows.WITHIN)}"
    beyond = _of(verdict, Shows.BEYOND)
    if beyond:
        name = " − ".join(beyond[0].comparison)
        text += f"; that {name} is less than {verdict.margin:g} (two-sided, times {pairs}) {_p(verdict, Shows.BEYOND)}"
    return text


def no_fall(verdict: Verdict) -> str:
    """Of every change along levels."""
    changes = count(len(verdict.parts), "change")
    text = f"the largest p of {changes}, paired t (one-sided, non-inferiority) {_p(verdict, Shows.NO_FALL)}"
    if _of(verdict, Shows.FALL):
        text += f"; against a fall of {verdict.margin:g} at most (times {changes}) {_p(verdict, Shows.FALL)}"
    return text


def change(verdict: Verdict) -> str:
    """Of one change between two levels."""
    text = f"paired t (one-sided, non-inferiority) {_p(verdict, Shows.NO_FALL)}"
    if _of(verdict, Shows.FALL):
        text += f"; against a fall of {verdict.margin:g} at most {_p(verdict, Shows.FALL)}"
    return text


def _of(verdict: Verdict, shows: Shows) -> list[HypothesisTest]:
    """The tests that would show this."""
    return [test for test in verdict.tests if test.shows == shows]


def _p(verdict: Verdict, shows: Shows) -> str:
    """The p of what is shown, corrected; where sign flips must confirm it, the larger one."""
    return p_words(max(test.corrected for test in _of(verdict, shows)))


def _both(verdict: Verdict, shows: Shows) -> str:
    """By t and by sign flips, neither corrected."""
    said = []
    for test in _of(verdict, shows):
        flips = test.method == Method.SIGN_FLIP
        name = flips_name(test) if flips else "paired t (one-sided, skew-corrected)"
        least = f" (with {verdict.n} seeds never below {test.least:.4f})" if test.fewest is not None else ""
        said.append(f"{name} {p_words(test.p)}{least}")
    return "; ".join(said)
