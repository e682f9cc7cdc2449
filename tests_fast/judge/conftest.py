"""Labs over planted results."""

import pytest

from tests_fast.judge.planted import Planting


@pytest.fixture
def planting(tmp_path):
    return Planting(tmp_path)
