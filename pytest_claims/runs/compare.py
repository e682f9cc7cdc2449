"""The same arms on two devices, engines or kernels, paired by seed: whether what trained them makes a difference.

    python -m pytest_claims.runs compare FIRST SECOND [--first KEY=VALUE ...] [--second KEY=VALUE ...] [--page FILE]

FIRST and SECOND are stores or files of evidence, and may be the same one. KEY=VALUE chooses among its runs: device (its
kind), engine, a version (torch, python, numpy), or another entry of a run's numerics (precision, width, tf32, kernels,
...). An entry that a run lacks is "", so that `tf32=` chooses the runs without it; those of
cuDNN, which name no kernels, are also `kernels=cudnn`. The exit status is 0 where no arm
differs, 1 where one does, and 2 where nothing could be compared.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_claims.defaults import CUDNN, TRITON
from pytest_claims.errors import ExplainedError
from pytest_claims.runs.evidence import Row, read
from pytest_claims.runs.store import COLUMNS, Store
from pytest_claims.stats import holm
from pytest_claims.stats.collapses import collapse
from pytest_claims.stats.looks import FEWEST_SEEDS
from pytest_claims.stats.replicas import Difference, Replica, mean_of_arms, p_values, replica

LEVEL = 0.05


class CompareError(ExplainedError):
    """Two sets of runs cannot be compared; the text names the file, what is wrong and the way out."""


@dataclasses.dataclass(frozen=True)
class Side:
    """One set of runs. name: of its file. chosen: "KEY=VALUE" of those that were asked for. arms: runs by arm
    (configuration; images and what its names stand for) and by seed, as {column: value}."""

    name: str
    chosen: tuple[str, ...]
    arms: Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]]

    @property
    def words(self) -> str:
        """ "h100.jsonl (device=cuda)"."""
        return f"{self.name} ({', '.join(self.chosen)})" if self.chosen else self.name

    def told(self, what: str, arms: Collection[tuple[str, str]]) -> str:
        """What these arms' runs have in an entry (device's words, engine, torch, ...), each value once."""
        runs = [run for arm in arms for run in self.arms[arm].values()]
        return ", ".join(sorted({_named_by(run, what)[-1] for run in runs} - {""})) or "-"


@dataclasses.dataclass(frozen=True)
class ArmComparison:
    """One arm on both sides. arm: in words. adjusted: p of its accuracies, corrected for all that was tested.
    adjusted_collapses: of its collapses, None where no run collapsed."""

    arm: str
    replica: Replica
    adjusted: float
    adjusted_collapses: float | None

    @property
    def differs(self) -> bool:
        return min(self.adjusted, 1.0 if self.adjusted_collapses is None else self.adjusted_collapses) <= LEVEL


@dataclasses.dataclass(frozen=True)
class Comparison:
    """arms: compared, the least p first. overall: the mean of the arms' differences, of which those that are trained
    alike count as one; None below 3. adjusted_overall: its p, corrected as the arms' are. too_few: arms with pairs, but
    fewer than a test needs. tests: how many were made. compared: the arms, as Side has them."""

    first: Side
    second: Side
    arms: tuple[ArmComparison, ...]
    overall: Difference | None
    adjusted_overall: float | None
    too_few: int
    tests: int
    compared: tuple[tuple[str, str], ...]

    @property
    def differs(self) -> bool:
        of_all = self.adjusted_overall is not None and self.adjusted_overall <= LEVEL
        return of_all or any(arm.differs for arm in self.arms)

    @property
    def conclusion(self) -> str:
        """ "42 arms, 510 pairs: none differs after correction; smallest p .011"."""
        pairs = sum(arm.replica.difference.n for arm in self.arms)
        differing = [arm for arm in self.arms if arm.differs]
        if differing:
            many = f"{len(differing)} {'differs' if len(differing) == 1 else 'differ'} after correction"
            names = "; ".join(arm.arm for arm in differing[:5]) + ("; ..." if len(differing) > 5 else "")
            found = f"{many}: {names}"
        elif self.differs:
            assert self.overall
            found = f"none differs by itself, but all together do, by {self.overall.mean:+.2f} points"
        else:
            found = "none differs after correction"
        least = min(_ps([arm.replica for arm in self.arms], self.overall))
        arms = "1 arm" if len(self.arms) == 1 else f"{len(self.arms)} arms"
        return f"{arms}, {pairs} pairs: {found}; smallest p {_p(least)}"


def side(path: Path, chosen: Sequence[str] = ()) -> Side:
    """The runs of a store or a file of evidence that have these entries, "KEY=VALUE".

    Raises CompareError for a file without such runs, and where an arm has a seed twice; EvidenceError, StoreError.
    """
    wanted = {}
    for each in chosen:
        key, equals, value = each.partition("=")
        if not (key and equals):
            raise CompareError(f"{each!r} chooses nothing: needed is KEY=VALUE, as in device=cuda")
        wanted[key] = value
    arms: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in _rows(path):
        run = dict(zip(COLUMNS, row, strict=True))
        if any(value not in _named_by(run, key) for key, value in wanted.items()):
            continue
        # Names may stand for other networks in another repository (identity.py).
        same = [run["data"], _entry(run, "network"), _entry(run, "optimiser")]
        seeds = arms.setdefault((run["configuration"], json.dumps(same)), {})
        if run["seed"] in seeds:
            raise CompareError(_twice(path, run, seeds[run["seed"]]))
        seeds[run["seed"]] = run
    if not arms:
        raise CompareError(f"{path} has no runs{' with ' + ' '.join(chosen) if chosen else ''}")
    return Side(path.name, tuple(chosen), arms)


def compare(first: Side, second: Side) -> Comparison:
    """Every arm that both sides have, on the seeds that both have. Raises CompareError if there is none."""
    shared = [arm for arm in first.arms if arm in second.arms]
    by_arm = {arm: sorted(first.arms[arm].keys() & second.arms[arm].keys()) for arm in shared}
    enough = [arm for arm in shared if len(by_arm[arm]) >= FEWEST_SEEDS]
    if not enough:
        raise CompareError(
            f"{first.words} and {second.words} have no arm with {FEWEST_SEEDS} seeds or more in common: an arm is a "
            "network, its recipe and its images. Train the same claims with the same seeds on both"
        )
    replicas = [
        _replica([first.arms[arm][seed] for seed in by_arm[arm]], [second.arms[arm][seed] for seed in by_arm[arm]])
        for arm in enough
    ]
    trainings: dict[str, list[float]] = {}
    for arm, each in zip(enough, replicas, strict=True):
        trainings.setdefault(_training(*arm), []).append(each.difference.mean)
    overall = mean_of_arms([sum(means) / len(means) for means in trainings.values()])
    adjusted = iter(holm(_ps(replicas, overall)))
    of_accuracy = [next(adjusted) for _ in replicas]
    of_collapses = [None if each.p_collapses is None else next(adjusted) for each in replicas]
    arms = map(ArmComparison, in_words([arm[0] for arm in enough]), replicas, of_accuracy, of_collapses)
    return Comparison(
        first,
        second,
        tuple(sorted(arms, key=lambda arm: arm.replica.difference.p)),
        overall,
        next(adjusted, None),
        sum(0 < len(by_arm[arm]) < FEWEST_SEEDS for arm in shared),
        len(_ps(replicas, overall)),
        tuple(enough),
    )


def _ps(replicas: list[Replica], overall: Difference | None) -> list[float]:
    return p_values(replicas) + ([overall.p] if overall else [])


def _training(configuration: str, same: str) -> str:
    """What arms have in common that are trained alike, and differ in how they are tested at most."""
    parsed = json.loads(configuration)
    tested = ("statistics", "test_images_per_class", "test_every_epoch")
    parsed["recipe"] = {key: value for key, value in parsed["recipe"].items() if key not in tested}
    return json.dumps([parsed, same], sort_keys=True)


def _replica(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> Replica:
    """Of runs that are paired by position."""
    chance = 100 / json.loads(first[0]["configuration"])["network"].get("classes", 10)
    images = int(first[0]["test_images"])
    accuracies = [[float(run["test_accuracy"]) for run in runs] for runs in (first, second)]
    flags = [
        collapse(values, chance=chance, test_images=images, diverged=[bool(run["diverged"]) for run in runs])
        for values, runs in zip(accuracies, (first, second), strict=True)
    ]
    return replica(accuracies[0], accuracies[1], collapsed=(flags[0], flags[1]), resolution=100 / images)


def _rows(path: Path) -> list[Row]:
    """Raises CompareError for a file that is not there, EvidenceError and StoreError."""
    if not path.is_file():
        raise CompareError(f"{path}: no such file; needed is a store (.sqlite) or a file of evidence (.jsonl)")
    with open(path, "rb") as file:
        is_store = file.read(16) == b"SQLite format 3\0"
    if not is_store:
        return read(path)
    store = Store(path, read_only=True)
    try:
        return store.rows()
    finally:
        store.close()


def _entry(run: Mapping[str, Any], key: str) -> str:
    """What a run has in an entry, as text; "" where it has none."""
    entries = {"engine": run["engine"], "device name": run["device"], **json.loads(run["versions"])}
    return str({**entries, **json.loads(run["numerics"])}.get(key, ""))


def _named_by(run: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The values by which KEY=VALUE chooses a run. One of cuDNN's kernels has no entry for them, and is named either
    way."""
    entry = _entry(run, key)
    return (entry, CUDNN) if key == "kernels" and not entry and _entry(run, "device") == "cuda" else (entry,)


