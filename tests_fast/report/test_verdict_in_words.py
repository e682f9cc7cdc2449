"""What a reader is told of real verdicts: the rule, the tests, the notes; and the same as data for programs."""

import dataclasses
import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.judge.from_json import decoded
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.arms import deciding
from pytest_claims.report.notes import all_notes, plain_notes, verdict_notes
from pytest_claims.report.numbers import level_words, p_words, points
from pytest_claims.report.procedures import PROCEDURES, comparison_text, rule_text
from pytest_claims.report.procedures import tests_text as told_tests
from pytest_claims.report.session import SCHEMA, Session, session_json
from pytest_claims.stats import (
    best_of,
    crossover,
    equivalence,
    faster,
    fewest_for_spread,
    never_falls,
    no_difference,
    not_comparable,
    ranking,
    sequential,
    some_difference,
    spans,
    spread,
    superiority,
    trend,
)
from pytest_claims.types import ChosenSettings, Confounded, Outcome, Procedure, Source, Verdict

WORSE = np.array([50.0, 51.0, 49.0, 52.0, 50.0])
GAIN = np.array([4.0, 5.0, 3.5, 4.5, 4.2])
NONE, ALL = np.zeros(5, dtype=bool), np.ones(5, dtype=bool)
NOISE = np.random.default_rng(4).normal(0, 0.1, (4, 6))
RANKED = dict(zip("abcd", NOISE + np.array([[70], [68], [65], [60]]), strict=True))


def result(verdict: Verdict, arms: dict[str, np.ndarray], **more) -> Result:
    """A result whose evidence is these arms."""
    evidence = tuple(
        ArmEvidence(name, tuple(range(len(values))), tuple(map(float, values)), (False,) * len(values), None)
        for name, values in arms.items()
    )
    fields = {
        "nodeid": "claims/test_x.py::test_y",
        "id": "X1",
        "finding": "X1",
        "kind": "effect",
        "claim": "they differ",
        "source": Source("A paper", 'Table 1, "wide" (2 runs)', 5),
        "contrast": "a − b",
        "agreement": None,
        "compared": "",
        "scale": "documented",
        "data": "cifar",
        "data_kind": "cifar",
        "device": "a processor",
        "device_kind": "cpu",
        "enforced": True,
        "planned": (5,),
        "next_look": None,
        "command": "pytest",
    }
    return Result(verdict=verdict, arms=evidence, **{**fields, **more})


class TestOneLead:
    def test_rule_and_tests_carry_the_numbers(self):
        found = superiority(WORSE + GAIN, WORSE, margin=2.0)
        assert rule_text(found) == (
            "L = +3.71 > 0 and U = +4.79 >= margin 2: the direction holds and the claimed size is not excluded"
        )
        assert told_tests(found) == "paired t (one-sided, skew-corrected) p < 0.0001; exact sign-flip p = 0.0312; n = 5"

    def test_a_size_that_is_excluded_is_told_with_its_tests(self):
        found = superiority(WORSE + GAIN, WORSE, margin=6.0)
        assert rule_text(found) == (
            "L = +3.71 > 0 and U = +4.79 < margin 6: the direction holds, but an effect of the claimed size is excluded"
        )
        assert told_tests(found) == (
            "paired t (one-sided, skew-corrected) p < 0.0001; exact sign-flip p = 0.0312; against an effect of 6 or "
            "more, paired t (one-sided, skew-corrected) p = 0.0015; exact sign-flip p = 0.0312; n = 5"
        )

    def test_a_bound_that_is_almost_on_its_limit_is_shown_apart_from_it(self):
        rule = rule_text(superiority([1.0, 1.0, 1.003], [1.0, 1.0, 1.0], margin=5))
        assert "L = -0.00" in rule_text(superiority([0.0, 0.0, 0.003], [0.0] * 3, margin=5))
        assert "L = +0.00 " not in rule
        assert "L = -0.00 " not in rule

    def test_collapses_and_the_seeds_that_could_confirm_beside_them(self):
        relu, sigmoid = np.array([42.0, 41.0, 43.0, 42.5]), np.array([10.0, 10.0, 10.0, 10.0])
        found = superiority(relu, sigmoid, margin=1, collapsed=(NONE[:4], ALL[:4]), names=("relu", "sigmoid"))
        assert rule_text(found).endswith(
            ": the direction holds and the claimed size is not excluded; but runs collapsed, and the exact sign-flip "
            "test does not confirm REPRODUCED, so it is INCONCLUSIVE (with 4 seeds its p is never below 0.0625; at "
            "least 5 seeds are needed)"
        )
        assert told_tests(found).endswith("exact sign-flip p = 0.0625 (with 4 seeds never below 0.0625); n = 4")
        assert verdict_notes(found) == [
            "collapsed to chance or diverged: relu 0 of 4, sigmoid 4 of 4; exact McNemar test that sigmoid collapses "
            "more often: p = 0.0625 (seeds where only it did: 4, only relu: 0)"
        ]
        turned = superiority(sigmoid, relu, margin=1, collapsed=(ALL[:4], NONE[:4]))
        assert "the exact sign-flip test does not confirm CONTRADICTED" in rule_text(turned)

    def test_above_30_seeds_the_patterns_are_drawn(self):
        gain = np.random.default_rng(0).normal(2, 1, 31)
        assert "sign-flip (9,999 drawn patterns) p = 0.0001; n = 31" in told_tests(
            superiority(gain, 0 * gain, margin=1)
        )

    def test_equal_differences(self):
        (note,) = verdict_notes(superiority(WORSE + 1, WORSE, margin=1))
        assert note == "all 5 differences are equal, so the interval is a point and p is 0 or 1 by definition"


