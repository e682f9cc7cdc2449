"""What a person reads: the text scale, the summary at any width, the Markdown page."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.ledger.entries import entry
from pytest_claims.ledger.policy import reversed_effect
from pytest_claims.plugin.resolution import resolve
from pytest_claims.plugin.verdict_lines import verdict_line
from pytest_claims.report import results_page, session_lines, summary_lines
from pytest_claims.report.facts import wall_time
from pytest_claims.report.multiplicity import adjusted_p, correction
from pytest_claims.report.notes import all_notes, plain_notes
from pytest_claims.report.scale import text_scale
from pytest_claims.report.session import Session
from pytest_claims.stats import no_difference
from pytest_claims.train.device import capability
from pytest_claims.types import (
    Agreement,
    Bound,
    Confounded,
    EqualDifferences,
    HypothesisTest,
    Method,
    Outcome,
    Procedure,
    Shows,
    Source,
    Verdict,
)

COMPARED = ("group norm", "batch norm")
VERDICT = Verdict(
    outcome=Outcome.INCONCLUSIVE,
    procedure=Procedure.SUPERIORITY,
    comparison=COMPARED,
    effect=3.78,
    lower=-2.24,
    upper=9.81,
    margin=3.32,
    p=0.13,
    n=5,
    by_bounds=Outcome.INCONCLUSIVE,
    p_holds=0.13,
    p_fails=0.6,
    alpha=0.05,
    tests=(HypothesisTest(Method.PAIRED_T, Shows.EFFECT, 0.0, 0.13, 0.05, COMPARED),),
    bounds=(
        Bound("lower", -2.24, 0.0, 0.05, 3.78, COMPARED),
        Bound("upper", 9.81, 3.32, 0.05, 3.78, COMPARED),
    ),
    seeds_to_settle=12,
    detectable=7.5,
)
RESULT = Result(
    nodeid="claims/test_x.py::test_y[4-base]",
    id="A2a-4-base",
    finding="A2a",
    kind="effect",
    claim="at batch size 4 (base), batch norm is far below group norm",
    source=Source("AI-Experiments", "BatchNorm vs GroupNorm"),
    contrast="group norm − batch norm",
    verdict=VERDICT,
    agreement=Agreement(6.65, 3.78, -13.0, 26.3, 1),
    compared="",
    arms=(
        ArmEvidence("group norm", (5, 6, 7, 8, 9), (40.48, 36.77, 35.8, 37.89, 38.8), (False,) * 5, 40.46),
        ArmEvidence(
            "batch norm", (5, 6, 7, 8, 9), (37.95, 32.1, 10.0, 38.34, 24.69), (False, False, True, False, False), None
        ),
    ),
    scale="documented",
    data="cifar at data (found on disk)",
    data_kind="cifar",
    device="cpu (a processor, 2 cores)",
    device_kind="cpu",
    enforced=True,
    planned=(5,),
    next_look=None,
    command="pytest 'claims/test_x.py::test_y[4-base]' --scale documented --seeds 12",
)
VALUES = st.floats(-100, 100)


@given(VALUES, st.floats(0, 50), st.floats(0, 50), st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_the_scale_keeps_the_order_of_its_numbers(effect, below, above, marks):
    bar, *carets = text_scale(effect, effect - below, effect + above, marks)
    assert bar.count("*") == 1
    assert len(bar) <= 61
    assert len(carets) == len(marks)
    at = {line.replace("^", " ").split()[0]: line.index("^") for line in carets}
    for name, value in marks.items():
        for other, second in marks.items():
            if value < second:
                assert at[name] <= at[other]
        if value < effect:
            assert at[name] <= bar.index("*")


def told(lines, finding="A2a-4-base"):
    """The rows of a finding's claims, each as one line, though its numbers may stand below its words."""
    ends = r"(?:new|=|was [A-Z]+\.?)$"
    found = re.findall(rf"^{finding} .*?{ends}", "\n".join(lines), re.MULTILINE | re.DOTALL)
    return [" ".join(row.split()) for row in found]


