"""The plugin from outside: what a session prints, decides, trains and refuses."""

import re
import sqlite3
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from pytest_claims.runs.store import Store
from tests_fast.plugin.conftest import CLAIMS, ROOT, STORE, rows, seeds_of, write


def test_a_rehearsal_shows_verdicts_and_fails_nothing(suite, run):
    result = run("-v", "--seeds", "5")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "claims: scale rehearsal, 5 seeds, cpu (*), *, store *runs.sqlite",
            "data: folders at images (class folders, as asked with --data)",
            "verdicts: a rehearsal: recipes are cut short, verdicts say nothing about the findings and fail no test*",
            "*test_narrow_beats_wide T2 REHEARSED (CONTRADICTED) -*n=5 *",
            "*test_equal?12? T3-12 REHEARSED (REPRODUCED) +0.0 * n=5 *",
            "*= claims =*",
            'Width: A paper, "Table 1" (5 runs)',
            "T2  a narrow network beats a wide one",
            "* -40.00 *5 *CONTRADICTED new",
            "4 claims: * REPRODUCED, *",
            "of 3 REPRODUCED, 3 survive correction for 4 claims at 5 % (Benjamini-Hochberg);",
            "ledger, on cpu: new: none is recorded",
            "runs trained in this session: 20, reused: 0, kept in",
            "device: cpu (*",
            "wall time: * s",
        ]
    )
    assert rows(suite) == 20  # four networks, five seeds; T1 and T2 share theirs


def test_verdicts_decide_at_scale_documented(suite, run):
    result = run("--scale", "documented", "--seeds", "5", "--junitxml", "claims.xml")
    result.assert_outcomes(passed=4, failed=1)
    text = result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "verdicts: they speak of your images, not of the sources': REPRODUCED and TRANSFERS pass, OPEN *",
            # A line as each verdict settles, and what is no claim as ever.
            "claims/test_width.py *",
            "T1 REPRODUCED +* n=5",
            "T2 CONTRADICTED -* n=5",
            "T3-12 REPRODUCED +0.0 * n=5",
            "T3-14 REPRODUCED +0.0 * n=5",
            ". *100%*",
            "CONTRADICTED: T2, a narrow network beats a wide one",
            "In short  wide leads narrow by * points, by at least *",
            "Why *",
            "*^ documented -40.00",
            "test accuracy, % *mean *SD *source *n each seed",
            "narrow * 20.00 *",
            "difference * -40.00 *",
            "Trained   DepthCNN on cifar10: 8 images a class, batch 20, 8 epochs, sgd at",
            "p         .*: the chance of seeds so extreme, or more so, if the effect were",
            "Power     At the spread seen, 5 seeds find an effect of *",
            "Next      *",
            "    pytest claims -k T2 --scale documented --seeds 10 --first-seed 5 --data images",
            "All else  --explain T2: *",
            "CONTRADICTED T2 claims/test_width.py::test_narrow_beats_wide*",
        ]
    )
    assert "Traceback" not in text
    assert "pytest_claims/judge/lab.py" not in text

    # The same text in JUnit XML, and its facts as flat properties.
    junit = ElementTree.parse(suite.path / "claims.xml")
    failure = junit.find(".//testcase[@name='test_narrow_beats_wide']/failure").text
    for line in ("CONTRADICTED: T2, a narrow network beats a wide one", "In short  wide leads narrow by "):
        assert line in failure
    assert properties(junit, "test_equal[12]")["documented"] == ""


def test_claims_are_selected_by_their_finding(run):
    run("-k", "T2", "--collect-only", "-q").stdout.fnmatch_lines(
        ["*::test_narrow_beats_wide", "", "1/5 tests collected*"]
    )


def test_without_its_images_a_claim_is_left_out_where_nothing_is_trained(suite, run, monkeypatch):
    loading = sys.modules["pytest_claims.data.load"]
    monkeypatch.setattr(loading, "from_loader", lambda *_, **__: pytest.fail("a download"))
    run("--seeds", "4", "-k", "wide_beats")
    result = run("--stored", "--seeds", "4", "-k", "wide_beats", "--claims-json", "c.json", "--data", "real", data=None)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nothing was judged (not judged: *cifar10*), so c.json is not written*"])


