"""-k takes the id of a claim whole: `-k A1b` is that claim alone, not also those whose ids begin so."""

from __future__ import annotations

import re

import pytest

from pytest_claims.judge.decorator import claim_id, claim_of


class IdSelection:
    """A pytest plugin for every process: where -k names nothing but claims by their ids, only these stay.

    pytest's own -k, which comes first, takes any part of a name. It goes on doing so where a word is no id (a finding,
    such as A1a, whose claims have parameters).
    """

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        words = {word.lower() for word in re.split(r"\s+or\s+", config.option.keyword.strip(" ()")) if word}
        ids = {item: claim_id(item).lower() for item in items if claim_of(item)}
        if not words or not words <= set(ids.values()):
            return
        others = [item for item in items if ids.get(item) not in words]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if ids.get(item) in words]