@settings(max_examples=10)  # statsmodels collects garbage at every correction
@given(st.integers(80, 250), st.integers(1, 4))
def test_the_summary_fits_its_width(width, count):
    lines = summary_lines([dataclasses.replace(RESULT, recorded="CONTRADICTED")] * count, width)
    assert max(map(len, lines)) <= width
    assert f"{count} {'claim' if count == 1 else 'claims'}: {count} INCONCLUSIVE" in lines
    was = "CONTRADICTED" if width >= 120 else "CONTRAD."
    assert [row.split()[-3:] for row in told(lines)] == [["INCONCLUSIVE", "was", was]] * count
    # No word of a claim is left out.
    assert all(f"A2a-4-base {RESULT.claim} " in row for row in told(lines))


def test_the_summary_fits_an_80_column_terminal():
    outside = dataclasses.replace(RESULT, agreement=Agreement(6.65, 3.78, 5.0, 8.0, 1), compared="a − b")
    head, _, heading, words, first, _, second = summary_lines([RESULT, outside], 80)[:7]
    assert heading == 'X: AI-Experiments, "BatchNorm vs GroupNorm" (1 run)'
    assert words == "A2a-4-base  at batch size 4 (base), batch norm is far below group norm"
    rows = [first, second]
    assert "(+6.65)*" in second
    # Columns stand under their heads.
    for row in rows:
        assert row[head.index("verdict") :].split() == ["INCONCLUSIVE", "new"]
        assert row[: head.index(" n ") + 2].endswith(" 5")


def test_the_summary_groups_claims_by_module_and_source():
    def judged(finding, module, document="A paper", recorded=""):
        source = Source(document, "Table 1")
        nodeid = f"claims/test_{module}.py::test_it"
        return dataclasses.replace(RESULT, id=finding, finding=finding, nodeid=nodeid, source=source, recorded=recorded)

    session = [
        judged("A1b", "a1_two_nets", "Another paper, " + "at length " * 8),
        judged("B1", "b1_depth", recorded="INCONCLUSIVE"),
        judged("A2", "a1_two_nets"),
        judged("A1", "a1_two_nets"),
    ]
    lines = summary_lines(session, 80)
    starts = ("A1", "A2", "B1")
    assert [" ".join(line.split()[:5]) for line in lines if line.startswith(starts) and ":" in line[:14]] == [
        "A1 two nets: A paper,",
        "A1 two nets: Another paper,",
        'B1 depth: A paper, "Table',
    ]
    rows = [(row.split()[0], row.split()[-1]) for row in told(lines[2:], r"(?:A1b|B1|A2|A1) [^:]*? ?batch")]
    assert rows == [("A1", "new"), ("A2", "new"), ("A1b", "new"), ("B1", "=")]
    assert "ledger, on cpu: = as recorded, new: none is recorded" in lines
    assert max(map(len, lines)) <= 80


def test_the_page_shows_every_claim_and_every_arm_once():
    page = results_page([RESULT, RESULT], {"device": "a processor"})
    assert "- device: a processor" in page
    assert "- totals: 2 INCONCLUSIVE" in page
    assert page.count("| 0.13 | – | 5 | **INCONCLUSIVE** | yes |") == 2
    assert page.count("37.95 32.10 10.00! 38.34 24.69") == 1
    assert "batch norm is far below group norm | group norm | 40.46 | 37.95 |" in page


def test_rows_come_in_the_order_of_their_numbers():
    def at(batch):
        return dataclasses.replace(RESULT, claim=f"base, batch {batch}: they differ")

    table = "\n".join(summary_lines([at(16), at(128), at(2)], 120))
    assert table.index("batch 2:") < table.index("batch 16:") < table.index("batch 128:")