def properties(junit, test):
    """The properties of a test case in JUnit XML."""
    return {
        found.get("name"): found.get("value") for found in junit.iterfind(f".//testcase[@name='{test}']/properties/*")
    }


# A claim of which its source gives no recipe.
NO_RECIPE = """

    @claim("T9", "width 20 equals itself", source=SOURCE, arms=lambda: {name: Arm(
        DepthCNN(1, "relu", width=20, classes=5), {"rehearsal": RECIPE, "full": RECIPE}) for name in "ab"})
    def test_full(lab):
        lab.assert_within("a", "b", within=50.0)
"""


def test_a_replication_takes_seeds_of_its_own(suite, run):
    run("--seeds", "3", "-k", "wide_beats")
    run("--seeds", "3", "--first-seed", "3", "-k", "wide_beats").stdout.fnmatch_lines(
        ["claims: scale rehearsal, 3 seeds, from seed 3 on, *", "runs trained in this session: 6, *"]
    )
    found = sqlite3.connect(suite.path / ".claims/runs.sqlite").execute("SELECT DISTINCT seed FROM runs ORDER BY seed")
    assert [seed for (seed,) in found] == [0, 1, 2, 3, 4, 5]


def test_a_placebo_that_judged_nothing_fails(run):
    result = run("--placebo", "-k", "ordinary")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["nothing was judged: select claims that run, at least one"])


def test_a_plan_prints_the_cost_and_trains_nothing(suite, run, known_speed):
    result = run("--plan", "-n", "2", "-k", "wide or equal")
    result.stdout.no_fnmatch_line("verdicts: *")  # none is judged
    result.stdout.fnmatch_lines(
        [
            "4 claims at 3 seeds; nothing is trained",
            "network * runs *stored *steps *TFLOP *time",
            "DepthCNN on cifar10 *4 *12 *0 *192 *",
            "all *4 *12 *0 *192 *< 1 min",
            "*for 2 workers on this device*",
        ]
    )
    run("--plan", "--scale", "documented", "-k", "wide or equal").stdout.fnmatch_lines(
        [
            "4 claims at 5 seeds; nothing is trained",
            "all *4 *20 *0 *320 *",
            "claims without a verdict then go on to 7, 10, 14 and 20 seeds; if all did: 80 runs, under 1 min",
        ]
    )
    assert result.ret == 0
    assert not (suite.path / STORE).exists()
    run("-k", "equal")
    run("--plan").stdout.fnmatch_lines(["all *4 *6 *6 *96 *"])


def test_claims_without_a_recipe_for_the_scale_are_left_out(suite, run):
    write(suite, CLAIMS + NO_RECIPE)
    result = run("--scale", "full", "--seeds", "3")
    result.assert_outcomes(passed=2, deselected=4)
    result.stdout.fnmatch_lines(
        ["left out: 4 claims have no recipe at scale full; they run with --scale rehearsal or --scale documented"]
    )
    assert (seeds_of(suite.path / STORE, 16), seeds_of(suite.path / STORE, 20)) == (0, 3)
    alone = run("--scale", "documented", "-k", "full")
    assert alone.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    alone.stdout.fnmatch_lines(["left out: 1 claim has *"])
    assert "left out" not in run("-k", "full").stdout.str()


