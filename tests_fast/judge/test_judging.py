"""What every assertion does alike: it looks, judges, records and raises. On planted results."""

import dataclasses
import math
import re
import sqlite3
from collections import Counter

import numpy as np
import pytest

from pytest_claims.data.kinds import FOLDERS
from pytest_claims.data.load import AS_RECORDED
from pytest_claims.judge import lab as labs
from pytest_claims.judge.lab import PLACEBO_DRAWS, NotReproducedError
from pytest_claims.judge.metric import gradient
from pytest_claims.judge.result import Result
from pytest_claims.report.notes import all_notes
from pytest_claims.runs import pool
from pytest_claims.runs.pool import NotStoredError, Pool
from pytest_claims.stats import agreement, nominal_levels, superiority
from pytest_claims.stats.looks import Level
from pytest_claims.types import Confounder, Outcome
from tests_fast.images import tiny
from tests_fast.judge import planted
from tests_fast.judge.planted import ROUNDING, PlantedExecutor, around, judged

REPRODUCED, TOO_SMALL = Outcome.REPRODUCED, Outcome.TOO_SMALL
CONTRADICTED, INCONCLUSIVE = Outcome.CONTRADICTED, Outcome.INCONCLUSIVE

TEST = "claims/test_p.py::test_p"
LOOKS = (5, 10, 20)
LEVELS = nominal_levels(LOOKS)


def ahead(lead, swing=0.1, n=20, base=50.0):
    """Arms "a" and "b": a is ahead by this lead on average, and by swing more or less from seed to seed."""
    return {"a": base + lead + swing * np.resize([1.0, -1.0], n), "b": np.full(n, base)}


def greater(lab, margin=5.0):
    return judged(lab, "assert_greater", "a", "b", margin=margin)


def by_seeds(*stretches, arms=("arm 0", "arm 1")):
    """What is trained where these stretches of seeds come one after the other, each for every arm."""
    return [(arm, seed) for stretch in stretches for arm in arms for seed in stretch]


def test_what_served_is_said_with_its_place_or_as_the_runs_recorded_it(planting, tmp_path):
    (here,) = greater(planting.lab(ahead(10, n=5))).datasets.values()
    assert str(tmp_path) in here
    lab = planting.lab(ahead(10, n=5), kind="cifar", origin=AS_RECORDED)
    assert greater(lab).datasets == {"cifar10": "cifar, as recorded"}


def test_what_is_documented_is_held_beside_a_claim_whose_confounders_have_no_runs(planting):
    arms, documented = ahead(10, n=5), {"a": 61.0, "b": 50.0}
    greater(planting.lab(arms))
    lab = planting.lab(arms | {"c": arms["a"], "d": arms["b"]}, documented=documented, only_stored=True)
    rate = Confounder("the rate", "at a lower rate", "c", "d")
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[rate])
    assert (found.verdict.outcome, found.agreement.documented) == (REPRODUCED, 11.0)


@pytest.mark.parametrize("images", [False, True])
def test_the_result_has_what_the_claim_declares_and_what_its_runs_recorded(planting, monkeypatch, images):
    monkeypatch.setattr(PlantedExecutor, "capability", "AVX2")
    found = greater(planting.lab(ahead(10, n=5), images=images))
    assert (found.images, found.capabilities) == (images, ("AVX2",))


@pytest.mark.parametrize(("kind", "option"), [("cpu", "--data real"), ("cuda", "--gpu")])
def test_the_command_trains_on_what_the_runs_were_trained_on(planting, monkeypatch, kind, option):
    monkeypatch.setattr(PlantedExecutor, "device_kind", kind)
    monkeypatch.setattr(pool, "flops_per_step", lambda run: 1e12)  # of a network that is never built
    arms = ahead(10, n=5)
    greater(planting.lab(arms))
    found = greater(planting.lab(arms, only_stored=True))
    assert found.command.endswith(f" {option}")


