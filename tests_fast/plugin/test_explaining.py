"""--explain: a finding's whole story, from recorded runs alone."""

import pytest

from tests_fast.plugin.conftest import CLAIMS, write


@pytest.fixture
def explain(recorded):
    """A session that explains, at the scale that it chooses; returns its result."""
    text = CLAIMS.replace(", classes=5", "")
    write(recorded, f'    """What the paper says."""\n{text}')

    def explains(*arguments):
        return recorded.runpytest_inprocess("claims", *arguments)

    return explains


def test_a_claim_is_told_whole_from_evidence_and_nothing_is_trained(recorded, explain):
    told = explain("--explain", "t1")
    assert told.ret == 0
    told.stdout.no_fnmatch_line("verdicts: *")  # of tests, none of which passes or fails
    told.stdout.fnmatch_lines(
        [
            "What the paper says.",
            "REPRODUCED: T1, a wide network beats a narrow one",
            'Source    A paper, "Table 1" (5 runs)',
            "          its figures, %: wide 60.00, narrow 20.00",
            "In short  wide leads narrow by 10.00 points, by at least *",
            "Why       *",
            "difference * +40.00 *",
            "seed *0 *1 *2 *3 *4",
            "wide *60.00 *60.01 *",
            "Recipe    wide: DepthCNN(depth=1, *",
            "          narrow: width 1",
            "Images    cifar, as recorded; scale documented; a card of another machine",
            "Rule      L = *",
            "Tests     *",
            "p         *",
            "Looks     5 seeds at level *: REPRODUCED*",
            "Beside    posterior of the mean: *",
            "Next      *",
            "    pytest claims -k T1 --scale documented --seeds 10 --first-seed 20 --gpu",
        ]
    )
    text = told.stdout.str()
    assert max(map(len, text.split("What the paper says.")[1].splitlines())) <= 80
    # It is no test session: no verdict fails, and nothing is summed up.
    assert "T2" not in text
    assert "= claims =" not in text
    assert "FAILURES" not in text
    assert not (recorded.path / ".claims" / "runs.sqlite-wal").exists()


def test_a_finding_is_all_of_its_claims_and_one_that_cannot_be_judged_says_why(explain):
    told = explain("--explain", "T2,T3", "-n", "2")
    assert told.ret == 0
    told.stdout.fnmatch_lines(
        [
            "CONTRADICTED: T2, *",
            "NOT JUDGED: T3-12, width 12 equals itself",
            "Verdict   none: not judged: 5 of 5 runs of *",
            "Recipe    a: DepthCNN(*",
            "NOT JUDGED: T3-14, width 14 equals itself",
        ]
    )
    # What the module says of the source comes once.
    assert told.stdout.str().count("What the paper says.") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "T3-13"], "*--explain T3-13: no claim has this id; nearest: T3-1?, T3-1?, T3, T?, T?"),
        (["--explain", "T1", "--plan"], "*--explain tells what recorded runs say, and nothing else: leave --plan out*"),
        (["--explain", "T1", "--results", "r.md"], "*leave r.md out*"),
        (["--explain", "T1", "--scale", "full"], "*--explain T1: it has no recipe at scale full; add --scale reh*"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_way_out(explain, arguments, said):
    told = explain(*arguments)
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    told.stderr.fnmatch_lines([said])
    assert "INTERNALERROR" not in told.stdout.str()
