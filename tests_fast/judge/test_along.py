"""Claims along levels, about spans and about spreads, on planted results."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from pytest_claims.judge.lab import NoLookError
from pytest_claims.report.notes import verdict_notes
from pytest_claims.report.procedures import comparison_text
from pytest_claims.stats import LOOKS, agreement, fewest_for_spread, nominal_levels, trend
from pytest_claims.stats.interval import rounding_of
from pytest_claims.types import Outcome
from tests_fast.judge.planted import TEST_IMAGES, around, judged

REPRODUCED, TOO_SMALL = Outcome.REPRODUCED, Outcome.TOO_SMALL
CONTRADICTED, INCONCLUSIVE = Outcome.CONTRADICTED, Outcome.INCONCLUSIVE

LEVELS = (1, 2, 4)
ALONG = {level: ("net", level) for level in LEVELS}
PAIRS = {level: (("relu", level), ("tanh", level)) for level in LEVELS}
WIDE, NARROW = ([(name, level) for level in LEVELS] for name in ("batch", "group"))


def network(name, means, n, first_seed=0):
    """A network's arms along the levels, with these means."""
    return {
        (name, level): around(mean, n, spread=0.2, seed=first_seed + level)
        for level, mean in zip(LEVELS, means, strict=True)
    }


@dataclasses.dataclass(frozen=True)
class Shape:
    """An assertion and what it is called with.

    arms: by the effect that the assertion shall find, and the number of seeds. documented: figures that make its
    contrast 7 points; those of level 2 take no part in it, except in spans.
    """

    assertion: str
    arguments: tuple
    arms: Callable[[float, int], dict]
    documented: dict
    contrast: str
    kind: str = "effect"
    compared: str = ""


RISES = Shape(
    "assert_rises",
    (ALONG,),
    lambda effect, n: network("net", (50, 50 + effect / 2, 50 + effect), n),
    {("net", 1): 51.0, ("net", 2): 90.0, ("net", 4): 58.0},
    "last − first level",
)
FALLS = Shape(
    "assert_falls",
    (ALONG,),
    lambda effect, n: network("net", (50, 50 - effect / 2, 50 - effect), n),
    {("net", 1): 58.0, ("net", 2): 90.0, ("net", 4): 51.0},
    "first − last level",
)
NEVER_FALLS = Shape(
    "assert_never_falls",
    (ALONG,),
    lambda effect, n: network("net", (50, 50 + effect / 2, 50 + effect), n),
    {("net", 1): 51.0, ("net", 2): 90.0, ("net", 4): 58.0},
    "the least change",
    kind="no fall",
    compared="last − first level",
)
WIDENS = Shape(
    "assert_gap_widens",
    (PAIRS,),
    lambda effect, n: {
        # Both move, and their sum does not.
        **network("relu", (53, 53 + effect / 4, 53 + effect / 2), n),
        **network("tanh", (50, 50 - effect / 4, 50 - effect / 2), n, first_seed=10),
    },
    {
        **{("relu", 1): 52.0, ("relu", 2): 90.0, ("relu", 4): 62.0},
        **{("tanh", 1): 50.0, ("tanh", 2): 20.0, ("tanh", 4): 53.0},
    },
    "gap at the last − at the first level",
)
SPANS = Shape(
    "assert_spans_less",
    (NARROW, WIDE),
    # The extremes of a group are not its first and its last arm.
    lambda effect, n: {
        **network("batch", (50, 58 + effect / 2, 54), n),
        **network("group", (50, 42 + effect / 2, 46), n, first_seed=10),
    },
    {
        **{("batch", 1): 52.0, ("batch", 2): 61.0, ("batch", 4): 55.0},
        **{("group", 1): 59.0, ("group", 2): 57.0, ("group", 4): 58.0},
    },
    "span of batch 1 … batch 4 − span of group 1 … group 4",
    compared="(batch 1 − batch 4) − (group 1 − group 4)",
)
FOUR_WAY = [RISES, FALLS, WIDENS, SPANS]
OF_POINTS = [*FOUR_WAY, NEVER_FALLS]


def each(shapes):
    return pytest.mark.parametrize("shape", shapes, ids=lambda shape: shape.assertion)


def result_of(planting, shape, *, effect=5.0, margin=5.0, n=10, **options):
    lab = planting.lab(shape.arms(effect, n), **options)
    return judged(lab, shape.assertion, *shape.arguments, margin=margin)