def test_arms_that_only_confounders_name_are_not_in_how_it_was_trained(planting):
    rate = Confounder("the rate", "at a lower rate", "c", "d")
    arms = ahead(10, n=5)
    curves = {name: np.full((5, 4), values[0]) for name, values in arms.items()}  # four epochs instead of three
    lab = planting.lab(arms | {"c": arms["a"], "d": arms["b"]}, curves={"c": curves["a"], "d": curves["b"]})
    found = judged(lab, "assert_greater", "a", "b", margin=5.0, confounders=[rate])
    assert [arm.label for arm in found.arms] == ["a", "b", "c", "d"]
    assert "3 epochs" in found.trained


# How far a lead of 5 points may swing for a verdict at the first look, the second, the third, and at none of them.
SWINGS = {5: 0.1, 10: 2.0, 20: 6.0, None: 30.0}


@pytest.mark.parametrize(
    ("swing", "outcomes", "next_look", "command"),
    [
        (SWINGS[5], [REPRODUCED], None, "--seeds 10 --first-seed 20"),
        (SWINGS[10], [INCONCLUSIVE, REPRODUCED], None, "--seeds 20 --first-seed 20"),
        (SWINGS[20], [INCONCLUSIVE, INCONCLUSIVE, REPRODUCED], None, "--seeds 40 --first-seed 20"),
        (SWINGS[None], [INCONCLUSIVE] * 3, None, None),
    ],
)
def test_looks_go_on_until_a_verdict_stands(planting, swing, outcomes, next_look, command):
    found = greater(planting.lab(ahead(5, swing), looks=LOOKS))
    taken = len(outcomes)
    assert [(look.n, look.level, look.outcome) for look in found.verdict.looks] == list(
        zip(LOOKS, LEVELS, outcomes, strict=False)
    )
    assert (found.verdict.n, found.verdict.outcome) == (LOOKS[taken - 1], outcomes[-1])
    assert found.verdict.alpha == LEVELS[taken - 1]
    assert found.planned == LOOKS
    assert found.next_look is next_look
    assert found.command == f"pytest claims -k {TEST} --scale documented {command or settling(found)}"


def settling(result):
    """Seeds that would settle it, none of which was looked at."""
    assert result.verdict.seeds_to_settle > 20
    return f"--seeds {result.verdict.seeds_to_settle} --first-seed 20"


def test_a_look_trains_only_the_seeds_that_are_missing(planting):
    greater(planting.lab(ahead(5, SWINGS[20]), looks=LOOKS))
    assert planting.trained == by_seeds(range(5), range(5, 10), range(10, 20))


def test_a_verdict_that_stands_trains_no_more(planting):
    lab = planting.lab(ahead(5, SWINGS[5]), looks=LOOKS)
    greater(lab)
    assert planting.trained == by_seeds(range(5))
    assert [len(lab.values(name)) for name in "ab"] == [5, 5]


def test_all_arms_of_a_later_look_are_wanted_at_once(planting, monkeypatch):
    wanted = []
    monkeypatch.setattr(Pool, "want", lambda self, runs: wanted.append([(run.network.name, s) for run, s in runs]))
    greater(planting.lab(ahead(5, SWINGS[20]), looks=LOOKS))
    assert wanted == [[("arm 0", range(n)), ("arm 1", range(n))] for n in (10, 20)]


def test_seeds_begin_at_the_first(planting):
    found = greater(planting.lab(ahead(5, SWINGS[10]), looks=LOOKS, first_seed=7))
    assert found.verdict.n == 10
    assert [arm.seeds for arm in found.arms] == [tuple(range(7, 17))] * 2
    assert planting.trained == by_seeds(range(7, 12), range(12, 17))
    assert found.command.endswith("--seeds 20 --first-seed 27")


@pytest.mark.parametrize(("looks", "following"), [((5,), 10), ((5, 10), 20)])
def test_a_session_that_ends_early_names_the_next_look(planting, looks, following):
    found = greater(planting.lab(ahead(5, SWINGS[20]), looks=looks, planned=LOOKS))
    assert found.verdict.outcome == INCONCLUSIVE
    assert [look.level for look in found.verdict.looks] == list(LEVELS[: len(looks)])
    assert (found.planned, found.next_look) == (LOOKS, following)
    assert found.command == f"pytest claims -k {TEST} --scale documented --max-seeds {following}"


