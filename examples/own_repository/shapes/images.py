"""`python -m shapes.images`: draw discs, squares and stripes into data/shapes.npz, the same ones every time."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SIZE = 32
CLASSES = ("disc", "square", "stripes")
IMAGES = {"train": 40, "test": 40}  # of each class


def picture(name: str, generator: np.random.Generator) -> np.ndarray:
    """One picture of a class, uint8 [32, 32, 3]: its shape somewhere, in a colour of its own, in noise."""
    y, x = np.mgrid[:SIZE, :SIZE]
    centre, half = generator.uniform(10, 22, 2), generator.uniform(5, 9)
    down, across = np.abs(y - centre[0]), np.abs(x - centre[1])
    inside = {
        "disc": down**2 + across**2 < half**2,
        "square": np.maximum(down, across) < half * 0.9,
        "stripes": (np.maximum(down, across) < half * 1.1) & ((y + x) % 6 < 3),
    }[name]
    colour, ground = generator.uniform(120, 255, 3), generator.uniform(0, 120, 3)
    pixels = np.where(inside[..., None], colour, ground) + generator.normal(0, 25, (SIZE, SIZE, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def main(file: Path) -> None:
    """Write all pictures in the suite's .npz layout."""
    generator, arrays = np.random.default_rng(0), {"class_names": np.array(CLASSES)}
    for split, count in IMAGES.items():
        arrays[f"{split}_images"] = np.stack([picture(name, generator) for name in CLASSES for _ in range(count)])
        arrays[f"{split}_labels"] = np.repeat(np.arange(len(CLASSES)), count)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/shapes.npz"))
