"""The engine: (network, recipe, seeds, data) -> what came out, per seed."""

from harness.train.engine import ENGINE_VERSION, train

__all__ = ["ENGINE_VERSION", "train"]