class TestSeveralLeads:
    def test_the_leads_that_decide_are_named(self):
        small = ranking(RANKED, order="abcd", margin=3)
        assert "each lead is shown, but the claimed size of a over b is excluded" in rule_text(small)
        assert "the smallest p (to be multiplied by 3), paired t" in told_tests(small)
        wrong = rule_text(ranking(RANKED, order="acbd", margin=1))
        assert "c over b is not shown" in wrong
        assert "(L of c over b, a 95 % bound; U of c over b, a 98.33 % bound)" in wrong
        assert [comparison_text(part) for part in small.parts] == ["a over b", "b over c", "c over d"]
        assert comparison_text(small) == ""

    def test_beside_collapses(self):
        best = np.array([60.0, 61.0, 62.0, 61.0])
        arms = {"best": best, "b": best - [2.0, 2.1, 2.2, 2.1], "c": np.array([10.0, 10.0, 10.0, 11.0])}
        flags = {"best": NONE[:4], "b": NONE[:4], "c": ALL[:4]}
        found = best_of(arms, best="best", margin=1, collapsed=flags)
        assert "at least 5 seeds are needed" in rule_text(found)
        (note,) = verdict_notes(found)
        assert note.startswith("best over c: collapsed to chance or diverged: best 0 of 4, c 4 of 4; exact McNemar")

    def test_how_settings_were_chosen_is_told_first(self):
        flags = dict.fromkeys("abcd", np.arange(6) < 1)
        found = crossover(RANKED, first=("a", "b"), second=("c", "d"), margin=1, collapsed=flags)
        chosen = ChosenSettings(("a", "c"), at_edge=True)
        told = verdict_notes(dataclasses.replace(found, notes=(chosen,)))
        assert told[:2] == [
            "best setting on other seeds: a; c",
            "a best setting is at the edge of those tried: a better one may lie beyond",
        ]
        assert [note.split(":")[0] for note in told[2:]] == ["a over b", "c over d"]
        assert len(verdict_notes(dataclasses.replace(found, notes=(ChosenSettings(("a",), False),)))) == 3


