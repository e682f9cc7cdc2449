"""Claims that a session's scale does not have are left out, and the session says so."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from pytest_claims.judge.decorator import arms_of, claim_of, is_quick
from pytest_claims.types import SCALES, recipe_of

_KEY = "claims_left_out"


class ScaleSelection:
    """A pytest plugin for every process: deselects the claims that the sources give no recipe at a scale for, and at
    scale quick those that are not quick."""

    def __init__(self, scale: str) -> None:
        self._scale = scale
        self._left_out: dict[str, list[str]] = {}

    # After -k and -m: only what was asked for is spoken of.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        scales = {item: scales_of(item) for item in items}
        left_out = [item for item in items if self._scale not in scales[item]]
        if left_out:
            self._left_out = {item.nodeid: scales[item] for item in left_out}
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if self._scale in scales[item]]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_KEY] = self._left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # xdist's workers collect; the process that the person reads does not.
        self._left_out = getattr(node, "workeroutput", {}).get(_KEY, self._left_out)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._left_out:
            count = len(self._left_out)
            # How many of them each scale has; the number is left out where it is all.
            having = {scale: sum(scale in found for found in self._left_out.values()) for scale in SCALES}
            scales = [
                f"--scale {scale}" + (f" ({number})" if number < count else "")
                for scale, number in having.items()
                if number
            ]
            if self._scale == "quick":
                why = "claim is not quick" if count == 1 else "claims are not quick"
            else:
                why = f"{'claim has' if count == 1 else 'claims have'} no recipe at scale {self._scale}"
            terminalreporter.write_line(
                f"left out: {count} {why}; {'it runs' if count == 1 else 'they run'} with {' or '.join(scales)}"
            )


def scales_of(item: pytest.Item) -> list[str]:
    """The scales that have a test's claim: all of its arms have a recipe for them, and it is quick if that is asked.

    All of them for an ordinary test, and for arms that cannot be made, which the test itself reports.
    """
    if claim_of(item) is None:
        return list(SCALES)
    with contextlib.suppress(Exception):
        arms, quick = arms_of(item).values(), is_quick(item)
        return [
            scale
            for scale in SCALES
            if all(recipe_of(scale) in arm.recipes for arm in arms) and (quick or scale != "quick")
        ]
    return list(SCALES)