@each(FOUR_WAY)
@pytest.mark.parametrize(
    ("effect", "margin", "outcome"),
    [
        (5, 5, REPRODUCED),  # ten times the margin makes it too small
        (1, 5, TOO_SMALL),  # a tenth of the margin makes it reproduced
        (0, 5, CONTRADICTED),
        (-5, 5, CONTRADICTED),
    ],
)
def test_an_effect_is_held_against_its_margin(planting, shape, effect, margin, outcome):
    found = result_of(planting, shape, effect=effect, margin=margin).verdict
    assert found.outcome == outcome
    assert found.effect == pytest.approx(effect, abs=1e-9)
    assert found.margin == margin


@pytest.mark.parametrize(
    ("effect", "margin", "outcome"),
    [
        (3, 5, REPRODUCED),
        (-2, 5, REPRODUCED),  # a tenth of the margin makes it a fall
        (-5, 5, INCONCLUSIVE),
        (-20, 5, CONTRADICTED),  # ten times the margin allows it
    ],
)
def test_a_fall_is_held_against_its_margin(planting, effect, margin, outcome):
    found = result_of(planting, NEVER_FALLS, effect=effect, margin=margin).verdict
    assert found.outcome == outcome
    # The least change is a single step of a rise, and the whole of a fall.
    assert found.effect == pytest.approx(effect / 2 if effect > 0 else effect)
    assert found.margin == margin


@pytest.mark.parametrize(
    ("means", "outcome", "least"),
    [
        ((50, 40, 55), CONTRADICTED, "1 to 2"),
        ((50, 58, 50), CONTRADICTED, "2 to 4"),
        ((56, 53, 50), CONTRADICTED, "1 to 4"),
        ((50, 49, 50), REPRODUCED, "1 to 2"),
    ],
)
def test_one_fall_is_enough_to_contradict(planting, means, outcome, least):
    found = judged(planting.lab(network("net", means, 10)), "assert_never_falls", ALONG, margin=5.0).verdict
    parts = {comparison_text(part): part for part in found.parts}
    assert found.outcome == outcome
    assert list(parts) == ["1 to 2", "2 to 4", "1 to 4"]
    assert found.effect == parts[least].effect == min(part.effect for part in parts.values())


def test_a_slope_is_taken_over_the_distances_of_the_levels(planting):
    """On log2, 2 lies close to 1 and far from 64: a peak there turns the slope down, though the ends rise."""
    by_level = {1: ("net", 1), 2: ("net", 2), 64: ("net", 4)}
    lab = planting.lab(network("net", (50, 60, 51), 10))
    found = judged(lab, "assert_rises", by_level, margin=1.0).verdict
    assert found.lower > 0
    assert found.outcome == INCONCLUSIVE


@pytest.mark.parametrize(("gaps", "outcome"), [((0, 0.5, 1, 2), REPRODUCED), ((0, 9, -9, 2), INCONCLUSIVE)])
def test_gaps_between_the_ends_count_for_the_slope(planting, gaps, outcome):
    by_level = {2**place: (f"ahead {place}", f"behind {place}") for place in range(4)}
    arms = {name: around(50, spread=0.2, seed=place) for place, (_, name) in enumerate(by_level.values())}
    arms |= {name: np.full(10, 50.0 + gap) for (name, _), gap in zip(by_level.values(), gaps, strict=True)}
    assert judged(planting.lab(arms), "assert_gap_widens", by_level, margin=1.0).verdict.outcome == outcome


def test_a_span_is_that_of_the_means(planting):
    """Equal means, but 8 points apart with every seed: noise is no dependence."""
    swapping = 50 + 4 * np.resize([1.0, -1.0], 10)
    arms = {"a": swapping, "b": 100 - swapping, "c": around(50, spread=0.1), "d": np.full(10, 50.0)}
    found = judged(planting.lab(arms), "assert_spans_less", ["c", "d"], ["a", "b"], margin=5.0).verdict
    assert found.effect == pytest.approx(0, abs=0.1)
    assert found.lower < 0


@each(OF_POINTS)
def test_what_is_contrasted(planting, shape):
    found = result_of(planting, shape)
    assert (found.kind, found.contrast, found.compared) == (shape.kind, shape.contrast, shape.compared)
    assert found.unit == "points"