@pytest.mark.parametrize(
    ("verdict", "lower", "now", "reversed_"),
    [
        ("REPRODUCED", 4.0, -0.1, True),
        ("REPRODUCED", 4.0, 0.1, False),
        ("REPRODUCED", 3.0, -0.1, False),  # not strong: its lower bound is below the margin
        ("INCONCLUSIVE", 4.0, -0.1, False),
    ],
)
def test_only_a_strong_recorded_effect_that_turned_round_fails_a_rehearsal(verdict, lower, now, reversed_):
    recorded = dataclasses.replace(entry(RESULT, "2026-01-01", "torch"), verdict=verdict, lower=lower)
    turned = dataclasses.replace(RESULT, verdict=dataclasses.replace(VERDICT, upper=now))
    assert reversed_effect(recorded, turned) == reversed_


def test_red_verdicts_are_corrected_by_holm_and_reproduced_ones_by_benjamini_hochberg():
    """Over every claim of the session: also over those that came out otherwise, which had their chance too."""

    def judged(outcome, p_holds, p_fails):
        verdict = dataclasses.replace(VERDICT, outcome=outcome, p_holds=p_holds, p_fails=p_fails)
        return dataclasses.replace(RESULT, verdict=verdict)

    session = [
        judged(Outcome.REPRODUCED, 0.01, 0.9),
        judged(Outcome.CONTRADICTED, 0.5, 0.01),
        judged(Outcome.INCONCLUSIVE, 0.3, 0.2),
        judged(Outcome.TOO_SMALL, 0.02, 0.04),
    ]
    # What is not called so counts with 1. Holm over 1 .01 1 .04: .01 times 4, .04 times 3. Benjamini-Hochberg over .01.
    assert adjusted_p(session) == [pytest.approx(0.04), pytest.approx(0.04), None, pytest.approx(0.12)]
    # Effects that are there and too small are no help to one that is reproduced: .02 times 5, not times 5/5.
    small = [judged(Outcome.TOO_SMALL, 1e-9, 0.04)] * 4
    assert adjusted_p([judged(Outcome.REPRODUCED, 0.02, 0.9), *small])[0] == pytest.approx(0.10)
    # The session's correction is a line of the summary, and no failure's text or row has it.
    (said,) = [line for line in summary_lines(session, 130) if "survive" in line]
    assert said.startswith("of 1 REPRODUCED, 1 survive correction for 4 claims at 5 % (Benjamini-Hochberg); of 2 CONTR")
    assert said.endswith("of 2 CONTRADICTED and TOO SMALL, 1 (Holm)")
    assert ".1200" not in " ".join(summary_lines(session, 130))
    assert not any("survive" in line for line in summary_lines(session[:1], 130))
    # One claim alone needs no correction; two do, what is not there is not named, and 5 % itself survives.
    assert correction(session[:1]) == correction(session[2:3] * 2) == ""
    assert correction([judged(Outcome.REPRODUCED, 0.025, 0.9), judged(Outcome.INCONCLUSIVE, 0.3, 0.2)]) == (
        "of 1 REPRODUCED, 1 survive correction for 2 claims at 5 % (Benjamini-Hochberg)"
    )


# Outcome, p_holds, p_fails. Adjusted over all claims, of whatever outcome, these would give other numbers.
COUNTED = [
    (Outcome.REPRODUCED, 0.01, 0.001),
    (Outcome.REPRODUCED, 0.03, 0.0001),
    (Outcome.TOO_SMALL, 0.001, 0.02),
    (Outcome.CONTRADICTED, 0.002, 0.004),
    (Outcome.INCONCLUSIVE, 0.0005, 0.0005),
]


def adjusted(verdicts):
    return adjusted_p(
        [
            dataclasses.replace(
                RESULT, verdict=dataclasses.replace(VERDICT, outcome=outcome, p_holds=holds, p_fails=fails)
            )
            for outcome, holds, fails in verdicts
        ]
    )


@given(st.permutations(COUNTED))
def test_p_is_corrected_over_all_claims_of_which_those_not_called_so_count_with_1(verdicts):
    expected = {
        # Benjamini-Hochberg over .01 .03 1 1 1: times 5, times 5 / 2.
        0.01: 0.05,
        0.03: 0.075,
        # Holm over .004 .02 1 1 1: times 5, times 4.
        0.004: 0.02,
        0.02: 0.08,
    }
    found = adjusted(verdicts)
    for (outcome, holds, fails), p in zip(verdicts, found, strict=True):
        own = holds if outcome == Outcome.REPRODUCED else fails
        assert p == (None if outcome == Outcome.INCONCLUSIVE else pytest.approx(expected[own]))