@pytest.mark.parametrize(("lead", "outcome"), [(5, REPRODUCED), (1, TOO_SMALL), (-5, CONTRADICTED)])
def test_no_look_comes_after_a_verdict_that_stands(planting, lead, outcome):
    found = greater(planting.lab(ahead(lead, 0.02), looks=(5,), planned=LOOKS))
    assert (found.verdict.outcome, found.next_look) == (outcome, None)
    assert found.command.endswith("--seeds 10 --first-seed 5")


def test_one_look_is_judged_at_5_percent(planting):
    found = greater(planting.lab(ahead(5)))
    assert found.verdict.alpha == pytest.approx(0.05)
    assert (found.planned, found.next_look) == ((20,), None)


@pytest.mark.parametrize(
    ("outcome", "n", "settling", "seeds"),
    [
        (REPRODUCED, 20, None, 40),
        (INCONCLUSIVE, 20, 700, 700),
        (INCONCLUSIVE, 20, None, 40),
        (REPRODUCED, 501, None, 1000),
    ],
)
def test_how_many_fresh_seeds_are_suggested(planting, monkeypatch, outcome, n, settling, seeds):
    real = labs.superiority

    def found(*samples, **options):
        return dataclasses.replace(real(*samples, **options), outcome=outcome, n=n, seeds_to_settle=settling)

    monkeypatch.setattr(labs, "superiority", found)
    assert greater(planting.lab(ahead(5))).command.endswith(f"--seeds {seeds} --first-seed 20")


def stored_up_to(planting, n, arms):
    """Train the first n seeds, as an earlier session did."""
    greater(planting.lab(arms, looks=(n,)))
    planting.trained.clear()


@pytest.mark.parametrize(("stored", "following"), [(5, 10), (9, 10), (10, 20), (19, 20)])
def test_without_training_the_last_look_that_is_stored_stands(planting, stored, following):
    arms = ahead(5, SWINGS[None])
    stored_up_to(planting, stored, arms)
    found = greater(planting.lab(arms, looks=LOOKS, only_stored=True))
    looks = [look for look in LOOKS if look <= stored]
    assert [(look.n, look.level) for look in found.verdict.looks] == list(zip(looks, LEVELS, strict=False))
    assert [arm.seeds for arm in found.arms] == [tuple(range(looks[-1]))] * 2
    assert found.next_look == following
    assert found.command.endswith(f"--max-seeds {following} --data real")
    assert planting.trained == []


def test_without_training_a_look_needs_every_arm(planting):
    arms = ahead(5, SWINGS[None])
    planting.lab(arms, looks=(10,)).values("a")
    planting.lab(arms, looks=(5,)).values("b")
    found = greater(planting.lab(arms, looks=LOOKS, only_stored=True))
    assert (found.verdict.n, found.next_look) == (5, 10)


@pytest.mark.parametrize("stored", [0, 4])
def test_without_training_nothing_is_judged_before_the_first_look(planting, stored):
    arms = ahead(5)
    if stored:
        stored_up_to(planting, stored, arms)
    lab = planting.lab(arms, looks=LOOKS, only_stored=True)
    with pytest.raises(NotStoredError, match=f"not judged: {5 - stored} of 5 runs"):
        greater(lab)
    assert lab.result is None
    assert planting.trained == []


def test_without_training_a_verdict_that_stands_is_the_same(planting):
    arms = ahead(5, SWINGS[20])
    before = greater(planting.lab(arms, looks=LOOKS))
    stored = greater(planting.lab(arms, looks=LOOKS, only_stored=True))
    # What comes next trains, on the images that were recorded.
    assert stored.command == f"{before.command} --data real"
    assert dataclasses.replace(stored, command=before.command) == before


@pytest.mark.parametrize("lead", [1, -5])
@pytest.mark.parametrize("scale", ["documented", "full"])
def test_a_verdict_that_decides_fails_the_test(planting, lead, scale):
    lab = planting.lab(ahead(lead), scale=scale)
    with pytest.raises(NotReproducedError) as raised:
        lab.assert_greater("a", "b", margin=5.0)
    assert raised.value.result is lab.result
    assert str(raised.value) == str(lab.result)  # explained as the lab was told to
    assert lab.result.enforced


