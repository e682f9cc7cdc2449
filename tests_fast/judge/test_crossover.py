"""Claims about two networks at two settings each: assert_crossover, and assert_needs_lower, which chooses them."""

import pytest

from pytest_claims.judge.metric import Metric
from pytest_claims.report.notes import all_notes
from pytest_claims.report.procedures import comparison_text
from pytest_claims.runs.pool import Pool
from pytest_claims.stats import agreement
from pytest_claims.types import Outcome
from tests_fast.judge.planted import NOISY, ROUNDING, arms_at, around, constant, first_of, judged

CHOOSING = 2_000_000  # the first seed that chooses settings

# assert_crossover: arms named by network (p, q) and whether the setting is the network's own; by 5 points or more.

OWN = ("p_own", "p_other"), ("q_own", "q_other")


def four_seeds():
    return arms_at(n=4, p_own=50, p_other=40, q_own=77, q_other=70)


@pytest.mark.parametrize(
    ("leads", "outcome"),
    [
        ((10, 7), Outcome.REPRODUCED),
        ((7, 10), Outcome.REPRODUCED),
        ((10, 2), Outcome.TOO_SMALL),
        ((2, 10), Outcome.TOO_SMALL),
        ((10, -10), Outcome.CONTRADICTED),
        ((-10, 10), Outcome.CONTRADICTED),
    ],
)
def test_crossover_is_decided_by_the_smaller_lead(planting, leads, outcome):
    lab = planting.lab(arms_at(p_own=40 + leads[0], p_other=40, q_own=70 + leads[1], q_other=70))
    found = judged(lab, "assert_crossover", *OWN, margin=5.0)
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(min(leads))
    by_lead = {comparison_text(part): part.effect for part in found.verdict.parts}
    assert by_lead == pytest.approx({"p_own over p_other": leads[0], "q_own over q_other": leads[1]})
    assert (found.kind, found.verdict.margin) == ("best", 5.0)
    assert found.contrast == "the smaller lead of a network's own setting"
    assert [arm.label for arm in found.arms] == ["p_own", "p_other", "q_own", "q_other"]


def test_crossover_is_inconclusive_where_noise_hides_it(planting):
    lab = planting.lab(arms_at(spread=NOISY, p_own=50, p_other=48, q_own=50, q_other=48))
    assert judged(lab, "assert_crossover", *OWN, margin=5.0).verdict.outcome == Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("lead", "outcome"), [(5.0, Outcome.REPRODUCED), (4.99, Outcome.TOO_SMALL)])
def test_crossover_is_too_small_just_below_the_margin(planting, lead, outcome):
    lab = planting.lab(constant(p_own=60, p_other=50, q_own=50 + lead, q_other=50))
    assert judged(lab, "assert_crossover", *OWN, margin=5.0).verdict.outcome == outcome


def test_crossover_is_held_against_the_first_networks_lead(planting):
    arms = arms_at(p_own=50, p_other=40, q_own=77, q_other=70)
    lab = planting.lab(arms, documented={"p_own": 48.0, "p_other": 45.0, "q_own": 90.0, "q_other": 60.0})
    found = judged(lab, "assert_crossover", *OWN, margin=5.0)
    assert (found.agreement.documented, found.agreement.measured) == (3.0, 10.0)
    assert found.agreement == agreement(3.0, arms["p_own"] - arms["p_other"], 3, rounding=ROUNDING)
    assert found.compared == "p_own − p_other"


def test_a_crossover_of_two_arms_contradicts_itself(planting):
    lab = planting.lab(four_seeds())
    with pytest.raises(ValueError, match="p_own − p_other and p_other − p_own cannot both be leads"):
        lab.assert_crossover(("p_own", "p_other"), ("p_other", "p_own"), margin=5.0)
    assert planting.trained == []


def test_crossover_is_shown_by_four_seeds(planting):
    found = judged(planting.lab(four_seeds()), "assert_crossover", *OWN, margin=5.0)
    assert (found.verdict.outcome, all_notes(found)) == (Outcome.REPRODUCED, [])


