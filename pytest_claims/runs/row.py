"""A row of the store: its columns, its checksum, and what a finished run can be.

Rows come from files that anyone may have written. So each is checked before it is stored or judged: types, ranges,
sizes, its name, and what it says twice. Nothing in a row is executed or unpickled.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from pytest_claims.types import Trained

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY,           -- hash of all that decides the result, see store.Key
    configuration TEXT NOT NULL,    -- canonical JSON of network, recipe and data set
    seed INTEGER NOT NULL,
    data TEXT NOT NULL,             -- fingerprint of the images
    numerics TEXT NOT NULL,         -- JSON: device kind, precision, seeds trained side by side
    engine INTEGER NOT NULL,
    test_accuracy REAL NOT NULL,    -- percent, as are all accuracies
    test_images INTEGER NOT NULL,
    diverged INTEGER NOT NULL,
    curves TEXT NOT NULL,           -- JSON: train_accuracy and train_loss, one value an epoch
    seconds REAL NOT NULL,
    device TEXT NOT NULL,
    versions TEXT NOT NULL,         -- JSON: python, torch, numpy
    finished TEXT NOT NULL,         -- UTC, ISO 8601
    records TEXT NOT NULL DEFAULT '{}',  -- JSON: gradients, predictions as base64 of zlib of '<i2', ...
    checksum TEXT NOT NULL DEFAULT '',   -- of the columns above; '' in rows of before this column was
    session TEXT NOT NULL DEFAULT ''     -- UTC time at which the session began that trained it here
)
"""
# Columns that stores of earlier versions lack, and what stands for them there.
LATER = {"records": "'{}'", "checksum": "''", "session": "''"}

_ALL = tuple(line.split()[0] for line in SCHEMA.splitlines() if line.startswith("    "))
_REAL = ("test_accuracy", "seconds")
# Of a run wherever it goes. The session is one of this store.
COLUMNS = tuple(column for column in _ALL if column != "session")
ORIGINAL = frozenset(COLUMNS) - LATER.keys()

# Limits that no real run comes near, and that keep a forged one from filling the memory.
MOST_IMAGES = 10_000_000
MOST_CHARACTERS = 64 * 1024**2
_MOST_SEED = 2**53
_MOST_NAME = 40
# The clocks of two machines may differ by so much.
_AHEAD = datetime.timedelta(days=1)
# Sums in float32 may end a little above 100.
_MOST_ACCURACY = 100.001
# Accuracies in evidence are rounded to two digits.
_ROUNDED = 0.006


@dataclasses.dataclass(frozen=True)
class Stored:
    """A finished run with what it was trained with. configuration: JSON of network, recipe and data set; numerics: of
    device kind, precision and width; versions: of python, torch and numpy. finished: UTC, ISO 8601."""

    trained: Trained
    configuration: dict[str, Any]
    numerics: dict[str, Any]
    engine: int
    device: str
    versions: dict[str, str]
    finished: str

    @property
    def dataset(self) -> str:
        """The name of its images."""
        return str(self.configuration.get("dataset", "cifar10"))  # the default is not in a configuration


def digest(configuration: str, data: str, numerics: str, engine: int, seed: int) -> str:
    """The name of a run: a hash of all that decides its result."""
    return hashlib.sha256("\n".join((configuration, data, numerics, str(engine), str(seed))).encode()).hexdigest()