def test_a_reproduced_claim_passes(planting):
    lab = planting.lab(ahead(5))
    lab.assert_greater("a", "b", margin=5.0)
    assert lab.result.verdict.outcome == REPRODUCED
    assert lab.result.enforced


def test_a_rehearsal_records_and_fails_nothing(planting):
    lab = planting.lab(ahead(-5), scale="rehearsal")
    lab.assert_greater("a", "b", margin=5.0)
    assert lab.result.verdict.outcome == CONTRADICTED
    assert not lab.result.enforced


def test_a_claim_asserts_once(planting):
    lab = planting.lab(ahead(5))
    lab.assert_greater("a", "b", margin=5.0)
    first = lab.result
    with pytest.raises(RuntimeError, match=f"{re.escape(TEST)} asserts twice"):
        lab.assert_rises({1: "b", 2: "a"}, margin=5.0)
    assert lab.result is first


def test_what_a_result_says_of_its_claim(planting, tmp_path):
    found = greater(planting.lab(ahead(5), nodeid="claims/test_q.py::test_q", claims=7))
    assert (found.nodeid, found.finding, found.claim) == ("claims/test_q.py::test_q", "P1", "planted")
    assert str(found.source) == 'A paper, "Table 1" (3 runs)'
    assert (found.scale, found.device) == ("documented", "planted results")  # where its runs were made
    assert (found.images, found.claims) == (False, 7)
    assert found.data == f"cifar at {tmp_path} (as asked with --data)"
    assert (found.measured, found.unit, found.placebo) == ("test accuracy, %", "points", {})
    assert "claims/test_q.py::test_q" in found.command
    assert Result.from_json(found.to_json()) == found


def test_what_a_result_says_of_its_arms(planting):
    diverged = {"b": [seed == 3 for seed in range(20)]}
    lab = planting.lab(ahead(5), documented={"a": 56.0}, diverged=diverged)
    found = greater(lab)
    one, other = found.arms
    assert (one.label, one.documented, one.values) == ("a", 56.0, tuple(ahead(5)["a"]))
    assert (other.label, other.documented, other.values) == ("b", None, (50.0,) * 20)
    assert (one.collapsed, other.collapsed) == ((False,) * 20, tuple(diverged["b"]))
    assert lab.values("b").tolist() == list(other.values)
    assert lab.collapsed("b").tolist() == list(other.collapsed)


def test_runs_are_named_as_they_are_stored(planting, tmp_path):
    found = greater(planting.lab(ahead(5, n=5)))
    rows = sqlite3.connect(tmp_path / "runs.sqlite").execute("SELECT key, configuration, seed FROM runs").fetchall()
    stored = {(f"arm {place}", seed): key for key, text, seed in rows for place in range(2) if f"arm {place}" in text}
    assert [arm.runs for arm in found.arms] == [
        tuple(stored[name, seed] for seed in range(5)) for name in ("arm 0", "arm 1")
    ]


def test_seeds_out_of_order_are_put_in_order(planting, monkeypatch):
    results = Pool.results

    def shuffled(self, run, seeds):
        found = results(self, run, seeds)
        return found[::-1] if run.network.name == "arm 1" else found

    monkeypatch.setattr(Pool, "results", shuffled)
    ramp = np.linspace(40, 60, 10)
    diverged = {"b": [seed == 2 for seed in range(10)]}
    found = greater(planting.lab({"a": ramp + 5, "b": ramp}, diverged=diverged), margin=5.0)
    one, other = found.arms
    assert one.seeds == other.seeds == tuple(range(10))
    assert other.values == tuple(ramp)
    assert other.collapsed == tuple(diverged["b"])
    assert other.runs == greater(planting.lab({"a": ramp + 5, "b": ramp}, diverged=diverged)).arms[1].runs
    # Paired by seed every difference is 5; paired in the order of coming they would vary by 20 points.
    assert (found.verdict.lower, found.verdict.upper) == pytest.approx((5.0, 5.0), abs=0.001)


