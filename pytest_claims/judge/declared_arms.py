"""Whether what a claim declares are arms that can be trained, before any of them is: one bad claim stops no other."""

from __future__ import annotations

import dataclasses
import math
import traceback
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_claims.errors import ExplainedError
from pytest_claims.types import Arm, Recipe

_NOT_THEIRS = (Path(__file__).resolve().parents[1], Path(dataclasses.__file__).resolve())
_ARM = "Arm(network, {scale: Recipe(...)})"


class ClaimError(ExplainedError):
    """A claim is declared wrongly; the text names the test, what is wrong and what was wanted."""


def called(nodeid: str, declared: Callable[..., Any], values: Mapping[str, object]) -> Any:
    """What a claim's function gives for these arguments. Raises ClaimError for whatever it raises.

    Also for SystemExit and pytest's own outcomes, which would end the session where claims are collected.
    """
    try:
        return declared(**values)
    except (Exception, SystemExit, pytest.skip.Exception, pytest.fail.Exception) as error:
        name = getattr(declared, "__name__", type(declared).__name__)
        raise ClaimError(
            f"{nodeid}: {name}() of its declaration raises {type(error).__name__}: {error}{_where(error)}"
        ) from error


def checked(nodeid: str, arms: Any) -> dict[Hashable, Arm]:
    """The arms that a claim declares, by name. Raises ClaimError for what are none."""
    # With SciPy and torch, which a session without claims does without.
    from pytest_claims.judge.assertion import label
    from pytest_claims.stacked.network import NetworkError, check_form

    if not isinstance(arms, Mapping) or not arms:
        raise ClaimError(
            f"{nodeid}: its arms are {_shortly(arms)}; needed: a mapping from names to arms, one or more, as "
            f"{{'relu': {_ARM}, ...}}"
        )
    labels: dict[str, Hashable] = {}
    for name, arm in arms.items():
        where = f"{nodeid}: arm {name!r}"
        if not isinstance(arm, Arm):
            raise ClaimError(f"{where} is {_shortly(arm)}; needed: {_ARM}")
        if label(name) in labels:
            raise ClaimError(f"{where} reads as arm {labels[label(name)]!r} does; give each a name of its own")
        labels[label(name)] = name
        try:
            check_form(arm.network)
        except NetworkError as error:
            raise ClaimError(f"{where}: {error}") from error
        if wrong := [recipe for recipe in arm.recipes.values() if not isinstance(recipe, Recipe)]:
            raise ClaimError(f"{where} has the recipe {_shortly(wrong[0])}; needed: Recipe(...)")
        documented = arm.documented
        if documented is not None and not (_is_number(documented) and 0 <= documented <= 100):
            raise ClaimError(f"{where} has documented={_shortly(documented)}; allowed: None, or percent from 0 to 100")
        if not isinstance(arm.dataset, str):
            raise ClaimError(f"{where} has dataset={_shortly(arm.dataset)}; needed: the name of a data set")
    return dict(arms)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shortly(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:97]}..."


def _where(error: BaseException) -> str:
    """Where in the claims' own code an error came from: the last place that is neither here nor in Python's library."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    places = [frame for frame in frames if not any(map(Path(frame.filename).resolve().is_relative_to, _NOT_THEIRS))]
    return f" ({Path(places[-1].filename).name}, line {places[-1].lineno})" if places else ""
