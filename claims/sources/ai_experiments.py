"""AI-Experiments: the figures of its READMEs (English and Korean, the same) and the recipes of its notebooks.

Accuracies are top-1 test accuracy in percent on CIFAR-10. A recipe has a documented form, as the notebooks give it,
and a rehearsal form for rehearsals on a CPU: fewer images, fewer epochs, smaller batches where these would not fit.
"""

from __future__ import annotations

import dataclasses

from pytest_claims import Recipe, Source

# --- A1: activation and depth -----------------------------------------------------------------------------------------

DEPTH = Source("AI-Experiments", "Sigmoid vs ReLU", repetitions=5)
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8)
SIGMOID_BY_DEPTH = dict(zip(DEPTHS, (19.00, 21.75, 22.00, 22.95, 21.93, 22.55, 21.18, 18.59), strict=True))
RELU_BY_DEPTH = dict(zip(DEPTHS, (23.01, 29.19, 32.63, 35.18, 35.18, 36.20, 37.49, 37.61), strict=True))
# The five runs behind them, a row a run, a column a depth.
SIGMOID_RUNS = (
    (20.29, 21.42, 22.04, 22.77, 24.96, 23.68, 16.90, 18.87),
    (18.91, 20.46, 21.53, 24.91, 21.72, 23.20, 20.60, 19.00),
    (18.49, 21.69, 20.77, 20.65, 21.55, 24.45, 23.64, 15.63),
    (21.03, 23.34, 23.81, 23.75, 19.78, 21.10, 21.50, 19.50),
    (16.30, 21.83, 21.86, 22.69, 21.64, 20.30, 23.28, 19.94),
)
RELU_RUNS = (
    (23.88, 29.90, 32.82, 32.75, 34.11, 36.33, 38.52, 42.19),
    (21.63, 28.89, 33.84, 36.78, 33.76, 36.89, 38.43, 35.46),
    (24.09, 30.01, 33.49, 33.65, 35.36, 35.27, 36.67, 38.76),
    (23.15, 26.13, 30.74, 36.28, 37.24, 38.46, 37.38, 32.96),
    (22.29, 31.01, 32.27, 36.46, 35.44, 34.03, 36.43, 38.69),
)

# AdamW's weight decay of 0.01 is PyTorch's default; the notebook sets the learning rate alone.
DEPTH_RECIPE = {
    "documented": Recipe(
        images_per_class=300, batch=512, epochs=10, optimizer="adamw", lr=1e-3, weight_decay=0.01, precision="float32"
    )
}
DEPTH_RECIPE["rehearsal"] = dataclasses.replace(
    DEPTH_RECIPE["documented"], images_per_class=30, batch=64, epochs=4, test_images_per_class=50
)

# --- A2: normalisation and batch size ---------------------------------------------------------------------------------

BATCH_SIZE = Source("AI-Experiments", "BatchNorm vs GroupNorm", repetitions=1)
BATCH_SIZES = (2, 4, 8, 16, 32, 64, 128)


def _by_batch_size(*accuracies: float) -> dict[int, float]:
    return dict(zip(BATCH_SIZES, accuracies, strict=True))


BATCH_NORM_BASE = _by_batch_size(10.01, 33.81, 44.55, 49.68, 52.16, 53.18, 52.05)
GROUP_NORM_BASE = _by_batch_size(30.89, 40.46, 44.27, 48.85, 50.65, 51.37, 50.09)
BATCH_NORM_LONG = _by_batch_size(39.93, 56.67, 57.72, 60.41, 60.88, 60.77, 60.30)
GROUP_NORM_LONG = _by_batch_size(55.53, 59.33, 59.61, 59.32, 59.80, 59.10, 58.85)

# `batch` is replaced by each of BATCH_SIZES.
BASE_RECIPE = {
    "documented": Recipe(
        images_per_class=200,
        batch=128,
        epochs=10,
        optimizer="sgd",
        lr=0.0195,
        momentum=0.91,
        schedule=("cosine", 0.003),
        precision="bfloat16",
    )
}
LONG_RECIPE = {
    "documented": Recipe(
        images_per_class=500,
        batch=128,
        epochs=100,
        optimizer="sgd",
        lr=0.012,
        momentum=0.87,
        weight_decay=5e-4,
        schedule=("cosine", 5e-4),
        precision="bfloat16",
    )
}
BASE_RECIPE["rehearsal"] = dataclasses.replace(
    BASE_RECIPE["documented"], images_per_class=25, epochs=3, test_images_per_class=50
)
LONG_RECIPE["rehearsal"] = dataclasses.replace(
    LONG_RECIPE["documented"], images_per_class=40, epochs=4, test_images_per_class=50
)

# The READMEs speak of CIFAR-100 and give no recipe for it. Ours is the base recipe as it stands, 200 images of each
# of the 100 classes. A rehearsal takes few images of a class, since there are ten times as many classes.
CIFAR100_RECIPE = {
    "documented": BASE_RECIPE["documented"],
    "rehearsal": dataclasses.replace(BASE_RECIPE["documented"], images_per_class=4, epochs=3, test_images_per_class=5),
}

# --- A3: order of normalisation and activation ------------------------------------------------------------------------

ORDER = Source("AI-Experiments", "Conv activation norm position", repetitions=3)
ORDER_MEANS = {"conv-norm-ReLU": 62.64, "conv-ReLU-norm": 58.50, "conv-LeakyReLU-norm": 60.09}
# The three repetitions behind them, a row a repetition.
ORDER_RUNS = ((62.32, 59.56, 60.97), (62.23, 56.54, 59.87), (63.38, 59.39, 59.42))

ORDER_RECIPE = {
    "documented": Recipe(
        images_per_class=500,
        batch=256,
        epochs=50,
        optimizer="sgd",
        lr=0.0195,
        momentum=0.91,
        schedule=("step", 20, 0.1),
        precision="bfloat16",
    )
}
ORDER_RECIPE["rehearsal"] = dataclasses.replace(
    ORDER_RECIPE["documented"],
    images_per_class=50,
    batch=64,
    epochs=5,
    schedule=("step", 2, 0.1),
    test_images_per_class=50,
)
