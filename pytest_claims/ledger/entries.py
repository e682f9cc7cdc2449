"""The ledger: the verdict that each claim had when it was last verified, per scale and kind of images.

`pytest claims --update-ledger` writes it; nothing else does. A JSON file a scale and kind of images (data/kinds.py), an
entry a claim:

    claims/ledger/documented-cifar.json
        {"claims/test_x.py::test_y[1]": {"verdict": "REPRODUCED", "effect": 2.18, ...}, ...}
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_claims.errors import ExplainedError
from pytest_claims.judge.result import Result
from pytest_claims.types import Outcome

FOLDER = Path("claims") / "ledger"


class LedgerError(ExplainedError):
    """A ledger cannot be read or written; the text names the file, what is wrong with it and the next step."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """What one claim came to.

    effect, lower, upper, margin: in unit. n: seeds. looks: those planned; one is a number of seeds fixed before.
    documented: the source's contrast, None where it gives none; measured: ours of that contrast; compared: which it is,
    where it is not the effect's. agrees: measured lies in the prediction interval. date: ISO 8601. first_seed: of those
    judged. samples: how many samples of seeds were judged one after the other until a verdict stood. Of more than one
    each has the error rate of one, so that together they have more (docs/verdicts.md).
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

    @property
    def words(self) -> str:
        """ "REPRODUCED on 2026-11-21 (+2.18, 5 seeds, cpu ...)"."""
        sample = f" of sample {self.samples}" if self.samples > 1 else ""
        return f"{self.verdict} on {self.date} ({self.effect:+.2f} {self.unit}, {self.n} seeds{sample}, {self.device})"

    def chained(self, result: Result) -> int:
        """The samples of a claim with this entry, after this result.

        As many as before for the same seeds and looks: they are the same sample. One more for others, where this entry
        was left open: seeds of their own, or more seeds than were planned. One where this entry was settled, for then
        the claim is tried anew.
        """
        if (result.arms[0].seeds[0], result.planned) == (self.first_seed, self.looks):
            return self.samples
        return self.samples + 1 if self.verdict == Outcome.INCONCLUSIVE else 1


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
    )


def read(path: Path) -> dict[str, Entry]:
    """The entries of a ledger by test, none if there is no such file. Raises LedgerError for a damaged one."""
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).items()
        return {name: Entry(**{**fields, "looks": tuple(fields["looks"])}) for name, fields in entries}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError(
            f"{path} is no ledger ({error}). Restore it from version control, or delete it and write it again with "
            "--update-ledger"
        ) from error


def read_all(folder: Path, scale: str) -> dict[str, dict[str, Entry]]:
    """The entries of all ledgers of a scale, by kind of images and by test. Raises LedgerError for a damaged one."""
    files = sorted(folder.glob(f"{scale}-*.json"))
    return {path.stem.removeprefix(f"{scale}-"): read(path) for path in files}


def update(path: Path, results: Sequence[Result], date: str, versions: str) -> int:
    """Write these results' entries into a ledger, leaving others as they are; returns how many entries changed.

    The file is replaced at once, so that an interrupted session leaves the old one. Raises LedgerError.
    """
    before = read(path)
    new = {}
    for result in results:
        came_to, recorded = entry(result, date, versions), before.get(result.nodeid)
        samples = recorded.chained(result) if recorded else 1
        new[result.nodeid] = dataclasses.replace(came_to, samples=samples)
    changed = sum(before.get(name) != value for name, value in new.items())
    entries: Mapping[str, Entry] = {**before, **new}
    text = json.dumps({name: dataclasses.asdict(entries[name]) for name in sorted(entries)}, indent=1)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be written ({error}); the runs themselves are in the store") from error
    return changed