@each(OF_POINTS)
def test_the_documented_contrast_beside_ours(planting, shape):
    found = result_of(planting, shape, documented=shape.documented).agreement
    assert (found.documented, found.measured) == (7.0, 5.0)


def test_a_span_is_held_against_the_sources_extremes_that_its_figures_chose(planting):
    arms = {name: around(mean, spread=0.2, seed=mean) for name, mean in zip("abcdxyz", range(50, 57), strict=True)}
    documented = {"a": 52.0, "b": 61.0, "c": 55.0, "d": 54.0, "x": 59.0, "y": 57.0, "z": 58.0}
    lab = planting.lab(arms, documented=documented)
    found = judged(lab, "assert_spans_less", list("xyz"), list("abcd"), margin=5.0)
    ours = arms["b"] - arms["a"] - (arms["x"] - arms["y"])
    # Of four arms there are six pairs, of three there are three.
    assert found.agreement == agreement(
        7.0,
        ours,
        3,
        unpaired=np.sqrt(sum(arms[name].var(ddof=1) for name in "bayx")),
        chosen_from=18,
        rounding=rounding_of(100 / TEST_IMAGES, 4),
    )


def test_a_gap_is_rounded_as_two_accuracies_are(planting):
    arms = network("relu", (53, 54, 55), 10) | network("tanh", (50, 50, 50), 10, first_seed=10)
    found = judged(planting.lab(arms), "assert_gap_widens", PAIRS, margin=1.0).verdict
    gaps = np.stack([arms["relu", level] - arms["tanh", level] for level in LEVELS], axis=1)
    expected = trend(LEVELS, gaps, direction=1, margin=1.0, resolution=np.sqrt(2) * 100 / TEST_IMAGES)
    assert (found.lower, found.upper) == (expected.lower, expected.upper)
    assert found.lower != trend(LEVELS, gaps, direction=1, margin=1.0, resolution=100 / TEST_IMAGES).lower


@pytest.mark.parametrize("missing", list(SPANS.documented), ids=str)
def test_the_documented_span_needs_the_figure_of_every_arm(planting, missing):
    # Without the highest or the lowest arm the span of what is left is another, and may even turn the sign.
    figures = {name: figure for name, figure in SPANS.documented.items() if name != missing}
    found = result_of(planting, SPANS, documented=figures)
    assert (found.agreement, found.verdict.outcome) == (None, REPRODUCED)


@each([RISES, FALLS, NEVER_FALLS, WIDENS])
def test_the_documented_contrast_needs_the_figures_of_the_ends(planting, shape):
    def without(name):
        figures = {other: figure for other, figure in shape.documented.items() if other != name}
        return result_of(planting, shape, documented=figures).agreement

    for name in shape.documented:
        assert (without(name) is None) == (name[1] != 2)


@each([SPANS])
@pytest.mark.parametrize("lacking", [("batch", 1), ("group", 1), ("group", 4)], ids=str)
def test_the_documented_spans_need_figures(planting, shape, lacking):
    documented = {name: figure for name, figure in shape.documented.items() if name != lacking}
    assert result_of(planting, shape, documented=documented).agreement is None


def diverging(name, n, seeds=(0,)):
    return {name: [seed in seeds for seed in range(n)]}


def collapses(verdict):
    """Collapsed runs by level, from the note that counts them; none without it."""
    start = "runs collapsed to chance or diverged, of "
    counted = [note.split(": ", 1)[1].split(", ") for note in verdict_notes(verdict) if note.startswith(start)]
    return {int(level): int(number) for counts in counted for level, number in (part.split(": ") for part in counts)}


@each(OF_POINTS)
def test_four_seeds_without_a_collapse_are_enough(planting, shape):
    found = result_of(planting, shape, n=4).verdict
    assert found.outcome == REPRODUCED
    assert not any("collapsed" in note for note in verdict_notes(found))


# Four seeds cannot confirm by signs, at 5 %, what the t test shows.
@pytest.mark.parametrize(
    ("shape", "arm"),
    [(shape, arm) for shape in (RISES, FALLS, NEVER_FALLS, WIDENS) for arm in shape.documented],
    ids=lambda value: str(getattr(value, "assertion", value)),
)
def test_a_collapse_at_any_level_is_counted_and_makes_four_seeds_too_few(planting, shape, arm):
    found = result_of(planting, shape, n=4, diverged=diverging(arm, 4)).verdict
    assert found.outcome == INCONCLUSIVE
    assert collapses(found) == {level: int(level == arm[1]) for level in LEVELS}


