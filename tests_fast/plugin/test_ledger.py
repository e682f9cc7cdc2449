"""The ledger from outside: what is recorded is expected, and what changes fails and says so."""

import json

import numpy as np
import pytest
from PIL import Image

from pytest_claims.ledger.entries import LedgerError, of_kind, read

LEDGER = "claims/ledger/documented-cifar.json"
DOCUMENTED = ("--scale", "documented", "--seeds", "5", "-k", "narrow")


@pytest.fixture
def verify(suite, run, any_cifar):
    """Run the two claims on widths at scale documented, on the suite's images as if they were CIFAR."""
    arrays = {}
    for split in ("train", "test"):
        files = sorted((suite.path / "images" / split).rglob("*.png"))
        arrays[f"{split}_images"] = np.stack([np.asarray(Image.open(file)) for file in files])
        arrays[f"{split}_labels"] = np.array([int(file.parent.name[-1]) for file in files])
    (suite.path / "archive").mkdir()
    names = np.array([f"class{label}" for label in range(5)])
    np.savez(suite.path / "archive" / "cifar10.npz", **arrays, class_names=names)
    return lambda *arguments: run(*DOCUMENTED, *arguments, data="archive")


def change(suite, test, **fields):
    path = suite.path / LEDGER
    entries = json.loads(path.read_text())
    entries[f"claims/test_width.py::{test}"]["cpu"].update(fields)
    path.write_text(json.dumps(entries))


def test_what_is_recorded_is_expected(suite, verify):
    before = verify()
    before.assert_outcomes(passed=1, failed=1)
    recorded = verify("--update-ledger")
    recorded.assert_outcomes(passed=1, xfailed=1)
    recorded.stdout.fnmatch_lines(["ledger: 2 of 2 entries changed in *documented-cifar.json"])
    entries = read(suite.path / LEDGER)
    assert {name.split("::")[1]: entry["cpu"].verdict for name, entry in entries.items()} == {
        "test_wide_beats_narrow": "REPRODUCED",
        "test_narrow_beats_wide": "CONTRADICTED",
    }
    assert {(entry.n, entry.first_seed, entry.unit) for entry in of_kind(entries, "cpu").values()} == {(5, 0, "points")}
    # Recorded or not, a claim that does not hold fails with its assertion.
    plain = verify()
    plain.assert_outcomes(passed=1, failed=1)
    plain.stdout.fnmatch_lines(["CONTRADICTED: T2, a narrow network beats a wide one"])
    again = verify("-v", "--ledger")
    again.assert_outcomes(passed=1, xfailed=1)
    assert again.ret == 0
    again.stdout.fnmatch_lines(["*test_narrow_beats_wide T2 CONTRADICTED (recorded) -*", "T2 *", " *CONTRADICTED ="])
    own = verify("--runxfail", "--ledger")
    own.assert_outcomes(passed=1, failed=1)
    own.stdout.fnmatch_lines(["CONTRADICTED: T2, a narrow network beats a wide one"])


def test_what_changed_fails_and_says_from_what_to_what(suite, verify):
    verify("--update-ledger")
    change(suite, "test_narrow_beats_wide", verdict="REPRODUCED", effect=3.0, date="2020-02-02")
    change(suite, "test_wide_beats_narrow", verdict="INCONCLUSIVE")
    changed = verify("--ledger")
    changed.assert_outcomes(failed=2)
    changed.stdout.fnmatch_lines(["CHANGED: T1 was INCONCLUSIVE on *, now REPRODUCED with 5. *"])
    changed.stdout.fnmatch_lines(
        ["CHANGED: T2 was REPRODUCED on 2020-02-02 (+3.00 points, 5 seeds, *, now CONTRADICTED with 5*"]
    )
    changed.stdout.fnmatch_lines(["T2 *", " *CONTRADICTED was REPROD."])
    verify("--update-ledger", "-k", "wide_beats").assert_outcomes(passed=1)
    # The other one's entry is as it was.
    assert {entry.verdict for entry in of_kind(read(suite.path / LEDGER), "cpu").values()} == {"REPRODUCED"}


