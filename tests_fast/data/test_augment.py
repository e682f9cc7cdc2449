"""Whole batches of changed images against torchvision, image by image."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.data.augment import augment, augmentation_table
from pytest_claims.streams import stream
from pytest_claims.types import Augmentation
from reference.augmentation import plainly_augmented

FULL = Augmentation(0.09, 0.09, 7, 0.5, 0.2, 0.2, 0.5)
PIXELS = torch.rand(6, 3, 32, 32, dtype=torch.float64, generator=stream("pixels"))


@given(st.integers(0, 1000), st.integers(0, 20))
def test_a_batch_is_what_torchvision_makes_of_each_image(seed, epoch):
    table = augmentation_table(FULL, len(PIXELS), epoch, seed)
    for found, pixels, row in zip(augment(PIXELS, table), PIXELS, table, strict=True):
        torch.testing.assert_close(found, plainly_augmented(pixels, *row.tolist()), rtol=0, atol=1e-5)


def test_parameters_keep_to_their_ranges_and_probabilities():
    table = augmentation_table(FULL, 20_000, 0, 0)
    moved, jittered = table[:, 3] != 0, table[:, 4] != 1
    # Four standard errors of 20,000 draws.
    assert moved.double().mean().item() == pytest.approx(0.5, abs=0.015)
    assert jittered.double().mean().item() == pytest.approx(0.5, abs=0.015)
    assert (moved & jittered).double().mean().item() == pytest.approx(0.25, abs=0.013)
    assert torch.equal(table[~moved, :4], torch.tensor([0.0, 0, 1, 0]).expand(int((~moved).sum()), 4))
    for column, (centre, most) in enumerate([(0, 0.09), (0, 0.09), (1, 0.09), (0, 7), (1, 0.2), (1, 0.2)]):
        away = (table[:, column] - centre).abs()
        assert away.max().item() <= most + 1e-6
        assert away[moved if column < 4 else jittered].mean().item() == pytest.approx(most / 2, rel=0.05)


def test_each_epoch_and_seed_has_changes_of_its_own_and_the_same_again():
    first = augmentation_table(FULL, 8, 0, 0)
    assert torch.equal(first, augmentation_table(FULL, 8, 0, 0))
    assert not torch.equal(first, augmentation_table(FULL, 8, 1, 0))
    assert not torch.equal(first, augmentation_table(FULL, 8, 0, 1))


def test_nothing_is_changed_where_nothing_is_asked_for():
    table = augmentation_table(Augmentation(), len(PIXELS), 0, 0)
    torch.testing.assert_close(augment(PIXELS, table), PIXELS, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("field", "value"), [("shift", -0.1), ("degrees", 181), ("jitter_probability", 1.1)])
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(ValueError, match=f"Augmentation.{field} is {value}"):
        Augmentation(**{field: value})
