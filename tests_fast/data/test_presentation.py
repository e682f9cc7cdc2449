"""Images of every data set as networks see them: RGB, 32x32, with the source's own pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.data import DataError
from pytest_claims.data.presentation import presented


def pixels(*shape):
    return np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)


@given(st.integers(1, 32), st.sampled_from([1, 3]), st.booleans())
def test_the_pixels_stand_in_the_middle_of_zeros_and_grey_is_in_every_channel(size, channels, flat):
    images = pixels(2, size, size, channels)
    given_ = images[..., 0] if channels == 1 and flat else images
    shown = presented(given_, "a test", channels=channels, size=size)
    assert (shown.dtype, shown.shape) == (np.uint8, (2, 32, 32, 3))
    filled = np.argwhere(shown[0].any(axis=2))
    before, after = filled.min(axis=0), 31 - filled.max(axis=0)
    assert (before == before[0]).all()
    assert (after - before).tolist() in ([0, 0], [1, 1])  # even, or one more to the right and below
    inside = shown[:, before[0] : before[0] + size, before[1] : before[1] + size]
    for channel in range(3):
        assert (inside[..., channel] == images[..., channel % channels]).all()
    assert np.count_nonzero(shown) == np.count_nonzero(inside)


def test_images_of_cifars_form_are_left_as_they_are():
    images = pixels(2, 32, 32, 3)
    assert presented(images, "a test", channels=3, size=32) is images


def test_images_that_are_presented_already_are_taken_whatever_the_source_has():
    images = pixels(2, 32, 32, 3)
    assert presented(images, "a test", channels=1, size=28) is images


@pytest.mark.parametrize(
    "images",
    [
        pixels(2, 28, 28).astype(np.float32),
        pixels(2, 27, 28),
        pixels(2, 1, 28, 28),
        pixels(2, 28, 28, 3),
        pixels(2, 784),
        np.uint8(3),
    ],
)
def test_other_forms_are_refused_with_those_that_are_taken(images):
    with pytest.raises(DataError) as error:
        presented(images, "x.npz: train", channels=1, size=28)
    assert str(error.value) == (
        f"x.npz: train images are {images.dtype} {list(images.shape)}; needed: uint8 [N, 32, 32, 3] or [N, 28, 28, 1] "
        "or [N, 28, 28]"
    )
