"""What the documents say that no training can show: each fact with the fast test that keeps it.

All other findings are claims. Whoever adds a claim adds a test with @claim and nothing here.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Fact:
    """name: short. words: the fact as its document has it. kept_by: a fast test, "file::name"."""

    name: str
    words: str
    kept_by: str


_NETWORKS = "models/test_networks.py"

FACTS = (
    Fact(
        "A1 figures",
        "the means by depth are those of the five runs",
        "test_sources.py::test_documented_means_are_those_of_the_documented_runs",
    ),
    Fact(
        "A3 figures",
        "the means by order are those of the three repetitions",
        "test_sources.py::test_documented_means_are_those_of_the_documented_runs",
    ),
    Fact("A recipes", "as the notebooks give them", "test_sources.py::test_recipes_of_ai_experiments"),
    Fact("A1 network", "as built there", f"{_NETWORKS}::test_depth_network_has_the_sources_parameters"),
    Fact("A2 network", "as built there", f"{_NETWORKS}::test_norm_network_has_the_sources_parameters"),
    Fact("A3 network", "as built there", f"{_NETWORKS}::test_order_network_has_the_sources_parameters"),
    Fact(
        "Da",
        "48,178 parameters, under 50,000, and two skips",
        "models/test_networks.py::test_skip_network_has_the_sources_48178_parameters_and_two_skips",
    ),
    Fact("D recipe", "its schedule, augmentation and momentum", "test_sources.py::test_recipe_of_s8_assignment"),
    Fact(
        "D augmentation", "image by image", "data/test_augment.py::test_a_batch_is_what_torchvision_makes_of_each_image"
    ),
    Fact(
        "D curves",
        "training curves, and an optional L1 penalty",
        "train/test_engine.py::test_equals_a_plain_training_loop",
    ),
    Fact(
        "D images",
        "what a confusion matrix and grids of misclassified images are made of: predictions",
        "train/test_engine.py::test_predictions_are_what_the_accuracy_counts",
    ),
)
