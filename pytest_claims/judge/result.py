"""One claim's verdict with all the evidence behind it: what reports show and what travels between processes."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import Sequence

from pytest_claims.data.kinds import are_real
from pytest_claims.judge.from_json import decoded
from pytest_claims.judge.kinds import KINDS, Kind, kind_of
from pytest_claims.types import Agreement, Cause, Doubt, Outcome, Source, Verdict


class Called(enum.StrEnum):
    """What a claim is called once it was judged: its outcome, or what the outcome means for this claim.

    OPEN: undecided, and a planned look is left. NOT_COMPARABLE: most runs of the compared arms are at chance.
    TRANSFERS, DOES_NOT_TRANSFER: of a source whose networks or data are others than the suite's.
    """

    REPRODUCED = "REPRODUCED"
    TRANSFERS = "TRANSFERS"
    TOO_SMALL = "TOO SMALL"
    CONTRADICTED = "CONTRADICTED"
    DOES_NOT_TRANSFER = "DOES NOT TRANSFER"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_COMPARABLE = "NOT COMPARABLE"
    OPEN = "OPEN"


@dataclasses.dataclass(frozen=True)
class ArmEvidence:
    """What one arm came to: per-seed values (test accuracies in percent, if nothing else is measured), the documented
    one, and which runs are flagged: they collapsed, or their value is a bound (judge/kinds.py says which).

    runs: their names in the store, where training curves, gradients and predictions are. test_images: behind each
    accuracy, 0 where that is not known. seconds: that training one of them took, the mean; 0 where that is not
    known. at_chance: the arm as a whole learned nothing (stats/collapses.py).
    """

    label: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    collapsed: tuple[bool, ...]
    documented: float | None
    runs: tuple[str, ...] = ()
    test_images: int = 0
    seconds: float = 0.0
    at_chance: bool = False

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


def with_causes(verdict: str, confounded_by: Sequence[str]) -> str:
    """ "REPRODUCED, confounded by the learning rate": a verdict in words, and what explains its effect."""
    return f"{verdict}, confounded by {' and '.join(confounded_by)}" if confounded_by else verdict


@dataclasses.dataclass(frozen=True)
class Sibling:
    """The same claim at another level, as the ledger has it.

    level: the test's parameters, e.g. "32-base". verdict: with what explains its effect, if anything does.
    """

    level: str
    verdict: str
    effect: float


@dataclasses.dataclass(frozen=True)
class OnRecord:
    """What a ledger has of the same claim, judged on other runs.

    effect, lower, upper: in unit. n: seeds. data_kind: of the images. device_kind: of what trained them, device in
    words. date: ISO 8601, of the verdict. confounded_by: what explains the effect instead of the claimed cause.
    """

    verdict: str
    effect: float
    lower: float
    upper: float
    unit: str
    n: int
    data_kind: str
    device_kind: str
    device: str
    date: str
    confounded_by: tuple[str, ...] = ()

    @property
    def measured(self) -> str:
        """ "REPRODUCED +2.18 [+1.32, +3.26], confounded by the learning rate"."""
        unit = "" if self.unit == "points" else f" {self.unit}"
        effect = f"{self.verdict} {self.effect:+.2f} [{self.lower:+.2f}, {self.upper:+.2f}]{unit}"
        return with_causes(effect, self.confounded_by)

    @property
    def words(self) -> str:
        """ "REPRODUCED +2.18 [+1.32, +3.26] (whole cifar, 5 seeds, cpu (Xeon), 2026-11-21)"."""
        return f"{self.measured} (whole {self.data_kind}, {self.n} seeds, {self.device}, {self.date})"


@dataclasses.dataclass(frozen=True)
class Result:
    """A verdict and its evidence.

    id: the claim's stable name (judge/decorator.py), which -k takes, e.g. "A2b-32-base".
    kind: of claim, a name in judge/kinds.py. Raises ValueError for an unknown one.
    claim, finding, source: the claim in words, its short name and where it is documented. contrast: what the effect
    measures, in words. agreement: of the documented contrast with ours, None where the source gives no figure.
    compared: what agreement is about, in words, where it is not the contrast of the effect; else "". data: the images
    in words. data_kind: their kind (data/kinds.py).
    enforced: whether this verdict decides the test (it does not in a rehearsal). planned: all looks, or the fixed
    number of seeds. next_look: the number of seeds of the
    planned look that comes next, None where there is none. command: takes just this claim further: to that look, or
    where there is none, to seeds that no verdict was read from. placebo: how often each outcome came up when results
    were reassigned to arms at random, empty outside a placebo. device_kind: of what trained the arms' runs,
    one of DEVICE_KINDS. recorded: the verdict in the ledger on this kind of device, "" for none. elsewhere: what that
    ledger has on other kinds. measured: what was, as a column's heading. unit: of the effect. images: whether a report
    shows what the arms take images for. claims: how many the session selected, this one among them: what its p is
    corrected for.
    datasets: of its arms, by name, what served as each, in words.
    contrasted: labels of the arms that contrast names; none where the data choose them, or where it is along levels.
    evidence: what recorded runs on whole data sets say of the same claim, an entry a kind of device, this result's own
    kind first; none where this verdict is on them itself, or where none is recorded.
    samples: how many samples of seeds were judged one after the other, as far as the ledger knows (ledger/entries.py).
    siblings: the same claim at other levels, as far as the ledger has them. trained: how the arms were trained, in a
    sentence. differences: per seed, the contrast whose mean the effect is; none where the data choose what is compared,
    or where it is no mean. more_seeds: seeds an arm that command adds. capabilities: the instruction sets of the CPUs
    that trained the runs, "" for one that is not recorded; more than one in a session that was asked to mix them.
    """

    nodeid: str
    id: str
    finding: str
    kind: str
    claim: str
    source: Source
    contrast: str
    verdict: Verdict
    agreement: Agreement | None
    compared: str
    arms: tuple[ArmEvidence, ...]
    scale: str
    data: str
    data_kind: str
    device: str
    device_kind: str
    enforced: bool
    planned: tuple[int, ...]
    next_look: int | None
    command: str
    placebo: dict[str, int] = dataclasses.field(default_factory=dict)
    recorded: str = ""
    measured: str = "test accuracy, %"
    unit: str = "points"
    images: bool = False
    claims: int = 1
    datasets: dict[str, str] = dataclasses.field(default_factory=dict)
    contrasted: tuple[str, ...] = ()
    samples: int = 1
    siblings: tuple[Sibling, ...] = ()
    trained: str = ""
    differences: tuple[float, ...] = ()
    more_seeds: int = 0
    evidence: tuple[OnRecord, ...] = ()
    elsewhere: tuple[OnRecord, ...] = ()
    capabilities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kind_of(self.kind)

    @property
    def of_kind(self) -> Kind:
        """What holds for every claim of its kind."""
        return KINDS[self.kind]

    @property
    def open(self) -> bool:
        """Whether these seeds do not decide and a planned look is left."""
        return self.verdict.outcome == Outcome.INCONCLUSIVE and self.next_look is not None

    @property
    def called(self) -> Called:
        """What the claim is called, without numbers: what claims are counted by."""
        outcome = self.verdict.outcome
        if self.open:
            return Called.OPEN
        if self.verdict.doubt == Doubt.NOT_COMPARABLE:
            return Called.NOT_COMPARABLE
        if not self.source.elsewhere or outcome == Outcome.INCONCLUSIVE:
            return Called(outcome)
        return Called.TRANSFERS if outcome == Outcome.REPRODUCED else Called.DOES_NOT_TRANSFER

    @property
    def verdict_words(self) -> str:
        """What the claim is called, of an open one with the seeds at hand and those of the last look: "OPEN 5/20"."""
        if self.called == Called.OPEN:
            return f"OPEN {self.verdict.n}/{self.planned[-1]}"
        return "NOT COMPARABLE (at chance)" if self.called == Called.NOT_COMPARABLE else str(self.called)

    @property
    def confounded_by(self) -> tuple[str, ...]:
        """What explains the effect instead of the claimed cause, as the claim declares it; empty without an effect."""
        if self.verdict.outcome not in (Outcome.REPRODUCED, Outcome.TOO_SMALL):
            return ()
        return tuple(found.factor for found in self.verdict.confounders if found.cause == Cause.EXPLAINS)

    @property
    def badge(self) -> str:
        """ "REPRODUCED, confounded by the learning rate": the verdict and what it is worth."""
        return with_causes(self.verdict_words, self.confounded_by)

    @property
    def measured_effect(self) -> tuple[object, ...]:
        """The same for claims whose verdicts speak of one measured effect, which is then counted once.

        It is the same if the value, its unit, and the runs of the arms that decide are.
        """
        named = {label for bound in self.verdict.bounds for label in bound.comparison}
        deciding = [arm for arm in self.arms if arm.label in named] or self.arms
        return self.unit, round(abs(self.verdict.effect), 6), frozenset(name for arm in deciding for name in arm.runs)

    @property
    def comparable(self) -> bool:
        """Whether the source's own figures say something beside ours: by its recipe, on the images that it had."""
        return self.enforced and are_real(self.data_kind)

    @property
    def limits(self) -> dict[str, float]:
        """Where the verdict turns, beside 0, by what it is called; in unit."""
        return self.of_kind.limits(self.verdict.margin)

    @property
    def place(self) -> tuple[object, ...]:
        """Where it belongs in a list: by finding, then by the claim's words with numbers as numbers."""
        words = re.split(r"(\d+)", self.claim)
        return self.finding, [(int(part), "") if part.isdigit() else (-1, part) for part in words]

    def to_json(self) -> str:
        """As JSON text of builtin types alone: what xdist and JUnit XML can carry."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Result:
        """The inverse of to_json."""
        result: Result = decoded(Result, json.loads(text))
        return result
