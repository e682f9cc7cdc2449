"""The data set of this repository: in `data/shapes.npz`, which `python -m shapes.images` writes."""

from shapes.images import CLASSES, IMAGES, SIZE

from pytest_claims.data import DatasetSpec, register

register(
    DatasetSpec(
        "shapes",
        classes=len(CLASSES),
        training_images=IMAGES["train"] * len(CLASSES),
        test_images=IMAGES["test"] * len(CLASSES),
        channels=3,
        size=SIZE,
    )
)