@pytest.mark.parametrize("repetitions", [1, 10])
def test_agreement_reckons_with_the_repetitions_of_the_source(planting, repetitions):
    arms = ahead(5, n=10)
    found = greater(planting.lab(arms, documented={"a": 58.0, "b": 51.0}, repetitions=repetitions)).agreement
    t, sd = 2.262157163, (arms["a"] - arms["b"]).std(ddof=1)
    assert (found.documented, found.measured, found.n0) == (7.0, 5.0, repetitions)
    assert found.high - 7.0 == pytest.approx(t * sd * np.sqrt(1 / repetitions + 1 / 10))


def test_agreement_is_of_the_seeds_of_the_last_look(planting):
    arms = ahead(5, SWINGS[10])
    arms["a"][10:] += 30  # seeds that no look came to
    found = greater(planting.lab(arms, looks=LOOKS, documented={"a": 57.0, "b": 50.0}))
    assert (found.verdict.n, found.agreement.measured) == (10, 5.0)
    apart = math.sqrt(sum(arms[name][:10].var(ddof=1) for name in "ab"))
    level = Level.of(LOOKS, 10)
    assert found.agreement == agreement(
        7.0, (arms["a"] - arms["b"])[:10], 3, unpaired=apart, alpha=level, rounding=ROUNDING
    )
    plain = agreement(7.0, (arms["a"] - arms["b"])[:10], 3, unpaired=apart, rounding=ROUNDING)
    assert plain.high < found.agreement.high  # an early stop was helped by luck


def elsewhere(name, ours, theirs):
    return (
        f"{name} comes to {ours:.1f} %, the source's to {theirs:.1f} %: these networks are not where the source's were"
    )


def far_notes(result):
    return [note for note in all_notes(result) if "comes to" in note]


@pytest.mark.parametrize(
    ("documented", "notes"),
    [
        ({"a": 66.0, "b": 39.0}, [elsewhere("a", 55.0, 66.0), elsewhere("b", 50.0, 39.0)]),
        ({"a": 65.0, "b": 40.0}, []),
        ({"a": 65.1, "b": 40.0}, [elsewhere("a", 55.0, 65.1)]),
        ({"b": 61.0}, [elsewhere("b", 50.0, 61.0)]),
        ({}, []),
    ],
)
def test_arms_more_than_10_points_from_the_source_are_noted(planting, documented, notes):
    arms = {"a": np.full(10, 55.0), "b": np.full(10, 50.0)}
    found = greater(planting.lab(arms, documented=documented))
    assert all_notes(found) == notes


def test_a_rehearsal_is_not_expected_where_the_source_was(planting):
    found = greater(planting.lab(ahead(5), documented={"a": 90.0, "b": 80.0}, scale="rehearsal"))
    assert far_notes(found) == []


def test_a_run_at_chance_collapsed(planting):
    """10 % of ten classes, and five standard deviations of 500 images: 16.71 %."""
    arms = {"a": np.full(4, 50.0), "b": [16.8, 16.7, 10.0, 90.0]}
    assert planting.lab(arms, tested=500).collapsed("b").tolist() == [False, True, True, False]


def test_chance_is_that_of_the_images_at_hand(planting, monkeypatch):
    """20 % of five classes, and five standard deviations of 500 images: 28.94 %."""
    monkeypatch.setattr(planted, "DATA", tiny(classes=5, test=100))
    arms = {"a": np.full(4, 50.0), "b": [29.0, 28.9, 16.0, 90.0]}
    assert planting.lab(arms, tested=500, kind=FOLDERS).collapsed("b").tolist() == [False, True, True, False]


def flowing(planting, **options):
    """A lab of gradients: those of "a" are 8 times, or 3 doublings, those of "b", and all accuracies are at chance."""
    powers = around(0, 10, spread=0.2)
    return planting.lab(
        {"a": np.full(10, 10.0), "b": np.full(10, 10.0)},
        gradients={"a": 2.0 ** (powers - 4), "b": np.full(10, 2.0**-7)},
        metric=gradient("at initialisation"),
        **options,
    )