def test_a_plan_downloads_nothing(suite, run, known_speed):
    result = run("--plan", "--scale", "documented", data=None)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "data: real images are downloaded into *data",
            "in the way: cifar10 is not on disk*",
        ]
    )
    assert not (suite.path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "2"], "*'2' is not a number of seeds; allowed: 3 to 1000*"),
        (["--seeds", "many"], "*'many' is not a number of seeds*"),
        (
            ["--max-seeds", "40"],
            "*'40' is not a cap on the looks at 5, 7, 10, 14, 20 seeds; allowed: 5 to 20*fix it: --seeds N*",
        ),
        (["--max-seeds", "10", "--seeds", "5"], "*--max-seeds 10 caps the looks*, and --seeds fixes one number*"),
        (["--max-seeds", "10", "--placebo"], "*--max-seeds 10 caps the looks*, and --placebo takes one number*"),
        (["--stored", "--fresh"], "*--stored trains nothing, and --fresh trains all again: give one of them*"),
        (
            ["--stored", "--store", "nowhere.sqlite"],
            "*no store at nowhere.sqlite. Run the same command without --stored*",
        ),
        (["--claims-json", "c.json", "-k", "ordinary"], "*nothing was judged, so c.json is not written*"),
        (["--claims-html", "out", "-p", "no:terminal"], "*leaves no one to write out*"),
        (["--claims-html", "images/test/class0/0.png"], "*is a file; name a folder*"),
        (["--claims-json", "nowhere/claims.json"], "*cannot be written; name a file in a folder that exists*"),
        (["--tf32"], "*--tf32 changes how CUDA devices multiply*Add --gpu or leave it out*"),
        (["--kernels", "triton"], "*--kernels triton changes how CUDA devices compute*Add --gpu or leave it out*"),
        (["--kernels", "other"], "*invalid choice: 'other' (choose from*cudnn*triton*"),
        (["--first-seed", "-1"], "*'-1' is not a seed; allowed: 0 to 1000000*"),
        (["--scale", "huge"], "*invalid choice: 'huge' (choose from*rehearsal*documented*"),
        (["--data", "nowhere"], "*--data nowhere: no such folder. Allowed: auto, real, sample, or the path*"),
        (["--store", "images"], "*'images' is a folder; name an SQLite file*"),
        (["--store", "broken.sqlite"], "*broken.sqlite: file is not a database*"),
    ],
)
def test_bad_options_are_refused_before_anything_runs(suite, run, arguments, message):
    (suite.path / "broken.sqlite").write_bytes(b"no database" * 100)
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stderr.str()


def test_gpu_without_one_says_what_was_found(run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    result = run("--gpu")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gpu needs a CUDA device: torch * finds 0 CUDA devices*Leave --gpu out*"])


def test_a_claim_that_asserts_nothing_fails(suite, run):
    write(suite, CLAIMS.replace('lab.assert_greater("wide", "narrow", margin=2.0)', "pass"))
    result = run("-k", "wide_beats_narrow")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*declares a claim and asserts nothing about it with `lab`*"])


def test_a_claim_that_asserts_twice_fails(suite, run):
    line = '        lab.assert_greater("wide", "narrow", margin=2.0)\n'
    write(suite, CLAIMS.replace(line, line * 2))
    run("-k", "wide_beats_narrow").stdout.fnmatch_lines(["*asserts twice; one claim is one assertion*"])


@pytest.mark.parametrize(
    ("assertion", "message"),
    [
        (
            'assert_greater("wide", "wide", margin=2.0)',
            "compares ['wide', 'wide']; needed: two or more different arms",
        ),
        ("assert_no_difference([], within=1.0)", "compares []; needed: two or more different arms"),
        ('assert_ranks(["wide"], margin=1.0)', "compares ['wide']; needed: two or more different arms"),
        ("assert_rises({}, margin=1.0)", "compares []; needed: two or more different arms"),
        ("assert_gap_widens({}, margin=1.0)", "a gap at 0 levels; needed: at least two"),
        ('assert_best("wide", ["broad"], margin=1.0)', "'broad' is no arm of this claim; declared: 'wide', 'narrow'"),
    ],
)
def test_an_assertion_about_arms_that_cannot_be_compared_fails(suite, run, assertion, message):
    write(suite, CLAIMS.replace('assert_greater("wide", "narrow", margin=2.0)', assertion))
    result = run("-k", "wide_beats_narrow")
    result.assert_outcomes(failed=1)
    assert message in result.stdout.str()
    # What the claim's author wrote is shown, and not the suite.
    assert assertion in result.stdout.str()
    assert "judge/lab.py" not in result.stdout.str()


def test_data_that_does_not_fit_fails_the_claims_that_need_it_alone(suite, run):
    too_large = """
        if width == 14:
            large = Recipe(images_per_class=99, batch=20, epochs=2, optimizer="sgd", lr=0.05)
            return Arm(DepthCNN(1, "relu", width=14, classes=5), {"rehearsal": large, "documented": large})
"""
    head = "def net(width, documented=None):"
    write(suite, CLAIMS.replace(head, head + too_large))
    result = run()
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*has 8 training images of class 'class0'*, and the recipe needs 99 a class*"])


def test_images_of_another_number_of_classes_keep_the_size_of_the_training_set(suite, run):
    write(suite, CLAIMS.replace("classes=5", "classes=2"))
    run("--seeds", "5").assert_outcomes(passed=5)
    store = sqlite3.connect(suite.path / ".claims/runs.sqlite")
    (configuration,) = store.execute("SELECT configuration FROM runs").fetchone()
    assert '"classes":5' in configuration
    assert '"images_per_class":4' in configuration  # 8 of 2 classes, spread over 5


def test_a_claim_that_cannot_be_built_fails_alone(suite, run):
    broken = """

    def broken():
        raise RuntimeError("no such arms")


    @claim("T5", "an arm cannot be made", source=SOURCE, arms=broken)
    def test_broken_arms(lab):
        pass


    NONE = Arm(DepthCNN(0, "relu", classes=5), RECIPES)


    @claim("T6", "a network cannot be built", source=SOURCE, arms=lambda: {"a": NONE})
    def test_broken_network(lab):
        lab.values("a")
"""
    write(suite, CLAIMS + broken)
    result = run()
    result.assert_outcomes(passed=5, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*no such arms*",
            "DepthCNN(0, relu) batch 20, seed 0, could not be *: ValueError: DepthCNN.depth is 0; it must*",
        ]
    )


