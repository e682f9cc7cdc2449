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


@pytest.fixture
def builtin_numbers():
    """Asserts that a verdict holds no NumPy number at any depth: xdist cannot carry one."""
    return _check
