"""The first look of a claim: later where few seeds would miss rare collapses, or decide nothing."""

import pytest

from pytest_claims.judge.lab import NoLookError
from pytest_claims.runs.pool import NotStoredError, Pool
from pytest_claims.stats import LOOKS, nominal_levels
from pytest_claims.types import Arm, Outcome, first_look
from tests_fast.judge.planted import NOISY, RECIPE, Planted, arms_at, judged

REPRODUCED, INCONCLUSIVE = Outcome.REPRODUCED, Outcome.INCONCLUSIVE
TEN = (10, 14, 20)


def arm(**more):
    return Arm(Planted("a"), {"documented": RECIPE}, **more)


def greater(lab):
    return judged(lab, "assert_greater", "a", "b", margin=3.0)


def plain(**more):
    """Arms of which one is far ahead."""
    return {"arms": arms_at(n=20, a=60, b=50), "looks": LOOKS, **more}


def test_one_arm_that_may_collapse_is_enough():
    assert first_look([]) == first_look([arm(), arm()]) == 5
    assert first_look([arm(), arm(may_collapse=True), arm()]) == 10


@pytest.mark.parametrize(
    ("n", "planned", "left"),
    [
        (5, LOOKS, LOOKS),
        (6, (7, 10, 14, 20), (7, 10, 14, 20)),
        (10, TEN, TEN),
        (20, (20,), (20,)),
        (21, (20,), (20,)),  # more than there are: the last one
    ],
)
def test_earlier_looks_are_left_out_and_alpha_is_divided_among_the_others(planting, n, planned, left):
    settings = planting.lab(**plain())._settings
    assert settings.from_look(5) == settings
    found = settings.from_look(n)
    assert (found.planned, found.looks) == (planned, left)


@pytest.mark.parametrize(("most", "left"), [(3, (10, 14)), (2, (10,)), (1, ())])
def test_of_a_session_that_ends_earlier_the_looks_before_its_end_are_left(planting, most, left):
    looks = {1: (5, 7), 2: (5, 7, 10), 3: (5, 7, 10, 14)}[most]
    found = planting.lab(**plain(looks=looks, planned=LOOKS))._settings.from_look(10)
    assert (found.planned, found.looks) == (TEN, left)


@pytest.mark.parametrize("n", [3, 5, 30])
def test_a_fixed_number_of_seeds_stays(planting, n):
    settings = planting.lab(arms_at(n=n, a=60, b=50))._settings
    assert settings.from_look(10) is settings
    found = greater(planting.lab(arms_at(n=n, a=60, b=50), may_collapse=["a"]))
    assert (found.verdict.n, found.planned, found.verdict.alpha) == (n, (n,), 0.05)


@pytest.mark.parametrize("fallen", ["a", "b", "beside"])
def test_a_claim_beside_an_arm_that_may_collapse_is_first_looked_at_with_ten_seeds(planting, fallen):
    # Also where the arm takes no part in what is asserted.
    arms = arms_at(n=20, a=60, b=50, beside=40)
    assert greater(planting.lab(arms, looks=LOOKS)).verdict.n == 5
    found = greater(planting.lab(arms, looks=LOOKS, may_collapse=[fallen]))
    assert (found.verdict.outcome, found.verdict.n, found.planned) == (REPRODUCED, 10, TEN)
    (look,) = found.verdict.looks
    assert (look.n, look.level) == (10, nominal_levels(TEN)[0])
    assert found.verdict.alpha == nominal_levels(TEN)[0] > nominal_levels(LOOKS)[2]


def test_its_later_looks_share_what_is_left(planting):
    arms = arms_at(n=20, spread=NOISY, a=52, b=50)
    found = greater(planting.lab(arms, looks=LOOKS, may_collapse=["a"]))
    assert [(look.n, look.level) for look in found.verdict.looks] == list(zip(TEN, nominal_levels(TEN), strict=True))
    assert found.verdict.outcome == INCONCLUSIVE
    capped = greater(planting.lab(arms, looks=LOOKS[:3], planned=LOOKS, may_collapse=["a"]))
    assert (capped.verdict.n, capped.next_look) == (10, 14)
    assert capped.command.endswith("--max-seeds 14")


def test_it_is_not_judged_where_the_session_ends_before(planting):
    lab = planting.lab(**plain(looks=(5, 7), planned=LOOKS, may_collapse=["b"]))
    with pytest.raises(NoLookError, match=r"first looked at with 10 seeds .*, and --max-seeds ends before that"):
        greater(lab)
    assert (lab.result, planting.trained) == (None, [])
    # What is stored can still be read.
    assert len(lab.values("a")) == 5


def test_a_claim_about_spreads_waits_for_twenty_seeds_whatever_may_collapse(planting):
    for fallen in ([], ["a"]):
        lab = planting.lab(**plain(may_collapse=fallen))
        found = judged(lab, "assert_steadier", "a", ["b"], margin=1.0)
        assert (found.verdict.n, found.planned, found.verdict.alpha) == (20, (20,), 0.05)
    lab = planting.lab(**plain(looks=LOOKS[:4], planned=LOOKS, may_collapse=["a"]))
    with pytest.raises(NoLookError, match=r"first looked at with 20 seeds .*, and --max-seeds ends at 14"):
        judged(lab, "assert_steadier", "a", ["b"], margin=1.0)


def test_without_training_it_waits_for_its_first_look_too(planting):
    greater(planting.lab(**plain()))  # five seeds of each
    with pytest.raises(NotStoredError, match="5 of 10 runs"):
        greater(planting.lab(**plain(may_collapse=["a"], only_stored=True)))


BY_RATE = ({0.1: "p0", 0.2: "p1"}, {0.1: "q0", 0.2: "q1"})


def tuning(planting, **more):
    arms = arms_at(n=20, p0=50, p1=40, q0=60, q1=70)
    return planting.lab(arms, choosing=dict.fromkeys(arms, 50.0), may_collapse=["p0"], **more)


def test_as_many_seeds_choose_settings_as_its_first_look_has(planting):
    found = judged(tuning(planting, looks=LOOKS), "assert_needs_lower", *BY_RATE, margin=3.0)
    assert found.verdict.n == 10
    chose = {seed for _, seed in planting.trained if seed >= 2_000_000}
    assert chose == set(range(2_000_000, 2_000_010))


def test_nothing_is_chosen_where_nothing_will_be_judged(planting):
    lab = tuning(planting, looks=(5, 7), planned=LOOKS)
    with pytest.raises(NoLookError, match="first looked at with 10 seeds"):
        judged(lab, "assert_needs_lower", *BY_RATE, margin=3.0)
    assert planting.trained == []


def test_after_tuning_the_seeds_of_the_look_that_comes_are_wanted(planting, monkeypatch):
    wanted = []
    monkeypatch.setattr(Pool, "want", lambda self, runs: wanted.append([seeds for _, seeds in runs]))
    arms = arms_at(n=20, a=50, b=50)
    lab = planting.lab(arms, looks=LOOKS, choosing=dict.fromkeys(arms, 50.0))
    judged(lab, "assert_steadier", "a", ["b"], margin=0.5)
    assert wanted[0] == [range(20)] * 2  # spreads are first looked at with 20
