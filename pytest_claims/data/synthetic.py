"""Synthetic images in the place of CIFAR: procedural 32x32 pictures from a seed, for rehearsals without a download.

A picture shows one object before a sky and a ground, often with other objects behind and in front. Its class
is a combination of a shape family (blob, crate, boat, car, beast, flyer, flower, crescent), a texture family
(stripes, checks, spots, noise octaves, rings, two-tone) and a palette tendency. Classes share families, each
of the three cues misleads in some pictures, and place, size, tilt, pattern, scenery, light and grain vary.

Difficulty, with 10 classes (2-core Intel Xeon, torch 2.13 on the CPU, float32, PyTorch's default initial
weights): claim A2's base recipe at batch 64 reaches 51.9 % (54.2, 50.6 and 51.0 with three seeds), claim A1's
eight blocks with ReLU 32.8 % (33.6 and 31.9 with two). The aim was CIFAR-10's level, about 52 % and 37 %.
Drawing 10 x 700 pictures takes about 1 s.

That level is all that they share with CIFAR: verdicts on them say nothing about CIFAR.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

# Raise it when any pixel of any picture changes.
VERSION = 1

SIZE = 32
MOST_CLASSES = 256
_SHAPES, _TEXTURES, _PALETTES = 8, 6, 6
# Pictures drawn at once, few enough that their planes of float32 stay in a core's cache.
_CHUNK = 64
# Random numbers of a picture: named draws (a few to spare), the lattices of its noise, and its pixels' grain.
_DRAWS = 160
_LATTICES = (5, 9, 17)
_ROW = _DRAWS + sum(side * side for side in _LATTICES) + SIZE * SIZE

# float32 [n, 32, 32], or [n, 1, 1] for one number a picture. Only +, -, *, /, sqrt, floor, rint, abs, minimum
# and maximum touch it: IEEE 754 fixes their results to the bit on any machine, as it does not for sin, exp or
# a BLAS product, and no rounding to uint8 can tip. Hence waves are parabolas, and angles given by the tangent
# of their half. ("floating", since NumPy's types do not know that float32 times a Python number stays float32.)
Plane = NDArray[np.floating]
# Which pictures, bool [n, 1, 1], and which family each belongs to, int64 [n].
Chosen = NDArray[np.bool]
Families = NDArray[np.int64]


def synthetic(
    classes: int, *, train_per_class: int, test_per_class: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw the images: train_images uint8 [N, 32, 32, 3] in RGB, train_labels uint8 [N], both for the test.

    Picture i of class c in a split is the same however many pictures or classes are asked for. Labels come in
    order: 0, 0, ..., 1, 1, ... Raises ValueError unless classes is a whole number from 2 to 256 and the
    others are whole numbers of at least 0.
    """
    _check("classes", classes, 2, MOST_CLASSES)
    _check("train_per_class", train_per_class, 0)
    _check("test_per_class", test_per_class, 0)
    _check("seed", seed, 0)
    labels = np.arange(classes, dtype=np.uint8)
    train, test = (
        np.concatenate([_of_class(label, count, (int(seed), split)) for label in range(classes)])
        for split, count in enumerate((train_per_class, test_per_class))
    )
    return train, np.repeat(labels, train_per_class), test, np.repeat(labels, test_per_class)


def _check(name: str, value: int, low: int, high: int | None = None) -> None:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} is {value!r}; allowed: a whole number {allowed}")


def _of_class(label: int, count: int, key: tuple[int, int]) -> NDArray[np.uint8]:
    seed, split = key
    # A generator for each class and split, read one row a picture: nothing else decides what a picture shows.
    source = np.random.SeedSequence(seed, spawn_key=(VERSION, split, label))
    generator = np.random.Generator(np.random.PCG64(source))
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for start in range(0, count, _CHUNK):
        part = images[start : start + _CHUNK]
        part[...] = _pictures(label, generator.random((len(part), _ROW), np.float32))
    return images


