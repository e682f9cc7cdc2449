"""Images on the device, balanced subsets drawn per seed, and where they come from."""

from pytest_claims.data import known  # noqa: F401 (registers the package's data sets)
from pytest_claims.data.choice import NAMED, Choice, choose
from pytest_claims.data.dataset import DataError, Dataset
from pytest_claims.data.load import load
from pytest_claims.data.spec import DatasetSpec, Loader, Splits, register, registered, spec_of
from pytest_claims.data.torchvision_loader import Torchvision

__all__ = [
    "NAMED",
    "Choice",
    "DataError",
    "Dataset",
    "DatasetSpec",
    "Loader",
    "Splits",
    "Torchvision",
    "choose",
    "load",
    "register",
    "registered",
    "spec_of",
]
