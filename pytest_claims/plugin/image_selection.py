"""Claims for which the sample of a data set does not suffice are skipped, with the reason and the way out."""

from __future__ import annotations

import contextlib

import pytest

from pytest_claims.judge.decorator import arms_at, claim_of
from pytest_claims.settings import Settings


class ImageSelection:
    """A pytest plugin for every process: skips claims whose recipes take more images than the sample has."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    # After -k and -m, and after claims without a recipe are left out.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if why := lacking(item, self._settings):
                item.add_marker(pytest.mark.skip(reason=f"not judged: {why}"))


def lacking(item: pytest.Item, settings: Settings) -> str:
    """Why the images of this session do not suffice for a test's claim, "" where they do."""
    if claim_of(item) is None:
        return ""
    # What is wrong with an arm or its data set is for the test itself to report.
    with contextlib.suppress(Exception):
        runs = [arm.run(settings.scale) for arm in arms_at(item, settings.scale).values()]
        return next(filter(None, (settings.data.lacks(run.dataset, run.recipe) for run in runs)), "")
    return ""
