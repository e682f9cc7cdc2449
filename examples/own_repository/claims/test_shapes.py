"""Shapes: does the width of a small network matter, and its pooling? (An example; the source is made up.)"""

from shapes.network import TwoBlocks

from pytest_claims import Arm, Recipe, Source, claim

SOURCE = Source("A notebook", "Discs, squares and stripes", repetitions=1)
RECIPE = Recipe(images_per_class=40, batch=10, epochs=4, optimizer="sgd", lr=0.05, momentum=0.9)


def arm(documented=None, **network):
    return Arm(TwoBlocks(**network), {"rehearsal": RECIPE, "documented": RECIPE}, documented, dataset="shapes")


@claim(
    "S1",
    "16 channels beat 1",
    source=SOURCE,
    arms=lambda: {"16 channels": arm(90.0, width=16), "1 channel": arm(50.0, width=1)},
)
def test_width_matters(lab):
    lab.assert_greater("16 channels", "1 channel", margin=10.0)


@claim(
    "S2",
    "1 channel is as good as 16",
    source=SOURCE,
    arms=lambda: {"16 channels": arm(width=16), "1 channel": arm(width=1)},
)
def test_width_hardly_matters(lab):
    lab.assert_within("16 channels", "1 channel", within=5.0)