def test_one_claim_keeps_its_p_and_an_open_one_beside_it_doubles_it():
    alone = [(Outcome.REPRODUCED, 0.02, 0.9)]
    assert adjusted(alone) == [pytest.approx(0.02)]
    assert adjusted([*alone, (Outcome.INCONCLUSIVE, 0.5, 0.5)]) == [pytest.approx(0.04), None]
    assert adjusted([]) == []


def confounded(better, label, effect, outcome):
    """A confounder that leaves this effect of the two arms, and is shown to lessen it where the outcome is not
    REPRODUCED."""
    bounds = {"lower": effect - 0.5, "upper": effect + 0.5}
    under = dataclasses.replace(VERDICT, outcome=outcome, comparison=(better, label), effect=effect, **bounds)
    less = Outcome.CONTRADICTED if outcome == Outcome.REPRODUCED else Outcome.REPRODUCED
    return Confounded(f"what is {label}", f"with {label}", under, dataclasses.replace(under, outcome=less))


def test_where_an_effect_comes_from_is_told_where_nothing_fails():
    found = (confounded("a", "b", 1.0, Outcome.CONTRADICTED), confounded("c", "d", 3.0, Outcome.REPRODUCED))
    notes = (EqualDifferences(5),)
    verdict = dataclasses.replace(VERDICT, outcome=Outcome.REPRODUCED, notes=notes, confounders=found)
    reproduced = dataclasses.replace(RESULT, verdict=verdict, arms=(*RESULT.arms, arm("a", 40.0), arm("b", 39.0)))
    text = " ".join("\n".join(summary_lines([reproduced], 100)).split())
    assert "A2a-4-base: REPRODUCED, confounded by what is b. With b neither arm collapses: a 40.0 %, b" in text
    assert "The effect comes from what is b. With d (+3.00 points) the effect stays: it does not come from what" in text
    assert "REPRODUCED, confounded " in text
    assert verdict_line(reproduced, "REPRODUCED").startswith("A2a-4-base REPRODUCED, confounded +")
    assert verdict_line(RESULT, "OPEN 5/20").startswith("A2a-4-base OPEN 5/20 ")
    assert "differences are equal" not in text
    assert "where the effects" not in "\n".join(summary_lines([RESULT], 100))
    page = results_page([reproduced], {"device": "a processor"})
    assert f"- A2a-4-base, {RESULT.claim}: all 5 differences are equal, so" in page
    assert f"- A2a-4-base, {RESULT.claim}: With b neither arm collapses: " in page


def test_claims_that_speak_of_one_effect_are_counted_as_one():
    arms = tuple(dataclasses.replace(arm, runs=(f"{arm.label} 0",)) for arm in RESULT.arms)
    verdict = dataclasses.replace(VERDICT, outcome=Outcome.CONTRADICTED)
    first = dataclasses.replace(RESULT, arms=arms, verdict=verdict)
    # The other way round, and with an arm more that does not decide: the same effect.
    other = dataclasses.replace(
        first, verdict=dataclasses.replace(verdict, effect=-3.78), arms=(*arms, dataclasses.replace(arms[0], label="c"))
    )
    elsewhere = dataclasses.replace(first, arms=(arms[0], dataclasses.replace(arms[1], runs=("another run",))))
    open_ = dataclasses.replace(RESULT, arms=arms)
    assert "what does not: 2 distinct effects, 3 claims" in summary_lines([first, other, elsewhere, open_], 100)
    assert not [line for line in summary_lines([first, elsewhere, open_], 100) if "distinct" in line]


def arm(name, mean, seeds=20):
    return ArmEvidence(name, tuple(range(seeds)), (mean,) * (seeds - 1) + (mean + 0.5,), (False,) * seeds, 50.0)


