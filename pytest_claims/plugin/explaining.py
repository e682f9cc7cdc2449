"""--explain: the whole story of claims, judged from recorded runs, and told instead of a test session's output."""

from __future__ import annotations

import difflib
import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_claims.judge.assertion import label
from pytest_claims.judge.decorator import arms_at, claim_id, claim_of, words_of
from pytest_claims.plugin.refusal import refused
from pytest_claims.plugin.scale_selection import scales_of
from pytest_claims.plugin.session import not_judged, result_of
from pytest_claims.report.explanation import Told, explanations

# Columns of a story on a wide terminal.
_COLUMNS = 100
_NEAREST = 5


class Explaining:
    """A pytest plugin for the process that the person started. scale: of the session."""

    def __init__(self, config: pytest.Config, scale: str) -> None:
        self._config, self._scale = config, scale

    # Before -k, and before claims of other scales are left out: a name that is known must not be called unknown.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the claims that were asked for. Raises pytest.UsageError for a name of none, or of another scale."""
        claims = [item for item in items if claim_of(item)]
        try:
            asked = [item for name in names(config.option.explain) for item in self._asked(name, claims)]
        except pytest.UsageError:
            items.clear()  # pytest tells everyone of what it collected, also where that ends in an error
            raise
        others = [item for item in items if item not in asked]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item in asked]

    def _asked(self, name: str, claims: Sequence[pytest.Item]) -> list[pytest.Item]:
        found = named(name, claims)
        if not found:
            raise pytest.UsageError(f"--explain {name}: {_unknown(name, claims)}")
        scales = dict.fromkeys(scale for item in found for scale in scales_of(item))
        if self._scale not in scales:
            way = " or ".join(f"--scale {scale}" for scale in scales)
            raise pytest.UsageError(f"--explain {name}: it has no recipe at scale {self._scale}; add {way}")
        return found

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self._config.option.collectonly or session.testsfailed:
            return None
        told = []
        for item, after in zip(session.items, [*session.items[1:], None], strict=True):
            # As pytest runs a test, but for its output.
            told.append(self._told(item, runtestprotocol(item, log=False, nextitem=after)))
        told.sort(key=lambda each: each.module)
        writer = self._config.get_terminal_writer()
        for line in explanations(told, min(_COLUMNS, writer.fullwidth)):
            writer.line(line)
        return True

    def _told(self, item: pytest.Item, reports: Sequence[pytest.TestReport]) -> Told:
        result = next(filter(None, map(result_of, reports)), None)
        why = next((why for _, why in not_judged(reports, [], [item.nodeid])), "")
        declared = claim_of(item)
        assert declared  # what is no claim was not selected
        module: Any = getattr(item, "module", None)
        refusal = refused(item, self._scale)
        return Told(
            id=claim_id(item),
            claim="(not as it should be declared)" if refusal else words_of(item),
            module=inspect.getdoc(module) or "",
            source=declared.source,
            arms={} if refusal else {label(name): arm for name, arm in arms_at(item, self._scale).items()},
            scale=self._scale,
            result=result,
            not_judged=refusal or why,
        )


def names(given: Sequence[str]) -> list[str]:
    """What --explain was given, each name by itself."""
    return [name for text in given for name in (part.strip() for part in text.split(",")) if name]


def named(name: str, claims: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The claims of a name: the one with this id; else those of the finding, or whose ids begin so; else those of the
    findings that begin so ("A2")."""
    ids, wanted = _ids(claims), name.lower()
    exact = [item for item, own in ids.items() if wanted == own]
    family = [item for item, own in ids.items() if own.startswith(f"{wanted}-") or wanted == _finding(item)]
    return exact or family or [item for item in claims if _finding(item).startswith(wanted)]


def _ids(claims: Sequence[pytest.Item]) -> Mapping[pytest.Item, str]:
    return {item: claim_id(item).lower() for item in claims}


def _finding(item: pytest.Item) -> str:
    declared = claim_of(item)
    return str(declared.finding).lower() if declared else ""


def _unknown(name: str, claims: Sequence[pytest.Item]) -> str:
    """What is said of a name of no claim: the nearest ones, those that begin alike first."""
    known = {known for item in claims for known in (claim_id(item), claim_id(item).split("-")[0])}
    if not known:
        return "no claims are collected here; name their folder, as in `pytest claims --explain A2b`"

    def likeness(other: str) -> tuple[int, float, str]:
        one, two = name.lower(), other.lower()
        alike = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
        return -alike, -difflib.SequenceMatcher(None, one, two).ratio(), other

    return f"no claim has this id; nearest: {', '.join(sorted(known, key=likeness)[:_NEAREST])}"
