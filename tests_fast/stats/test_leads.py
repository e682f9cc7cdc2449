"""Leads that must all be there: one arm beats each of its rivals, arms rank in order, two networks cross over."""

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.report.procedures import comparison_text, rule_text
from pytest_claims.report.procedures import tests_text as told_tests
from pytest_claims.stats import best_of, crossover, ranking, seeds_for, superiority
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import interval
from pytest_claims.stats.power import seeds_for_all
from pytest_claims.types import Bound, Doubt, Method, Outcome, Procedure, Verdict

ACCURACY = st.integers(0, 2000).map(lambda count: count / 100)
ARMS = st.integers(3, 8).flatmap(lambda n: hnp.arrays(np.float64, (4, n), elements=ACCURACY))
MARGINS = st.sampled_from([0.5, 2.0, 8.0])
CELLS = {
    (True, True): Outcome.REPRODUCED,
    (True, False): Outcome.TOO_SMALL,
    (False, False): Outcome.CONTRADICTED,
    (False, True): Outcome.INCONCLUSIVE,
}


def best_a(arms, **settings):
    return best_of(arms, best="a", **settings)


def ranked(arms, **settings):
    return ranking(arms, order="abcd", **settings)


def crossed(arms, **settings):
    return crossover(arms, first=("a", "b"), second=("d", "c"), **settings)


# Each claim over four arms, and the leads it needs.
CLAIMS = pytest.mark.parametrize(
    ("claim", "leads"), [(best_a, ["ab", "ac", "ad"]), (ranked, ["ab", "bc", "cd"]), (crossed, ["ab", "dc"])]
)


@CLAIMS
@given(ARMS, MARGINS)
def test_the_four_way_rule_on_the_least_bounds(claim, leads, arms, margin):
    named = dict(zip("abcd", arms, strict=True))
    found = claim(named, margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-9)
    assert found.outcome == CELLS[found.lower > 0, found.upper >= margin]
    pairs = [(named[ahead], named[behind]) for ahead, behind in leads]
    plain = [superiority(*pair, margin=margin) for pair in pairs]
    split = [superiority(*pair, margin=margin, alpha=0.05 / len(leads)) for pair in pairs]
    assert found.lower == pytest.approx(min(part.lower for part in plain))
    assert found.upper == pytest.approx(min(part.upper for part in split))
    assert found.effect == pytest.approx(min(part.effect for part in plain))
    assert found.p_holds == max(part.p_holds for part in plain)
    assert found.p_fails == pytest.approx(min(1.0, len(leads) * min(part.p_fails for part in plain)))
    assert list(found.parts) == [
        superiority(*pair, margin=margin, names=tuple(lead)) for pair, lead in zip(pairs, leads, strict=True)
    ]
    # Each bound is that of the lead which it names, at its own level.
    low, high = found.bounds
    assert (low.value, low.threshold, low.alpha) == (found.lower, 0.0, 0.05)
    assert (high.value, high.threshold, high.alpha) == (found.upper, margin, 0.05 / len(leads))
    assert plain[leads.index("".join(low.comparison))].lower == low.value
    assert split[leads.index("".join(high.comparison))].upper == high.value


@CLAIMS
@pytest.mark.parametrize("margin", [0.5, 9.0])
def test_every_number_of_a_claim_on_rounded_accuracies_is_that_of_its_leads(alike, claim, leads, margin):
    rng, resolution, alpha = np.random.default_rng(2), 0.5, 0.04
    levels = np.array([8, 6, 3, 4 if "dc" in leads else 2])
    arms = dict(zip("abcd", levels[:, None] + rng.normal(0, 0.4, (4, 6)), strict=True))
    found = claim(arms, margin=margin, alpha=alpha, resolution=resolution)
    rounding, share, names = resolution * np.sqrt(2 / 12), alpha / len(leads), [tuple(lead) for lead in leads]
    contrasts = [Contrast(arms[one] - arms[other], False, (one, other), rounding=rounding) for one, other in names]
    lows, highs = ([interval(of.differences, level, rounding) for of in contrasts] for level in (alpha, share))
    low = min(range(len(leads)), key=lambda at: lows[at].lower)
    high = min(range(len(leads)), key=lambda at: highs[at].upper)
    parts = [
        superiority(arms[one], arms[other], margin=margin, alpha=alpha, resolution=resolution, names=(one, other))
        for one, other in names
    ]
    expected = Verdict(
        **decide(contrasts, contrasts, margin, alpha),
        procedure=Procedure.LEADS,
        effect=min(at.effect for at in lows),
        lower=lows[low].lower,
        upper=highs[high].upper,
        margin=margin,
        n=6,
        bounds=(
            Bound("lower", lows[low].lower, 0.0, alpha, lows[low].effect, names[low]),
            Bound("upper", highs[high].upper, margin, share, highs[high].effect, names[high]),
        ),
        parts=tuple(parts),
    )
    alike(found, expected)


