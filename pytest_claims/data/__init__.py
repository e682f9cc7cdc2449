"""Images on the device, balanced subsets drawn per seed, and where they come from."""

from pytest_claims.data.dataset import DataError, Dataset
from pytest_claims.data.load import NAMED, Choice, choose, load

__all__ = ["NAMED", "Choice", "DataError", "Dataset", "choose", "load"]