@pytest.mark.parametrize(
    ("gone", "note"),
    [
        ("p_own", "p_own over p_other: collapsed to chance or diverged: p_own 1 of 4, p_other 0 of 4;"),
        ("p_other", "p_own over p_other: collapsed to chance or diverged: p_own 0 of 4, p_other 1 of 4;"),
        ("q_own", "q_own over q_other: collapsed to chance or diverged: q_own 1 of 4, q_other 0 of 4;"),
        ("q_other", "q_own over q_other: collapsed to chance or diverged: q_own 0 of 4, q_other 1 of 4;"),
    ],
)
def test_crossover_is_not_shown_by_four_seeds_of_which_one_diverged(planting, gone, note):
    lab = planting.lab(four_seeds(), diverged={gone: first_of(4)})
    found = judged(lab, "assert_crossover", *OWN, margin=5.0)
    assert found.verdict.outcome == Outcome.INCONCLUSIVE
    assert [text[: len(note)] for text in all_notes(found)] == [note]


# assert_needs_lower: network p needs a lower rate than q. What chooses and what judges is planted apart.

RATES = (0.001, 0.01, 0.1, 1.0)
# Judging seeds: from 0.01 to 0.1 p falls by 10 and q rises by 7. The first and the last rate are there to mislead.
JUDGING = {"p": (30, 70, 60, 99), "q": (95, 47, 54, 20)}
EDGE = "a best setting is at the edge of those tried: a better one may lie beyond"


def arms_of(name, rates=RATES):
    """A network's arms by setting, not in their order."""
    return {rate: (name, rate) for rate in reversed(rates)}


def best_at(p, q, tied=()):
    """Accuracies on the choosing seeds: 60 at these settings, 60 at the tied ones of p, else 50."""
    best = {("p", p), ("q", q), *(("p", rate) for rate in tied)}
    return {arm: 60.0 if arm in best else 50.0 for name in "pq" for arm in arms_of(name).values()}


def rated(planting, choosing, n=10, **options):
    arms = {
        (name, rate): around(mean, n, seed=place)
        for name, means in JUDGING.items()
        for place, (rate, mean) in enumerate(zip(RATES, means, strict=True))
    }
    return planting.lab(arms, choosing=choosing, **options)


def needs_lower(lab, margin=5.0):
    return judged(lab, "assert_needs_lower", arms_of("p"), arms_of("q"), margin=margin)


def compared(found):
    """The two settings of a result, after checking that all of it is about these."""
    _, low, _, high = found.compared.replace("−", "").split()
    assert [arm.label for arm in found.arms] == [f"p {low}", f"p {high}", f"q {high}", f"q {low}"]
    assert [comparison_text(part) for part in found.verdict.parts] == [
        f"p {low} over p {high}",
        f"q {high} over q {low}",
    ]
    return float(low), float(high)


@pytest.mark.parametrize(
    ("margin", "outcome"), [(5.0, Outcome.REPRODUCED), (7.5, Outcome.TOO_SMALL), (15.0, Outcome.TOO_SMALL)]
)
def test_needs_lower_is_a_crossover_at_the_chosen_settings(planting, margin, outcome):
    found = needs_lower(rated(planting, best_at(0.01, 0.1)), margin)
    assert compared(found) == (0.01, 0.1)
    assert (found.kind, found.verdict.outcome, found.verdict.margin) == ("best", outcome, margin)
    assert found.verdict.effect == pytest.approx(7)
    assert [part.effect for part in found.verdict.parts] == pytest.approx([10, 7])
    assert all_notes(found) == ["best setting on other seeds: p 0.01; q 0.1"]


@pytest.mark.parametrize(("p", "q"), [(0.001, 0.1), (0.01, 1.0), (0.001, 1.0)])
def test_needs_lower_notes_a_choice_at_the_edge(planting, p, q):
    found = needs_lower(rated(planting, best_at(p, q)))
    assert compared(found) == (p, q)
    assert all_notes(found)[:2] == [f"best setting on other seeds: p {p}; q {q}", EDGE]


