"""Where -k matches nothing, the session names the claims that the person may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_claims.judge.decorator import claim_id, claim_of
from pytest_claims.report.facts import wrapped
from pytest_claims.report.failure import COLUMNS

_KEY = "claims_near_ids"
# How many are named.
_MOST = 3


class NearIds:
    """A pytest plugin for every process: after -k left nothing, it says so, with ids like those asked for."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._near: list[str] | None = None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        if claim_of(item):
            self._ids.append(claim_id(item))

    # After -k, and before all that the other options leave out.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if config.option.keyword and self._ids and not items:
            self._near = near(config.option.keyword, self._ids) or list(dict.fromkeys(self._ids))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput") and self._near is not None:
            session.config.workeroutput[_KEY] = self._near

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # xdist's workers collect; the process that the person reads does not.
        self._near = getattr(node, "workeroutput", {}).get(_KEY, self._near)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        if self._near is not None:
            meant = f"did you mean {' or '.join(self._near)}?"
            if not near(config.option.keyword, self._near):
                meant = f"their ids are {', '.join(self._near)}"
            for line in wrapped(f"-k {config.option.keyword!r} matches no claim: {meant}", COLUMNS):
                terminalreporter.write_line(line)


def near(keyword: str, ids: Sequence[str]) -> list[str]:
    """Ids that are much like a word of a -k expression, the nearest first, at most three."""
    words = [word for word in re.split(r"[\s()]+", keyword) if word not in ("", "and", "or", "not")]
    lower = {id.lower(): id for id in ids}
    found = [name for word in words for name in difflib.get_close_matches(word.lower(), lower, n=_MOST, cutoff=0.7)]
    return [lower[name] for name in dict.fromkeys(found)][:_MOST]
