"""Canonical order, fingerprints, balanced subsets, and data that is refused."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.data.dataset import DataError, dataset
from pytest_claims.data.subset import balanced, rows_of_test_set, training_table
from pytest_claims.types import Recipe
from tests_fast.images import tiny

DATA = tiny(train=12, test=6)
RECIPE = Recipe(5, 8, 3, "sgd", 0.1)


def arrays(count=20, classes=4, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), np.arange(count) % classes


def made(train, test=None, classes=4):
    return dataset("cifar10", "a test", tuple("abcdefgh"[:classes]), train, test or arrays(8), kind="cifar")


@given(st.permutations(range(20)))
def test_the_order_of_a_file_does_not_matter(order):
    images, labels = arrays()
    one, other = made((images, labels)), made((images[order], labels[order]))
    assert one.fingerprint == other.fingerprint
    assert torch.equal(one.train_images, other.train_images)
    assert torch.equal(one.train_labels, other.train_labels)


@pytest.mark.parametrize("change", ["pixel", "label", "test", "fewer"])
def test_the_fingerprint_knows_every_change_of_content(change):
    images, labels = arrays()
    test_images, test_labels = arrays(8)
    before = made((images, labels), (test_images, test_labels)).fingerprint
    if change == "pixel":
        images[3, 1, 2, 0] ^= 1
    elif change == "label":
        labels[0], labels[1] = labels[1], labels[0]
    elif change == "test":
        test_images[0, 0, 0, 0] ^= 1
    else:
        images, labels = images[:-4], labels[:-4]
    assert made((images, labels), (test_images, test_labels)).fingerprint != before


def test_images_keep_their_pixels_and_labels():
    images, labels = arrays()
    made_set = made((images, labels))
    found = {
        image.permute(1, 2, 0).numpy().tobytes(): int(label)
        for image, label in zip(made_set.train_images, made_set.train_labels, strict=True)
    }
    assert found == {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    assert made_set.train_images.dtype == torch.uint8
    assert made_set.train_images.shape == (20, 3, 32, 32)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, y: (x.astype(np.float32), y), "float32"),
        (lambda x, y: (x[:, :16], y), "uint8 \\[N, 32, 32, 3\\]"),
        (lambda x, y: (x, y[:-1]), "integers \\[20\\]"),
        (lambda x, y: (x, y.astype(float)), "integers"),
        (lambda x, y: (x, y + 1), "need 0..3"),
        (lambda x, y: (x[y != 2], y[y != 2]), "no image of class 2"),
    ],
)
def test_data_of_another_form_is_refused(spoil, message):
    with pytest.raises(DataError, match=message):
        made(spoil(*arrays()))


@given(st.integers(0, 1000), st.integers(1, 12))
def test_subsets_are_balanced_and_without_repeats(seed, per_class):
    rows = balanced(DATA.train_labels, per_class, DATA, seed)
    assert len(set(rows.tolist())) == len(rows) == 10 * per_class
    assert torch.bincount(DATA.train_labels[rows]).tolist() == [per_class] * 10


@given(st.integers(0, 1000), st.integers(1, 11))
def test_a_smaller_subset_lies_in_a_larger_one(seed, per_class):
    smaller, larger = (set(balanced(DATA.train_labels, n, DATA, seed).tolist()) for n in (per_class, per_class + 1))
    assert smaller < larger


@given(st.integers(0, 1000))
def test_every_epoch_is_another_order_of_the_same_images(seed):
    table = training_table(DATA, RECIPE, seed)
    assert table.shape == (3, 50)
    assert torch.equal(table.sort(1).values[0], table.sort(1).values[2])
    assert not torch.equal(table[0], table[1])


def test_seeds_differ_and_batch_size_does_not_matter():
    assert not torch.equal(training_table(DATA, RECIPE, 0), training_table(DATA, RECIPE, 1))
    smaller_batch = dataclasses.replace(RECIPE, batch=2, lr=0.5)
    assert torch.equal(training_table(DATA, RECIPE, 0), training_table(DATA, smaller_batch, 0))


def test_subsets_are_drawn_evenly():
    counts = torch.zeros(120)
    for seed in range(400):
        counts[balanced(DATA.train_labels, 3, DATA, seed)] += 1
    # Each image is in a quarter of the subsets; 5 binomial standard deviations either way.
    assert (counts - 100).abs().max() < 5 * (400 * 0.25 * 0.75) ** 0.5


def test_test_set_is_whole_or_cut_evenly():
    assert len(rows_of_test_set(DATA, None)) == 60
    cut = rows_of_test_set(DATA, 2)
    assert torch.bincount(DATA.test_labels[cut]).tolist() == [2] * 10


def test_the_fingerprint_is_that_of_recorded_runs():
    # Of CIFAR, computed in the same way, thousands of stored runs have it in their keys.
    assert made(arrays()).fingerprint == "63d128ee2abfa9422ec96f9c4fc4593115d86bff684d25f7e51792b9131789d2"
