"""Sessions that train more, or one after the other: what is reused, looked at next, written, planned and chosen."""

import json
import shlex
import sqlite3
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest

from pytest_claims.judge.result import Result
from pytest_claims.report.notes import all_notes
from pytest_claims.report.session import SCHEMA
from pytest_claims.types import LOOKS, ChosenSettings
from tests_fast.plugin.conftest import CLAIMS, STORE, rows, seeds_of, write


def test_a_second_session_trains_nothing_and_fresh_trains_all_again(suite, run):
    run("--seeds", "4").assert_outcomes(passed=5)
    assert rows(suite) == 16
    run("--seeds", "4").stdout.fnmatch_lines(["runs trained in this session: 0, reused: 16, *"])
    run("--seeds", "5").stdout.fnmatch_lines(["runs trained in this session: 4, reused: 16, *"])
    run("--seeds", "4", "--fresh").stdout.fnmatch_lines(
        ["* (--fresh: nothing reused)", "runs trained in this session: 16, reused: 0, *"]
    )
    assert rows(suite) == 20


def test_the_page_and_the_json_come_from_stored_runs_without_training(suite, run):
    run("--seeds", "4", "-k", "beats").assert_outcomes(passed=2)
    trained = rows(suite)
    asked = ("--seeds", "4", "--stored", "--claims-html", "out/page", "--claims-json", "claims.json")
    result = run(*asked, "--results", "claims.md", "-rs")
    result.assert_outcomes(passed=3, skipped=2)
    assert rows(suite) == trained
    result.stdout.fnmatch_lines(
        [
            "runs trained in this session: 0, reused: 8, kept in*",
            "written: *claims.md",
            "written: *claims.json",
            "written: *index.html",
            "SKIPPED *: not judged: 4 of 4 runs of DepthCNN(depth=1, *",
        ]
    )
    document = json.loads((suite.path / "claims.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
    assert [claim["finding"] for claim in document["claims"]] == ["T1", "T2"]
    assert [item["nodeid"] for item in document["not_judged"]] == [
        f"claims/test_width.py::test_equal[{width}]" for width in (12, 14)
    ]
    assert document["command"] == shlex.join(
        ["pytest", "claims", "--data", "images", "--scale", "rehearsal", *asked, "--results", "claims.md", "-rs"]
    )
    page = (suite.path / "out" / "page" / "index.html").read_text()
    assert "a wide network beats a narrow one" in page
    assert page.count("<svg") == 3  # effects, accuracies and training curves
    assert "torch " in page[page.index("runs trained on") :]

    # What ended otherwise, or never began, is told with its reason.
    broken = CLAIMS.replace(
        'lab.assert_greater("narrow", "wide", margin=2.0)', 'lab.assert_greater("none", "wide", margin=1.0)'
    )
    write(suite, broken)
    run("--seeds", "4", "-x", "--claims-json", "cut.json").assert_outcomes(passed=1, failed=1)
    cut = json.loads((suite.path / "cut.json").read_text())
    assert [claim["finding"] for claim in cut["claims"]] == ["T1"]
    reasons = {item["nodeid"].split("::")[1]: item["why"] for item in cut["not_judged"]}
    assert reasons.pop("test_narrow_beats_wide").startswith("KeyError: \"'none' is no arm of this claim")
    assert set(reasons) == {"test_equal[12]", "test_equal[14]", "test_ordinary"}
    assert set(reasons.values()) == {"not run: the session ended before it"}

    (suite.path / "taken").write_text("")
    refused = run("--seeds", "4", "--stored", "-k", "beats", "--claims-html", "taken/page")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(
        ["*taken* cannot be written (Not a directory)*same command with --stored and another place writes*"]
    )


# The narrow network at a width that learns a little less well: an effect that 5 seeds do not show at level 0.0001.
OPEN = CLAIMS.replace('"narrow": net(1,', '"narrow": net(6,')


def test_a_cap_on_the_looks_can_be_lifted_later(suite, run):
    write(suite, OPEN)
    capped = run("--scale", "documented", "--max-seeds", "5", "-k", "wide_beats")
    # It has neither passed nor failed, and says what comes next.
    assert capped.ret == 0
    capped.stdout.fnmatch_lines(
        ["claims: scale documented, 5 seeds (the first look), cpu *", "1 claim: 1 OPEN", "*1 open*"]
    )
    assert rows(suite) == 10
    # Without training, the look of which all runs are stored stands.
    stored = run("--scale", "documented", "--stored", "-k", "wide_beats")
    stored.assert_outcomes(skipped=0, failed=0)
    stored.stdout.fnmatch_lines(["T1 *", " *OPEN 5/20 *", "1 claim: 1 OPEN", "*1 open*"])
    assert rows(suite) == 10
    run("--scale", "documented", "-k", "wide_beats")
    assert rows(suite) in [2 * look for look in LOOKS[1:]]


def test_beside_an_arm_that_may_collapse_a_cap_below_the_first_look_skips_the_claim(suite, run, known_speed):
    fallen = CLAIMS.replace('"narrow": net(1, 20.0)', '"narrow": dataclasses.replace(net(1), may_collapse=True)')
    write(suite, fallen.replace("import pytest", "import dataclasses\n    import pytest", 1))
    asked, store = ("--scale", "documented", "-k", "wide_beats or equal"), suite.path / ".claims" / "runs.sqlite"

    def stored():
        return [seeds_of(store, width) for width in (16, 1, 12)]

    capped = run(*asked, "--max-seeds", "7", "-rs")
    capped.assert_outcomes(passed=2, skipped=1)
    capped.stdout.fnmatch_lines(["SKIPPED *: not judged: such a claim is first looked at with 10 seeds *--max-seeds *"])
    # Nothing is trained for it, nor planned.
    assert stored() == [0, 0, 5]
    run(*asked, "--plan", "--max-seeds", "7").stdout.fnmatch_lines(["all *2 *0 *10 *"])
    run(*asked, "--plan").stdout.fnmatch_lines(["all *4 *20 *10 *"])
    # A number of seeds that is asked for is that number.
    run(*asked, "--seeds", "5").stdout.fnmatch_lines(["T1  *", "* 5 *REPRODUCED new"])
    assert stored() == [5, 5, 5]


MORE = """

    from pytest_claims.judge.metric import gradient
    from pytest_claims.types import Confounder


    @claim("T5", "the wide network has the larger gradient", source=SOURCE, arms=wide_and_narrow,
           metric=lambda: gradient("at initialisation"))
    def test_gradient(lab):
        lab.assert_greater("wide", "narrow", margin=1.0)


    @claim("T6", "the width matters", source=SOURCE, arms=wide_and_narrow)
    def test_matters(lab):
        lab.assert_some_difference(["wide", "narrow"], beyond=2.0)


    @claim("T7", "wide beats narrow", source=SOURCE, arms=lambda: {**wide_and_narrow(), "twelve": net(12)})
    def test_confounded(lab):
        lab.assert_greater("wide", "narrow", margin=2.0,
                           confounders=[Confounder("the width", "at width 12", "wide", "twelve")])


    def by_rate():
        arms = {}
        for width in (16, 12):
            for rate in (1e-4, 0.05):
                recipe = Recipe(8, 20, 8, "sgd", rate, momentum=0.9)
                network = DepthCNN(1, "relu", width=width, classes=5)
                arms[width, rate] = Arm(network, {"rehearsal": recipe, "documented": recipe})
        return arms


    @claim("T8", "width 16 needs a lower rate", source=SOURCE, arms=by_rate, tunes=True)
    def test_needs_lower(lab):
        arms = ({rate: (width, rate) for rate in (1e-4, 0.05)} for width in (16, 12))
        lab.assert_needs_lower(*arms, margin=2.0)
"""


def test_claims_about_gradients_differences_confounders_and_rates(suite, run):
    write(suite, CLAIMS + MORE)
    selected = "gradient or matters or confounded or lower"
    result = run("--scale", "documented", "--seeds", "5", "-k", selected, "--junitxml", "claims.xml")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes.get("failed", 0) == 4
    properties = ElementTree.parse(suite.path / "claims.xml").iterfind(".//property[@name='claim']")
    judged = {result.finding: result for result in (Result.from_json(p.get("value")) for p in properties)}
    gradients, matters, confounded, lower = (judged[f"T{number}"] for number in (5, 6, 7, 8))
    assert (gradients.unit, gradients.measured) == ("doublings", "gradient at initialisation, log2")
    assert gradients.agreement is None
    assert all(value < 5 for arm in gradients.arms for value in arm.values)
    assert (matters.kind, matters.contrast) == ("some difference", "the deciding pair's difference")
    assert [found.under.comparison for found in confounded.verdict.confounders] == [("wide", "twelve")]
    assert [arm.label for arm in confounded.arms] == ["wide", "narrow", "twelve"]
    # Both do best at the higher rate: there is no lower one, and the two below and at it are compared.
    assert lower.verdict.notes == (ChosenSettings(("16 0.05", "12 0.05"), at_edge=True),)
    # A paper's figures from which these networks are far away.
    assert any(note.startswith("wide comes to ") and "the source's to 60.0 %" in note for note in all_notes(matters))
    assert lower.verdict.outcome in ("CONTRADICTED", "INCONCLUSIVE")
    assert lower.verdict.effect < 0
    stored = sqlite3.connect(suite.path / ".claims/runs.sqlite").execute("SELECT DISTINCT seed FROM runs").fetchall()
    assert {seed for (seed,) in stored} == {*range(5), *range(2_000_000, 2_000_005)}


def test_a_placebo_gives_all_arms_the_same_network_on_other_seeds(suite, run):
    result = run("--placebo", "--scale", "documented")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "claims: scale documented, 5 seeds, cpu *",
            "verdicts: a placebo: all arms of a claim are the same network on other seeds, *",
            "directional claims: an effect found in * of 400 verdicts on results reassigned at random (*%); *"
            "at most 31 in 99 % of such sessions: holds",
            "claims of equality or of no fall: a difference found in * of 400 verdicts *: holds",
            "runs trained in this session: 30, *",
        ]
    )
    # wide stands for narrow, too: ten seeds of it, and of each network that was to equal itself
    assert [seeds_of(suite.path / STORE, width) for width in (16, 1, 12, 14)] == [10, 0, 10, 10]