@CLAIMS
@given(ARMS, MARGINS, st.sampled_from([0.05, 0.01]))
def test_at_any_level_the_text_names_the_leads_of_the_least_bounds(claim, leads, arms, margin, alpha):
    named = dict(zip("abcd", arms, strict=True))
    found = claim(named, margin=margin, alpha=alpha)

    def alone(level):
        return {
            f"{ahead} over {behind}": superiority(
                named[ahead], named[behind], margin=margin, alpha=level, names=(ahead, behind)
            )
            for ahead, behind in leads
        }

    plain, split = alone(alpha), alone(alpha / len(leads))
    assert {comparison_text(part): part for part in found.parts} == plain
    weakest, smallest = min(plain, key=lambda lead: plain[lead].lower), min(split, key=lambda lead: split[lead].upper)
    assert (found.lower, found.upper) == pytest.approx((plain[weakest].lower, split[smallest].upper))
    of_each = {2: ("95 %", "97.5 %", "99 %", "99.5 %"), 3: ("95 %", "98.33 %", "99 %", "99.667 %")}[len(leads)]
    one, other = of_each[:2] if alpha == 0.05 else of_each[2:]
    assert f"(L of {weakest}, a {one} bound; U of {smallest}, a {other} bound)" in rule_text(found)
    excluded = "against an effect of" in told_tests(found)
    assert excluded == (found.upper < margin)
    assert (f"to be multiplied by {len(leads)})" in told_tests(found)) == excluded


def test_the_lead_whose_size_is_excluded_is_the_least_at_the_split_level():
    # At 95 % the least U is that of the noisy lead, at 97.5 % that of the steady one.
    steps = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    arms = {"a": np.zeros(5), "steady": -3 - steps / 1000, "noisy": -1 - steps * 1.26}
    one, other = (superiority(arms["a"], arms[name], margin=9) for name in ("noisy", "steady"))
    assert one.upper < other.upper
    assert "U of a over steady, a 97.5 % bound): a over noisy is not shown, and the claimed size of a over steady" in (
        rule_text(best_of(arms, best="a", margin=9))
    )


@CLAIMS
@given(ARMS, MARGINS)
def test_an_open_claim_is_settled_once_every_lead_holds_or_any_size_is_excluded(claim, leads, arms, margin):
    named = dict(zip("abcd", arms, strict=True))
    found = claim(named, margin=margin)
    assume(found.outcome == Outcome.INCONCLUSIVE)
    leads = [named[ahead] - named[behind] for ahead, behind in leads]
    assume(all(np.std(lead) > 1e-3 for lead in leads))
    means, spreads = ([function(lead) for lead in leads] for function in (np.mean, lambda lead: np.std(lead, ddof=1)))
    ways = [seeds_for_all([mean / sd for mean, sd in zip(means, spreads, strict=True)])]
    ways += [seeds_for(margin - mean, sd=sd, alpha=0.05 / len(leads)) for mean, sd in zip(means, spreads, strict=True)]
    numbers = [max(seeds, found.n + 1) for seeds in ways if seeds is not None]
    assert found.seeds_to_settle == min(numbers, default=None)


@given(ARMS, MARGINS)
def test_with_one_lead_it_is_superiority(arms, margin):
    named = {"a": arms[0], "b": arms[1]}
    alone = superiority(arms[0], arms[1], margin=margin)
    for one in (best_of(named, best="a", margin=margin), ranking(named, order="ab", margin=margin)):
        for field in ("outcome", "effect", "lower", "upper", "p", "p_holds", "p_fails", "seeds_to_settle", "n"):
            assert getattr(one, field) == getattr(alone, field)


@given(ARMS, MARGINS)
def test_a_crossover_of_one_pair_twice_has_its_direction_and_half_the_level_for_its_size(arms, margin):
    pair = dict(zip("ab", arms, strict=False))
    found = crossover(pair, first=("a", "b"), second=("a", "b"), margin=margin)
    assert found.lower == superiority(pair["a"], pair["b"], margin=margin).lower
    assert found.upper == superiority(pair["a"], pair["b"], margin=margin, alpha=0.025).upper


@given(ARMS, MARGINS, st.permutations("bcd"))
def test_the_order_in_which_arms_are_given_changes_nothing(arms, margin, others):
    named = dict(zip("abcd", arms, strict=True))
    shuffled = {name: named[name] for name in (*others, "a")}
    for claim in (best_a, ranked, crossed):
        one, other = claim(named, margin=margin), claim(shuffled, margin=margin)
        assert (one.outcome, one.lower, one.upper) == (other.outcome, other.lower, other.upper)
        assert (one.p_holds, one.p_fails) == (other.p_holds, other.p_fails)


