"""D. Batch, group and layer norm in a 48,178-parameter CNN with skips (S8-Assignment-Solution).

(a), the architecture, is a fast test (tests_fast/models). Margins, fixed before any run: half the documented difference
for "beats", 2 points for "comparable" (the documented difference is 0.00). Of its sweeps the source gives no figures;
what would be worth a sentence: 2 points for "hurts", 3 for "hardly matters", half a point for the best batch size and
for a best learning rate, at which each network must do better than at the other's.
"""

import dataclasses

import pytest

from claims.sources.s8_assignment import ACCURACY, BATCH, NORMS, PEAK, RECIPE, SWEEPS, stretched
from models import SkipCNN
from pytest_claims import Arm, Story, claim
from pytest_claims.stacked import BATCH as BATCH_NORM
from pytest_claims.stacked import LAYER, group

# The ends are those of the source's own curves (TRAIN_ACCURACY), written out since the page reads no names.
STORY = Story(figure="curves", findings=("Db",), ends={"batch norm": 78.42, "group norm": 73.19, "layer norm": 73.22})

KINDS = {"batch norm": BATCH_NORM, "group norm": group(2), "layer norm": LAYER}
BATCHES = (32, 64, 128)
# At a fixed number of epochs a larger batch takes fewer steps; at fixed steps it sees more images.
BUDGETS = {"epochs": lambda batch: 1, "steps": lambda batch: batch // BATCH}
RATES = (PEAK / 4, PEAK / 2, PEAK, 2 * PEAK)
COMPARABLE = HURTS = 2.0
HARDLY = 3.0
AHEAD = 0.5


def arm(norm, batch=BATCH, factor=1, lr=PEAK):
    recipes = {scale: dataclasses.replace(stretched(recipe, batch, factor), lr=lr) for scale, recipe in RECIPE.items()}
    documented = ACCURACY[norm] if (batch, factor, lr) == (BATCH, 1, PEAK) else None
    return Arm(SkipCNN(KINDS[norm]), recipes, documented)


def norms(*names):
    return {name: arm(name) for name in names}


def by_batch(norm, budget):
    return {(norm, batch): arm(norm, batch, BUDGETS[budget](batch)) for batch in BATCHES}


def by_rate(norm):
    return {(name, rate): arm(name, lr=rate) for name in (norm, "batch norm") for rate in RATES}


@claim("Db", "batch norm beats group and layer norm", source=NORMS, arms=lambda: norms(*KINDS), images=True)
def test_batch_norm_is_best(lab):
    lead = ACCURACY["batch norm"] - ACCURACY["group norm"]
    lab.assert_best("batch norm", ["group norm", "layer norm"], margin=lead / 2)


@claim("Dc", "group and layer norm are comparable", source=NORMS, arms=lambda: norms("group norm", "layer norm"))
def test_group_and_layer_norm_are_comparable(lab):
    lab.assert_within("group norm", "layer norm", within=COMPARABLE)


@pytest.mark.parametrize("budget", BUDGETS)
@claim(
    "Dd",
    "at fixed {budget}, the batch size hardly matters to batch norm",
    source=SWEEPS,
    arms=lambda budget: by_batch("batch norm", budget),
)
def test_batch_size_hardly_matters_to_batch_norm(lab, budget):
    lab.assert_no_difference([("batch norm", batch) for batch in BATCHES], within=HARDLY)


@pytest.mark.parametrize("budget", BUDGETS)
@claim(
    "De",
    "at fixed {budget}, larger batches than 32 hurt group norm",
    source=SWEEPS,
    arms=lambda budget: by_batch("group norm", budget),
)
def test_larger_batches_hurt_group_norm(lab, budget):
    lab.assert_falls({batch: ("group norm", batch) for batch in BATCHES}, margin=HURTS)


@pytest.mark.parametrize("budget", BUDGETS)
@claim(
    "Df",
    "at fixed {budget}, larger batches than 32 hurt layer norm",
    source=SWEEPS,
    arms=lambda budget: by_batch("layer norm", budget),
)
def test_larger_batches_hurt_layer_norm(lab, budget):
    lab.assert_falls({batch: ("layer norm", batch) for batch in BATCHES}, margin=HURTS)


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("norm", ["group norm", "layer norm"])
@claim("Df'", "at fixed {budget}, a batch of 32 is the best for {norm}", source=SWEEPS, arms=by_batch)
def test_batch_32_is_best(lab, norm, budget):
    lab.assert_best((norm, BATCH), [(norm, batch) for batch in BATCHES if batch != BATCH], margin=AHEAD)


@claim(
    "Dg",
    "group norm needs a lower learning rate than batch norm",
    source=SWEEPS,
    arms=lambda: by_rate("group norm"),
    tunes=True,
)
def test_group_norm_needs_a_lower_learning_rate(lab):
    needing, than = ({rate: (norm, rate) for rate in RATES} for norm in ("group norm", "batch norm"))
    lab.assert_needs_lower(needing, than, margin=AHEAD)


@claim(
    "Dh",
    "layer norm needs a lower learning rate than batch norm",
    source=SWEEPS,
    arms=lambda: by_rate("layer norm"),
    tunes=True,
)
def test_layer_norm_needs_a_lower_learning_rate(lab):
    needing, than = ({rate: (norm, rate) for rate in RATES} for norm in ("layer norm", "batch norm"))
    lab.assert_needs_lower(needing, than, margin=AHEAD)
