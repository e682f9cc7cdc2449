"""Images on the device, balanced subsets drawn per seed, and where they come from."""

from harness.data.dataset import DataError, Dataset
from harness.data.load import NAMED, Choice, choose, load

__all__ = ["NAMED", "Choice", "DataError", "Dataset", "choose", "load"]
