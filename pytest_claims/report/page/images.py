"""What trained networks take images for: a confusion matrix, and a grid of those taken for something else."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from pytest_claims.data import Dataset
from pytest_claims.data.spec import spec_of
from pytest_claims.data.subset import rows_of_test_set
from pytest_claims.report.page.style import INK, styled, svg
from pytest_claims.runs.store import Stored

# Characters of a class's name in it.
_LONGEST = 14
# Images of a grid.
SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Mistaken:
    """A test image that a network takes for another class. png: a data URI, 32x32. share: of the seeds that do."""

    png: str
    true: str
    predicted: str
    share: float


def class_names(dataset: str, data: Dataset | None) -> tuple[str, ...]:
    """Names of the classes, in the order of labels: from the images at hand, or from what is known of the data set."""
    if data is not None:
        return data.class_names
    spec = spec_of(dataset)
    return spec.class_names or tuple(f"class {label}" for label in range(spec.classes))


def has_confusion(stored: Stored, data: Dataset | None) -> bool:
    """Whether what a run took images for is known: from its counts, or from predictions and the images' labels."""
    return bool(stored.trained.confusion or (data is not None and stored.trained.predictions))


def confusion(runs: Sequence[Stored], data: Dataset | None) -> np.ndarray:
    """Share of each class's test images taken for each class, [true, predicted], float64, over all seeds together.

    Every run has_confusion(); data may be None for those with counts. A class without test images has shares of 0.
    """
    counts = np.sum([_counts(stored, data) for stored in runs], axis=0, dtype=np.float64)
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def confusion_figure(label: str, runs: Sequence[Stored], data: Dataset | None, colour: str) -> str:
    """The matrix with its shares in percent written into it. colour: of the network."""
    shares = 100 * confusion(runs, data)
    with styled():
        figure = Figure(figsize=(5.2, 4.6))
        axes = figure.subplots()
        # One hue from nothing to full: alpha of the network's own colour reads on light and dark.
        told = class_names(runs[0].dataset, data)
        names = [name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…" for name in told]
        for (true, predicted), share in np.ndenumerate(shares):
            if share < 0.5:
                continue
            corner = predicted - 0.5, true - 0.5
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, alpha=0.75 * share / 100, lw=0))
            axes.text(predicted, true, f"{share:.0f}", ha="center", va="center", fontsize=7)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.set_title(f"{label}: share of a class's test images, %, over {len(runs)} seeds")
        axes.grid(visible=False)
        axes.tick_params(color=INK)
        diagonal = ", ".join(f"{names[at]} {shares[at, at]:.0f} %" for at in range(len(names)))
        return svg(figure, f"Confusion matrix of {label}. Recognised: {diagonal}")


def mistaken(runs: Sequence[Stored], data: Dataset) -> list[Mistaken]:
    """The test images that most seeds take for one and the same wrong class, at most 20, at most 3 of a class."""
    predicted, true = _predictions(runs, data)
    votes = np.stack([(predicted == label).sum(axis=0) for label in range(data.classes)])
    votes[true, np.arange(len(true))] = 0
    wrong, count = votes.argmax(axis=0), votes.max(axis=0)
    rows = _rows(runs[0], data)
    found: list[Mistaken] = []
    taken = np.zeros(data.classes, dtype=int)
    for at in np.argsort(-count, kind="stable"):
        if not count[at] or len(found) == SHOWN:
            break
        if taken[true[at]] == max(3, SHOWN // data.classes):
            continue
        taken[true[at]] += 1
        image = data.test_images[rows[at]].permute(1, 2, 0).contiguous().numpy()
        names = data.class_names[true[at]], data.class_names[wrong[at]]
        found.append(Mistaken(_uri(image), *names, count[at] / len(predicted)))
    return found


def _counts(stored: Stored, data: Dataset | None) -> np.ndarray:
    """Test images of one run by true and by predicted class, int64 [classes, classes]."""
    counted = stored.trained.confusion
    if counted:
        return np.array(counted).reshape(math.isqrt(len(counted)), -1)
    if data is None:
        raise ValueError("a run without confusion counts needs the labels of its test images")
    (predicted,), true = _predictions([stored], data)
    pairs = np.bincount(true * data.classes + predicted, minlength=data.classes**2)
    return pairs.reshape(data.classes, data.classes)


def _predictions(runs: Sequence[Stored], data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Predicted [seeds, images] and true [images] classes."""
    predicted = np.array([stored.trained.predictions for stored in runs])
    return predicted, data.test_labels[_rows(runs[0], data)].numpy()


def _rows(stored: Stored, data: Dataset) -> torch.Tensor:
    """Positions of the test images that a run was tested on."""
    return rows_of_test_set(data, stored.configuration["recipe"].get("test_images_per_class"))


def _uri(image: np.ndarray) -> str:
    with io.BytesIO() as file:
        Image.fromarray(image).save(file, format="PNG")
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
