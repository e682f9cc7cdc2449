"""Frozen dataclasses from the JSON values that dataclasses.asdict made of them."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any


def decoded(kind: Any, value: Any) -> Any:
    """value as a `kind`: a dataclass, an enum, a tuple, a union of these with None, or what JSON has itself.

    Of a union of dataclasses it is the one whose field `kind` has the value's. Raises TypeError for fields that a
    dataclass does not have, and ValueError for a kind that no member of a union has.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _member(arguments, value)
    if origin is tuple:
        each = [arguments[0]] * len(value) if arguments[1:] == (...,) else arguments
        return tuple(decoded(one, item) for one, item in zip(each, value, strict=True))
    if dataclasses.is_dataclass(kind):
        made = typing.cast(Any, kind)
        fields = _fields(made)
        return made(**{name: decoded(fields.get(name, Any), item) for name, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    return value


def _member(kinds: tuple[Any, ...], value: Any) -> Any:
    """value as that member of a union which it is."""
    if value is None:
        return None
    members = [kind for kind in kinds if kind is not type(None)]
    if len(members) == 1:
        return decoded(members[0], value)
    for member in members:
        if typing.get_args(_fields(member)["kind"]) == (value["kind"],):
            return decoded(member, value)
    raise ValueError(f"kind is {value['kind']!r}; known: {', '.join(member.__name__ for member in members)}")


@functools.cache
def _fields(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields by name."""
    return typing.get_type_hints(kind)