@pytest.mark.parametrize(
    ("p", "q", "settings"),
    [
        (0.1, 0.1, (0.01, 0.1)),
        (0.1, 0.01, (0.001, 0.01)),
        (1.0, 0.1, (0.01, 0.1)),
        (1.0, 1.0, (0.1, 1.0)),
        (0.01, 0.001, (0.001, 0.01)),
        (0.001, 0.001, (0.001, 0.01)),
    ],
)
def test_needs_lower_compares_the_second_networks_best_and_the_one_below_where_the_choice_is_not_as_claimed(
    planting, p, q, settings
):
    found = needs_lower(rated(planting, best_at(p, q)))
    assert compared(found) == settings
    # The notes are of the choice, not of what is compared.
    assert all_notes(found)[0] == f"best setting on other seeds: p {p}; q {q}"
    assert (EDGE in all_notes(found)) == bool({p, q} & {0.001, 1.0})


def test_needs_lower_is_contradicted_where_the_networks_need_it_the_other_way_round(planting):
    lab = rated(planting, best_at(0.1, 0.01))
    found = judged(lab, "assert_needs_lower", arms_of("q"), arms_of("p"), margin=5.0)
    assert [comparison_text(part) for part in found.verdict.parts] == ["q 0.01 over q 0.1", "p 0.1 over p 0.01"]
    assert [part.effect for part in found.verdict.parts] == pytest.approx([-7, -10])
    assert (found.verdict.outcome, found.verdict.effect) == (Outcome.CONTRADICTED, pytest.approx(-10))


def test_needs_lower_takes_the_lowest_of_settings_that_are_equally_good(planting):
    assert compared(needs_lower(rated(planting, best_at(0.1, 1.0, tied=(0.01,))))) == (0.01, 1.0)


def test_needs_lower_trains_every_arm_on_choosing_seeds_and_only_the_chosen_on_others(planting):
    # As many seeds choose as the first look has.
    found = needs_lower(rated(planting, best_at(0.01, 0.1), looks=(5, 10)))
    assert [arm.seeds for arm in found.arms] == [tuple(range(5))] * 4
    by_arm = {}
    for name, seed in planting.trained:
        by_arm.setdefault(name, []).append(seed)
    choosing, judging = list(range(CHOOSING, CHOOSING + 5)), list(range(5))
    places = {(name, rate): f"arm {4 * 'pq'.index(name) + RATES.index(rate)}" for name in "pq" for rate in RATES}
    assert by_arm == {
        place: [*choosing, *judging] if rate in (0.01, 0.1) else choosing for (_, rate), place in places.items()
    }


def test_needs_lower_chooses_by_the_mean_over_seeds(planting):
    # One seed is best of all at 0.1, and one at 0.01 is worst of all.
    choosing = best_at(0.01, 1.0) | {
        ("p", 0.1): lambda seed: 70.0 if seed == CHOOSING else 50.0,
        ("p", 0.01): lambda seed: 40.0 if seed == CHOOSING else 60.0,
    }
    assert compared(needs_lower(rated(planting, choosing))) == (0.01, 1.0)


def test_needs_lower_tells_other_workers_what_it_chooses_from(planting, monkeypatch):
    asked = []
    monkeypatch.setattr(Pool, "want", lambda self, wanted: asked.append({seeds for _, seeds in wanted}))
    needs_lower(rated(planting, best_at(0.01, 0.1)))
    # Then what was chosen, which no one knew before.
    assert asked == [{range(CHOOSING, CHOOSING + 10)}] * 2 + [{range(10)}]


def test_needs_lower_chooses_by_what_the_claim_measures(planting):
    error = Metric("test error, %", "points", lambda run: 100 - run.test_accuracy)
    choosing = {arm: 100 - accuracy for arm, accuracy in best_at(0.01, 0.1).items()}
    assert compared(needs_lower(rated(planting, choosing, metric=error))) == (0.01, 0.1)


