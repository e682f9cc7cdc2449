"""Every documented finding, in the order of the documents, and what keeps it: claims under its name, or a fast test."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """name: of its claims. words: the finding, as its document has it, in short. tests: how many claims it has.
    kept_by: of what no training can show (an architecture, what a run records), a fast test, "file::name".
    """

    name: str
    words: str
    tests: int = 1
    kept_by: str = ""


_NETWORKS = "models/test_networks.py"

_A = (
    Finding("A1a", "ReLU beats sigmoid at every depth", 8),
    Finding("A1b", "sigmoid deteriorates markedly as depth grows"),
    Finding("A1b'", "sigmoid falls from its peak to the deepest network"),
    Finding("A1c", "ReLU stays stable and does not fall as depth grows"),
    Finding("A1d", "the gap widens with depth"),
    Finding("A2a", "batch norm is far below group norm at batches under 8; base, long, CIFAR-100", 3 * 2),
    Finding("A2b", "the norms are within 3 points from batch 8 on; base, long, CIFAR-100", 3 * 5),
    Finding("A2c", "group norm is stable at every batch size; base, long, CIFAR-100", 3),
    Finding("A2c'", "group norm spans less than batch norm; base, long, CIFAR-100", 3),
    Finding("A3a", "conv-norm-ReLU is the best of three orders"),
    Finding("A3b", "the orders differ by about 4 points at most"),
    Finding("A3c", "before the norm, LeakyReLU beats ReLU"),
)
_A_FACTS = (
    Finding(
        "A1 figures",
        "the means by depth are those of the five runs",
        0,
        "test_sources.py::test_documented_means_are_those_of_the_documented_runs",
    ),
    Finding(
        "A3 figures",
        "the means by order are those of the three repetitions",
        0,
        "test_sources.py::test_documented_means_are_those_of_the_documented_runs",
    ),
    Finding("A recipes", "as the notebooks give them", 0, "test_sources.py::test_recipes_of_ai_experiments"),
    Finding("A1 network", "as built there", 0, f"{_NETWORKS}::test_depth_network_has_the_sources_parameters"),
    Finding("A2 network", "as built there", 0, f"{_NETWORKS}::test_norm_network_has_the_sources_parameters"),
    Finding("A3 network", "as built there", 0, f"{_NETWORKS}::test_order_network_has_the_sources_parameters"),
)
_B = (
    Finding("B1a", "well trained, ReLU beats sigmoid at depths 1, 4, 8", 3),
    Finding("B1b", "well trained, sigmoid deteriorates with depth"),
    Finding("B1c", "well trained, ReLU improves with depth"),
    Finding("B1d", "well trained, the gap widens with depth"),
    Finding("B2a", "on CIFAR-100 with 32 groups, batch norm is far below group norm at batch 2"),
    Finding("B2b", "the norms are within 3 points from batch 32 on, and at 8 by its figures", 4),
    Finding("B2c", "below that threshold of 32 batch norm is behind", 2),
    Finding("B3a", "well trained, the standard order is best"),
    Finding("B3b", "well trained, the orders differ slightly"),
    Finding("B3c", "well trained, LeakyReLU first comes just after the standard order"),
)
_C = (
    Finding("Ca", "ReLU improves with depth, sigmoid declines", 2),
    Finding("Cb", "gradients shrink with depth, for both; at initialisation and in training", 4),
    Finding("Cc", "ReLU keeps the better gradient flow; at initialisation and in training", 2),
    Finding("Cd", "batch norm falls sharply as the batch shrinks"),
    Finding("Ce", "group norm is consistent at every batch size"),
    Finding("Cf", "group norm has the lower standard deviation", 7),
    Finding("Cg", "in the CNN, LeakyReLU before the norm is best and varies least", 2),
    Finding("Ch", "in the CNN, both activation-first orders beat the standard one", 2),
    Finding("Ci", "in the CNN, order matters"),
    Finding("Cj", "in the MLP, order makes almost no difference"),
)
_D = (
    Finding(
        "Da",
        "48,178 parameters, under 50,000, and two skips",
        0,
        "models/test_networks.py::test_skip_network_has_the_sources_48178_parameters_and_two_skips",
    ),
    Finding("Db", "batch norm beats group and layer norm"),
    Finding("Dc", "group and layer norm are comparable"),
    Finding("Dd", "the batch size hardly matters to batch norm; at fixed epochs and steps", 2),
    Finding("De", "larger batches hurt group norm; at fixed epochs and steps", 2),
    Finding("Df", "larger batches hurt layer norm; at fixed epochs and steps", 2),
    Finding("Df'", "for group and layer norm a batch of 32 is the best; at fixed epochs and steps", 4),
    Finding("Dg", "group norm needs a lower learning rate than batch norm"),
    Finding("Dh", "layer norm needs a lower learning rate than batch norm"),
    Finding("D recipe", "its schedule, augmentation and momentum", 0, "test_sources.py::test_recipe_of_s8_assignment"),
    Finding(
        "D augmentation",
        "image by image",
        0,
        "data/test_augment.py::test_a_batch_is_what_torchvision_makes_of_each_image",
    ),
    Finding(
        "D curves",
        "training curves, and an optional L1 penalty",
        0,
        "train/test_engine.py::test_equals_a_plain_training_loop",
    ),
    Finding(
        "D images",
        "what a confusion matrix and grids of misclassified images are made of: predictions",
        0,
        "train/test_engine.py::test_predictions_are_what_the_accuracy_counts",
    ),
)
_OUTSIDE = (
    Finding("Ga", "batch norm catches up with group norm from batch 2 to 32 (Wu & He)"),
    Finding("Gb", "the gap is gone at 16 and up (Wu & He)", 2),
    Finding("Gc", "group norm hardly depends on the batch size (Wu & He)"),
    Finding("Ma", "batch norm after the non-linearity beats it before (Mishkin et al.)"),
)

REGISTER = (*_A, *_A_FACTS, *_B, *_C, *_D, *_OUTSIDE)
