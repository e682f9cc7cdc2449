"""The engine: (network, recipe, seeds, data) -> what came out, per seed."""

from pytest_claims.train.engine import ENGINE_VERSION, train

__all__ = ["ENGINE_VERSION", "train"]