@given(ARMS, MARGINS)
def test_one_more_lead_to_show_is_never_easier(arms, margin):
    named = dict(zip("abcd", arms, strict=True))
    three, four = (ranking(named, order=order, margin=margin) for order in ("abc", "abcd"))
    assert four.lower <= three.lower
    assert four.p_holds >= three.p_holds


@given(ARMS, MARGINS)
def test_arms_do_not_rank_both_ways(arms, margin):
    named = dict(zip("abcd", arms, strict=True))
    better = (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    one, other = (ranking(named, order=order, margin=margin).outcome in better for order in ("abcd", "dcba"))
    assert not (one and other)


def test_the_source_figures_of_orders():
    arms = {
        "conv-norm-relu": [62.32, 62.23, 63.38],
        "conv-relu-norm": [59.56, 56.54, 59.39],
        "conv-leaky-norm": [60.97, 59.87, 59.42],
    }
    found = best_of(arms, best="conv-norm-relu", margin=1.0)
    assert found.outcome == Outcome.REPRODUCED
    assert found.effect == pytest.approx(2.56, abs=0.01)
    assert [part.comparison for part in found.parts] == [
        ("conv-norm-relu", "conv-relu-norm"),
        ("conv-norm-relu", "conv-leaky-norm"),
    ]
    assert best_of(arms, best="conv-relu-norm", margin=1.0).outcome == Outcome.CONTRADICTED


NOISE = np.random.default_rng(4).normal(0, 0.1, (4, 6))


def test_a_ranking_on_plain_figures():
    arms = dict(zip("abcd", NOISE + np.array([[70], [68], [65], [60]]), strict=True))
    found = ranking(arms, order="abcd", margin=1)
    assert found.outcome == Outcome.REPRODUCED
    assert rule_text(found).endswith(": each lead is shown, and the claimed size is excluded of none")
    assert "against an effect" not in told_tests(found)
    # The steps are 2, 3 and 5.
    small = ranking(arms, order="abcd", margin=3)
    assert small.outcome == Outcome.TOO_SMALL
    assert rule_text(small).endswith(": each lead is shown, but the claimed size of a over b is excluded")
    assert "against an effect of 3 or more in every one, the smallest p (to be multiplied by 3)" in told_tests(small)
    assert small.bounds[1].comparison == ("a", "b")
    wrong = ranking(arms, order="acbd", margin=1)
    assert wrong.outcome == Outcome.CONTRADICTED
    assert wrong.bounds[0].comparison == ("c", "b")
    # Arms that are left out of the order do not count.
    assert ranking({**arms, "e": arms["a"] + 50}, order="abcd", margin=1) == ranking(arms, order="abcd", margin=1)


def test_a_crossover_on_plain_figures():
    arms = dict(zip(["A low", "A high", "B low", "B high"], NOISE + np.array([[60], [64], [66], [61]]), strict=True))
    at_best = {"first": ("A high", "A low"), "second": ("B low", "B high")}
    assert crossover(arms, **at_best, margin=2).outcome == Outcome.REPRODUCED
    # The smaller of the two leads is 4.
    assert crossover(arms, **at_best, margin=4.7).outcome == Outcome.TOO_SMALL
    same = crossover(arms, first=("A high", "A low"), second=("B high", "B low"), margin=2)
    assert same.outcome == Outcome.CONTRADICTED
    assert same.bounds[0].comparison == ("B high", "B low")


def test_a_collapse_in_one_rival_asks_for_the_sign_flip_there():
    best = np.array([60.0, 61.0, 62.0, 61.0])
    arms = {"best": best, "b": best - [2.0, 2.1, 2.2, 2.1], "c": np.array([10.0, 10.0, 10.0, 11.0])}
    none = np.zeros(4, dtype=bool)
    assert best_of(arms, best="best", margin=1).outcome == Outcome.REPRODUCED
    found = best_of(arms, best="best", margin=1, collapsed={"best": none, "b": none, "c": ~none})
    assert found.outcome == Outcome.INCONCLUSIVE
    assert (found.by_bounds, found.doubt) == (Outcome.REPRODUCED, Doubt.UNCONFIRMED)
    assert [(test.method, test.fewest) for test in found.tests] == [(Method.PAIRED_T, None), (Method.SIGN_FLIP, 5)]
    assert [test.comparison for test in found.tests] == [("best", "c")] * 2
    (note,) = found.parts[1].notes
    assert (note.labels, note.counts, note.n) == (("best", "c"), (0, 4), 4)


@CLAIMS
def test_five_seeds_can_confirm_beside_a_collapse_and_four_cannot(claim, leads):
    arms = dict(zip("abcd", NOISE + np.array([[70], [60], [50], [80 if "dc" in leads else 40]]), strict=True))
    behind = leads[-1][-1]
    for n, outcome in ((4, Outcome.INCONCLUSIVE), (5, Outcome.REPRODUCED)):
        cut = {name: values[:n] for name, values in arms.items()}
        flags = {name: np.arange(n) < (name == behind) for name in cut}
        assert claim(cut, margin=1).outcome == Outcome.REPRODUCED
        found = claim(cut, margin=1, collapsed=flags)
        assert found.outcome == outcome
        assert (behind, 1) in zip(found.parts[-1].notes[0].labels, found.parts[-1].notes[0].counts, strict=True)


@CLAIMS
@pytest.mark.parametrize("name", list("abcd"))
def test_a_collapse_of_either_arm_of_a_lead_leaves_it_to_the_sign_flips(claim, leads, name):
    arms = dict(zip("abcd", NOISE + np.array([[70], [60], [50], [80 if "dc" in leads else 40]]), strict=True))
    cut = {arm: values[:4] for arm, values in arms.items()}
    found = claim(cut, margin=1, collapsed={arm: np.arange(4) < (arm == name) for arm in cut})
    touched = [" over ".join(lead) for lead in leads if name in lead]
    assert [comparison_text(part) for part in found.parts if part.notes] == touched
    assert [comparison_text(part) for part in found.parts if part.outcome == Outcome.INCONCLUSIVE] == touched
    assert found.outcome == (Outcome.INCONCLUSIVE if touched else Outcome.REPRODUCED)
    assert ("does not confirm REPRODUCED" in rule_text(found)) == bool(touched)


class TestRefusals:
    arms = MappingProxyType({"a": [1.0, 2, 3], "b": [1.0, 2, np.inf], "c": [1.0, 2, 3], "d": [1.0, 2, 3, 4]})

    def test_a_best_that_is_no_arm_or_alone(self):
        with pytest.raises(ValueError, match="best is 'z'"):
            best_of(self.arms, best="z", margin=1)
        with pytest.raises(ValueError, match="best is 'a'"):
            best_of({"a": [1.0, 2.0, 3.0]}, best="a", margin=1)

    @pytest.mark.parametrize("order", ["", "a", "aca", "az"])
    def test_an_order_of_fewer_than_two_different_known_arms(self, order):
        with pytest.raises(ValueError, match="needed: two or more different ones of a, b, c, d"):
            ranking(self.arms, order=order, margin=1)

    def test_a_crossover_of_unknown_arms(self):
        with pytest.raises(ValueError, match=r"unknown arms \['y', 'z'\]; there are: a, b, c, d"):
            crossover(self.arms, first=("a", "y"), second=("z", "c"), margin=1)

    @pytest.mark.parametrize("margin", [0, -1, np.nan])
    @CLAIMS
    def test_margins(self, claim, leads, margin):
        with pytest.raises(ValueError, match="margin is"):
            claim(dict.fromkeys("abcd", self.arms["a"]), margin=margin)

    @CLAIMS
    def test_values_that_are_no_accuracies(self, claim, leads):
        with pytest.raises(ValueError, match="b: inf at position 2"):
            claim({**self.arms, "d": self.arms["a"]}, margin=1)

    @CLAIMS
    def test_arms_of_unequal_length(self, claim, leads):
        with pytest.raises(ValueError, match="arms are paired by seed"):
            claim({**self.arms, "b": self.arms["a"]}, margin=1)

    @CLAIMS
    def test_flags_that_are_not_one_for_every_run_of_every_arm(self, claim, leads):
        arms, none = dict.fromkeys("abcd", self.arms["a"]), np.zeros(3, dtype=bool)
        with pytest.raises(ValueError, match="collapsed has a; needed: flags for every arm: a, b, c, d"):
            claim(arms, margin=1, collapsed={"a": none})
        with pytest.raises(ValueError, match=r"collapsed of b has shape \[2\]; needed: \[3\]"):
            claim(arms, margin=1, collapsed={**dict.fromkeys("acd", none), "b": none[:2]})


@CLAIMS
def test_numbers_are_builtins(builtin_numbers, claim, leads):
    arms = dict(zip("abcd", np.random.default_rng(0).normal(50, 1, (4, 5)), strict=True))
    for shift in (-5, 0, 5):
        builtin_numbers(claim({**arms, "a": arms["a"] + shift}, margin=np.float64(2)))