def test_a_fall_is_not_excluded_beside_a_collapse_however_many_seeds(planting):
    found = result_of(planting, NEVER_FALLS, n=20, diverged=diverging(("net", 2), 20)).verdict
    assert found.outcome == INCONCLUSIVE


@pytest.mark.parametrize(("relu", "tanh", "number"), [((0, 1), (2,), 3), ((0, 1), (0, 1), 2), ((0,), (0, 3), 2)])
def test_a_gap_collapses_where_either_of_its_arms_does(planting, relu, tanh, number):
    diverged = diverging(("relu", 4), 4, relu) | diverging(("tanh", 4), 4, tanh)
    found = result_of(planting, WIDENS, n=4, diverged=diverged).verdict
    assert collapses(found) == {1: 0, 2: 0, 4: number}


@pytest.mark.parametrize("arm", SPANS.documented, ids=str)
def test_a_span_beside_a_collapse_needs_the_sign_flips(planting, arm):
    # Of 6 pairs that may be the widest each needs 2^-7.
    # The middle arm is in no pair that may be the widest here.
    at_six = REPRODUCED if arm == ("batch", 4) else INCONCLUSIVE
    for n, outcome in ((6, at_six), (7, REPRODUCED)):
        found = result_of(planting, SPANS, n=n, diverged=diverging(arm, n, (1, 2))).verdict
        assert found.outcome == outcome
        assert verdict_notes(found) == [f"collapsed to chance or diverged: {arm[0]} {arm[1]} 2 of {n}"]


@each([RISES, FALLS])
def test_a_collapse_to_chance_is_one_at_its_level(planting, shape):
    arms = shape.arms(5, 10) | {("net", 2): np.full(10, 10.0)}
    found = judged(planting.lab(arms), shape.assertion, *shape.arguments, margin=5.0).verdict
    assert collapses(found) == {1: 0, 2: 10, 4: 0}


@each(OF_POINTS)
def test_bounds_are_at_the_level_of_the_look(planting, shape):
    found = result_of(planting, shape, n=20, looks=LOOKS).verdict
    assert found.alpha == found.looks[-1].level == nominal_levels(LOOKS)[len(found.looks) - 1]


def spreading(doublings, n=20):
    """Arms "a", "b" and "c" whose spreads are 2^doublings points, in the same pattern over seeds."""
    return {name: around(50, n, 2.0**power) for name, power in zip("abc", doublings, strict=True)}


@pytest.mark.parametrize(
    ("doublings", "margin", "outcome", "effect"),
    [
        ((0, 2, 3), 2.0, REPRODUCED, 2),
        ((0, 3, 2), 2.0, REPRODUCED, 2),
        ((-1, 1, 1), 9.0, TOO_SMALL, 2),  # a tenth of the margin makes it reproduced
        ((0, 2, 2), 0.9, REPRODUCED, 2),  # ten times the margin makes it too small
        ((0, 0, 3), 2.0, CONTRADICTED, 0),
        ((2, 0, 3), 2.0, CONTRADICTED, -2),
        ((2, 3, 0), 2.0, CONTRADICTED, -2),
    ],
)
def test_the_steady_arm_is_held_against_every_other(planting, doublings, margin, outcome, effect):
    lab = planting.lab(spreading(doublings))
    found = judged(lab, "assert_steadier", "a", ["b", "c"], margin=margin).verdict
    assert found.outcome == outcome
    assert found.effect == pytest.approx(effect, abs=1e-9)
    assert found.margin == margin


def test_what_is_contrasted_of_spreads(planting):
    lab = planting.lab(spreading((0, 2, 3)), documented={"a": 50.0, "b": 50.0, "c": 50.0})
    found = judged(lab, "assert_steadier", "a", ["b", "c"], margin=2.0)
    assert (found.kind, found.unit, found.compared) == ("spread", "doublings", "")
    assert found.contrast == "spread of b / c over spread of a"
    assert found.agreement is None  # sources give accuracies, and no spreads


