"""-k takes a claim's id whole, and names as pytest does."""

import pytest

from tests_fast.plugin.conftest import write

CLAIMS = """
    import pytest
    from pytest_claims.types import Arm, Recipe, Source
    from pytest_claims.judge.decorator import claim
    from models import DepthCNN

    RECIPES = {"rehearsal": Recipe(8, 20, 1, "sgd", lr=0.05)}


    def pair():
        return {name: Arm(DepthCNN(1, "relu", width=width, classes=5), RECIPES) for name, width in (("a", 2), ("b", 3))}


    @claim("T1", "a beats b", source=Source("A paper", "1"), arms=pair)
    def test_plain(lab):
        lab.assert_greater("a", "b", margin=1.0)


    @claim("T1'", "b beats a", source=Source("A paper", "1"), arms=pair)
    def test_prime(lab):
        lab.assert_greater("b", "a", margin=1.0)


    @pytest.mark.parametrize("when", ["in training", "at 2"])
    @pytest.mark.parametrize("batch", [2, 128])
    @claim("T2", "batch {batch}, {when}: a beats b", source=Source("A paper", "1"), arms=pair)
    def test_batch(lab, batch, when):
        lab.assert_greater("a", "b", margin=1.0)


    def test_of_T1():
        pass
"""


@pytest.mark.parametrize(
    ("asked", "selected"),
    [
        ("T1", ["test_plain"]),
        ("t1-PRIME", ["test_prime"]),
        ("T1 or T1-prime", ["test_plain", "test_prime"]),
        ("(T2-2-in-training or T1)", ["test_plain", "test_batch[2-in training]"]),
        ("T2-2", ["test_batch[2-in training]", "test_batch[2-at 2]"]),
        ("T2-2 or T1", ["test_plain", "test_prime", "test_batch[2-in training]", "test_batch[2-at 2]", "test_of_T1"]),
        ("T1 and prime", ["test_prime"]),
    ],
)
def test_an_id_is_taken_whole_and_a_part_of_a_name_as_ever(suite, run, asked, selected):
    write(suite, CLAIMS)
    result = run("-k", asked, "--collect-only", "-q")
    found = [line.split("::")[1] for line in result.outlines if "::" in line]
    assert found == selected


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("T2-2-in-trainng", "did you mean T2-2-in-training or"),
        ("T1-primes or zzz", "did you mean T1-prime?"),
        ("zzz", "their ids are T1, *"),
    ],
)
def test_what_matches_nothing_is_answered_with_ids_like_it(suite, run, asked, meant):
    write(suite, CLAIMS)
    result = run("-k", asked)
    result.stdout.fnmatch_lines([f"-k {asked!r} matches no claim: {meant}"])


def test_what_another_option_left_out_was_matched(suite, run):
    write(suite, CLAIMS)
    result = run("-k", "T1", "--scale", "documented")
    result.stdout.fnmatch_lines(["left out: 1 claim has no recipe at scale documented*"])
    result.stdout.no_fnmatch_line("*matches no claim*")
