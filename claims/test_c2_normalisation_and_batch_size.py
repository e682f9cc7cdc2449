"""C2. Normalisation and batch size (Assignment 1, with Group Normalization's table as an anchor).

Assignment 1 gives no figures. Margins, fixed before any run: 10 points for "falls sharply"; 3 points for "consistent",
as AI-Experiments has it; half a doubling for "the lower standard deviation", since less is no reason to choose a norm.
Group Normalization's table is of ResNet-50 on ImageNet: the claims ask whether its shape is that of a small CNN on
CIFAR-10, too. Half of its own figure for "catches up"; 2 points for a gap that is gone, where its own is 0.5, and for
"hardly depends", where its own span is 0.2.
"""

from dataclasses import replace

import pytest

from claims.recipes import COLLAPSED_AT, with_fields
from claims.sources.ai_experiments import BASE_RECIPE, BATCH_SIZES
from claims.sources.assignment_1 import BATCH_SIZE_AND_NORM
from claims.sources.outside import BATCH_NORM_ERROR, GROUP_NORM_ERROR, GROUP_NORMALIZATION
from models import NormCNN
from pytest_claims import Arm, claim
from pytest_claims.stacked import BATCH, group

SHARPLY = 10.0
CONSISTENT = 3.0
HALF_A_DOUBLING = 0.5
GONE = 2.0
ANCHORED = (2, 4, 8, 16, 32)
ERRORS = {"batch norm": BATCH_NORM_ERROR, "group norm": GROUP_NORM_ERROR}

NORMS = {"batch norm": (BATCH, BATCH, BATCH), "group norm": (group(4), group(8), group(8))}


def of(norm, batch):
    recipes = with_fields(BASE_RECIPE, batch=batch)
    return Arm(NormCNN(NORMS[norm]), recipes, may_collapse=batch in COLLAPSED_AT)


def at_every_batch_size(*norms):
    return {(norm, batch): of(norm, batch) for norm in norms for batch in BATCH_SIZES}


def both(batch):
    return {norm: of(norm, batch) for norm in ("group norm", "batch norm")}


@claim(
    "Cd",
    "batch norm falls sharply as the batch shrinks from 128 to 2",
    source=BATCH_SIZE_AND_NORM,
    arms=lambda: at_every_batch_size("batch norm"),
)
def test_batch_norm_falls_with_small_batches(lab):
    lab.assert_rises({batch: ("batch norm", batch) for batch in BATCH_SIZES}, margin=SHARPLY)


@claim(
    "Ce",
    "group norm is consistent at every batch size",
    source=BATCH_SIZE_AND_NORM,
    arms=lambda: at_every_batch_size("group norm"),
)
def test_group_norm_is_consistent(lab):
    lab.assert_no_difference([("group norm", batch) for batch in BATCH_SIZES], within=CONSISTENT)


@pytest.mark.parametrize("batch", BATCH_SIZES)
@claim(
    "Cf",
    "at batch {batch}, group norm has the lower standard deviation over seeds",
    source=BATCH_SIZE_AND_NORM,
    arms=both,
)
def test_group_norm_varies_less(lab, batch):
    lab.assert_steadier("group norm", ["batch norm"], margin=HALF_A_DOUBLING)


def gap(batch):
    return BATCH_NORM_ERROR[batch] - GROUP_NORM_ERROR[batch]


def anchored(norm, batch):
    return replace(of(norm, batch), documented=100 - ERRORS[norm][batch])


def both_anchored(batch):
    return {norm: anchored(norm, batch) for norm in ("group norm", "batch norm")}


def at_anchored_batch_sizes(*norms):
    return {(norm, batch): anchored(norm, batch) for norm in norms for batch in ANCHORED}


@claim(
    "Ga",
    "in a small CNN, too, batch norm catches up with group norm as the batch grows from 2 to 32",
    source=GROUP_NORMALIZATION,
    arms=lambda: at_anchored_batch_sizes("batch norm", "group norm"),
)
def test_the_gap_closes_with_the_batch_size(lab):
    by_batch = {batch: (("batch norm", batch), ("group norm", batch)) for batch in ANCHORED}
    lab.assert_gap_widens(by_batch, margin=(gap(2) - gap(32)) / 2)


@pytest.mark.parametrize("batch", [16, 32])
@claim(
    "Gb",
    "in a small CNN, too, the gap between batch and group norm is gone at batch {batch}",
    source=GROUP_NORMALIZATION,
    arms=both_anchored,
)
def test_the_gap_is_gone_at_large_batches(lab, batch):
    lab.assert_within("batch norm", "group norm", within=GONE)


@claim(
    "Gc",
    "in a small CNN, too, group norm hardly depends on batch sizes from 2 to 32",
    source=GROUP_NORMALIZATION,
    arms=lambda: at_anchored_batch_sizes("group norm"),
)
def test_group_norm_hardly_depends_on_the_batch_size(lab):
    lab.assert_no_difference([("group norm", batch) for batch in ANCHORED], within=GONE)
