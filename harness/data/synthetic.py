"""The embedded stand-in for CIFAR: procedural 32x32 pictures from a seed, for rehearsals without any download.

A picture shows one object before a landscape of two tones with other things about. Its class is a combination of a
shape family (blob, crate, boat, car, beast, flyer, flower, crescent), a texture family (stripes, checks, spots, noise
octaves, rings, two-tone) and a palette tendency. Classes share families, and each cue misleads in some pictures.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator

import numpy as np

# Raise it when any pixel of any picture changes.
VERSION = 1

SIZE = 32
MOST_CLASSES = 256
_SHAPES, _TEXTURES, _PALETTES = 8, 6, 6
# Pictures drawn at once: their planes of float32 stay in a core's cache.
_CHUNK = 64
# Random numbers a picture: named draws, the lattices of its noise, and the grain of its pixels.
_DRAWS = 160
_LATTICES = (5, 9, 17)
_ROW = _DRAWS + sum(side * side for side in _LATTICES) + SIZE * SIZE

# Only +, -, *, /, sqrt, floor, abs, minimum and maximum touch a pixel: IEEE 754 fixes their float32 results to the bit,
# which it does not for sin, exp or a BLAS product. That is why waves are parabolas and angles are rational.
_Plane = np.ndarray


def synthetic(
    classes: int, *, train_per_class: int, test_per_class: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw the stand-in: train_images uint8 [N, 32, 32, 3] in RGB, train_labels uint8 [N], and both for the test.

    Picture i of class c in a split is the same however many pictures or classes are asked for. Labels go 0, 0, ...,
    1, 1, ... in order. Raises ValueError for anything but 2 to 256 classes and whole numbers of at least 0.
    """
    _check("classes", classes, 2, MOST_CLASSES)
    _check("train_per_class", train_per_class, 0)
    _check("test_per_class", test_per_class, 0)
    _check("seed", seed, 0)
    splits = []
    for split, count in enumerate((train_per_class, test_per_class)):
        images = np.empty((classes, count, SIZE, SIZE, 3), np.uint8)
        for label in range(classes):
            source = np.random.SeedSequence(int(seed), spawn_key=(VERSION, split, label))
            generator = np.random.Generator(np.random.PCG64(source))
            for start in range(0, count, _CHUNK):
                part = images[label, start : start + _CHUNK]
                part[...] = _pictures(label, generator.random((len(part), _ROW), np.float32))
        splits += [images.reshape(-1, SIZE, SIZE, 3), np.repeat(np.arange(classes, dtype=np.uint8), count)]
    return tuple(splits)


def _check(name: str, value: int, low: int, high: int | None = None) -> None:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} is {value!r}; allowed: a whole number {allowed}")


class _Draws:
    """A picture's named random numbers, handed out column by column as [n, 1, 1]."""

    def __init__(self, columns: np.ndarray) -> None:
        self._columns: Iterator[np.ndarray] = iter(columns.T[:, :, None, None])

    def uniform(self, low: float, high: float) -> _Plane:
        return next(self._columns) * np.float32(high - low) + np.float32(low)

    def bell(self, spread: float) -> _Plane:
        return (next(self._columns) + next(self._columns) + next(self._columns) - np.float32(1.5)) * np.float32(
            2 * spread
        )

    def chance(self, probability: float) -> _Plane:
        return next(self._columns) < np.float32(probability)

    def family(self, usual: int, among: int, stray: float) -> np.ndarray:
        other = np.floor(next(self._columns) * np.float32(among)).astype(np.int64)
        return np.where(self.chance(stray), other, usual).ravel()