class TestEquality:
    def test_inside_outside_and_neither(self):
        assert rule_text(equivalence(WORSE + GAIN / 10, WORSE, within=2)) == (
            "the interval +0.37 to +0.48 lies inside ±2: a difference of 2 or more is excluded"
        )
        far = equivalence(WORSE + GAIN, WORSE, within=2)
        assert rule_text(far) == (
            "the 95 % interval +3.55 to +4.96 lies wholly outside ±2: a difference below 2 is excluded"
        )
        assert told_tests(far).endswith("; that they differ by less than 2 (two-sided) p = 0.0009; n = 5")
        assert rule_text(equivalence(WORSE + GAIN, WORSE, within=4.2)).endswith(
            "is neither inside ±4.2 nor established to lie wholly outside it"
        )

    def test_networks_that_learned_nothing(self):
        names, same = ("batch norm", "group norm"), [10.0] * 5
        found = equivalence(same, same, within=3.0, collapsed=(ALL, NONE), names=names)
        assert "; but runs at chance are equal whatever the arms do, so it is INCONCLUSIVE" in rule_text(found)
        assert verdict_notes(found)[-1] == "collapsed to chance or diverged: batch norm 5 of 5"

    def test_every_pair(self):
        arms = {"a": WORSE, "b": WORSE + GAIN, "c": WORSE + GAIN / 2}
        found = no_difference(arms, within=1)
        (pair,) = {bound.comparison for bound in found.bounds}
        name = " − ".join(pair)
        assert rule_text(found).startswith(f"{name}: the 98.33 % interval (split over 3 pairs)")
        assert f"; that {name} is less than 1 (two-sided, times 3 pairs) p = " in told_tests(found)
        inside = rule_text(no_difference(arms, within=9))
        assert inside.startswith("3 pairs, each inside ±9; the widest, a − b: the interval -4.79 to -3.71 lies inside")
        assert (rule_text(some_difference(arms, beyond=1)), rule_text(some_difference(arms, beyond=9))) == (
            rule_text(found),
            inside,
        )

    @pytest.mark.parametrize(("claim", "outcome"), [(no_difference, "CONTRADICTED"), (some_difference, "REPRODUCED")])
    def test_what_sign_flips_do_not_confirm_is_what_the_bounds_say_of_this_claim(self, claim, outcome):
        arms = {"a": WORSE[:3], "b": np.array([10.0, 10.2, 10.1])}
        limit = {"within" if claim is no_difference else "beyond": 3}
        found = claim(arms, **limit, collapsed={"a": NONE[:3], "b": ALL[:3]})
        assert found.by_bounds == outcome
        assert f"the sign-flip test does not confirm {outcome}, so it is INCONCLUSIVE" in rule_text(found)

    def test_a_p_is_told_with_the_pair_that_it_is_of(self):
        """Beside a collapse the pair whose interval lies outside need not be that with the smallest p."""
        arms = {"a": WORSE, "b": WORSE - [40.0, 41, 39, 40, 40], "c": np.array([52.0, 53.2, 50.9, 54.1, 52.6])}
        flags = {"a": NONE, "b": ALL, "c": NONE}
        found = no_difference(arms, within=1.7, collapsed=flags)
        assert rule_text(found).startswith("a − b: the 98.33 % interval")
        (of,) = {test.comparison for test in found.tests if test.times > 1}
        part = {part.comparison: part for part in found.parts}[of]
        assert (of, 3 * part.p_fails) == (("a", "c"), found.p_fails)
        assert f"that a − c is less than 1.7 (two-sided, times 3 pairs) p = {found.p_fails:.4f}" in told_tests(found)


class TestLevels:
    def test_a_trend(self):
        values = np.array([0.0, 6.0, 6.0, -6.0, -6.0, 2.0]) + np.random.default_rng(0).normal(0, 0.1, (5, 6))
        rule = rule_text(trend([1, 2, 4, 8, 16, 32], values, direction=1, margin=1))
        assert rule.startswith("end to end L = +")
        assert "and the slope does not confirm the direction (-1.09 points a doubling of the level, L = " in rule
        assert rule.endswith(" (the ends differ as claimed, but the levels between them do not follow)")

    def test_its_notes(self):
        values = np.array([[40.0, 30.0, 10.0], [41.0, 31.0, 10.0], [42.0, 31.0, 10.5], [41.0, 30.5, 10.0]])
        found = trend([1, 2, 4], values, direction=-1, margin=2, collapsed=values < 11)
        counts, more, page = verdict_notes(found)
        assert counts == "runs collapsed to chance or diverged, of 4 a level: 1: 0, 2: 0, 4: 4"
        assert more.startswith("collapsed to chance or diverged: level 1 0 of 4, level 4 4 of 4; exact McNemar test ")
        assert page.startswith("Page's test of a monotone trend (supporting only): p = 0.0")

    def test_never_falling(self):
        noise = np.random.default_rng(1).normal(0, 0.2, (5, 4))
        dip = never_falls([1, 2, 4, 8], noise + np.array([30, 33, 29, 36]), margin=1)
        assert "(from 2 to 4, a 99.167 % bound) < -1: it falls by more than 1" in rule_text(dip)
        assert "; against a fall of 1 at most (times 6 changes) p < 0.0001; n = 5" in told_tests(dip)
        assert [comparison_text(part) for part in dip.parts] == [
            *("1 to 2", "2 to 4", "4 to 8", "1 to 4", "2 to 8", "1 to 8"),
        ]
        assert "limit -1: it falls by more than 1" in rule_text(dip.parts[1])
        creep = never_falls([1, 2, 4, 8], noise + np.array([30, 29.3, 28.6, 27.9]), margin=1)
        assert "from 1 to 8" in rule_text(creep)
        flat = never_falls([1, 2], np.full((5, 2), 10.0), margin=2, collapsed=np.stack([NONE, ALL], axis=1))
        assert "no fall of more than 2; but runs at chance are equal" in rule_text(flat)
        assert verdict_notes(flat)[-1] == "runs collapsed to chance or diverged, of 5 a level: 1: 0, 2: 5"


