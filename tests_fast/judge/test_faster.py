"""assert_faster_to: epochs read from recorded curves, censored runs, and what is said of them."""

import math

import numpy as np
import pytest

from pytest_claims.judge.metric import ACCURACY, NotRecordedError, epochs_to, gradient
from pytest_claims.judge.placebo import placebo_result
from pytest_claims.report.failure import failure_text
from pytest_claims.report.notes import all_notes
from pytest_claims.types import Outcome, Trained
from tests_fast.judge.planted import judged

LAST = 40


def curve(epoch):
    """Test accuracies that first reach 50 % after this epoch, and then fall below it again; None: they never do."""
    rising = np.linspace(20, 49.9, LAST)
    if epoch is not None:
        rising[epoch - 1] = 50.0
    return tuple(rising)


def arms_of(epochs):
    n = len(next(iter(epochs.values())))
    return {
        "arms": {name: np.full(n, 40.0) for name in epochs},
        "curves": {name: [curve(epoch) for epoch in each] for name, each in epochs.items()},
    }


FAST = (10, 14, 11, 13, 12, 10, 13, 14, 11, 12)
THRICE = tuple(int(epoch) for epoch in 3 * np.array(FAST[::-1]) - 2)


def to_50(planting, *, factor=2.0, order=("fast", "slow"), lab=None, **epochs):
    planted = arms_of(epochs)
    lab = planting.lab(planted["arms"], curves=planted["curves"], **(lab or {}))
    return judged(lab, "assert_faster_to", 50, *order, factor=factor)


@pytest.mark.parametrize(
    ("order", "factor", "outcome"),
    [
        (("fast", "slow"), 2.0, Outcome.REPRODUCED),
        (("fast", "slow"), 4.0, Outcome.TOO_SMALL),
        (("slow", "fast"), 2.0, Outcome.CONTRADICTED),
    ],
)
def test_an_arm_is_faster_by_the_epochs_of_its_curves(planting, order, factor, outcome):
    found = to_50(planting, order=order, factor=factor, fast=FAST, slow=THRICE)
    sign = 1 if order[0] == "fast" else -1
    assert found.verdict.outcome == outcome
    assert found.verdict.effect == pytest.approx(sign * np.mean(np.log2(THRICE) - np.log2(FAST)))
    assert found.verdict.margin == math.log2(factor)
    assert (found.kind, found.unit, found.measured) == ("speed", "doublings", "epochs to 50 %")
    assert found.contrast == f"epochs to 50 %, {order[1]} over {order[0]}, log2"
    assert found.contrasted == order
    values = {arm.label: arm.values for arm in found.arms}
    assert values == {"fast": FAST, "slow": THRICE}


def test_sources_give_accuracies_which_say_nothing_of_epochs(planting):
    found = to_50(planting, fast=FAST, slow=THRICE, lab={"documented": {"fast": 90.0, "slow": 80.0}})
    assert found.agreement is None
    assert [arm.documented for arm in found.arms] == [None, None]
    assert not [note for note in all_notes(found) if "the source's" in note]


def test_runs_that_never_come_to_it_are_flagged_at_their_last_epoch(planting):
    slow = (*THRICE[:-1], None)
    found = to_50(planting, fast=FAST, slow=slow)
    assert (found.verdict.outcome, found.verdict.upper) == (Outcome.REPRODUCED, math.inf)
    assert found.arms[1].values == (*THRICE[:-1], LAST)
    assert found.arms[1].collapsed == (*[False] * 9, True)


def test_a_run_that_diverged_counts_by_what_it_came_to(planting):
    diverged = {"fast": [True] * 10, "slow": [False] * 9 + [True]}
    found = to_50(planting, fast=FAST, slow=THRICE, lab={"diverged": diverged})
    assert [arm.collapsed for arm in found.arms] == [(False,) * 10] * 2
    assert found.verdict.outcome == Outcome.REPRODUCED


def test_the_failure_tells_of_runs_that_never_came_to_it(planting):
    text = " ".join(failure_text(to_50(planting, fast=(None, *FAST[1:]), slow=THRICE)).split())
    assert "[none, " in text
    assert "to 40.00, 1!" in text
    assert "! never came to the accuracy: the number of the last epoch stands here" in text
    assert "Runs that never came to the accuracy: fast 1 of 10." in text
    assert "beside them more seeds settle nothing. Claim a lower accuracy, or train for more epochs." in text


def test_where_no_run_came_to_it_the_failure_says_that_first(planting):
    text = failure_text(to_50(planting, fast=[None] * 10, slow=[None] * 10))
    assert "Next      No run came to the accuracy: nothing was learned about speed." in text


def test_a_placebo_reassigns_epochs_with_their_flags_and_counts_them(planting):
    rng = np.random.default_rng(0)
    epochs = [int(epoch) if epoch < 38 else None for epoch in rng.integers(30, 40, size=20)]
    found = to_50(planting, fast=epochs, slow=epochs, lab={"placebo": True, "looks": (10,)})
    assert sum(found.placebo.values()) == 200
    result = placebo_result([found])
    assert result.lines[0].startswith("directional claims: an effect found in ")
    assert result.passed


def test_what_was_read_before_the_assertion_is_read_anew(planting):
    planted = arms_of({"fast": FAST, "slow": THRICE})
    lab = planting.lab(planted["arms"], curves=planted["curves"])
    assert lab.values("fast").tolist() == [curve[-1] for curve in planted["curves"]["fast"]]
    lab.assert_faster_to(50, "fast", "slow", factor=2)
    assert lab.values("fast").tolist() == list(FAST)
    with pytest.raises(RuntimeError, match="asserts twice"):
        lab.assert_faster_to(50, "fast", "slow", factor=2)


def test_arms_that_are_not_tested_every_epoch_are_named_before_anything_is_trained(planting):
    lab = planting.lab({"a": [50.0] * 5, "b": [50.0] * 5}, curves={"a": [curve(3)] * 5})
    with pytest.raises(ValueError, match=r"b needs Recipe\(test_every_epoch=True\)"):
        lab.assert_faster_to(50, "a", "b", factor=2)
    assert planting.trained == []


def test_speed_is_measured_in_epochs_alone(planting):
    lab = planting.lab({"a": [50.0] * 5, "b": [50.0] * 5}, metric=gradient("in training"))
    with pytest.raises(ValueError, match="measures gradient in training, log2; speed is measured in epochs"):
        lab.assert_faster_to(50, "a", "b", factor=2)


def test_the_epoch_is_the_first_that_is_at_least_the_accuracy():
    def run(*curve):
        return Trained(7, curve[-1] if curve else 50.0, (), (), False, 0.1, 100, test_accuracy_by_epoch=curve)

    to_50 = epochs_to(50)
    assert (to_50.name, to_50.unit) == ("epochs to 50 %", "epochs")
    for at, epoch, late in (((50.0,), 1, False), ((40.0, 50.0, 30.0), 2, False), ((40.0, 49.99, 45.0), 3, True)):
        assert (to_50.of(run(*at)), to_50.censored(run(*at))) == (epoch, late)
    for read in (to_50.of, to_50.censored):
        with pytest.raises(NotRecordedError, match=r"seed 7 .* not tested after every epoch.*test_every_epoch=True"):
            read(run())
    assert ACCURACY.censored is None


@pytest.mark.parametrize("accuracy", [0, -1, 100.1, math.nan])
def test_an_accuracy_that_none_can_have_is_refused(accuracy):
    with pytest.raises(ValueError, match="allowed: percent, above 0 and at most 100"):
        epochs_to(accuracy)