def test_gradients_are_compared_in_doublings(planting):
    found = greater(flowing(planting, documented={"a": 90.0, "b": 80.0}), margin=3.0)
    assert found.verdict.outcome == REPRODUCED
    assert found.verdict.effect == pytest.approx(3.0)
    assert (found.measured, found.unit, found.kind) == ("gradient at initialisation, log2", "doublings", "effect")
    assert found.arms[1].values == (-7.0,) * 10
    # No test image counts for anything in them.
    exact = superiority(*(np.array(arm.values) for arm in found.arms), margin=3.0)
    assert (found.verdict.lower, found.verdict.upper) == (exact.lower, exact.upper)
    # Sources give accuracies, which say nothing about gradients.
    assert found.agreement is None
    assert [arm.documented for arm in found.arms] == [None, None]
    assert far_notes(found) == []


def test_gradients_of_a_network_at_chance_are_still_what_they_are(planting):
    found = greater(flowing(planting), margin=3.0)
    assert [arm.collapsed for arm in found.arms] == [(False,) * 10] * 2
    assert all(arm.at_chance is False for arm in found.arms)


def test_a_run_of_gradients_that_diverged_collapsed(planting):
    diverged = [seed == 4 for seed in range(10)]
    found = greater(flowing(planting, diverged={"b": diverged}), margin=3.0)
    assert [arm.collapsed for arm in found.arms] == [(False,) * 10, tuple(diverged)]
    assert any("b 1 of 10" in note for note in all_notes(found))


def test_gradients_that_are_not_stored_are_missed(planting):
    with pytest.raises(NotStoredError):
        greater(flowing(planting, only_stored=True))


def placebo(planting, pattern=None, n=5, **options):
    """A lab of three arms that are all the first one, on seeds of their own."""
    values = around(50, 3 * n) if pattern is None else pattern
    arms = {"a": values, "b": np.full(3 * n, 90.0), "c": np.full(3 * n, 10.0)}
    return planting.lab(arms, placebo=True, looks=(n,), **options)


def test_the_arms_of_a_placebo_are_the_first_on_seeds_of_their_own(planting):
    values = around(50, 25)
    lab = placebo(planting, values, first_seed=2)
    lab.assert_greater("c", "b", margin=1.0)
    assert not lab.result.enforced
    assert [(arm.label, arm.seeds) for arm in lab.result.arms] == [
        ("c", (12, 13, 14, 15, 16)),
        ("b", (7, 8, 9, 10, 11)),
    ]
    assert lab.values("a").tolist() == values[2:7].tolist()
    assert set(planting.trained) == {("arm 0", seed) for seed in range(2, 17)}
    assert lab.result.verdict.effect == pytest.approx(values[12:17].mean() - values[7:12].mean())


@dataclasses.dataclass(frozen=True)
class Decision:
    """A decision of assert_greater: the values and flags of both arms, one arm after the other, and what it came to."""

    values: list
    collapsed: list
    alpha: float
    outcome: Outcome


@pytest.fixture
def decisions(monkeypatch):
    taken, real = [], labs.superiority

    def recorded(better, worse, *, collapsed, alpha, **rest):
        found = real(better, worse, collapsed=collapsed, alpha=alpha, **rest)
        taken.append(Decision([*better, *worse], [*collapsed[0], *collapsed[1]], alpha, found.outcome))
        return found

    monkeypatch.setattr(labs, "superiority", recorded)
    return taken


def test_reassigned_arms_are_at_chance_where_most_of_their_runs_collapsed(planting):
    """Of twelve runs eight diverged: as drawn all of the one arm's, and a third of the other's."""
    values = np.full(18, 50.0)
    lab = placebo(planting, values, n=6, diverged={"a": [seed < 8 for seed in range(18)]})
    found = judged(lab, "assert_greater", "a", "b", margin=30.0)
    runs = [(values[seed], seed < 8) for seed in range(12)]
    rng, expected = np.random.default_rng(list(TEST.encode())), Counter()
    for _ in range(PLACEBO_DRAWS):
        drawn = [runs[place] for place in rng.permutation(12)]
        fallen = [sum(collapsed for _, collapsed in part) for part in (drawn[:6], drawn[6:])]
        expected["INCONCLUSIVE" if min(fallen) > 3 else "CONTRADICTED"] += 1
    assert found.placebo == dict(expected)
    assert set(expected) == {"INCONCLUSIVE", "CONTRADICTED"}


