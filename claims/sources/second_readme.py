"""The second Korean README of AI-Experiments: the same three experiments with other figures, and no recipe.

Accuracies are top-1 test accuracy in percent, far above those of the first README: they need well-trained networks. So
these claims run at scale full, on the whole training set, by recipes that are ours; each is the first README's for the
same experiment with as little changed as that takes, fixed on seeds that judge nothing, before any claim was run:

- Depth, CIFAR-10: AdamW (the source names Adam, as an example) with a warm-up, at batch 128. The first README's
  32 channels without pooling came to 71 % in a trial of 6 epochs, so the blocks have 64 channels, with a maxpool2 after
  the second and the fourth: 79.8 % after 6 epochs, and 82.4 % by the recipe below (ReLU, 4 blocks, seed 2,000,000).
- Batch size, CIFAR-100 with 32 groups: the long recipe for 30 epochs, three times as many images as its own 100 epochs
  see. Widths are doubled, so that 32 groups divide every block's channels. The learning rate is the same at every batch
  size, as there.
- Orders, CIFAR-10: the first README's network and recipe, on the whole training set.
"""

from __future__ import annotations

import dataclasses

from claims.sources.ai_experiments import LONG_RECIPE, ORDER_RECIPE
from pytest_claims import Recipe, Source

DOCUMENT = "AI-Experiments, second Korean README"

# --- depth ------------------------------------------------------------------------------------------------------------

DEPTH = Source(DOCUMENT, "Sigmoid vs ReLU")
SIGMOID_BY_DEPTH = {1: 75.2, 4: 68.5, 8: 55.7}
RELU_BY_DEPTH = {1: 78.9, 4: 81.3, 8: 83.1}

DEPTH_RECIPE = {
    "full": Recipe(
        images_per_class=None,
        batch=128,
        epochs=20,
        optimizer="adamw",
        lr=0.01,
        weight_decay=0.01,
        schedule=("linear", 0, 0.25, 4, 1.0, 20, 0.0),
        precision="float32",
    )
}
DEPTH_RECIPE["rehearsal"] = dataclasses.replace(
    DEPTH_RECIPE["full"],
    images_per_class=13,
    batch=32,
    epochs=3,
    schedule=("linear", 0, 0.5, 1, 1.0, 3, 0.0),
    test_images_per_class=20,
)

# --- batch size -------------------------------------------------------------------------------------------------------

BATCH_SIZE = Source(DOCUMENT, "BatchNorm vs GroupNorm")
BATCH_NORM = {2: 42.3, 8: 70.1, 64: 75.8, 128: 76.2}
GROUP_NORM = {2: 64.8, 8: 69.5, 64: 76.1, 128: 76.4}
# From about here on, it says, the norms are within 3 points of each other.
THRESHOLD = 32

# `batch` is replaced by each batch size.
BATCH_SIZE_RECIPE = {
    "full": dataclasses.replace(LONG_RECIPE["documented"], images_per_class=None, epochs=30),
    "rehearsal": dataclasses.replace(LONG_RECIPE["rehearsal"], images_per_class=2, epochs=2, test_images_per_class=2),
}

# --- order ------------------------------------------------------------------------------------------------------------

ORDER = Source(DOCUMENT, "Conv activation norm position")
ORDER_ACCURACY = {"conv-norm-ReLU": 83.1, "conv-ReLU-norm": 82.4, "conv-LeakyReLU-norm": 82.8}
FULL_ORDER_RECIPE = {
    "full": dataclasses.replace(ORDER_RECIPE["documented"], images_per_class=None),
    "rehearsal": ORDER_RECIPE["rehearsal"],
}
