"""The ledger: the verdict that each claim had when it was last verified, by scale, kind of images and kind of device.

`pytest claims --update-ledger` writes it; nothing else does. A JSON file a scale and kind of images (data/kinds.py),
and in it of each claim an entry a kind of device, side by side:

    claims/ledger/documented-cifar.json
        {"claims/test_x.py::test_y[1]": {"cpu": {"verdict": "REPRODUCED", "effect": 2.18, ...}, "cuda": {...}}, ...}

Before kinds of device were told apart a claim had one entry, without a kind. Such files are still read: the entry is of
the kind that its device names. The next --update-ledger writes them in today's form.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_claims.defaults import DEVICE_KINDS
from pytest_claims.errors import ExplainedError
from pytest_claims.judge.result import Result, with_causes
from pytest_claims.types import Outcome
from pytest_claims.whole_file import write_whole

FOLDER = Path("claims") / "ledger"
_IN_WORDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false", type(None): "null"}


class LedgerError(ExplainedError):
    """A ledger cannot be read or written; the text names the file, what is wrong with it and the next step."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """What one claim came to.

    effect, lower, upper, margin: in unit. n: seeds. looks: those planned; one is a number of seeds fixed before.
    documented: the source's contrast, None where it gives none; measured: ours of that contrast; compared: which it is,
    where it is not the effect's. agrees: measured lies in the prediction interval. date: ISO 8601. first_seed: of those
    judged. samples: how many samples of seeds were judged one after the other until a verdict stood. Of more than one
    each has the error rate of one, so that together they have more (docs/verdicts.md). confounded_by: what explains the
    effect instead of the claimed cause, as the claim declares it; no older entry names any.
    """

    finding: str
    claim: str
    source: str
    verdict: str
    effect: float
    lower: float
    upper: float
    margin: float
    unit: str
    n: int
    looks: tuple[int, ...]
    first_seed: int
    documented: float | None
    measured: float | None
    compared: str
    agrees: bool | None
    date: str
    device: str
    versions: str
    samples: int = 1
    confounded_by: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """ "REPRODUCED, confounded by the learning rate"."""
        return with_causes(self.verdict, self.confounded_by)

    @property
    def words(self) -> str:
        """ "REPRODUCED on 2026-11-21 (+2.18, 5 seeds, cpu ...)"."""
        sample = f" of sample {self.samples}" if self.samples > 1 else ""
        return f"{self.called} on {self.date} ({self.effect:+.2f} {self.unit}, {self.n} seeds{sample}, {self.device})"

    def chained(self, result: Result) -> int:
        """The samples of a claim with this entry, after this result.

        As many as before for the same seeds and looks: they are the same sample. One more for others, where this entry
        was left open: seeds of their own, or more seeds than were planned. One where this entry was settled, for then
        the claim is tried anew.
        """
        if (result.arms[0].seeds[0], result.planned) == (self.first_seed, self.looks):
            return self.samples
        return self.samples + 1 if self.verdict == Outcome.INCONCLUSIVE else 1

    def stays(self, result: Result) -> bool:
        """Whether this entry is not replaced by that of this result: it is decided, and the result is a look at the
        same claim on the same seeds that does not decide yet. That contradicts nothing, and says less."""
        same = (result.arms[0].seeds[0], round(result.verdict.margin, 4)) == (self.first_seed, self.margin)
        undecided = result.verdict.outcome == Outcome.INCONCLUSIVE and self.verdict != Outcome.INCONCLUSIVE
        return same and undecided and (result.next_look is not None or result.verdict.n < self.n)


# What a ledger holds: entries by test, and by kind of device.
Ledger = Mapping[str, Mapping[str, Entry]]


def entry(result: Result, date: str, versions: str) -> Entry:
    """The entry of a result."""
    verdict, agreement = result.verdict, result.agreement
    return Entry(
        finding=result.finding,
        claim=result.claim,
        source=str(result.source),
        verdict=str(verdict.outcome),
        **{name: round(getattr(verdict, name), 4) for name in ("effect", "lower", "upper", "margin")},
        unit=result.unit,
        n=verdict.n,
        looks=result.planned,
        first_seed=result.arms[0].seeds[0],
        documented=None if agreement is None else round(agreement.documented, 4),
        measured=None if agreement is None else round(agreement.measured, 4),
        compared=result.compared if agreement else "",
        agrees=None if agreement is None else agreement.inside,
        date=date,
        device=result.device,
        versions=versions,
        confounded_by=result.confounded_by,
    )


def of_kind(ledger: Ledger, kind: str) -> dict[str, Entry]:
    """The entries of a kind of device, by test."""
    return {test: entries[kind] for test, entries in ledger.items() if kind in entries}


def read(path: Path) -> dict[str, dict[str, Entry]]:
    """The entries of a ledger by test and by kind of device, none if there is no such file.

    Raises LedgerError, which names the entry.
    """
    if not path.exists():
        return {}
    place = ""
    try:
        ledger: dict[str, dict[str, Entry]] = {}
        for name, found in json.loads(path.read_text(encoding="utf-8")).items():
            place = f"{name}: "
            by_kind = {_kind_named(found["device"]): found} if "verdict" in found else found
            ledger[name] = {}
            for kind, fields in by_kind.items():
                place = f"{name}: {kind}: "
                if kind not in DEVICE_KINDS:
                    raise ValueError(f"no kind of device; allowed: {', '.join(DEVICE_KINDS)}")
                # JSON has no tuples.
                plain: dict[str, Any] = {
                    field: tuple(value) if isinstance(value, list) else value for field, value in fields.items()
                }
                ledger[name][kind] = _checked(Entry(**plain))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LedgerError(
            f"{path} is no ledger ({place}{error}). Restore it from version control, or delete it and write it again "
            "with --update-ledger"
        ) from error
    return ledger


def read_all(folder: Path, scale: str) -> dict[str, dict[str, dict[str, Entry]]]:
    """All ledgers of a scale, by kind of images. Raises LedgerError for a damaged one."""
    files = sorted(folder.glob(f"{scale}-*.json"))
    return {path.stem.removeprefix(f"{scale}-"): read(path) for path in files}


def update(path: Path, results: Sequence[Result], date: str, versions: Callable[[Result], str]) -> int:
    """Write these results' entries into a ledger, leaving others as they are; returns how many entries changed.

    Each becomes the entry of the kind of device that its runs were trained on, beside that of another kind. An entry
    that stays (Entry.stays) is left as it is.
    The file is replaced at once, so that an interrupted session leaves the old one, and sessions wait for one another,
    so that none undoes what another has written. Raises LedgerError, also for a kind of device that no ledger has.
    """
    unknown = sorted({result.device_kind for result in results} - set(DEVICE_KINDS))
    if unknown:
        raise LedgerError(
            f"verdicts on {', '.join(unknown)} are not recorded in {path}: its kinds of device are "
            f"{', '.join(DEVICE_KINDS)}, one of which the executor has to name; the runs themselves are in the store"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            before = read(path)
            after, changed = {test: dict(entries) for test, entries in before.items()}, 0
            for result in results:
                entries = after.setdefault(result.nodeid, {})
                recorded = entries.get(result.device_kind)
                if recorded and recorded.stays(result):
                    continue
                samples = recorded.chained(result) if recorded else 1
                came_to = dataclasses.replace(entry(result, date, versions(result)), samples=samples)
                try:
                    _checked(came_to)  # or else no session could read the ledger again
                except ValueError as error:
                    raise LedgerError(f"{result.nodeid} cannot be recorded in {path}: {error}") from error
                changed += came_to != recorded
                entries[result.device_kind] = came_to
            text = json.dumps({test: _in_json(after[test]) for test in sorted(after)}, indent=1)
            write_whole(path, [text, "\n"])
    except OSError as error:
        raise LedgerError(f"{path} cannot be written ({error}); the runs themselves are in the store") from error
    return changed


def _in_json(entries: Mapping[str, Entry]) -> dict[str, Any]:
    return {kind: dataclasses.asdict(entries[kind]) for kind in sorted(entries)}


def _kind_named(device: str) -> str:
    """The kind of a device in words, of an entry that says no more. Raises ValueError for one that names none."""
    for kind in DEVICE_KINDS:
        if device.startswith(kind):
            return kind
    raise ValueError(
        f"an entry of the older form, on {device!r}, names no kind of device: put it under one of "
        f"{', '.join(DEVICE_KINDS)}"
    )


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Be the only session that reads and writes ledgers in this folder, of those on this machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _checked(found: Entry) -> Entry:
    """The entry, if each of its fields is of its type and in its range. Raises ValueError, which names the field."""
    kinds = typing.get_type_hints(Entry)
    for field in dataclasses.fields(Entry):
        value, kind = getattr(found, field.name), kinds[field.name]
        if kind == tuple[int, ...]:
            whole = type(value) is tuple and all(type(look) is int and look > 0 for look in value)
            fits, allowed = whole and len(value) > 0, "a list of integers above 0"
        elif kind == tuple[str, ...]:
            fits, allowed = type(value) is tuple and all(type(text) is str for text in value), "a list of texts"
        else:
            members = typing.get_args(kind) or (kind,)
            # An effect may be a whole number; a truth is none.
            fits = type(value) in members or (type(value) is int and float in members)
            allowed = " or ".join(_IN_WORDS[member] for member in members)
        # A bound that does not exist is infinite; an effect is a number.
        if not fits or value != value:
            raise ValueError(f"{field.name} is {value!r}; allowed: {allowed}")
    if found.verdict not in list(Outcome):
        raise ValueError(f"verdict is {found.verdict!r}; allowed: {', '.join(Outcome)}")
    for name in ("n", "first_seed", "samples"):
        if getattr(found, name) < (0 if name == "first_seed" else 1):
            raise ValueError(f"{name} is {getattr(found, name)!r}; allowed: {0 if name == 'first_seed' else 1} or more")
    texts = [value for value in dataclasses.astuple(found) if isinstance(value, str)] + list(found.confounded_by)
    if not all(text.isprintable() for text in texts):
        raise ValueError("a text has characters that cannot be shown")
    return found
