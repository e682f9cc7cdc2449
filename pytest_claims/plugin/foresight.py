"""Claims judged ahead of their turn, where an executor trains beside this process.

pytest judges one claim after another. A cluster would stand still if nothing were trained meanwhile for the others. So
a claim is judged as soon as all that it needs is stored, from what is stored. That costs milliseconds and reports
nothing. It tells what the claim needs next: the runs of its next look, or nothing, where it is settled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import TypeGuard

import pytest
from _pytest.outcomes import OutcomeException

from pytest_claims.judge.decorator import parameters
from pytest_claims.judge.lab import Lab
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.results import Peek, Results
from pytest_claims.runs.store_file import StoreError
from pytest_claims.types import Run

# Between two looks at the store for what other sessions have put there.
_LOOK_SECONDS = 5.0

# Fixtures that every claim's test has, the lab and what that takes; marks that change how a test is run.
_OWN = {"lab", "request"}
_MARKS = ("skipif", "xfail", "usefixtures")

# Runs and seeds.
Needed = Sequence[tuple[Run, range]]


@dataclasses.dataclass
class _Open:
    """A claim that has not had its turn. needed: for its next look, of which the blocks of these names are missing.

    later: it was looked at before. known: there is nothing more to be said of it before its turn.
    """

    item: pytest.Item
    needed: Needed
    missing: set[str]
    later: bool = False
    known: bool = False


class Foresight:
    """Of a session. claims: its tests, with what each needs at its first look. lab: makes the lab of a test over what
    it is given. length: of a run, by any measure; long ones are trained first.

    It tells the pool what is needed, and hears from it what was stored. Raises StoreError.
    """

    def __init__(
        self,
        pool: Pool,
        claims: Sequence[tuple[pytest.Item, Needed]],
        lab: Callable[[pytest.Item, Results], Lab],
        length: Callable[[Run], float],
    ) -> None:
        self._pool, self._lab, self._length = pool, lab, length
        self._open = {item.nodeid: _Open(item, needed, set()) for item, needed in claims}
        self._looked = time.monotonic()

    def begin(self) -> None:
        """Judge what can be judged from what earlier sessions stored, and say what is needed."""
        for claim in self._open.values():
            claim.missing = self._missing(claim.needed)
        self._judge_complete()
        self._tell()
        self._pool.watch(self.stored)

    def stored(self, names: Collection[str]) -> None:
        """Blocks of these names were stored."""
        others = time.monotonic() - self._looked > _LOOK_SECONDS
        for claim in self._open.values():
            claim.missing.difference_update(names)
            if claim.missing and others:
                claim.missing = self._missing(claim.needed)
        if others:
            self._looked = time.monotonic()
        if self._judge_complete():
            self._tell()

    def ended(self, nodeid: str) -> None:
        """A claim has had its turn: whatever it came to, it needs nothing more."""
        if self._open.pop(nodeid, None):
            self._pool.forget_wanted()
            self._tell()

    def _judge_complete(self) -> bool:
        """Judge the claims of which nothing is missing; whether anything came of it."""
        complete = [claim for claim in self._open.values() if not claim.missing and not claim.known]
        for claim in complete:
            asked = self._asked(claim.item)
            claim.missing = self._missing(asked)
            if claim.missing:
                claim.needed, claim.later = asked, True
                self._pool.note(asked)
            else:
                claim.known = True
        return bool(complete)

    def _tell(self) -> None:
        """Tell the pool what is needed: what open claims need next, then long runs first."""
        later: list[tuple[Run, range]] = []
        first: list[tuple[Run, range]] = []
        for claim in self._open.values():
            (later if claim.later else first).extend(claim.needed)
        first.sort(key=lambda needed: self._length(needed[0]), reverse=True)
        self._pool.expect([*later, *first])

    def _asked(self, item: pytest.Item) -> Needed:
        """What a claim asks for where it is judged by what is stored; nothing where it cannot be judged so."""
        peek = Peek(self._pool)
        if not _can_be_called(item):
            return ()
        function, known = item.obj, parameters(item)
        wanted = item._fixtureinfo.argnames
        with (
            contextlib.suppress(Exception, OutcomeException, SystemExit),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            function(**{name: known[name] for name in wanted if name != "lab"}, lab=self._lab(item, peek))
        return peek.asked

    def _missing(self, needed: Needed) -> set[str]:
        """Names of the missing blocks; none of a run that cannot be trained, which is for its claim to report."""
        missing = set[str]()
        for run, seeds in needed:
            try:
                missing |= self._pool.missing_blocks(run, seeds)
            except StoreError:
                raise
            except Exception:
                continue
        return missing


def _can_be_called(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether a test is its function, called with a lab and the values it is parametrised with, and nothing else.

    Any other is judged in its turn alone: fixtures, autouse ones too, and marks may be what it depends on.
    """
    if not isinstance(item, pytest.Function) or item.cls or any(map(item.get_closest_marker, _MARKS)):
        return False
    known = parameters(item)
    if set(item._fixtureinfo.argnames) - known.keys() != {"lab"} or set(item.fixturenames) - known.keys() - _OWN:
        return False
    # A parameter that has a fixture of its name may be a value for that fixture, and not for the test.
    return not any(item.session._fixturemanager.getfixturedefs(name, item) for name in known)