class _Draws:
    """The named random numbers of pictures, handed out column by column as [n, 1, 1]."""

    def __init__(self, columns: Plane) -> None:
        self._columns: Iterator[Plane] = iter(columns.T[:, :, None, None])

    def uniform(self, low: float, high: float) -> Plane:
        return next(self._columns) * (high - low) + low

    def bell(self, deviation: float) -> Plane:
        """About normal around 0: three uniform numbers have half a deviation between them."""
        return (next(self._columns) + next(self._columns) + next(self._columns) - 1.5) * (2 * deviation)

    def chance(self, probability: float) -> Chosen:
        return next(self._columns) < probability

    def family(self, usual: int, among: int, stray: float) -> Families:
        """The usual family, or with probability `stray` any; int64 [n]."""
        other = np.floor(next(self._columns) * among).astype(np.int64)
        return np.where(self.chance(stray), other, usual).ravel()


def _pictures(label: int, rows: Plane) -> NDArray[np.uint8]:
    """One picture of the class for each row of random numbers."""
    # No combination comes twice in 256 labels.
    step, shape = divmod(label, _SHAPES)
    texture = (step + shape) % _TEXTURES
    palette = (step // _TEXTURES + step + 5 * shape) % _PALETTES
    draw = _Draws(rows[:, :_DRAWS])
    noise = _octaves(rows[:, _DRAWS : -SIZE * SIZE])
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / (SIZE / 2) - 1
    x, y = axis[None, None, :], axis[None, :, None]

    # One object in eight has any hue at all; the scenery follows the class in six of ten.
    hue = palette / _PALETTES + draw.bell(0.07)
    hue = np.where(draw.chance(0.12), draw.uniform(0, 1), hue)
    usual = palette * 5 % _PALETTES / _PALETTES
    scenery = np.where(draw.chance(0.4), draw.uniform(0, 1), usual + draw.bell(0.12))
    height = y - draw.uniform(-0.6, 0.9) + noise * draw.uniform(0, 0.6) + x * draw.bell(0.15)
    below = np.clip(height * draw.uniform(0.5, 6) + 0.5, 0, 1)
    sky = _colour(scenery, draw.uniform(0, 0.6), draw.uniform(0.45, 1))
    ground = _colour(scenery + draw.bell(0.2), draw.uniform(0.1, 0.7), draw.uniform(0.15, 0.8))
    mottle = noise * draw.uniform(0, 0.2)
    canvas = [a + (b - a) * below + mottle for a, b in zip(sky, ground, strict=True)]

    def put(hue: Plane, shape: Families, texture: Families, at: float, size: tuple[float, float], shown: float) -> None:
        scale = draw.uniform(*size)
        right, down = x - draw.bell(at), y - draw.bell(at)
        u, v = _turned(right / scale, down / scale, draw.bell(0.12))
        u = np.where(draw.chance(0.5), u, -u)
        outline = _by_family(_outline, shape, u, v, draw.uniform(0, 1), draw.uniform(0, 1), noise)
        p, q = _turned(u, v, draw.uniform(-1, 1))
        rate = draw.uniform(1.4, 2.6)
        p, q = p * rate + draw.uniform(0, 1), q * rate + draw.uniform(0, 1)
        pattern = _by_family(_pattern, texture, p, q, noise) * draw.uniform(0.2, 0.5) + 0.5
        # Lit from above, and darker towards the outline, as round things are.
        light = np.clip(0.85 - v * draw.uniform(0, 0.3) - outline * 0.5, 0.4, 1.3)
        cover = np.clip(0.5 - outline * scale * (SIZE / 2), 0, 1) * draw.chance(shown)
        first = _colour(hue, draw.uniform(0.25, 0.9), draw.uniform(0.5, 1))
        second = _colour(hue + draw.bell(0.1), draw.uniform(0.1, 0.9), draw.uniform(0.1, 0.7))
        for channel, (a, b) in enumerate(zip(first, second, strict=True)):
            canvas[channel] += ((a + (b - a) * pattern) * light - canvas[channel]) * cover

    def anything() -> tuple[Plane, Families, Families]:
        return draw.uniform(0, 1), draw.family(0, _SHAPES, 1), draw.family(0, _TEXTURES, 1)

    put(*anything(), at=0.6, size=(0.2, 0.55), shown=0.55)
    shapes, textures = draw.family(shape, _SHAPES, 0.1), draw.family(texture, _TEXTURES, 0.15)
    put(hue, shapes, textures, at=0.19, size=(0.5, 0.9), shown=1)
    put(*anything(), at=0.7, size=(0.15, 0.35), shown=0.3)

    # The camera: uneven illumination, a cast of colour, contrast and grain.
    lamp = draw.uniform(0.7, 1.2) * (1 + x * draw.bell(0.15) + y * draw.bell(0.15))
    contrast = draw.uniform(0.6, 1.1)
    grain = (rows[:, -SIZE * SIZE :].reshape(-1, SIZE, SIZE) - 0.5) * draw.uniform(0, 0.12)
    planes = [(plane * lamp * (1 + draw.bell(0.08)) - 0.5) * contrast + 0.5 + grain for plane in canvas]
    return np.rint(np.clip(np.stack(planes, -1), 0, 1) * 255).astype(np.uint8)


def _octaves(lattices: Plane) -> Plane:
    """Value noise between -1.75 and 1.75, mostly within 1: each octave twice as fine and half as strong."""
    total: Plane = np.zeros((len(lattices), 3, 3), np.float32)
    start = 0
    for octave, side in enumerate(_LATTICES):
        cells = lattices[:, start : start + side * side].reshape(-1, side, side)
        total = _doubled(total) + (cells * 2 - 1) * 0.5**octave
        start += side * side
    return _doubled(total)[:, :SIZE, :SIZE]


def _doubled(grid: Plane) -> Plane:
    """A grid of twice the resolution with linear interpolation between: [n, s, s] -> [n, 2s - 1, 2s - 1]."""
    n, side, _ = grid.shape
    fine = np.empty((n, 2 * side - 1, 2 * side - 1), np.float32)
    fine[:, ::2, ::2] = grid
    fine[:, ::2, 1::2] = (grid[:, :, 1:] + grid[:, :, :-1]) * 0.5
    fine[:, 1::2] = (fine[:, 2::2] + fine[:, :-2:2]) * 0.5
    return fine


def _turned(u: Plane, v: Plane, half: Plane) -> tuple[Plane, Plane]:
    """Turn by the angle whose half has this tangent."""
    square = half * half
    cos, sin = (1 - square) / (1 + square), 2 * half / (1 + square)
    return u * cos + v * sin, v * cos - u * sin


def _colour(hue: Plane, saturation: Plane, value: Plane) -> list[Plane]:
    """HSV (hue in turns) to red, green and blue."""
    turns = (hue + offset for offset in (0, 2 / 3, 1 / 3))
    ramps = (np.clip(abs((turn - np.floor(turn)) * 6 - 3) - 1, 0, 1) for turn in turns)
    return [value * (1 - saturation + saturation * ramp) for ramp in ramps]


def _by_family(draw: Callable[..., Plane], family: Families, *planes: Plane) -> Plane:
    """draw(kind, *planes) for the pictures of each kind; family: int64 [n]."""
    out = np.empty_like(planes[0])
    for kind in np.unique(family):
        rows = family == kind
        out[rows] = draw(kind, *(plane[rows] for plane in planes))
    return out


def _ellipse(u: Plane, v: Plane, rx: Plane | float, ry: Plane | float) -> Plane:
    a, b = u / rx, v / ry
    radius: Plane = np.sqrt(a * a + b * b)
    # As float32: the minimum of two Python numbers is a float64, which numpy 2 would spread to the plane.
    return (radius - 1) * np.asarray(np.minimum(rx, ry), np.float32)


def _box(u: Plane, v: Plane, rx: Plane | float, ry: Plane | float) -> Plane:
    beyond: Plane = np.maximum(abs(u) - rx, abs(v) - ry)
    return beyond


def _outline(kind: int, u: Plane, v: Plane, a: Plane, b: Plane, noise: Plane) -> Plane:
    """About the signed distance to a shape of radius 1, negative inside; v is down, a and b vary it."""
    if kind == 0:  # blob
        return _ellipse(u, v, 0.95, 0.6 + a * 0.35) + noise * (0.1 + 0.2 * b)
    if kind == 1:  # crate: a superellipse of exponent 4
        p, q = u / (0.9 - 0.3 * b), v / (0.6 + a * 0.3)
        radius: Plane = np.sqrt(np.sqrt(p * p * p * p + q * q * q * q))
        return (radius - 1) * 0.6
    if kind == 2:  # boat
        hull: Plane = np.maximum(abs(v - 0.55) - 0.25, abs(u) + v * 0.5 - 1.2)
        sail: Plane = np.maximum(v - 0.2, (abs(u + 0.1 - 0.2 * b) * (1.6 + a) - v - 1.1) * 0.6)
        return np.minimum(hull, sail)
    if kind == 3:  # car
        cabin = np.maximum(_box(u + 0.2 - 0.4 * b, v + 0.3, 0.45 + 0.35 * a, 0.35), abs(u) - v - 1.2)
        wheels = _ellipse(abs(u) - 0.58, v - 0.45, 0.25, 0.25)
        return np.minimum(np.minimum(_box(u, v - 0.15, 1.0, 0.28), cabin), wheels)
    if kind == 4:  # beast
        head, neck = 0.3 + 0.3 * b, 0.15 + 0.15 * b
        front = np.minimum(_ellipse(u - 0.7, v + head, 0.32, 0.28), _ellipse(u - 0.5, v + neck, 0.25, 0.35))
        legs = _box(abs(u + 0.1) - 0.45, v - 0.5, 0.11, 0.45)
        return np.minimum(np.minimum(_ellipse(u + 0.1, v, 0.75, 0.35 + 0.1 * a), front), legs)
    if kind == 5:  # flyer
        wings = _box(u + abs(v) * (0.2 + 0.5 * a) - 0.1, v, 0.24, 0.95)
        tail = _box(u + abs(v) * 0.5 + 0.75, v, 0.12, 0.4)
        return np.minimum(np.minimum(_ellipse(u, v, 1.0, 0.17 + 0.08 * b), wings), tail)
    if kind == 6:  # flower: mirrors fold the plane so that one petal is six
        p, q = abs(u), abs(v)
        beyond = np.maximum(q * 0.8660254 - p * 0.5, 0)
        p, q = p + beyond, q - beyond * 1.7320508
        heart = 0.25 + 0.2 * b
        return np.minimum(_ellipse(p - 0.6, q, 0.38, 0.16 + 0.12 * a), _ellipse(u, v, heart, heart))
    bite = _ellipse(u - 0.2 - 0.4 * a, v, 0.45 + 0.2 * b, 0.5 + 0.2 * b)
    return np.maximum(_ellipse(u, v, 0.9, 0.9), -bite)  # crescent, or a ring


def _pattern(kind: int, p: Plane, q: Plane, noise: Plane) -> Plane:
    """A texture from -1 to 1; p and q count its periods."""
    if kind == 0:  # stripes
        return np.clip(_wave(p) * 2, -1, 1)
    if kind == 1:  # checks
        return np.clip(_wave(p) * _wave(q) * 4, -1, 1)
    if kind == 2:  # spots
        p, q = p - np.floor(p) - 0.5, q - np.floor(q) - 0.5
        return np.clip((0.08 - p * p - q * q) * 16, -1, 1)
    if kind == 3:  # noise octaves
        return np.clip(noise * 2, -1, 1)
    if kind == 4:  # rings
        return _wave(np.sqrt(p * p + q * q))
    return np.clip(p * 3, -1, 1)  # two-tone


def _wave(t: Plane) -> Plane:
    """A sine of period 1 in shape, made of two parabolas."""
    t = (t - np.floor(t)) * 2 - 1
    return t * (1 - abs(t)) * 4
