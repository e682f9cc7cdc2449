"""What the tests of the statistics share."""

import dataclasses

import pytest


def _check(value):
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _check(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            _check(item)
    elif not isinstance(value, str):  # Outcome is a str
        assert type(value) in (float, int, bool, type(None)), f"{value!r} is {type(value)}"


def _alike(found, expected, where="verdict"):
    if dataclasses.is_dataclass(expected):
        assert type(found) is type(expected), where
        for field in dataclasses.fields(expected):
            _alike(getattr(found, field.name), getattr(expected, field.name), f"{where}.{field.name}")
    elif isinstance(expected, tuple):
        assert len(found) == len(expected), where
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            _alike(one, other, f"{where}[{at}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), where
    else:
        assert found == expected, where


@pytest.fixture
def builtin_numbers():
    """Asserts that a verdict holds no NumPy number at any depth: xdist cannot carry one."""
    return _check


@pytest.fixture
def alike():
    """Asserts that a verdict is the one expected in every field at any depth, floats to within their rounding."""
    return _alike
