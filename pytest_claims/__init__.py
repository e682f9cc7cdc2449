"""Deep-learning findings as pytest tests: all that the author of a claim imports.

    from pytest_claims import Arm, Recipe, Source, claim

Layers to build networks of are in `pytest_claims.stacked`. The names are loaded when they are asked for: pytest imports
this package in every session of an environment that has it, and most sessions have no claims.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pytest_claims.judge.decorator import claim as claim
    from pytest_claims.judge.metric import ACCURACY as ACCURACY
    from pytest_claims.judge.metric import Metric as Metric
    from pytest_claims.judge.metric import gradient as gradient
    from pytest_claims.story import Story as Story
    from pytest_claims.types import Arm as Arm
    from pytest_claims.types import Augmentation as Augmentation
    from pytest_claims.types import Confounder as Confounder
    from pytest_claims.types import Outcome as Outcome
    from pytest_claims.types import Recipe as Recipe
    from pytest_claims.types import Source as Source

_PLACES = {
    "ACCURACY": "pytest_claims.judge.metric",
    "Arm": "pytest_claims.types",
    "Augmentation": "pytest_claims.types",
    "Confounder": "pytest_claims.types",
    "Metric": "pytest_claims.judge.metric",
    "Outcome": "pytest_claims.types",
    "Recipe": "pytest_claims.types",
    "Source": "pytest_claims.types",
    "Story": "pytest_claims.story",
    "claim": "pytest_claims.judge.decorator",
    "gradient": "pytest_claims.judge.metric",
}

__all__ = [
    "ACCURACY",
    "Arm",
    "Augmentation",
    "Confounder",
    "Metric",
    "Outcome",
    "Recipe",
    "Source",
    "Story",
    "__version__",
    "claim",
    "gradient",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'pytest_claims' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
