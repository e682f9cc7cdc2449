"""Controls on real training: nothing is found where nothing is, something where something is.

The full ones run with `make calibrate`; here the same code runs once on few seeds.
"""

import dataclasses

import pytest

from calibration import training
from calibration.record import Row
from calibration.training import accuracies, found, labels_shuffled, seeds_named


@pytest.mark.slow
def test_controls_on_real_training():
    pool, margin, draws = accuracies(64), 3.0, 2000
    n = seeds_named(pool, margin)
    assert 3 <= n <= len(pool) // 2
    rows = [
        Row(
            "training",
            "placebo",
            "no effect",
            "64 trained networks",
            f"{n} seeds",
            found(pool, n, 0, margin, draws),
            0.07,
            experiments=draws,
        ),
        Row(
            "training",
            "positive control",
            f"{margin:g} points",
            "64 trained networks",
            f"{n} seeds",
            found(pool, n, margin, margin, draws),
            0.788,
            least=True,
            experiments=draws,
        ),
        Row("training", "negative control", "shuffled labels", "trained networks", "5 seeds", labels_shuffled(5), 0.14),
    ]
    for row in rows:
        row.save()
    assert all(row.holds for row in rows), rows


def test_controls_on_a_few_seeds(monkeypatch):
    fewer = dataclasses.replace(training.RUN.recipe, images_per_class=20)
    monkeypatch.setattr(training, "RUN", dataclasses.replace(training.RUN, recipe=fewer))
    pool = accuracies(10)
    assert 20 < pool.mean() < 90
    assert found(pool, 5, 0, 2.0, 200) <= 0.12
    assert found(pool, 5, 40, 40.0, 50) > 0.9
    # 1,000 test images: chance is 10 %, five standard deviations above it 14.7 %.
    assert labels_shuffled(2) < 0.147
