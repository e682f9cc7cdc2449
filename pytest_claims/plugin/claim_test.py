"""A claim's test: the lab that it asserts with, and how its verdict, or what kept it from one, ends it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping

import pytest

from pytest_claims.data import DataError
from pytest_claims.errors import ExplainedError, shown
from pytest_claims.judge.decorator import arms_at, arms_of, claim_id, metric_of, words_of
from pytest_claims.judge.lab import Lab, NoLookError, NotReproducedError
from pytest_claims.judge.metric import NotRecordedError
from pytest_claims.judge.result import Result
from pytest_claims.ledger.beside import elsewhere, on_evidence
from pytest_claims.ledger.entries import Entry, Ledger, of_kind
from pytest_claims.ledger.policy import Standing, standing
from pytest_claims.ledger.siblings import siblings
from pytest_claims.plugin.refusal import refuse
from pytest_claims.report import failure_text, junit_properties
from pytest_claims.runs.executor import ExecutorLostError
from pytest_claims.runs.laboratory import Laboratory
from pytest_claims.runs.pool import NotStoredError
from pytest_claims.runs.results import Results
from pytest_claims.runs.store_file import DamagedError, StoreError
from pytest_claims.settings import Settings
from pytest_claims.types import Claim

# Of a test whose verdict is the recorded one and not REPRODUCED: what the ledger says.
EXPECTED = pytest.StashKey[str]()

# By kind of images.
Ledgers = Mapping[str, Ledger]


def lab_of(
    item: pytest.Item,
    declared: Claim,
    laboratory: Laboratory,
    ledgers: Ledgers,
    documented: Ledgers,
    claims: int,
    columns: int,
    results: Results | None = None,
) -> Lab:
    """The lab of a claim's test. ledgers: of the session's scale. documented: those of scale documented. claims: how
    many the session has. columns: that a failure's text may take. results: where they come from, by default the
    laboratory's pool."""

    def explain(result: Result) -> str:
        return failure_text(as_recorded(item, ledgers, documented, result), columns)

    settings = laboratory.settings
    try:
        refuse(item, settings.scale)
        words, arms, metric = words_of(item), arms_at(item, settings.scale), metric_of(item)
        left_out = arms_of(item).keys() - arms.keys()
        pool = results or laboratory.pool_for(arms.values(), metric.of)
        return Lab(
            item.nodeid,
            claim_id(item),
            declared,
            words,
            arms,
            settings,
            pool,
            explain,
            metric,
            claims,
            left_out,
        )
    except ExplainedError as error:
        raise _ended(settings, error) from None


@contextlib.contextmanager
def judged(
    item: pytest.Item, ledgers: Ledgers, documented: Ledgers, settings: Settings, columns: int
) -> Iterator[None]:
    """Run a claim's test inside this: it ends by its verdict, and its report has the result.

    A claim that is not REPRODUCED fails with its assertion; one that has looks left is skipped as open. With --ledger,
    and where verdicts are being recorded, the verdict is held against the recorded one instead.
    """
    updating, held = item.config.option.update_ledger, item.config.option.ledger or item.config.option.update_ledger
    try:
        yield
    except NotReproducedError as error:
        found = (
            standing(_recorded(item, ledgers, error.result), error.result, updating=updating) if held else Standing()
        )
        if found.expected:
            item.stash[EXPECTED] = found.expected
        elif error.result.open and not found.fails:
            raise pytest.skip.Exception(f"{found.said} {open_text(error.result)}".lstrip()) from None
        raise pytest.fail.Exception(f"{found.said}\n\n{error}".lstrip(), pytrace=False) from None
    except (NotStoredError, NoLookError) as error:
        raise pytest.skip.Exception(str(error)) from None
    except ExecutorLostError as error:
        item.session.shouldstop = str(error)
        raise _ended(settings, error) from None
    except ExplainedError as error:
        raise _ended(settings, error) from None
    finally:
        used: Lab | None = getattr(item, "funcargs", {}).get("lab")
        result = used.result if used else None
        if result:
            result = as_recorded(item, ledgers, documented, result)
            item.user_properties += [("claim", result.to_json()), *junit_properties(result)]
    if not result:
        pytest.fail(f"{item.nodeid} declares a claim and asserts nothing about it with `lab`", pytrace=False)
    found = standing(_recorded(item, ledgers, result), result, updating=updating) if held else Standing()
    if found.fails:
        pytest.fail(shown(f"{found.said}\n\n{failure_text(result, columns)}"), pytrace=False)


def open_text(result: Result) -> str:
    """ "OPEN 5/20 A1a-1: ReLU beats sigmoid: not decided yet. Next: pytest ..."."""
    return f"{result.verdict_words} {result.id}: {result.claim}: not decided yet. Next: {result.command}"


def as_recorded(item: pytest.Item, ledgers: Ledgers, documented: Ledgers, result: Result) -> Result:
    """The result with what the ledgers have: for this test and its other parameters, and of scale documented for the
    same claim."""
    recorded = _recorded(item, ledgers, result).get(result.device_kind)
    result = dataclasses.replace(
        result,
        # Of the same kind of device: a verdict is never explained by runs of another one.
        siblings=siblings(item.nodeid, of_kind(ledgers.get(result.data_kind, {}), result.device_kind)),
        evidence=on_evidence(result, documented),
        elsewhere=elsewhere(result, ledgers),
    )
    if recorded is None:
        return result
    return dataclasses.replace(result, recorded=recorded.verdict, samples=recorded.chained(result))


def _recorded(item: pytest.Item, ledgers: Ledgers, result: Result) -> Mapping[str, Entry]:
    """What the ledger of a result's kind of images has for this test, by kind of device."""
    return ledgers.get(result.data_kind, {}).get(item.nodeid, {})


def _ended(settings: Settings, error: ExplainedError) -> BaseException:
    """How a test ends for an error that its text explains.

    Where nothing is to be trained, what is not there (images; something that an old store has not recorded) leaves a
    claim out, as runs that are not stored do. Damage is never passed over.
    """
    left_out = isinstance(error, DataError | StoreError | NotRecordedError) and not isinstance(error, DamagedError)
    if settings.only_stored and left_out:
        return pytest.skip.Exception(f"not judged: {error}")
    return pytest.fail.Exception(str(error), pytrace=False)