def test_a_spread_with_too_few_seeds():
    few = fewest_for_spread() - 1
    calm, wild = np.random.default_rng(0).normal(size=(2, few)) * np.array([[0.1], [9.0]]) + 50
    flags = {"calm": np.zeros(few, dtype=bool), "wild": np.arange(few) < 2}
    found = spread({"calm": calm, "wild": wild}, steady="calm", margin=1, collapsed=flags)
    assert f"; but {few} seeds would miss even twice the standard deviation in more than 20% of" in rule_text(found)
    assert rule_text(found).endswith(f"so it is INCONCLUSIVE (at least {few + 1} are needed)")
    assert told_tests(found).startswith("Brown-Forsythe (one-sided, the largest p of 1 pair) p < 0.0001; against 1 ")
    deviations, collapses = verdict_notes(found)
    assert deviations == f"standard deviations over seeds, points: calm {np.std(calm, ddof=1):.2f}, wild " + (
        f"{np.std(wild, ddof=1):.2f}"
    )
    assert collapses == f"collapsed to chance or diverged, which is spread: calm 0 of {few}, wild 2 of {few}"


def test_numbers_are_told_apart_from_what_they_are_beside():
    assert [points(0.0004, 0), points(-0.0, 0), points(2.004, 2), points(1e-12, 0)] == [
        "+0.0004",
        "-0.00",
        "+2.004",
        "+0.000000000",
    ]
    assert [p_words(p) for p in (0, 1, 0.99999, 0.00009, 0.03125)] == [
        "p = 0",
        "p = 1",
        "p = 0.9999",
        "p < 0.0001",
        "p = 0.0312",
    ]
    assert [level_words(alpha) for alpha in (0.05, 0.05 / 3, 8.857e-5)] == ["95 %", "98.33 %", "99.99114 %"]


class TestDecidingArms:
    """Which arms a failure shows first follows from the verdict's own data, whatever its arms are called."""

    def shown(self, verdict, arms, **more):
        return [arm.label for arm in deciding(result(verdict, arms, **more))]

    def test_those_of_the_bounds(self):
        arms = dict(zip(["norm", "norm 16", "norm 1", "+"], RANKED.values(), strict=True))
        assert self.shown(ranking(arms, order=list(arms), margin=3), arms) == ["norm", "norm 16"]
        assert self.shown(no_difference(arms, within=1), arms) == ["norm 16", "+"]

    def test_those_of_the_contrast(self):
        arms = dict(zip(["a", "b", "c", "d", "e"], [*RANKED.values(), RANKED["a"]], strict=True))
        spans = superiority(arms["a"], arms["d"], margin=1, names=("a … b", "c … d"))
        assert self.shown(spans, arms, contrasted=("a", "b", "c", "d")) == ["a", "b", "c", "d"]

    def test_the_ends_of_levels(self):
        values = {f"relu {level}": arm for level, arm in zip((1, 2, 4, 8, 16), [*RANKED.values(), WORSE], strict=False)}
        columns = np.stack([arm[:5] for arm in values.values()], axis=1)
        found = trend([1, 2, 4, 8, 16], columns, direction=-1, margin=2)
        assert self.shown(found, values) == ["relu 1", "relu 2", "relu 8", "relu 16"]


