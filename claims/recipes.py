"""Recipes of every scale, changed alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pytest_claims import Recipe


def with_fields(recipes: Mapping[str, Recipe], **fields: Any) -> dict[str, Recipe]:
    """The recipes by scale, with these fields (a batch size, say) in the place of their own."""
    return {scale: dataclasses.replace(recipe, **fields) for scale, recipe in recipes.items()}
