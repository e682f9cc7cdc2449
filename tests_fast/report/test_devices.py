"""What the end of a session says where two kinds of device came to other verdicts on the same claim."""

import dataclasses

from pytest_claims.judge.result import OnRecord
from pytest_claims.report import failure_text, results_page, summary_lines
from pytest_claims.report.devices import device_lines, elsewhere_text, evidence_text, on_both
from pytest_claims.types import Outcome
from tests_fast.report.test_report import RESULT


def on_record(verdict, kind="cuda", effect=2.5):
    device = {"cuda": "cuda:0 (a card)", "cpu": "cpu (x)"}[kind]
    return OnRecord(str(verdict), effect, 1.0, 4.0, "points", 7, "cifar", kind, device, "2026-11-26")


def judged(id, outcome, elsewhere=None, **fields):
    verdict = dataclasses.replace(RESULT.verdict, outcome=outcome)
    other = () if elsewhere is None else (on_record(elsewhere),)
    return dataclasses.replace(RESULT, id=id, verdict=verdict, elsewhere=other, **fields)


REPRODUCED, CONTRADICTED, OPEN = Outcome.REPRODUCED, Outcome.CONTRADICTED, Outcome.INCONCLUSIVE


def test_where_both_decide_and_differ_it_is_said_with_ids():
    results = [
        judged("X1", REPRODUCED, CONTRADICTED),
        judged("X2", CONTRADICTED, CONTRADICTED),
        judged("X3", REPRODUCED, OPEN),
        judged("X4", OPEN, CONTRADICTED),
        judged("X5", OPEN, OPEN),
        judged("X6", REPRODUCED),
    ]
    lines = [
        "CPU and CUDA DISAGREE on 1 of 2 claims decided on both: X1 (CPU REPRODUCED, CUDA CONTRADICTED)",
        "decided on one kind of device and undecided on the other: CPU X3; CUDA X4",
    ]
    assert device_lines(results) == lines
    assert device_lines(results[1:2]) == ["CPU and CUDA disagree on none of 1 claim decided on both"]
    assert device_lines(results[-1:]) == []
    assert device_lines(results[3:4]) == ["decided on one kind of device and undecided on the other: CUDA X4"]
    assert [one.id for one in on_both(results) if one.disagrees] == ["X1"]
    assert f"- {lines[0]}" in results_page(results, {})
    summary = "\n".join(summary_lines(results, 200))
    assert lines[0] in summary
    assert lines[1] in summary


def test_a_rehearsal_says_nothing_of_devices():
    assert device_lines([judged("X1", REPRODUCED, CONTRADICTED, enforced=False)]) == []
    assert elsewhere_text(judged("X1", REPRODUCED, CONTRADICTED, enforced=False)) == ""


def test_the_ledger_column_names_the_kind_that_alone_has_a_verdict():
    (row,) = [line for line in summary_lines([judged("X1", OPEN, CONTRADICTED)], 80) if "cuda:" in line][:1]
    assert row.endswith("cuda: CONTRAD.")
    assert max(map(len, summary_lines([judged("X1", OPEN, CONTRADICTED)], 80))) <= 80
    own = judged("X1", OPEN, CONTRADICTED, recorded=str(OPEN))
    assert not any("cuda: CONTRAD." in line for line in summary_lines([own], 80))


def test_evidence_says_of_which_kind_it_is_and_the_own_kind_is_told_whole():
    both = dataclasses.replace(RESULT, evidence=(on_record(REPRODUCED, "cpu"), on_record(OPEN)))
    assert evidence_text(both) == (
        "on CPU REPRODUCED +2.50 [+1.00, +4.00] (whole cifar, 7 seeds, cpu (x), 2026-11-26); "
        "on CUDA INCONCLUSIVE +2.50 [+1.00, +4.00] (7 seeds)"
    )
    assert evidence_text(RESULT) == ""


def test_a_failure_tells_what_another_kind_came_to():
    text = failure_text(judged("X1", CONTRADICTED, REPRODUCED))
    assert "Devices   on CUDA REPRODUCED +2.50 [+1.00, +4.00] (7 seeds, cuda:0 (a card)," in text
    assert "Devices" not in failure_text(RESULT)
