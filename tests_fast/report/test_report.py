"""What a person reads: the failure, the text scale, the summary at any width, the Markdown page."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.claim import Agreement, Look, Outcome, Verdict
from harness.judgement import ArmEvidence, Judgement
from harness.ledger import entry, reversed_effect
from harness.report import failure_text, results_page, summary_lines
from harness.report.multiplicity import adjusted_p
from harness.report.scale import text_scale

VERDICT = Verdict(
    outcome=Outcome.INCONCLUSIVE,
    effect=3.78,
    lower=-2.24,
    upper=9.81,
    margin=3.32,
    p=0.13,
    test="paired t p = 0.13; n = 5",
    n=5,
    rule="L <= 0",
    p_holds=0.13,
    p_fails=0.6,
    alpha=0.05,
    seeds_to_settle=12,
    detectable=7.5,
)
JUDGEMENT = Judgement(
    nodeid="claims/test_x.py::test_y[4-base]",
    finding="A2a",
    kind="effect",
    claim="at batch size 4 (base), batch norm is far below group norm",
    source='AI-Experiments, "BatchNorm vs GroupNorm" (1 run)',
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
    device="cpu (a processor, 2 cores)",
    enforced=True,
    planned=(5,),
    next_look=None,
    command="pytest 'claims/test_x.py::test_y[4-base]' --scale documented --seeds 12",
)
VALUES = st.floats(-100, 100)


def test_the_failure_says_what_was_claimed_found_and_comes_next():
    text = failure_text(JUDGEMENT)
    lines = text.splitlines()
    assert lines[0] == "INCONCLUSIVE: A2a, at batch size 4 (base), batch norm is far below group norm"
    for part in (
        'AI-Experiments, "BatchNorm vs GroupNorm" (1 run)',
        "group norm − batch norm = +3.78 points, one-sided 95 % bounds -2.24 and +9.81",
        "^ margin +3.32",
        "^ documented +6.65",
        "paired t p = 0.13",
        "documented +6.65 (1 run), ours +3.78: inside the 95 % prediction interval -13.00 to",
        "about 12 would",
        "5 seeds find an effect of 7.50 points in 80 of 100",
        "seed 5  seed 6",
        "10.00!",
        "! collapsed",
    ):
        assert part in text
    assert lines[-1] == "rerun     " + JUDGEMENT.command
    assert all(len(line) <= 100 for line in lines[:-1])
    assert "looks" not in text
    assert "\x1b" not in text


def test_a_claim_that_may_be_looked_at_again_says_so():
    looks = (Look(5, 0.000089, Outcome.INCONCLUSIVE), Look(10, 0.0055, Outcome.INCONCLUSIVE))
    verdict = dataclasses.replace(VERDICT, n=10, alpha=0.0055, looks=looks)
    text = failure_text(dataclasses.replace(JUDGEMENT, verdict=verdict, next_look=20))
    assert "one-sided 99.45 % bounds" in text
    assert "looks     5 seeds at level 8.9e-05: INCONCLUSIVE; 10 seeds at level 0.0055: INCONCLUSIVE" in text
    assert "The look at 10 seeds does not settle it; the next planned one is at 20" in text
    assert "about 12 would" not in text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_verdict_says_what_to_do_next(outcome):
    verdict = dataclasses.replace(VERDICT, outcome=outcome, seeds_to_settle=None)
    text = failure_text(dataclasses.replace(JUDGEMENT, verdict=verdict, agreement=None))
    assert "next      " in text
    assert "documented +" not in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("kind", "limits", "contradicted"),
    [
        ("effect", ["^ margin +3.32"], "An effect of the claimed size is excluded"),
        ("best", ["^ margin +3.32"], "A lead of the claimed size is excluded"),
        ("equality", ["^ lower limit -3.32", "^ upper limit +3.32"], "A difference beyond the limit is shown"),
        ("no fall", ["^ limit -3.32"], "A fall beyond the limit is shown"),
    ],
)
def test_the_failure_speaks_of_its_kind_of_claim(kind, limits, contradicted):
    verdict = dataclasses.replace(VERDICT, outcome=Outcome.CONTRADICTED)
    text = failure_text(dataclasses.replace(JUDGEMENT, kind=kind, verdict=verdict))
    assert all(limit in text for limit in limits)
    assert ("margin" in text) == (kind in ("effect", "best"))
    assert contradicted in text


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


@settings(max_examples=10)  # statsmodels collects garbage at every correction
@given(st.integers(80, 250), st.integers(1, 4))
def test_the_summary_fits_its_width(width, count):
    lines = summary_lines([JUDGEMENT] * count, width)
    assert all(len(line) <= width for line in lines if line.startswith(("A2a", "finding", " ")))
    assert f"{count} {'claim' if count == 1 else 'claims'}: {count} INCONCLUSIVE" in lines
    assert sum(line.split()[-2:] == ["-", "INCONCLUSIVE"] for line in lines if line.startswith("A2a")) == count


def test_the_summary_fits_an_80_column_terminal():
    outside = dataclasses.replace(JUDGEMENT, agreement=Agreement(6.65, 3.78, 5.0, 8.0, 1), compared="a − b")
    table = [line for line in summary_lines([JUDGEMENT, outside], 80) if line.startswith((" ", "A2a"))]
    assert len(table) == 3
    assert max(map(len, table)) <= 80
    assert "(+6.65)*" in table[2]


def test_the_page_shows_every_claim_and_every_arm_once():
    page = results_page([JUDGEMENT, JUDGEMENT], {"device": "a processor"})
    assert "- device: a processor" in page
    assert "- totals: 2 INCONCLUSIVE" in page
    assert page.count("| 0.13 | – | 5 | **INCONCLUSIVE** | yes |") == 2
    assert page.count("37.95 32.10 10.00! 38.34 24.69") == 1
    assert "batch norm is far below group norm | group norm | 40.46 | 37.95 |" in page


@given(st.builds(lambda effect: dataclasses.replace(VERDICT, effect=effect, parts=(("a", VERDICT),)), VALUES))
def test_a_judgement_survives_its_json(verdict):
    judgement = dataclasses.replace(JUDGEMENT, verdict=verdict)
    assert Judgement.from_json(judgement.to_json()) == judgement


def test_rows_come_in_the_order_of_their_numbers():
    def at(batch):
        return dataclasses.replace(JUDGEMENT, claim=f"base, batch {batch}: they differ")

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
    recorded = dataclasses.replace(entry(JUDGEMENT, "2026-01-01", "torch"), verdict=verdict, lower=lower)
    turned = dataclasses.replace(JUDGEMENT, verdict=dataclasses.replace(VERDICT, upper=now))
    assert reversed_effect(recorded, turned) == reversed_


def test_red_verdicts_are_corrected_by_holm_and_reproduced_ones_by_benjamini_hochberg():
    """Over every claim of the session: also over those that came out otherwise, which had their chance too."""

    def judged(outcome, p_holds, p_fails):
        verdict = dataclasses.replace(VERDICT, outcome=outcome, p_holds=p_holds, p_fails=p_fails)
        return dataclasses.replace(JUDGEMENT, verdict=verdict)

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
    rows = [line for line in summary_lines(session, 130) if line.startswith("A2a")]
    assert [row.split()[-2:] for row in rows][:2] == [[".0400", "REPRODUCED"], [".0400", "CONTRADICTED"]]


def test_confounders_of_reproduced_claims_are_told_where_nothing_fails():
    notes = ("confounder: a − b = +1.00 (+0.50 to +1.50): the effect stays", "something else")
    reproduced = dataclasses.replace(
        JUDGEMENT, verdict=dataclasses.replace(VERDICT, outcome=Outcome.REPRODUCED, notes=notes)
    )
    text = "\n".join(summary_lines([reproduced], 100))
    assert "at batch size 4 (base), batch norm is far below group norm: a − b = +1.00 (+0.50 to +1.50):" in text
    assert "something else" not in text
    assert "confounders" not in "\n".join(summary_lines([JUDGEMENT], 100))
    assert f"- A2a, {JUDGEMENT.claim}: something else" in results_page([reproduced], {"device": "a processor"})