def _twice(path: Path, run: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    keys = [*json.loads(run["numerics"]), *json.loads(other["numerics"]), "engine"]
    differing = [key for key in dict.fromkeys(keys) if _entry(run, key) != _entry(other, key)]
    ways = " or ".join(f"{key}={_named_by(each, key)[-1]}" for key in differing for each in (run, other))
    return (
        f"{path} has seed {run['seed']} of {in_words([run['configuration']])[0]} twice. Choose among its runs with "
        f"--first or --second: {ways}"
    )


def in_words(configurations: Sequence[str]) -> list[str]:
    """Networks and batches for people, e.g. "NormCNN(batch) batch 2"; with the entries of the recipe that tell apart
    those which would read alike. configurations: canonical JSON of runs."""
    parsed = [json.loads(text) for text in configurations]
    short = [f"{_named(each['network'])} batch {each['recipe']['batch']}" for each in parsed]
    entries = [_flat(each) for each in parsed]
    told = []
    for name, own in zip(short, entries, strict=True):
        keys = _telling([each for each, its in zip(entries, short, strict=True) if its == name])
        told.append(", ".join([name, *(f"{key} {own.get(key, '-')}" for key in keys)]))
    return told


def _telling(alike: Sequence[Mapping[str, str]]) -> list[str]:
    """Entries that tell these apart: none that says nothing beyond the ones before it."""
    keys: list[str] = []
    kinds = 1
    for key in sorted({key for each in alike for key in each}):
        more = len({tuple(each.get(name) for name in (*keys, key)) for each in alike})
        if more > kinds:
            keys, kinds = [*keys, key], more
    return keys


def _flat(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The recipe's entries and the data set, as texts; entries at their default are not in a configuration."""
    entries = {"precision": "float32", "dataset": "cifar10", "statistics": "running", **configuration["recipe"]}
    entries["dataset"] = configuration.get("dataset", "cifar10")
    return {key.replace("_", " "): _text(value) for key, value in entries.items() if key != "kind"}


def _named(network: Mapping[str, Any]) -> str:
    values = [_text(value) for key, value in network.items() if key not in ("kind", "classes")]
    return f"{network['kind']}({', '.join(values)})" if values else str(network["kind"])


def _text(value: Any) -> str:
    """Of a norm its kind, of equal values one."""
    if isinstance(value, list):
        return "-".join(dict.fromkeys(map(_text, value)))
    if isinstance(value, dict):
        return str(value.get("kind", "-".join(map(_text, value.values()))))
    return f"{value:g}" if isinstance(value, float) else str(value)


_HEAD = ("arm", "pairs", "second less first", "95 % interval", "r", "p", "p corrected", "collapsed", "p of collapses")


def table(found: Comparison) -> list[tuple[str, ...]]:
    """A row for its head, and one for each arm."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for arm in found.arms:
        of, both = arm.replica, arm.replica.collapsed
        ended = ("-", "-") if of.p_collapses is None else (f"{both[0]} : {both[1]}", _p(of.p_collapses))
        numbers = (*_numbers(of.difference), "-" if of.r is None else f"{of.r:.2f}")
        rows.append((arm.arm, *numbers, _p(of.difference.p), _p(arm.adjusted), *ended))
    if found.overall and found.adjusted_overall is not None:
        mean = found.overall
        pairs = str(sum(arm.replica.difference.n for arm in found.arms))
        rest = ("-", _p(mean.p), _p(found.adjusted_overall), "-", "-")
        rows.append((f"mean of all ({mean.n} trainings)", pairs, *_numbers(mean)[1:], *rest))
    return rows


def _numbers(of: Difference) -> tuple[str, str, str]:
    return str(of.n), f"{of.mean:+.2f}", f"{of.low:+.2f} to {of.high:+.2f}"


def lines(found: Comparison) -> list[str]:
    """The comparison for a terminal; the last line is the conclusion."""
    rows = table(found)
    sizes = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    told = ["  ".join(_padded(row, sizes)).rstrip() for row in rows]
    return [*told, "", *([_few(found)] if found.too_few else []), found.conclusion]


def _padded(row: Iterable[str], sizes: Sequence[int]) -> list[str]:
    return [f"{cell:{'>' if at else '<'}{size}}" for at, (cell, size) in enumerate(zip(row, sizes, strict=True))]


def _few(found: Comparison) -> str:
    arms = "1 arm has" if found.too_few == 1 else f"{found.too_few} arms have"
    return f"{arms} fewer than {FEWEST_SEEDS} pairs and cannot be tested"


def page(found: Comparison, title: str, command: str) -> str:
    """The comparison as Markdown. command: that made it."""
    told = [f"# {title}", "", f"**{found.conclusion}.**", ""]
    told += [
        "The same arms, trained with the same seeds in two places: networks, recipes, images, initial weights and the "
        "order of images are equal. What is left is arithmetic: the order of sums, and the kernels.",
        "",
        "| | first | second |",
        "| --- | --- | --- |",
        f"| runs of | {found.first.words} | {found.second.words} |",
    ]
    for words, entry in (
        ("device", "device name"),
        ("seeds side by side", "width"),
        ("engine", "engine"),
        ("torch", "torch"),
        ("Python", "python"),
        ("kernels", "kernels"),
    ):
        both = [each.told(entry, found.compared) for each in (found.first, found.second)]
        if entry == "kernels" and TRITON not in both:
            continue  # cuDNN's go without saying
        told.append(f"| {words} | {' | '.join(both)} |")
    rows = table(found)
    told += ["", *(f"| {' | '.join(row)} |" for row in (rows[0], ("---",) * len(_HEAD), *rows[1:]))]
    halves = [(arm.replica.difference.high - arm.replica.difference.low) / 2 for arm in found.arms]
    told += [
        "",
        "Differences are of test accuracy, points, with their two-sided 95 % interval. p: paired t test, two-sided. "
        "Collapsed: runs at chance or diverged, first : second; their p is McNemar's exact one, two-sided. "
        f"p corrected: Holm, over all {found.tests} tests of this page; an arm differs at {_p(LEVEL)} or less. "
        "r: over seeds; it is low where training amplifies rounding until a seed's run is another run.",
        "",
        f"What this page can see: an interval reaches {np.median(halves):.2f} points or less to either side in half of "
        f"the arms, and {max(halves):.2f} in the least certain one.",
        "",
        *([_few(found) + ".", ""] if found.too_few else []),
        "```console",
        f"$ {command}",
        "```",
        "",
    ]
    return "\n".join(told)


def _p(value: float) -> str:
    """ ".011"; "< .001"."""
    if value < 0.001:
        return "< .001"
    return f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the command line."""
    parser.add_argument("one", metavar="FIRST", type=Path, help="a store, or a file of evidence")
    parser.add_argument("other", metavar="SECOND", type=Path, help="another one, or the same")
    for name in ("first", "second"):
        text = f"which runs of {name.upper()}: device=cuda engine=1 torch=2.11.0+cu130 tf32=True ..."
        parser.add_argument(f"--{name}", nargs="+", default=[], metavar="KEY=VALUE", help=text)
    parser.add_argument("--page", type=Path, help="write the comparison as Markdown")
    parser.add_argument("--title", help="of the page (default: the files' names)")


def run(options: argparse.Namespace, command: str) -> int:
    """Compare, print, and write the page if asked to; returns the exit status."""
    try:
        found = compare(side(options.one, options.first), side(options.other, options.second))
        if options.page:
            title = options.title or f"{found.first.words} against {found.second.words}"
            options.page.write_text(page(found, title, command), encoding="utf-8")
    except (ExplainedError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines(found)))
    return int(found.differs)