def test_notes_that_say_the_same_are_told_once():
    low, none, first = np.full(5, 10.0), np.zeros(5, dtype=bool), np.arange(5) < 2
    values = {
        "a": low,
        "b": np.array([15.0, 16.0, 15.0, 16.0, 15.0]),
        "c": np.array([17.0, 16.0, 18.0, 17.0, 17.0]),
        "d": low + 30,
    }
    flags = {**dict.fromkeys(values, none), "a": first}
    arms = tuple(
        ArmEvidence(
            name, tuple(range(5)), tuple(one.tolist()), tuple(flags[name].tolist()), 50.0 if name in "bc" else None
        )
        for name, one in values.items()
    )
    verdict = no_difference(values, within=1, collapsed=flags)
    result = dataclasses.replace(RESULT, arms=arms, kind="equality", verdict=verdict)
    assert plain_notes(result) == [
        "3 comparisons: collapsed to chance or diverged: a 2 of 5",
        "a − d: all 5 differences are equal, so the interval is a point and p is 0 or 1 by definition",
        "b comes to 15.4 %, the source's to 50.0 %; c comes to 17.0 %, the source's to 50.0 %: these networks are not "
        "where the source's were",
    ]
    # A page tells each by itself, and a rehearsal does not hold its networks against the source's.
    assert "b comes to 15.4 %, the source's to 50.0 %: these networks are not where the source's were" in all_notes(
        result
    )
    assert not any("comes to" in note for note in plain_notes(dataclasses.replace(result, enforced=False)))


def test_the_facts_of_a_session_fit_its_width(tmp_path):
    resolved = resolve(
        gpu=False,
        ray="",
        processes=False,
        tf32=False,
        kernels="cudnn",
        scale="rehearsal",
        data="auto",
        seeds=None,
        max_seeds=None,
        first_seed=0,
        placebo=False,
        store=tmp_path / "a-rather-long-name-that-no-width-can-break" / "runs.sqlite",
        since="",
        only_stored=False,
        runs_of="",
        mix_capabilities=False,
        root=tmp_path,
        worker=0,
    )
    said = {"results": (), "not_judged": (), "facts": {}, "command": "", "enforced": False, "placebo": ()}
    lines = session_lines(resolved, Session(**said, trained=1, reused=3, seconds=185.0), 80)
    assert lines[0] == "runs trained in this session: 1, reused: 3, kept in"
    assert all(len(line) <= 80 or str(tmp_path) in line for line in lines)
    assert "wall time: 3 min 05 s" in lines
    assert any(line.startswith("device: cpu") for line in lines)
    assert any(line.startswith("verdicts: a rehearsal") for line in lines)
    other = dataclasses.replace(resolved, tf32=True, kernels="triton")
    told = " ".join(session_lines(other, Session(**said, trained=1, reused=3, seconds=185.0), 80))
    triton = (
        f"), {capability(resolved.device)}, float32 products in TF32, convolutions and batch norms by Triton kernels"
    )
    assert f"{triton} wall time" in re.sub(r"\s+", " ", told)
    # Why claims have no verdict is said once for all that have the same reason.
    missing = tuple((f"test_{n}", f"not judged: {n} of 5 runs of a network are not stored; train") for n in range(3))
    told = session_lines(resolved, Session(**{**said, "not_judged": missing}, trained=0, reused=0, seconds=1.0), 80)
    assert "not judged, 3 claims: runs are not stored; train" in told
    assert [wall_time(seconds) for seconds in (59.4, 59.6, 3599.6)] == ["59 s", "1 min 00 s", "1 h 00 min"]


def test_words_of_claims_are_no_markup_of_the_page_of_results():
    named = dataclasses.replace(RESULT, claim="a <script>alert(1)</script> | [x](y) \x1b[31m\nb")
    page = results_page([named], {"device": "<img src=x onerror=alert(1)>"})
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert page.count("a &lt;script&gt;alert(1)&lt;/script&gt; \\| \\[x\\](y) \\x1b\\[31m b") >= 2