def sealed(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row, values of COLUMNS, as the store keeps them, with its checksum in the last one."""
    values = [float(value) if name in _REAL else value for name, value in zip(COLUMNS, row, strict=True)]
    return (*values[:-1], _checksum(values))


def stored(row: Sequence[Any]) -> Stored:
    """The run of a row, values of COLUMNS. Raises ValueError, which says what is wrong, for what no run can be."""
    try:
        return _stored(dict(zip(COLUMNS, row, strict=True)), row)
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    except (TypeError, AttributeError, RecursionError, OverflowError, zlib.error) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def imported(row: Sequence[Any]) -> Stored:
    """The run of a row that comes from a file, values of COLUMNS.

    Raises ValueError as stored does; also for curves of another number of epochs than the recipe's, and for a run that
    was finished later than now, which --fresh would take for a new one.
    """
    found = stored(row)
    try:
        epochs, had = found.configuration["recipe"]["epochs"], len(found.trained.train_loss)
    except (KeyError, TypeError) as error:
        raise ValueError("its configuration has no recipe with epochs") from error
    by_epoch = len(found.trained.test_accuracy_by_epoch)
    if epochs != had or by_epoch not in (0, epochs):
        raise ValueError(f"curves have {had} values, tests by epoch {by_epoch}; allowed: one an epoch, {epochs}")
    if found.finished > latest():
        raise ValueError(f"finished is {found.finished!r}, which is in the future; allowed: up to now")
    return found


def latest() -> str:
    """The latest time that a clock a little ahead may give now, as the store writes times."""
    return (datetime.datetime.now(datetime.UTC) + _AHEAD).isoformat(timespec="microseconds")


def agree(one: Stored, other: Stored) -> bool:
    """Whether two runs have the same result, but for digits that evidence does not keep."""
    a, b = one.trained, other.trained
    if (a.test_accuracy, a.test_images, a.diverged) != (b.test_accuracy, b.test_images, b.diverged):
        return False
    if not (_alike(a.train_accuracy, b.train_accuracy) and _alike(a.train_loss, b.train_loss)):
        return False
    # What one of them has not recorded, or not kept, contradicts nothing.
    rows = ((a.test_accuracy_by_epoch,), (b.test_accuracy_by_epoch,)), (a.gradients, b.gradients)
    for ours, theirs in rows:
        if any(ours) and any(theirs) and not (len(ours) == len(theirs) and all(map(_alike, ours, theirs))):
            return False
    return all(not x or not y or x == y for x, y in ((a.predictions, b.predictions), (a.confusion, b.confusion)))


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two rows of numbers are equal, but for digits that evidence does not keep."""
    if len(one) != len(other):
        return False
    pairs = zip(one, other, strict=True)
    return all(math.isclose(x, y, rel_tol=1e-5) or x == y or (math.isnan(x) and math.isnan(y)) for x, y in pairs)


def predictions_of(records: Mapping[str, Any], images: int) -> tuple[int, ...]:
    """The predictions among a run's records, none where there are none. Raises ValueError for those of other images."""
    packed = records.get("predictions", "")
    if not isinstance(packed, str):
        raise ValueError("predictions are no text")
    if not packed:
        return ()
    unpacker = zlib.decompressobj()
    # A byte more than there may be: a few kilobytes can unpack to gigabytes.
    found = unpacker.decompress(base64.b64decode(packed, validate=True), 2 * images + 1)
    if len(found) != 2 * images or not unpacker.eof:
        raise ValueError(f"predictions are not one for each of {images} test images")
    classes = numpy.frombuffer(found, dtype="<i2")
    if classes.size and int(classes.min()) < 0:
        raise ValueError("predictions have a class below 0")
    return tuple(classes.tolist())


def _stored(values: Mapping[str, Any], row: Sequence[Any]) -> Stored:
    for name, value in values.items():
        if name in _NUMBERS:
            _check_number(name, value)
        elif not isinstance(value, str):
            raise ValueError(f"{name} is {value!r}; allowed: text")
        elif len(value) > MOST_CHARACTERS:
            raise ValueError(f"{name} has {len(value)} characters; allowed: at most {MOST_CHARACTERS}")
    decided = (values[name] for name in ("configuration", "data", "numerics", "engine", "seed"))
    if digest(*decided) != values["key"]:
        raise ValueError("its key does not fit its content")
    if values["checksum"] and values["checksum"] != _checksum(row):
        raise ValueError("its checksum does not fit its content")
    configuration, numerics = _object(values, "configuration"), _object(values, "numerics")
    versions, curves, records = (_object(values, name) for name in ("versions", "curves", "records"))
    for name in ("device", "data"):
        if not values[name].isprintable():
            raise ValueError(f"{name} is {values[name]!r}; allowed: characters that can be shown")
    if not all(isinstance(value, str) and value.isprintable() for value in versions.values()):
        raise ValueError(f"versions is {values['versions']!r}; allowed: an object of texts")
    if not isinstance(numerics.get("device"), str):
        raise ValueError(f"numerics is {values['numerics']!r}; allowed: an object with a device")
    capability = numerics.get("capability", "unknown")
    if not (isinstance(capability, str) and capability.isprintable() and 0 < len(capability) <= _MOST_NAME):
        raise ValueError(f"numerics have the capability {capability!r}; allowed: the name of an instruction set")
    _check_time(values["finished"])
    trained = _trained(values, curves, records)
    return Stored(trained, configuration, numerics, values["engine"], values["device"], versions, values["finished"])


def _trained(values: Mapping[str, Any], curves: Mapping[str, Any], records: Mapping[str, Any]) -> Trained:
    accuracy, loss = (tuple(curves[name]) for name in ("train_accuracy", "train_loss"))
    epochs = len(accuracy)
    if not len(loss) == epochs >= 1:
        raise ValueError(f"curves have {epochs} and {len(loss)} values; allowed: as many, one or more")
    _check_accuracies("train_accuracy", accuracy)
    _check_numbers("train_loss", loss)
    if not all(map(math.isfinite, loss)) and not values["diverged"]:
        raise ValueError("a train_loss is not finite, and diverged is 0")
    gradients = tuple(tuple(each) for each in records.get("gradients", ()))
    for each in gradients:
        _check_numbers("gradients", each)
    by_epoch = tuple(records.get("test_accuracy_by_epoch", ()))
    _check_accuracies("test_accuracy_by_epoch", by_epoch)
    images = values["test_images"]
    confusion = tuple(records.get("confusion", ()))
    if confusion:
        _check_confusion(confusion, images, values["test_accuracy"])
    predictions = predictions_of(records, images)
    told = accuracy, loss, bool(values["diverged"]), values["seconds"], images
    return Trained(values["seed"], values["test_accuracy"], *told, gradients, predictions, by_epoch, confusion)


# From, to, and whether it is whole.
_NUMBERS: dict[str, tuple[float, float, bool]] = {
    "seed": (0, _MOST_SEED, True),
    "engine": (0, _MOST_SEED, True),
    "test_accuracy": (0, 100, False),
    "test_images": (1, MOST_IMAGES, True),
    "diverged": (0, 1, True),
    "seconds": (0, 1e12, False),
}


def _check_number(name: str, value: object) -> None:
    low, high, whole = _NUMBERS[name]
    is_number = type(value) is int or (type(value) is float and not whole)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(
            f"{name} is {value!r}; allowed: {'an integer' if whole else 'a number'} from {low} to {high:g}"
        )


def _check_numbers(name: str, values: Sequence[object]) -> None:
    if not all(type(value) is float or type(value) is int for value in values):
        raise ValueError(f"{name} has a value that is no number")


def _check_accuracies(name: str, values: Sequence[Any]) -> None:
    _check_numbers(name, values)
    if not all(0 <= value <= _MOST_ACCURACY for value in values):  # which no NaN is
        raise ValueError(f"{name} has a value that is not from 0 to 100")


def _check_confusion(counts: Sequence[Any], images: int, accuracy: float) -> None:
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("confusion has a value that is no count")
    classes = math.isqrt(len(counts))
    right = sum(counts[:: classes + 1])
    if classes**2 != len(counts) or sum(counts) != images or abs(100 * right / images - accuracy) > _ROUNDED:
        raise ValueError(f"the confusion counts do not give an accuracy of {accuracy} on {images} images")


def _check_time(text: str) -> None:
    try:
        as_written = datetime.datetime.fromisoformat(text).isoformat(timespec="microseconds") == text
    except ValueError:
        as_written = False
    if not as_written or not text.endswith("+00:00"):
        raise ValueError(f"finished is {text!r}; allowed: UTC, as in 2026-11-21T13:55:38.242982+00:00")


def _object(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = json.loads(values[name])
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no JSON object")
    return found


def _checksum(row: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(row[:-1], separators=(",", ":")).encode()).hexdigest()
