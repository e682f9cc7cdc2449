"""Synthetic images is the same everywhere, grows without changing, and is neither trivial nor hopeless."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_claims.data.synthetic import VERSION, synthetic

# Means of 8 training pictures of classes 0 to 3 over red, green and blue; they change with VERSION only.
GOLDEN = (1, [[140.0, 112.7, 103.7], [126.6, 98.7, 115.0], [117.6, 123.9, 115.5], [97.1, 124.3, 117.3]])


def by_class(images, classes):
    return images.reshape(classes, -1, 32, 32, 3)


@pytest.fixture(scope="module")
def drawn():
    return synthetic(10, train_per_class=100, test_per_class=50)


def test_shapes_types_and_balance(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    for images, labels, count in ((train_images, train_labels, 100), (test_images, test_labels, 50)):
        assert images.shape == (10 * count, 32, 32, 3)
        assert labels.shape == (10 * count,)
        assert images.dtype == labels.dtype == np.uint8
        assert np.bincount(labels).tolist() == [count] * 10


def test_same_seed_same_pictures_other_seed_others():
    first, again, other = (synthetic(3, train_per_class=4, test_per_class=2, seed=seed) for seed in (5, 5, 6))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    for split in (0, 2):
        assert (first[split] != other[split]).any(axis=(1, 2, 3)).all()


# 64 and 65: the pictures of a class are drawn 64 at once, and this must not show.
@pytest.mark.parametrize("count", [1, 63, 64, 65])
def test_the_first_pictures_do_not_depend_on_how_many_follow(drawn, count):
    train, _, test, _ = synthetic(2, train_per_class=count, test_per_class=count)
    np.testing.assert_array_equal(by_class(train, 2), by_class(drawn[0], 10)[:2, :count])
    np.testing.assert_array_equal(by_class(test, 2)[:, :50], by_class(drawn[2], 10)[:2, :count])


def test_a_class_does_not_depend_on_how_many_there_are(drawn):
    train, labels, _, _ = synthetic(256, train_per_class=1, test_per_class=0)
    np.testing.assert_array_equal(train[:10], by_class(drawn[0], 10)[:, 0])
    assert labels.tolist() == list(range(256))


def test_no_picture_comes_twice(drawn):
    pictures = [image.tobytes() for image in np.concatenate([drawn[0], drawn[2]])]
    assert len(set(pictures)) == len(pictures)


def test_a_split_may_be_empty():
    train, labels, test, _ = synthetic(2, train_per_class=0, test_per_class=1)
    assert (train.shape, labels.shape, test.shape) == ((0, 32, 32, 3), (0,), (2, 32, 32, 3))


def test_pictures_are_those_of_this_version(drawn):
    means = by_class(drawn[0], 10)[:4, :8].mean(axis=(1, 2, 3)).round(1)
    assert (VERSION, means.tolist()) == GOLDEN, "raise VERSION when pictures change, and put their means here"


def test_pictures_have_contrast_and_are_smooth(drawn):
    pictures = drawn[0][::8].astype(np.float64)
    assert 40 < pictures.std() < 80  # CIFAR: 64
    assert (pictures.std(axis=(1, 2)).max(axis=1) > 5).all()
    # Neighbouring pixels of noise differ by 1.1 standard deviations on average, of CIFAR by about 0.2.
    assert np.abs(np.diff(pictures, axis=2)).mean() < 0.35 * pictures.std()


def test_a_linear_classifier_learns_something_but_not_most(drawn):
    train_images, train_labels, test_images, test_labels = drawn
    train, test = (
        images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(images), -1) / 255 - 0.5
        for images in (train_images, test_images)
    )
    targets = np.eye(10)[train_labels] - 0.1
    weights = np.linalg.solve(train.T @ train + 10 * np.eye(train.shape[1]), train.T @ targets)
    accuracy = ((test @ weights).argmax(axis=1) == test_labels).mean()
    assert 0.15 < accuracy < 0.60


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": 1}, "classes is 1; allowed: a whole number from 2 to 256"),
        ({"classes": 257}, "classes is 257; allowed: a whole number from 2 to 256"),
        ({"classes": 10.0}, "classes is 10.0; allowed: a whole number from 2 to 256"),
        ({"classes": True}, "classes is True; allowed: a whole number from 2 to 256"),
        ({"train_per_class": -1}, "train_per_class is -1; allowed: a whole number at least 0"),
        ({"test_per_class": "5"}, "test_per_class is '5'; allowed: a whole number at least 0"),
        ({"seed": None}, "seed is None; allowed: a whole number at least 0"),
    ],
)
def test_bad_arguments_are_named_with_what_is_allowed(change, message):
    arguments = {"classes": 2, "train_per_class": 1, "test_per_class": 1, "seed": 0} | change
    with pytest.raises(ValueError) as error:
        synthetic(arguments.pop("classes"), **arguments)
    assert str(error.value) == message
