"""What a claim compares of its runs: test accuracy, or something else that every run records."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from pytest_claims.errors import ExplainedError
from pytest_claims.types import Trained


class NotRecordedError(ExplainedError):
    """A stored run lacks what a metric reads; the text says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Metric:
    """name: of a table's column, with its unit. unit: of differences. of: its value of one run. censored: whether that
    value is only a bound of what it stands for (such runs are flagged), None where it never is."""

    name: str
    unit: str
    of: Callable[[Trained], float]
    censored: Callable[[Trained], bool] | None = None


ACCURACY = Metric("test accuracy, %", "points", lambda run: run.test_accuracy)


def gradient(when: str) -> Metric:
    """log2 of the root mean square of the gradient of the first block's weights, whose differences are doublings.

    when: "at initialisation", the first step; or "in training", the mean of the logarithms over the first steps of the
    later epochs. Gradients that are 0 or not finite count as 2^-126, the least normal float32. Raises ValueError for
    another `when`; the metric raises NotRecordedError for a run that was stored before gradients were recorded.
    """
    if when not in ("at initialisation", "in training"):
        raise ValueError(f"when is {when!r}; allowed: 'at initialisation', 'in training'")

    def of(run: Trained) -> float:
        if not run.gradients:
            raise NotRecordedError(
                f"seed {run.seed} of a run that this claim needs was stored before gradients were recorded. Train it "
                "again: this test alone, with --fresh"
            )
        first = [math.log2(max(row[0], 2.0**-126)) if math.isfinite(row[0]) else -126.0 for row in run.gradients]
        return first[0] if when == "at initialisation" else sum(first[1:]) / max(1, len(first) - 1)

    return Metric(f"gradient {when}, log2", "doublings", of)


def epochs_to(accuracy: float) -> Metric:
    """The epoch (1, 2, ...) after which the test accuracy is first at least this, percent; censored at the last epoch.

    Raises ValueError for an accuracy that is not above 0 and at most 100; the metric raises NotRecordedError for a run
    whose recipe did not say test_every_epoch.
    """
    if not 0 < accuracy <= 100:
        raise ValueError(f"accuracy is {accuracy}; allowed: percent, above 0 and at most 100")

    def tested(run: Trained) -> tuple[float, ...]:
        if not run.test_accuracy_by_epoch:
            raise NotRecordedError(
                f"seed {run.seed} of a run that this claim needs was not tested after every epoch. Declare its arm "
                "with Recipe(test_every_epoch=True), which is another run"
            )
        return run.test_accuracy_by_epoch

    def of(run: Trained) -> float:
        curve = tested(run)
        return float(next((epoch for epoch, at in enumerate(curve, 1) if at >= accuracy), len(curve)))

    return Metric(f"epochs to {accuracy:g} %", "epochs", of, lambda run: max(tested(run)) < accuracy)
