"""Claims that are refused where they are collected: their own tests fail with the reason, and all others run."""

from __future__ import annotations

import pytest

from pytest_claims.errors import ExplainedError
from pytest_claims.judge.declared_arms import ClaimError
from pytest_claims.judge.decorator import arms_at, claim_id, claim_of, is_quick, metric_of, words_of

_WHY = pytest.StashKey[str]()


class RepeatedIds:
    """A pytest plugin for every process: claims of one id are refused, for -k, --explain and pages could not tell them
    apart. (A claim's entry in a ledger is that of its test.)"""

    # Before any are left out: whether a claim is refused does not depend on what was selected.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        of: dict[str, list[pytest.Item]] = {}
        for item in items:
            if claim_of(item):
                # -k knows no upper case.
                of.setdefault(claim_id(item).lower(), []).append(item)
        for same in of.values():
            tests = sorted({item.nodeid for item in same})
            if len(tests) < 2:
                continue
            for item in same:
                others = ", ".join(test for test in tests if test != item.nodeid)
                item.stash[_WHY] = (
                    f"{item.nodeid}: its id {claim_id(item)} is also that of {others}; give each a finding of its own"
                )


def refuse(item: pytest.Item, scale: str) -> None:
    """Raise ClaimError for a claim that cannot be judged as it is declared; what only training shows is not seen."""
    if item.stash.get(_WHY, ""):
        raise ClaimError(item.stash[_WHY])
    try:
        words_of(item)
        metric_of(item)
        is_quick(item)
        arms_at(item, scale)
    except ExplainedError:
        raise
    except Exception as error:  # whatever else a declaration can get wrong: no other claim may suffer
        raise ClaimError(f"{item.nodeid}: what it declares raises {type(error).__name__}: {error}") from error


def refused(item: pytest.Item, scale: str) -> str:
    """Why refuse() would, "" where it would not."""
    try:
        refuse(item, scale)
    except ExplainedError as error:
        return str(error)
    return ""