def _pictures(label: int, rows: np.ndarray) -> np.ndarray:
    # Every combination comes once in 256 labels, and neighbours differ in all three.
    step, shape = divmod(label, _SHAPES)
    texture = (step + shape) % _TEXTURES
    palette = (step // _TEXTURES + step + 5 * shape) % _PALETTES
    draw = _Draws(rows[:, :_DRAWS])
    noise = _octaves(rows[:, _DRAWS : -SIZE * SIZE])
    axis = (np.arange(SIZE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIZE / 2) - 1
    x, y = axis[None, None, :], axis[None, :, None]

    hue = palette / _PALETTES + draw.bell(0.10)
    # A quarter of the objects has any hue at all.
    hue = np.where(draw.chance(0.25), draw.uniform(0, 1), hue)
    # Background: sky over ground, with the palette's own tendency in some pictures.
    scenery = np.where(draw.chance(0.5), draw.uniform(0, 1), (palette * 5 % _PALETTES) / _PALETTES + draw.bell(0.12))
    horizon = (y - draw.uniform(-0.6, 0.9) + noise * draw.uniform(0, 0.6) + x * draw.bell(0.15)) * draw.uniform(0.5, 6)
    sky = _colour(scenery, draw.uniform(0.0, 0.6), draw.uniform(0.45, 1.0))
    ground = _colour(scenery + draw.bell(0.2), draw.uniform(0.1, 0.7), draw.uniform(0.15, 0.8))
    share = np.clip(horizon + np.float32(0.5), 0, 1)
    mottle = noise * draw.uniform(0, 0.3)
    canvas = [a + (b - a) * share + mottle for a, b in zip(sky, ground, strict=True)]

    def put(
        hue: _Plane, family: np.ndarray, surface: np.ndarray, place: float, size: tuple[float, float], shown: float
    ) -> None:
        scale = draw.uniform(*size)
        u, v = x - draw.bell(place), y - draw.bell(place)
        u, v = _turned(u / scale, v / scale, draw.bell(0.12))
        u = np.where(draw.chance(0.5), u, -u)
        outline = _shape(family, u, v, draw.uniform(0, 1), draw.uniform(0, 1), noise)
        p, q = _turned(u, v, draw.uniform(-1, 1))
        rate = draw.uniform(1.4, 2.6)
        pattern = _texture(surface, p * rate + draw.uniform(0, 1), q * rate + draw.uniform(0, 1), noise)
        pattern = np.float32(0.5) + pattern * draw.uniform(0.2, 0.5)
        # lit from above, darker towards the outline
        light = np.clip(np.float32(0.85) - v * draw.uniform(0, 0.3) - outline * np.float32(0.5), 0.4, 1.3)
        cover = np.clip(np.float32(0.5) - outline * scale * np.float32(SIZE / 2), 0, 1) * draw.chance(shown)
        first = _colour(hue, draw.uniform(0.25, 0.9), draw.uniform(0.5, 1.0))
        second = _colour(hue + draw.bell(0.1), draw.uniform(0.1, 0.9), draw.uniform(0.1, 0.7))
        for channel, (a, b) in enumerate(zip(first, second, strict=True)):
            canvas[channel] += ((a + (b - a) * pattern) * light - canvas[channel]) * cover

    def anything() -> tuple[_Plane, np.ndarray, np.ndarray]:
        return draw.uniform(0, 1), draw.family(0, _SHAPES, 1), draw.family(0, _TEXTURES, 1)

    put(*anything(), place=0.6, size=(0.2, 0.6), shown=0.7)
    put(hue, draw.family(shape, _SHAPES, 0.1), draw.family(texture, _TEXTURES, 0.15), 0.2, (0.4, 0.9), 1)
    put(*anything(), place=0.7, size=(0.15, 0.4), shown=0.4)

    # Illumination: a gradient over the whole picture, exposure, a cast of colour, contrast, and grain.
    lamp = draw.uniform(0.7, 1.2) * (1 + x * draw.bell(0.15) + y * draw.bell(0.15))
    contrast = draw.uniform(0.6, 1.1)
    grain = (rows[:, -SIZE * SIZE :].reshape(-1, SIZE, SIZE) - np.float32(0.5)) * draw.uniform(0, 0.12)
    half = np.float32(0.5)
    planes = [((plane * lamp * (1 + draw.bell(0.08))) - half) * contrast + half + grain for plane in canvas]
    return np.rint(np.clip(np.stack(planes, -1), 0, 1) * np.float32(255)).astype(np.uint8)


def _octaves(lattices: np.ndarray) -> _Plane:
    """Value noise [n, 32, 32] in about -1 to 1, smooth at first sight and rough at the second."""
    total, start = np.zeros((len(lattices), 3, 3), np.float32), 0
    for octave, side in enumerate(_LATTICES):
        total = _doubled(total)
        cells = lattices[:, start : start + side * side].reshape(-1, side, side)
        total += (cells * 2 - 1) * np.float32(0.5**octave)
        start += side * side
    return _doubled(total)[:, :SIZE, :SIZE]


def _doubled(grid: np.ndarray) -> np.ndarray:
    n, side, _ = grid.shape
    fine = np.empty((n, 2 * side - 1, 2 * side - 1), np.float32)
    fine[:, ::2, ::2] = grid
    fine[:, ::2, 1::2] = (grid[:, :, 1:] + grid[:, :, :-1]) * np.float32(0.5)
    fine[:, 1::2] = (fine[:, 2::2] + fine[:, :-2:2]) * np.float32(0.5)
    return fine


def _turned(u: _Plane, v: _Plane, half: _Plane) -> tuple[_Plane, _Plane]:
    """Turn by the angle whose half has this tangent."""
    square = half * half
    cos, sin = (1 - square) / (1 + square), 2 * half / (1 + square)
    return u * cos + v * sin, v * cos - u * sin


def _colour(hue: _Plane, saturation: _Plane, value: _Plane) -> list[_Plane]:
    """HSV to RGB."""
    channels = []
    for offset in (0, 2 / 3, 1 / 3):
        turn = hue + np.float32(offset)
        ramp = np.clip(abs((turn - np.floor(turn)) * 6 - 3) - 1, 0, 1)
        channels.append(value * (1 - saturation + saturation * ramp))
    return channels


def _ellipse(u: _Plane, v: _Plane, rx: _Plane | float, ry: _Plane | float) -> _Plane:
    a, b = u / rx, v / ry
    return (np.sqrt(a * a + b * b) - 1) * np.minimum(rx, ry)


def _box(u: _Plane, v: _Plane, rx: _Plane | float, ry: _Plane | float) -> _Plane:
    return np.maximum(abs(u) - rx, abs(v) - ry)


def _shape(family: np.ndarray, u: _Plane, v: _Plane, a: _Plane, b: _Plane, noise: _Plane) -> _Plane:
    """About the signed distance to each picture's outline, negative inside; a and b vary it within its family."""
    out = np.empty_like(u)
    for kind in np.unique(family):
        rows = family == kind
        out[rows] = _OUTLINES[kind](u[rows], v[rows], a[rows], b[rows], noise[rows])
    return out


def _union(*parts: _Plane) -> _Plane:
    out = parts[0]
    for part in parts[1:]:
        out = np.minimum(out, part)
    return out


def _blob(u, v, a, b, noise):
    return _ellipse(u, v, 0.95, 0.6 + a * 0.35) + noise * (0.1 + 0.2 * b)


def _crate(u, v, a, b, noise):
    p, q = u / (0.9 - 0.3 * b), v / (0.6 + a * 0.3)
    p, q = p * p, q * q
    return (np.sqrt(np.sqrt(p * p + q * q)) - 1) * np.float32(0.6)


def _boat(u, v, a, b, noise):
    hull = np.maximum(abs(v - 0.55) - 0.25, abs(u) + v * 0.5 - 1.2)
    sail = np.maximum(v - 0.2, (abs(u + 0.1 - 0.2 * b) * (1.6 + a) - v - 1.1) * 0.6)
    return _union(hull, sail)


def _car(u, v, a, b, noise):
    body = _box(u, v - 0.15, 1.0, 0.28)
    cabin = np.maximum(_box(u + 0.2 - 0.4 * b, v + 0.3, 0.45 + 0.35 * a, 0.35), abs(u) - v - 1.2)
    return _union(body, cabin, _ellipse(abs(u) - 0.58, v - 0.45, 0.25, 0.25))


def _beast(u, v, a, b, noise):
    body = _ellipse(u + 0.1, v, 0.75, 0.35 + 0.1 * a)
    head = _ellipse(u - 0.7, v + 0.3 + 0.3 * b, 0.32, 0.28)
    neck = _ellipse(u - 0.5, v + 0.15 + 0.15 * b, 0.25, 0.35)
    legs = _box(abs(u + 0.1) - 0.45, v - 0.5, 0.11, 0.45)
    return _union(body, head, neck, legs)


def _flyer(u, v, a, b, noise):
    body = _ellipse(u, v, 1.0, 0.17 + 0.08 * b)
    wings = _box(u + abs(v) * (0.2 + 0.5 * a) - 0.1, v, 0.24, 0.95)
    tail = _box(u + abs(v) * 0.5 + 0.75, v, 0.12, 0.4)
    return _union(body, wings, tail)


def _flower(u, v, a, b, noise):
    # Two mirrors fold the plane into a third of a half plane: six petals from one.
    p, q = abs(u), abs(v)
    side = np.maximum(q * np.float32(0.8660254) - p * np.float32(0.5), 0) * 2
    p, q = p + side * np.float32(0.5), q - side * np.float32(0.8660254)
    return _union(_ellipse(p - 0.6, q, 0.38, 0.16 + 0.12 * a), _ellipse(u, v, 0.25 + 0.2 * b, 0.25 + 0.2 * b))


def _crescent(u, v, a, b, noise):
    return np.maximum(_ellipse(u, v, 0.9, 0.9), -_ellipse(u - 0.2 - 0.4 * a, v, 0.45 + 0.2 * b, 0.5 + 0.2 * b))


_OUTLINES = (_blob, _crate, _boat, _car, _beast, _flyer, _flower, _crescent)


def _wave(t: _Plane) -> _Plane:
    """A sine of period 1 by two parabolas."""
    t = (t - np.floor(t)) * 2 - 1
    return t * (1 - abs(t)) * 4


def _texture(family: np.ndarray, p: _Plane, q: _Plane, noise: _Plane) -> _Plane:
    """The pattern on each picture's object, from -1 to 1."""
    out = np.empty_like(p)
    for kind in np.unique(family):
        rows = family == kind
        out[rows] = _PATTERNS[kind](p[rows], q[rows], noise[rows])
    return out


def _spots(p, q, noise):
    p, q = p - np.floor(p) - np.float32(0.5), q - np.floor(q) - np.float32(0.5)
    return np.clip((np.float32(0.08) - p * p - q * q) * 16, -1, 1)


_PATTERNS = (
    lambda p, q, noise: np.clip(_wave(p) * 2, -1, 1),
    lambda p, q, noise: np.clip(_wave(p) * _wave(q) * 4, -1, 1),
    _spots,
    lambda p, q, noise: np.clip(noise * 2, -1, 1),
    lambda p, q, noise: _wave(np.sqrt(p * p + q * q)),
    lambda p, q, noise: np.clip(p * 3, -1, 1),
)