def test_a_placebo_that_finds_effects_fails(suite, run, monkeypatch):
    monkeypatch.setattr("pytest_claims.judge.lab.ALPHA", 0.4)  # as a procedure that calls noise an effect would
    write(suite, CLAIMS)
    monkeypatch.setattr("pytest_claims.judge.lab.PLACEBO_DRAWS", 100)
    result = run("--placebo")
    result.assert_outcomes(passed=5)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["directional claims: *DOES NOT HOLD: the statistics call noise an effect"])


def test_a_plan_has_the_seeds_that_choose_settings(suite, run, known_speed):
    write(suite, CLAIMS + MORE)
    planned = run("--plan", "--scale", "documented", "--seeds", "5", "-k", "lower")
    # Two networks at two rates: five seeds that choose and at most as many that are judged.
    planned.stdout.fnmatch_lines(["all *4 *40 *0 *< 1 min", "on one data-centre GPU, by the speed of *: under 1 min"])
    run("--scale", "documented", "--seeds", "5", "-k", "lower")
    assert rows(suite) == 40
    found = sqlite3.connect(suite.path / ".claims/runs.sqlite").execute("SELECT DISTINCT seed FROM runs ORDER BY seed")
    assert [seed for (seed,) in found] == [*range(5), *range(2_000_000, 2_000_005)]


def test_choosing_settings_without_saying_so_is_refused(suite, run):
    write(suite, CLAIMS + MORE.replace(", tunes=True", ""))
    result = run("--seeds", "3", "-k", "lower")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*tunes settings; declare it: @claim(..., tunes=True)*"])
