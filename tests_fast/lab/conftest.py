"""Labs over planted results."""

import pytest

from tests_fast.lab.planted import Planting


@pytest.fixture
def planting(tmp_path, monkeypatch):
    return Planting(tmp_path, monkeypatch)