def test_more_seeds_may_settle_what_was_open_and_fewer_change_nothing(suite, verify):
    verify("--update-ledger")
    change(suite, "test_wide_beats_narrow", verdict="INCONCLUSIVE", n=3)
    change(suite, "test_narrow_beats_wide", verdict="INCONCLUSIVE", n=3)
    settled = verify("--ledger")
    settled.assert_outcomes(passed=1, failed=1)
    settled.stdout.fnmatch_lines(["SETTLED: T2 was INCONCLUSIVE on *, now CONTRADICTED with 5. Record it with *"])
    verify("--update-ledger")
    few = verify("--seeds", "3", "-k", "wide_beats", "--ledger")
    few.assert_outcomes(failed=1)
    few.stdout.fnmatch_lines(["OPEN: T1 was REPRODUCED on *, now INCONCLUSIVE with 3: these seeds do not decide*"])


def test_what_another_kind_of_device_alone_has_is_said_and_holds_nothing(suite, verify):
    verify("--update-ledger")
    path = suite.path / LEDGER
    moved = {test: {"cuda": kinds["cpu"]} for test, kinds in json.loads(path.read_text()).items()}
    path.write_text(json.dumps(moved))
    change_on = "claims/test_width.py::test_wide_beats_narrow"
    moved[change_on]["cuda"]["verdict"] = "CONTRADICTED"
    path.write_text(json.dumps(moved))
    held = verify("--ledger")
    # As without an entry: what holds passes, and what does not fails.
    held.assert_outcomes(passed=1, failed=1)
    held.stdout.fnmatch_lines(
        ["NOT RECORDED ON CPU: the ledger has T2 on another kind of device alone (on cuda it was *"]
    )
    held.stdout.fnmatch_lines(["T1 *", " *REPRODUCED *cuda: CONTRAD."])
    held.stdout.fnmatch_lines(["CPU and CUDA DISAGREE on 1 of 2 claims decided on both: T1 (CPU REPRODUCED, CUDA"])
    held.stdout.fnmatch_lines(["ledger, on cpu: cuda: X: recorded on cuda alone"])
    held.stdout.fnmatch_lines(
        ["ledger: 2 claims were held against nothing: recorded on cuda alone, and judged on cpu.*"]
    )
    # Recording adds, and replaces nothing.
    verify("--update-ledger").assert_outcomes(passed=1, xfailed=1)
    assert {test: set(kinds) for test, kinds in read(path).items()} == {test: {"cpu", "cuda"} for test in moved}
    again = verify("--ledger", "--claims-json", "session.json")
    again.assert_outcomes(passed=1, xfailed=1)
    again.stdout.no_fnmatch_line("*held against nothing*")
    document = json.loads((suite.path / "session.json").read_text())
    assert document["disagreements"] == [{"id": "T1", "verdicts": {"cpu": "REPRODUCED", "cuda": "CONTRADICTED"}}]
    assert [claim["elsewhere"][0]["device_kind"] for claim in document["claims"]] == ["cuda", "cuda"]


def test_a_damaged_ledger_stops_the_session_before_anything_is_trained(suite, verify):
    (suite.path / LEDGER).parent.mkdir()
    (suite.path / LEDGER).write_text('{"claims/test_width.py::test_wide_beats_narrow": 3}')
    result = verify()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*documented-cifar.json is no ledger (*). Restore it from version control*"])
    with pytest.raises(LedgerError):
        read(suite.path / LEDGER)


def test_verdicts_on_images_of_ones_own_are_not_recorded(run):
    result = run("--update-ledger")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--update-ledger records verdicts on registered data sets, not on images of one's own *"]
    )


def test_entries_of_claims_that_are_not_there_any_more_are_said(suite, verify):
    verify("--update-ledger")
    path = suite.path / LEDGER
    path.write_text(path.read_text().replace("test_narrow_beats_wide", "test_before_it_was_renamed"))
    for option in ("--ledger", "--update-ledger"):
        said = verify(option, "-k", "wide_beats")
        said.assert_outcomes(passed=1)
        said.stdout.fnmatch_lines(
            ["ledger: *documented-cifar.json has an entry of claims that are not there any more: *test_before_it_was_*"]
        )
