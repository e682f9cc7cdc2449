"""What the sources' modules hold, against the documents' own figures and against itself."""

import numpy as np
import pytest

from claims.sources import ai_experiments, s8_assignment, second_readme
from pytest_claims.types import Augmentation


@pytest.mark.parametrize(
    ("runs", "means"),
    [
        (ai_experiments.SIGMOID_RUNS, ai_experiments.SIGMOID_BY_DEPTH),
        (ai_experiments.RELU_RUNS, ai_experiments.RELU_BY_DEPTH),
        (ai_experiments.ORDER_RUNS, ai_experiments.ORDER_MEANS),
    ],
)
def test_documented_means_are_those_of_the_documented_runs(runs, means):
    # Printed with two digits, by rounding or by cutting.
    assert np.mean(runs, axis=0) == pytest.approx(list(means.values()), abs=0.0101)


def test_recipes_of_ai_experiments():
    depth, base = ai_experiments.DEPTH_RECIPE["documented"], ai_experiments.BASE_RECIPE["documented"]
    long, order = ai_experiments.LONG_RECIPE["documented"], ai_experiments.ORDER_RECIPE["documented"]
    assert (depth.images_per_class, depth.batch, depth.epochs, depth.optimizer, depth.lr) == (
        300,
        512,
        10,
        "adamw",
        1e-3,
    )
    assert (base.images_per_class, base.epochs, base.lr, base.momentum, base.weight_decay) == (200, 10, 0.0195, 0.91, 0)
    assert base.schedule == ("cosine", 0.003)
    assert (long.images_per_class, long.epochs, long.lr, long.momentum, long.weight_decay) == (
        500,
        100,
        0.012,
        0.87,
        5e-4,
    )
    assert long.schedule == ("cosine", 5e-4)
    assert (order.images_per_class, order.batch, order.epochs, order.lr, order.momentum) == (500, 256, 50, 0.0195, 0.91)
    assert order.schedule == ("step", 20, 0.1)
    assert depth.precision == "float32"
    assert {recipe.precision for recipe in (base, long, order)} == {"bfloat16"}


def test_recipe_of_s8_assignment():
    recipe = s8_assignment.RECIPE["documented"]
    assert (recipe.images_per_class, recipe.batch, recipe.epochs, recipe.precision) == (None, 32, 20, "float32")
    assert (recipe.optimizer, recipe.lr, recipe.momentum, recipe.weight_decay) == ("sgd", 0.01, 0.95, 0)
    assert recipe.initialisation == "xavier"
    rates = np.interp([0, 2, 8, 12, 20], recipe.schedule[1::2], np.array(recipe.schedule[2::2]) * recipe.lr)
    assert rates == pytest.approx([0.001, 0.01, 0.0002, 0.0001, 0])
    assert recipe.augmentation == Augmentation(0.09, 0.09, 7, 0.5, 0.2, 0.2, 0.5)
    assert (recipe.mean, recipe.std) == ((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))


def test_recipes_at_scale_full_take_the_whole_training_set_and_else_what_was_said():
    depth = second_readme.DEPTH_RECIPE["full"]
    batch, order = second_readme.BATCH_SIZE_RECIPE["full"], second_readme.FULL_ORDER_RECIPE["full"]
    assert {recipe.images_per_class for recipe in (depth, batch, order)} == {None}
    long, documented = ai_experiments.LONG_RECIPE["documented"], ai_experiments.ORDER_RECIPE["documented"]
    assert {**vars(batch), "images_per_class": 500, "epochs": 100} == vars(long)
    assert {**vars(order), "images_per_class": 500} == vars(documented)
