"""How arms were trained, in a sentence."""

import dataclasses

from models import MLP, DepthCNN
from pytest_claims.judge.training_in_words import training_words
from pytest_claims.types import Augmentation, Recipe, Run

RECIPE = Recipe(200, 128, 10, "sgd", 0.0195, momentum=0.91, schedule=("cosine", 0.003), precision="bfloat16")
RUN = Run(DepthCNN(1, "relu"), RECIPE)


def changed(**fields):
    return dataclasses.replace(RUN, recipe=dataclasses.replace(RECIPE, **fields))


def test_what_is_not_a_default_is_told():
    assert training_words([RUN, RUN]) == (
        "DepthCNN on cifar10: 200 images a class, batch 128, 10 epochs, sgd at 0.0195, momentum 0.91, cosine to 0.003, "
        "bfloat16"
    )
    jitter = Augmentation(brightness=0.1, contrast=0.1, jitter_probability=0.5)
    full = changed(
        images_per_class=None, augmentation=jitter, initialisation="xavier", schedule=("step", 20, 0.1), l1=0.5
    )
    for part in ("all training images", "augmented", "Xavier's init", "times 0.1 every 20 epochs", "L1 0.5"):
        assert part in training_words([full])
        assert part not in training_words([RUN])


def test_arms_that_differ_in_a_number_have_its_range_and_others_stand_side_by_side():
    said = training_words([changed(batch=batch) for batch in (16, 2, 128)])
    assert "batch 2 to 128, 10 epochs" in said
    assert "bfloat16 or float32" in training_words([RUN, changed(precision="float32")])
    assert "cosine to 0.003 or none" in training_words([RUN, changed(schedule=("constant",))])
    other = dataclasses.replace(RUN, network=MLP(("conv", "norm", "activation")), dataset="svhn")
    assert training_words([RUN, other]).startswith("DepthCNN and MLP on cifar10 and svhn: ")