@st.composite
def verdicts(draw):
    """Real verdicts of every procedure, with and without collapses, ties and looks."""
    arms = draw(hnp.arrays(np.float64, (3, 6), elements=st.integers(0, 40).map(lambda tenths: 10 + tenths / 10)))
    flags = draw(hnp.arrays(np.bool_, (3, 6)))
    named, collapsed = dict(zip("abc", arms, strict=True)), dict(zip("abc", flags, strict=True))
    margin = draw(st.sampled_from([0.1, 1.0, 3.0]))
    both = {"collapsed": collapsed} if draw(st.booleans()) else {}
    two = {"collapsed": tuple(flags[:2])} if both else {}
    rows = {"collapsed": flags.T} if both else {}
    looked = superiority(*arms[:2], margin=margin)
    return draw(
        st.sampled_from(
            [
                superiority(*arms[:2], margin=margin, **two),
                dataclasses.replace(looked, confounders=(Confounded("x", "without x", looked, looked),)),
                not_comparable(looked),
                equivalence(*arms[:2], within=margin, **two),
                no_difference(named, within=margin, **both),
                some_difference(named, beyond=margin, **both),
                best_of(named, best="a", margin=margin, **both),
                ranking(named, order="abc", margin=margin, **both),
                dataclasses.replace(
                    crossover(named, first=("a", "b"), second=("c", "b"), margin=margin, **both),
                    notes=(ChosenSettings(("a", "c"), True),),
                ),
                trend([1, 2, 4], arms.T, direction=-1, margin=margin, **rows),
                never_falls([1, 2, 4], arms.T, margin=margin, **rows),
                spread(named, steady="a", margin=margin, **both),
                spans(named, wide="ab", narrow="bc", margin=margin, **both),
                faster(*np.round(arms[:2] - 9), factor=1 + margin, **two),
                sequential(lambda n, alpha: superiority(*arms[:2, :n], margin=margin, alpha=alpha), (3, 6)),
            ]
        )
    ), named


def test_every_procedure_is_told():
    missing = [procedure.name for procedure in Procedure if procedure not in PROCEDURES]
    assert not missing, f"add {', '.join(missing)} to the table in pytest_claims/report/procedures.py"


SCHEMA_OF_SESSIONS = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@given(verdicts())
def test_any_verdict_survives_its_json_is_what_the_schema_says_and_has_its_words(drawn):
    verdict, arms = drawn
    judged = result(verdict, arms, contrasted=("a", "b"))
    assert Result.from_json(judged.to_json()) == judged
    facts = dict.fromkeys(("date", "scale", "data", "device", "versions", "meaning"), "as said")
    document = json.loads(session_json(Session((judged,), (), facts, "pytest", 0, 0, 1.0, True, ())))
    SCHEMA_OF_SESSIONS.validate(document)
    told = document["claims"][0]["verdict"]
    words = told.pop("words")
    assert (words["rule"], words["test"], words["notes"]) == (
        rule_text(verdict),
        told_tests(verdict),
        all_notes(judged),
    )
    assert [part["words"]["rule"] for part in told["parts"]] == [rule_text(part) for part in verdict.parts]
    assert document["claims"][0]["source"] == dataclasses.asdict(judged.source)
    # A reader of one screen is told nothing that a page does not tell, and each thing once.
    assert len(set(plain_notes(judged))) == len(plain_notes(judged))
    # Nobody reads "None" or a field's name.
    assert not any(word in f"{words}" for word in ("None", "kind=", "Outcome."))


def test_json_of_another_version_is_refused_by_the_name_of_what_it_lacks():
    fields = dataclasses.asdict(superiority(WORSE + 1, WORSE, margin=1))
    (note,) = fields["notes"]
    with pytest.raises(ValueError, match="kind is 'prose'; known: EqualDifferences, Collapses"):
        decoded(Verdict, {**fields, "notes": [{**note, "kind": "prose"}]})
    with pytest.raises(TypeError, match="rule"):
        decoded(Verdict, {**fields, "rule": "L > 0"})
    assert decoded(Verdict, {**fields, "outcome": "TOO SMALL"}).outcome is Outcome.TOO_SMALL