def test_needs_lower_chooses_nothing_in_a_placebo(planting):
    arms = {arm: around(50, n=16) for name in "pq" for arm in arms_of(name).values()}
    lab = planting.lab(arms, choosing=best_at(0.1, 1.0), looks=(4,), placebo=True)
    found = needs_lower(lab)
    assert compared(found) == (0.001, 0.01)
    assert found.verdict.notes == ()
    assert max(seed for _, seed in planting.trained) < CHOOSING


def test_needs_lower_is_held_against_the_first_networks_lead(planting):
    documented = {("p", 0.01): 48.0, ("p", 0.1): 45.0, ("q", 0.01): 90.0, ("q", 0.1): 60.0}
    found = needs_lower(rated(planting, best_at(0.01, 0.1), documented=documented))
    assert (found.agreement.documented, found.agreement.measured) == (3.0, 10.0)


def test_needs_lower_keeps_the_notes_of_a_collapse_after_its_own(planting):
    lab = rated(planting, best_at(0.01, 0.1), n=4, diverged={("q", 0.01): first_of(4)})
    found = needs_lower(lab)
    choice, collapsed = all_notes(found)
    assert choice.startswith("best setting on other seeds")
    assert collapsed.startswith("q 0.1 over q 0.01: collapsed to chance or diverged: q 0.1 0 of 4, q 0.01 1 of 4;")
    assert found.verdict.outcome == Outcome.INCONCLUSIVE


def test_needs_lower_must_be_declared_as_a_claim_that_chooses(planting):
    with pytest.raises(ValueError, match="tunes=True"):
        needs_lower(rated(planting, None))
    assert planting.trained == []


@pytest.mark.parametrize(
    ("needing", "than"), [((0.01, 0.1), (0.01, 1.0)), ((0.01,), (0.01, 0.1)), ((0.01,), (0.01,)), ((), ())]
)
def test_needs_lower_takes_the_same_two_settings_or_more(planting, needing, than):
    lab = rated(planting, best_at(0.01, 0.1))
    with pytest.raises(ValueError, match="needed: the same two or more"):
        lab.assert_needs_lower(arms_of("p", needing), arms_of("q", than), margin=5.0)
    assert planting.trained == []


@pytest.mark.parametrize("networks", [("x", "q"), ("p", "x")])
def test_needs_lower_names_an_arm_that_was_not_declared(planting, networks):
    lab = rated(planting, best_at(0.01, 0.1))
    with pytest.raises(KeyError, match="is no arm of this claim; declared: "):
        lab.assert_needs_lower(*map(arms_of, networks), margin=5.0)
    assert planting.trained == []


@pytest.mark.parametrize("place", [0, 1])
def test_needs_lower_compares_an_arm_a_setting(planting, place):
    lab = rated(planting, best_at(0.01, 0.1))
    networks = [arms_of("p"), arms_of("q")]
    networks[place][0.001] = networks[place][1.0]
    with pytest.raises(ValueError, match="needed: two or more different arms"):
        lab.assert_needs_lower(*networks, margin=5.0)
    assert planting.trained == []


def test_needs_lower_compares_two_networks(planting):
    lab = rated(planting, best_at(0.01, 0.1))
    with pytest.raises(ValueError, match=r"compares two networks; both have p 0\.01$"):
        lab.assert_needs_lower(arms_of("p"), arms_of("q") | {0.1: ("p", 0.01)}, margin=5.0)
    assert planting.trained == []


def test_needs_lower_chooses_nothing_for_a_claim_that_has_its_verdict(planting):
    lab = rated(planting, best_at(0.01, 0.1))
    judged(lab, "assert_greater", ("p", 0.01), ("p", 0.1), margin=5.0)
    trained = list(planting.trained)
    with pytest.raises(RuntimeError, match="asserts twice"):
        needs_lower(lab)
    assert planting.trained == trained