def test_the_rerun_command_works_from_where_it_is_read(suite, run, images, monkeypatch):
    monkeypatch.chdir(suite.path / "claims")
    result = suite.runpytest_inprocess("--scale", "documented", "--data", "../images", "-k", "narrow_beats")
    result.stdout.fnmatch_lines([f"    cd {suite.path} && pytest claims -k T2 * --data {images}"])


def test_listing_fixtures_reports_no_lost_tests(run):
    result = run("--fixtures")
    assert result.ret == 0
    assert "never reported" not in result.stdout.str()


def test_a_vanished_test_turns_the_session_red(suite, run):
    write(suite, "def test_ordinary():\n    pass\n\n\ndef test_other():\n    pass\n")
    # Taken out after collection was counted, as a report that never arrives would leave it.
    suite.makeconftest(
        """
        import pytest
        pytest_plugins = ["pytest_claims.plugin.hooks"]

        def pytest_runtestloop(session):
            session.items[:] = session.items[1:]
        """
    )
    result = run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["ERROR: claims/test_width.py::test_ordinary was selected and never reported an outcome*"]
    )


def test_a_full_disk_is_explained(run, monkeypatch):
    opened = Store.__init__

    def small(self, *args, **kwargs):
        opened(self, *args, **kwargs)
        self._connection.execute("PRAGMA max_page_count = 4")  # SQLite's own "database or disk is full"

    monkeypatch.setattr(Store, "__init__", small)
    result = run("-k", "wide_beats")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*disk is full*Free disk space*"])


def test_the_example_of_the_readme_is_a_claim(suite, run):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    (suite.path / "claims" / "test_width.py").write_text(example)
    (suite.path / "sample").symlink_to(ROOT / "sample")
    result = run("--plan", data="sample")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 claim at 3 seeds; nothing is trained", "DepthCNN on cifar10 *2 *6 *0 *192 *"])


def test_every_option_is_documented(suite):
    text, listed = (ROOT / "docs" / "options.md").read_text(), suite.runpytest_inprocess("--help").stdout.str()
    group = listed.split("re-verifying documented findings:")[1].split("\n\n")[0]
    options = re.findall(r"^  (--[a-z0-9-]+)", group, re.MULTILINE)
    assert len(options) == 22
    assert all(f"`{option}" in text for option in options)