def test_spreads_are_looked_at_once_with_all_seeds_at_five_per_cent(planting):
    # Fewer seeds decide nothing about spreads, so earlier looks would spend alpha for nothing.
    found = judged(planting.lab(spreading((0, 2, 3)), looks=LOOKS), "assert_steadier", "a", ["b", "c"], margin=2.0)
    assert (found.verdict.n, found.verdict.alpha, found.planned) == (LOOKS[-1], 0.05, LOOKS[-1:])
    assert LOOKS[-2] < fewest_for_spread() <= LOOKS[-1]


def test_spreads_are_not_judged_where_the_session_ends_before(planting):
    lab = planting.lab(spreading((0, 2, 3)), looks=LOOKS[:3], planned=LOOKS)
    with pytest.raises(NoLookError, match=r"first looked at with 20 seeds .*, and --max-seeds ends at 10"):
        lab.assert_steadier("a", ["b", "c"], margin=2.0)


@pytest.mark.parametrize("name", "abc")
def test_a_collapse_is_spread_and_is_counted(planting, name):
    lab = planting.lab(spreading((0, 2, 3)), diverged=diverging(name, 20, (3, 4)))
    found = judged(lab, "assert_steadier", "a", ["b", "c"], margin=2.0).verdict
    counts = ", ".join(f"{arm} {2 * (arm == name)} of 20" for arm in "abc")
    assert found.outcome == REPRODUCED
    assert verdict_notes(found)[-1] == f"collapsed to chance or diverged, which is spread: {counts}"


UNKNOWN, TWICE = "nowhere", "needed: two or more different arms"


@pytest.mark.parametrize(
    ("assertion", "arguments"),
    [
        ("assert_rises", [{1: "a", 2: UNKNOWN}]),
        ("assert_falls", [{1: UNKNOWN, 2: "a"}]),
        ("assert_never_falls", [{1: "a", 2: UNKNOWN}]),
        ("assert_gap_widens", [{1: ("a", "b"), 2: ("c", UNKNOWN)}]),
        ("assert_gap_widens", [{1: (UNKNOWN, "b"), 2: ("c", "d")}]),
        ("assert_spans_less", [["a", "b"], ["c", UNKNOWN]]),
        ("assert_spans_less", [["a", UNKNOWN], ["c", "d"]]),
        ("assert_steadier", ["a", ["b", UNKNOWN]]),
        ("assert_steadier", [UNKNOWN, ["a", "b"]]),
    ],
)
def test_an_arm_that_was_not_declared_is_named(planting, assertion, arguments):
    lab = planting.lab({name: around(50) for name in "abcd"})
    with pytest.raises(KeyError, match="'nowhere' is no arm of this claim; declared: 'a', 'b', 'c', 'd'"):
        getattr(lab, assertion)(*arguments, margin=1.0)
    assert planting.trained == []


@pytest.mark.parametrize(
    ("assertion", "arguments", "message"),
    [
        ("assert_rises", [{1: "a", 2: "b", 4: "a"}], TWICE),
        ("assert_rises", [{1: "a"}], TWICE),
        ("assert_falls", [{1: "a", 2: "a"}], TWICE),
        ("assert_never_falls", [{1: "a", 2: "a"}], TWICE),
        ("assert_never_falls", [{}], TWICE),
        ("assert_gap_widens", [{1: ("a", "b"), 2: ("c", "c")}], TWICE),
        ("assert_gap_widens", [{1: ("a", "b")}], "a gap at 1 levels; needed: at least two"),
        ("assert_gap_widens", [{}], "a gap at 0 levels; needed: at least two"),
        ("assert_spans_less", [["a", "a"], ["c", "d"]], TWICE),
        ("assert_spans_less", [["a", "b"], ["c", "c"]], TWICE),
        ("assert_spans_less", [["a"], ["c", "d"]], TWICE),
        ("assert_spans_less", [["a", "b"], ["c"]], TWICE),
        ("assert_steadier", ["a", ["b", "a"]], TWICE),
        ("assert_steadier", ["a", []], TWICE),
    ],
)
def test_what_cannot_be_compared_is_refused(planting, assertion, arguments, message):
    lab = planting.lab({name: around(50) for name in "abcd"})
    with pytest.raises(ValueError, match=message):
        getattr(lab, assertion)(*arguments, margin=1.0)
    assert planting.trained == []


@pytest.mark.parametrize("margin", [0.0, -1.0])
@each(OF_POINTS)
def test_a_margin_is_above_0(planting, shape, margin):
    with pytest.raises(ValueError, match="margin"):
        result_of(planting, shape, margin=margin)