def test_a_placebo_gives_the_same_results_to_the_arms_at_random(planting, decisions):
    lab = placebo(planting, diverged={"a": [seed in (0, 6) for seed in range(15)]})
    lab.assert_greater("a", "b", margin=1.0)

    def runs(call):
        return [*zip(call.values, call.collapsed, strict=True)]

    seen, *draws = decisions
    assert len(draws) == PLACEBO_DRAWS
    assert all(sorted(runs(draw)) == sorted(runs(seen)) for draw in draws)
    assert len({tuple(runs(draw)) for draw in draws}) == PLACEBO_DRAWS  # of 10! orders
    assert all(draw.alpha == 0.05 for draw in draws)


def test_a_placebo_gives_back_what_it_reassigned(planting):
    lab = placebo(planting)
    lab.assert_greater("a", "b", margin=1.0)
    for arm in lab.result.arms:
        assert tuple(lab.values(arm.label)) == arm.values
    assert lab.values("a").tolist() == around(50, 15)[:5].tolist()


def test_a_placebo_of_a_claim_is_always_the_same(planting, decisions):
    def draws(nodeid):
        decisions.clear()
        lab = placebo(planting, nodeid=nodeid)
        lab.assert_greater("a", "b", margin=1.0)
        return lab.result.placebo, list(decisions)

    assert draws("claims/test_p.py::test_p") == draws("claims/test_p.py::test_p")
    assert draws("claims/test_p.py::test_p")[1] != draws("claims/test_p.py::test_q")[1]


@pytest.mark.parametrize(
    ("n", "collapsed", "outcome"),
    [
        (4, (), "CONTRADICTED"),
        (4, (0,), "INCONCLUSIVE"),  # 4 seeds cannot confirm it by signs at 5 %
        (5, (0,), "CONTRADICTED"),  # and 5 can
    ],
)
def test_the_outcomes_of_a_placebo_are_counted(planting, n, collapsed, outcome):
    diverged = {"a": [seed in collapsed for seed in range(3 * n)]}
    lab = placebo(planting, np.full(3 * n, 50.0), n, diverged=diverged)
    lab.assert_greater("a", "b", margin=1.0)
    assert lab.result.placebo == {outcome: 200}


def test_the_outcomes_of_a_placebo_are_those_of_its_draws(planting, decisions):
    """By chance all seeds of the first arm are better than all of the second; results at random are not."""
    lab = placebo(planting, [60.0] * 5 + [50.0] * 10)
    lab.assert_greater("a", "b", margin=5.0)
    assert lab.result.verdict.outcome == REPRODUCED
    assert lab.result.placebo == Counter(str(draw.outcome) for draw in decisions[1:])
    assert len(lab.result.placebo) > 1


@pytest.mark.parametrize(
    ("assertion", "arguments", "metric", "unit"),
    [
        ("assert_greater", ["a", "b"], {}, "points"),
        ("assert_steadier", ["a", ["b"]], {}, "doublings"),
        ("assert_greater", ["a", "b"], {"metric": gradient("at initialisation")}, "doublings"),
        ("assert_steadier", ["a", ["b"]], {"metric": gradient("at initialisation")}, "doublings"),
    ],
)
def test_units(planting, assertion, arguments, metric, unit):
    flow = {name: 2.0 ** around(0, 20, seed=place) for place, name in enumerate("ab")}
    lab = planting.lab({"a": around(60, 20), "b": around(50, 20, seed=1)}, gradients=flow, **metric)
    assert judged(lab, assertion, *arguments, margin=1.0).unit == unit


def test_labels_of_arms_are_their_names_in_words(planting):
    arms = {("relu", 4): around(55), "tanh": around(50, seed=1)}
    found = judged(planting.lab(arms), "assert_greater", ("relu", 4), "tanh", margin=5.0)
    assert [arm.label for arm in found.arms] == ["relu 4", "tanh"]
    assert found.contrast == "relu 4 − tanh"
