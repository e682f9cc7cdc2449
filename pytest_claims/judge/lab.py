"""What a claim's test works with: its arms' results, and assertions that turn them into a verdict."""

from __future__ import annotations

import dataclasses
import itertools
import math
import operator
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from pytest_claims.data.kinds import joined
from pytest_claims.data.load import AS_RECORDED
from pytest_claims.judge.assertion import (
    Assertion,
    Contrast,
    Decide,
    Flags,
    Name,
    Samples,
    along,
    confounded,
    difference,
    label,
    minus,
    of_pair,
)
from pytest_claims.judge.kinds import kind_of
from pytest_claims.judge.metric import ACCURACY, Metric, epochs_to
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.judge.training_in_words import training_words
from pytest_claims.runs.pool import NotStoredError
from pytest_claims.runs.results import Results
from pytest_claims.settings import Settings, TrainedOn
from pytest_claims.stats import (
    ALPHA,
    agreement,
    at_chance,
    best_of,
    collapse,
    crossover,
    equivalence,
    faster,
    in_order_of_seeds,
    never_falls,
    no_difference,
    not_comparable,
    ranking,
    sequential,
    some_difference,
    spans,
    spread,
    superiority,
    trend,
)
from pytest_claims.stats.interval import rounding_of
from pytest_claims.stats.looks import Level
from pytest_claims.types import (
    Arm,
    ChosenSettings,
    Claim,
    Confounder,
    Doubt,
    Note,
    NotTried,
    Outcome,
    Run,
    Trained,
    Verdict,
    first_look,
)

# What the test's author wrote is at fault, and is what a failure shows.
__tracebackhide__ = operator.methodcaller("errisinstance", (KeyError, ValueError, TypeError, RuntimeError))

# Reassignments of a placebo's results for each claim: enough to judge even one of them.
PLACEBO_DRAWS = 200


class NotReproducedError(AssertionError):
    """A claim's verdict, in a session whose verdicts decide, is not REPRODUCED; carries the result."""

    def __init__(self, result: Result, text: str) -> None:
        super().__init__(text)
        self.result = result


class NoLookError(Exception):
    """A session's looks end before the first one at which this claim may be settled; the text says which that is."""


class Lab:
    """The `lab` fixture of one claim.

    Every assert_ method trains what is not yet stored, decides (where seeds are not fixed, at one look after another
    until a verdict stands), records the result (self.result), and raises NotReproducedError if the session's
    verdicts decide and this one is not REPRODUCED. Margins are in the unit of the claim's metric (points, if it names
    none), above 0. Arms are named as the claim declares them; an undeclared name raises KeyError. claims: how many the
    session selected. left_out: arms that the session's scale does without, and with them the confounders that name
    them.
    """

    def __init__(
        self,
        nodeid: str,
        id: str,
        claim: Claim,
        words: str,
        arms: Mapping[Name, Arm],
        settings: Settings,
        pool: Results,
        explain: Callable[[Result], str],
        metric: Metric = ACCURACY,
        claims: int = 1,
        left_out: Collection[Name] = (),
    ) -> None:
        self._nodeid, self._id, self._claim, self._words, self._arms = nodeid, id, claim, words, arms
        self._settings, self._pool, self._explain = settings.from_look(first_look(arms.values())), pool, explain
        # With no look left there is nothing to judge, but what is stored can be read.
        self._metric, self._claims, self._n = metric, claims, (self._settings.looks or settings.looks)[0]
        self._left_out, self._evidence = set(left_out), dict[Name, ArmEvidence]()
        self.result: Result | None = None

    def values(self, name: Name) -> np.ndarray:
        """What the claim measures of an arm (test accuracy in percent, if nothing else), float64 [seeds], in the order
        of seeds."""
        return np.asarray(self._of(name).values)

    def collapsed(self, name: Name) -> np.ndarray:
        """Which runs of an arm diverged or ended at chance, bool [seeds]."""
        return np.asarray(self._of(name).collapsed)

    def assert_greater(
        self, better: Name, worse: Name, *, margin: float, confounders: Sequence[Confounder] = ()
    ) -> None:
        """The claim that one arm beats another, by an effect whose smallest interesting size is margin.

        confounders: what else could explain the effect, each with both arms under a change of it; they decide nothing.
        Raises ValueError for one that changes neither arm, or that names one arm twice.
        """
        pair = better, worse
        left_out = [each for each in confounders if not self._left_out.isdisjoint((each.better, each.worse))]
        confounders = [each for each in confounders if each not in left_out]
        for each in confounders:
            if each.better == each.worse or {each.better, each.worse} == set(pair):
                raise ValueError(
                    f"{self._nodeid} tries whether {each.factor} explains the effect with {each.better!r} and "
                    f"{each.worse!r}; needed: two or more different arms, the claim's two {each.change}"
                )

        def procedure(arms: Samples, /, **at: Any) -> Verdict:
            found = of_pair(superiority, label(better), label(worse), margin=margin)(arms, **at)
            tried = [(each.factor, confounded(each, pair, margin, arms, **at)) for each in confounders]
            missing = tuple(each.factor for each in left_out)
            missing += tuple(factor for factor, came_to in tried if came_to is None)
            return dataclasses.replace(
                found,
                confounders=tuple(came_to for _, came_to in tried if came_to),
                notes=found.notes + ((NotTried(missing),) if missing else ()),
            )

        changed = dict.fromkeys(name for each in confounders for name in (each.better, each.worse))
        beside = tuple(name for name in changed if name not in pair)
        arms = (*pair, *beside)
        self._judge(
            Assertion("effect", arms, procedure, minus(*pair), difference(*pair), contrasted=pair, beside=beside)
        )

    def assert_within(self, first: Name, second: Name, *, within: float) -> None:
        """The claim that two arms differ by less than `within` points."""
        procedure = of_pair(equivalence, label(first), label(second), within=within)
        pair = first, second
        self._judge(Assertion("equality", pair, procedure, minus(*pair), difference(*pair), contrasted=pair))

    def assert_no_difference(self, names: Sequence[Name], *, within: float) -> None:
        """The claim that no two of these arms differ by `within` points or more."""

        def procedure(arms: Samples, /, **at: Any) -> Verdict:
            # Highest mean first, so that every difference reads as a distance.
            ordered = dict(sorted(arms.items(), key=lambda arm: -arm[1].mean()))
            return no_difference(ordered, within=within, **at)

        self._pairs("equality", names, procedure)

    def assert_some_difference(self, names: Sequence[Name], *, beyond: float) -> None:
        """The claim that some two of these arms differ by more than `beyond` points."""
        self._pairs("some difference", names, partial(some_difference, beyond=beyond))

    def assert_best(self, best: Name, rivals: Sequence[Name], *, margin: float) -> None:
        """The claim that one arm beats every rival, each by an effect whose smallest interesting size is margin."""
        self._named([best, *rivals])
        procedure = partial(best_of, best=label(best), margin=margin)
        closest, _ = self._documented_extremes(rivals)
        contrast, compared = self._chosen_by_source(rivals, best, closest), minus(best, closest)
        effect = f"{label(best)} − its closest rival"
        self._judge(Assertion("best", (best, *rivals), procedure, effect, contrast, compared, len(rivals), (best,)))

    def assert_ranks(self, order: Sequence[Name], *, margin: float) -> None:
        """The claim that these arms rank so, the best first, each ahead of the next by about margin or more."""
        self._named(order)
        procedure = partial(ranking, order=[label(name) for name in order], margin=margin)
        figures, effect = self._documented_figures(), "the smallest step of the ranking"
        steps = list(itertools.pairwise(order))
        if set(order) <= set(figures):
            # The smallest documented step, fixed before any run.
            steps.sort(key=lambda step: difference(*step)(figures))
        contrast = self._chosen_by_source(order, *steps[0])
        self._judge(Assertion("best", tuple(order), procedure, effect, contrast, minus(*steps[0]), len(steps)))

    def assert_crossover(self, first: tuple[Name, Name], second: tuple[Name, Name], *, margin: float) -> None:
        """The claim that two networks do best at different settings.

        first, second: each network's arm at its own best setting and at the other's, chosen on other seeds.
        """
        self._cross(first, second, margin)

    def assert_needs_lower(self, needing: Mapping[float, Name], than: Mapping[float, Name], *, margin: float) -> None:
        """The claim that one network does best at a lower setting (a learning rate) than another.

        needing, than: each network's arms by setting, the same settings. Each network's best setting is chosen by its
        mean over seeds that judge nothing, since the best of the same runs would be ahead by its own luck; then it is a
        crossover of the two. Where the choice does not fall as claimed, the settings are the second network's best and
        the one below it.
        """
        levels = sorted(than)
        if not self._claim.tunes:
            raise ValueError(f"{self._nodeid} tunes settings; declare it: @claim(..., tunes=True)")
        if sorted(needing) != levels or len(levels) < 2:
            raise ValueError(f"{self._nodeid}: settings {sorted(needing)} and {levels}; needed: the same two or more")
        # Before anything is trained: choosing takes every arm.
        for arms in (needing, than):
            self._named(list(arms.values()))
        if shared := sorted(set(map(label, needing.values())) & set(map(label, than.values()))):
            raise ValueError(f"{self._nodeid} compares two networks; both have {', '.join(shared)}")
        self._unjudged()
        self._look_from(0)  # without a look nothing is chosen either
        low, high = levels[:2]
        notes: tuple[Note, ...] = ()
        # In a placebo there is nothing to choose between.
        if not self._settings.placebo:
            lower, upper = self._chosen(needing), self._chosen(than)
            place = max(1, levels.index(upper))
            low, high = (lower, upper) if lower < upper else (levels[place - 1], levels[place])
            at_edge = bool({lower, upper} & {levels[0], levels[-1]})
            notes = (ChosenSettings((label(needing[lower]), label(than[upper])), at_edge),)
        self._cross((needing[low], needing[high]), (than[high], than[low]), margin, notes)

    def assert_steadier(self, steady: Name, others: Sequence[Name], *, margin: float) -> None:
        """The claim that one arm varies less from seed to seed than every other.

        margin: the smallest interesting ratio of spreads, in doublings: 1 is twice the spread.
        """
        procedure = partial(spread, steady=label(steady), margin=margin)
        effect = f"spread of {' / '.join(map(label, others))} over spread of {label(steady)}"
        arms = (steady, *others)
        self._judge(Assertion("spread", arms, procedure, effect, contrasted=arms, rounded=False))

    def assert_faster_to(self, accuracy: float, fast: Name, slow: Name, *, factor: float) -> None:
        """The claim that one arm reaches a test accuracy (percent) in about `factor` times fewer epochs, or better.

        Both arms' recipes need test_every_epoch=True. A run that never reaches it is censored at its last epoch.
        factor: above 1; the margin is log2(factor) doublings. Raises ValueError for a claim that declares a metric.
        """
        self._named([fast, slow])
        if self._metric is not ACCURACY and self.result is None:
            raise ValueError(
                f"{self._nodeid} measures {self._metric.name}; speed is measured in epochs, so declare none"
            )
        for name in (fast, slow):
            if not self._wanted(name)[0].recipe.test_every_epoch:
                raise ValueError(f"{self._nodeid}: {label(name)} needs Recipe(test_every_epoch=True)")
        pair = fast, slow
        procedure = of_pair(faster, label(fast), label(slow), factor=factor)
        effect = f"epochs to {accuracy:g} %, {label(slow)} over {label(fast)}, log2"
        metric = epochs_to(accuracy)
        self._judge(Assertion("speed", pair, procedure, effect, contrasted=pair, metric=metric, rounded=False))

    def assert_rises(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy grows along the levels (keys, ascending), end to end by about margin or more."""
        levels, names = self._levels(by_level)
        procedure = along(trend, levels, direction=+1, margin=margin)
        self._judge(Assertion("effect", names, procedure, "last − first level", difference(names[-1], names[0])))

    def assert_falls(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy falls along the levels (keys, ascending), end to end by about margin or more."""
        levels, names = self._levels(by_level)
        procedure = along(trend, levels, direction=-1, margin=margin)
        self._judge(Assertion("effect", names, procedure, "first − last level", difference(names[0], names[-1])))

    def assert_never_falls(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy falls by less than margin from every level to every later one."""
        levels, names = self._levels(by_level)
        procedure, contrast = along(never_falls, levels, margin=margin), difference(names[-1], names[0])
        self._judge(Assertion("no fall", names, procedure, "the least change", contrast, "last − first level"))

    def assert_gap_widens(self, by_level: Mapping[float, tuple[Name, Name]], *, margin: float) -> None:
        """The claim that (first − second) grows along the levels, end to end by about margin or more."""
        levels, pairs = list(by_level), list(by_level.values())
        if len(pairs) < 2:
            raise ValueError(f"{self._nodeid}: a gap at {len(pairs)} levels; needed: at least two")
        for pair in pairs:
            self._named(pair)
        labels = [(label(first), label(second)) for first, second in pairs]

        def procedure(arms: Samples, /, *, collapsed: Flags, alpha: float, resolution: float) -> Verdict:
            gaps = np.stack([arms[first] - arms[second] for first, second in labels], axis=1)
            flags = np.stack([collapsed[first] | collapsed[second] for first, second in labels], axis=1)
            # A gap is rounded as two accuracies are.
            at = {"alpha": alpha, "resolution": resolution * math.sqrt(2)}
            return trend(levels, gaps, direction=+1, margin=margin, collapsed=flags, **at)

        last, first = difference(*pairs[-1]), difference(*pairs[0])
        # Levels may share an arm.
        arms = tuple(dict.fromkeys(itertools.chain(*pairs)))
        effect = "gap at the last − at the first level"
        self._judge(Assertion("effect", arms, procedure, effect, lambda of: last(of) - first(of)))

    def assert_spans_less(self, steady: Sequence[Name], other: Sequence[Name], *, margin: float) -> None:
        """The claim that the means of one group of arms span less (highest − lowest) than those of another."""
        self._named(steady)
        self._named(other)
        wide, narrow = list(map(label, other)), list(map(label, steady))
        names = f"{wide[0]} … {wide[-1]}", f"{narrow[0]} … {narrow[-1]}"
        procedure = partial(spans, wide=wide, narrow=narrow, margin=margin)
        arms = tuple(dict.fromkeys([*other, *steady]))
        effect = f"span of {names[0]} − span of {names[1]}"
        # The source's own extremes, fixed before any run.
        ends_of = self._documented_extremes(other), self._documented_extremes(steady)
        far, near = difference(*ends_of[0]), difference(*ends_of[1])
        known = set(arms) <= set(self._documented_figures())
        self._judge(
            Assertion(
                "effect",
                arms,
                procedure,
                effect,
                (lambda of: far(of) - near(of)) if known else None,
                f"({minus(*ends_of[0])}) − ({minus(*ends_of[1])})",
                chosen_from=math.comb(len(other), 2) * math.comb(len(steady), 2),
                contrasted=(other[0], other[-1], steady[0], steady[-1]),
            )
        )

    def _chosen(self, by_setting: Mapping[float, Name]) -> float:
        """The setting whose arm is best on seeds that no verdict sees."""
        seeds = self._settings.tuning
        wanted = {at: (self._arms[name].run(self._settings.scale), seeds) for at, name in by_setting.items()}
        self._pool.want(list(wanted.values()))
        means = {
            at: np.mean([self._metric.of(one) for one in self._pool.results(self._pool.adapt_classes(run), seeds)])
            for at, (run, seeds) in wanted.items()
        }
        return max(sorted(means), key=means.__getitem__)

    def _levels(self, by_level: Mapping[float, Name]) -> tuple[list[float], tuple[Name, ...]]:
        """Levels and the arms at them, as declared."""
        self._named(list(by_level.values()))
        return list(by_level), tuple(by_level.values())

    def _cross(
        self, first: tuple[Name, Name], second: tuple[Name, Name], margin: float, notes: tuple[Note, ...] = ()
    ) -> None:
        """Judge a crossover; notes come before its own."""
        self._named(first)
        self._named(second)
        one, two = (label(first[0]), label(first[1])), (label(second[0]), label(second[1]))
        if one == two[::-1]:
            raise ValueError(
                f"{self._nodeid}: {minus(*first)} and {minus(*second)} cannot both be leads; needed: each network's "
                "own two arms, at its best setting and at the other's"
            )

        def procedure(arms: Samples, /, **at: Any) -> Verdict:
            found = crossover(arms, first=one, second=two, margin=margin, **at)
            return dataclasses.replace(found, notes=(*notes, *found.notes))

        arms = tuple(dict.fromkeys([*first, *second]))
        effect = "the smaller lead of a network's own setting"
        self._judge(Assertion("best", arms, procedure, effect, difference(*first), minus(*first)))

    def _pairs(self, kind: str, names: Sequence[Name], procedure: Decide) -> None:
        """Judge a claim about all pairs of these arms."""
        self._named(names)
        # The documented contrast is that of the source's own two extremes, fixed before any run.
        extremes = self._documented_extremes(names)
        effect = "the deciding pair's difference"
        contrast, pairs = self._chosen_by_source(names, *extremes), math.comb(len(names), 2)
        self._judge(Assertion(kind, tuple(names), procedure, effect, contrast, minus(*extremes), pairs))

    def _served(self, dataset: str) -> str:
        """What served as a data set, in words."""
        images = self._pool.data(dataset)
        recorded = images.origin == AS_RECORDED
        return f"{images.kind}, {AS_RECORDED}" if recorded else self._settings.data.served(dataset, images.kind)

    def _named(self, names: Sequence[Name]) -> None:
        """Raise ValueError unless these are two different arms or more; KeyError for one that was not declared."""
        for name in names:
            if name not in self._arms:
                raise KeyError(f"{name!r} is no arm of this claim; declared: {', '.join(map(repr, self._arms))}")
        # Texts name arms by their labels, and so do samples.
        if len(set(map(label, names))) < max(2, len(names)):
            raise ValueError(f"{self._nodeid} compares {list(names)}; needed: two or more different arms")

    def _unjudged(self) -> None:
        """Raise RuntimeError if this claim has its verdict already."""
        if self.result is not None:
            raise RuntimeError(f"{self._nodeid} asserts twice; one claim is one assertion")

    def _of(self, name: Name) -> ArmEvidence:
        if name not in self._evidence:
            declared, seeds = self._wanted(name)
            run = self._pool.adapt_classes(declared)
            self._evidence[name] = self._arm(name, run, self._pool.results(run, seeds))
        return self._evidence[name]

    def _wanted(self, name: Name) -> tuple[Run, range]:
        """What stands behind an arm at this look."""
        settings = self._settings
        if not settings.placebo:
            return self._arms[name].run(settings.scale), settings.range_of(self._n)
        first, place = next(iter(self._arms.values())), list(self._arms).index(name)
        return first.run(settings.scale), settings.range_of(self._n * (place + 1))[self._n * place :]

    def _arm(self, name: Name, run: Run, results: Sequence[Trained]) -> ArmEvidence:
        read = {"values": self._metric.of, "accuracy": ACCURACY.of}
        ordered = in_order_of_seeds(
            {of: [(result.seed, measured(result)) for result in results] for of, measured in read.items()}
        )
        ascending = sorted(results, key=lambda result: result.seed)
        diverged = np.asarray([result.diverged for result in ascending])
        # What is measured of a network at chance is still what it is, unless it is its accuracy.
        collapsed = diverged
        if self._metric.censored:
            # A run that diverged counts by what it came to before.
            collapsed = np.asarray([self._metric.censored(result) for result in ascending])
        nothing = False
        if self._metric is ACCURACY:
            found = {"chance": 100 / run.network.classes, "test_images": results[0].test_images, "diverged": diverged}
            collapsed, nothing = collapse(ordered["accuracy"], **found), at_chance(ordered["accuracy"], **found)
        values, flags = ordered["values"].tolist(), collapsed.tolist()
        seeds = tuple(result.seed for result in ascending)
        names = tuple(self._pool.names(run, seeds))
        tested = results[0].test_images
        seconds = float(np.mean([result.seconds for result in results]))
        return ArmEvidence(
            label(name), seeds, tuple(values), tuple(flags), self._documented(name), names, tested, seconds, nothing
        )

    def _documented_figures(self) -> dict[Name, float]:
        """The documented figures of those arms that have one."""
        figures = {name: self._documented(name) for name in self._arms}
        return {name: figure for name, figure in figures.items() if figure is not None}

    def _documented(self, name: Name) -> float | None:
        """The documented figure of an arm; sources give accuracies, so there is none for anything else."""
        return self._arms[name].documented if self._metric is ACCURACY else None

    def _documented_extremes(self, names: Sequence[Name]) -> tuple[Name, Name]:
        """The arms with the highest and the lowest documented figure; the first and last unless all have one."""
        figures = self._documented_figures()
        if not set(names) <= set(figures):
            return names[0], names[-1]
        ordered = sorted(names, key=figures.__getitem__)
        return ordered[-1], ordered[0]

    def _chosen_by_source(self, among: Sequence[Name], first: Name, second: Name) -> Contrast | None:
        """The contrast of two arms that the source's figures choose among these; None unless it gives all of them.

        Without one of them, which pair is the source's is a guess.
        """
        return difference(first, second) if set(among) <= set(self._documented_figures()) else None

    def _look_from(self, n: int) -> None:
        """Leave out the looks below n, and what was read at them. Raises NoLookError if none is left."""
        settings = self._settings.from_look(n)
        if not settings.looks:
            last, first = self._settings.looks[-1] if self._settings.looks else None, settings.planned[0]
            raise NoLookError(
                f"not judged: such a claim is first looked at with {first} seeds (docs/verdicts.md, Looks), and "
                f"--max-seeds ends {f'at {last}' if last else 'before that'}: the same command without it looks there"
            )
        self._settings, self._n, self._evidence = settings, settings.looks[0], {}

    def _look(self, decide: Callable[[float], Verdict], n: int, level: float) -> Verdict:
        """The verdict on n seeds."""
        if n > self._n:
            judged = list(self._evidence)
            self._n, self._evidence = n, {}
            # All arms that are judged at once, so that free workers train the others while this one trains the first.
            self._pool.want([self._wanted(name) for name in judged])
        return decide(level)

    def _decided(self, decide: Callable[[float], Verdict], ended: Callable[[Verdict], bool]) -> Verdict:
        """The verdict at the looks of this session, as far as their runs are stored if it trains nothing."""
        looks = self._settings.looks
        while True:
            try:
                planned = self._settings.planned
                return sequential(lambda n, level: self._look(decide, n, level), looks, planned=planned, ended=ended)
            except NotStoredError:
                if self._n == looks[0]:
                    raise
                # Nothing is known of the look that is not stored: the one before stands.
                looks = tuple(look for look in looks if look < self._n)
                self._n, self._evidence = looks[0], {}

    def _decide(self, assertion: Assertion, alpha: float) -> Verdict:
        """The verdict on the results at hand."""
        names = [name for name in assertion.arms if self._at_hand(name, needed=name not in assertion.beside)]
        values = {label(name): self.values(name) for name in names}
        collapsed = {label(name): self.collapsed(name) for name in names}
        at = {"resolution": self._resolution(assertion)} if assertion.rounded else {}
        verdict = assertion.procedure(values, collapsed=collapsed, alpha=alpha, **at)
        return self._compared(assertion, verdict)

    def _compared(self, assertion: Assertion, verdict: Verdict) -> Verdict:
        """The verdict, and what confounders say, unless what is compared is at chance."""
        arms = {arm.label: arm.at_chance for arm in self._evidence.values()}
        confounders = tuple(
            dataclasses.replace(found, under=not_comparable(found.under))
            if arms[found.under.comparison[0]]  # the change broke the better arm, if not both
            else found
            for found in verdict.confounders
        )
        verdict = dataclasses.replace(verdict, confounders=confounders)
        # Of an arm at chance the accuracy still says that it is worse than another; its spread says nothing.
        enough = any if kind_of(assertion.kind).compares_spreads else all
        decides = [self._of(name).at_chance for name in assertion.deciding]
        return not_comparable(verdict) if enough(decides) or _turns_on_chance(assertion, verdict, arms) else verdict

    def _learned_nothing(self, assertion: Assertion, verdict: Verdict) -> bool:
        """Whether more seeds are of no use: no run of any compared arm has learned anything so far."""
        runs = [self._of(name).collapsed for name in assertion.deciding]
        return verdict.doubt == Doubt.NOT_COMPARABLE and all(map(all, runs))

    def _at_hand(self, name: Name, *, needed: bool) -> bool:
        """Whether an arm has its runs; where runs are trained, it always has. Raises NotStoredError for one that is
        needed and has not."""
        try:
            self._of(name)
        except NotStoredError:
            if needed:
                raise
            return False
        return True

    def _resolution(self, assertion: Assertion) -> float:
        """What one test image counts for in the arms' values, points; 0 where they are no accuracies."""
        if self._metric is not ACCURACY:
            return 0.0
        return 100 / min(self._of(name).test_images for name in assertion.deciding)

    def _judge(self, assertion: Assertion) -> None:
        """Decide, and record the result of this claim."""
        self._named(assertion.arms)
        self._unjudged()
        if assertion.metric:
            # What was read before, was read by another one.
            self._metric, self._evidence = assertion.metric, {}
        self._look_from(kind_of(assertion.kind).first_look)
        settings, source = self._settings, self._claim.source
        decide = partial(self._decide, assertion)
        ended = partial(self._learned_nothing, assertion)
        if self._claim.tunes:
            # Before the settings were chosen no one knew which arms these are.
            self._pool.want([self._wanted(name) for name in assertion.arms])
        verdict = self._decided(decide, ended)
        # In a placebo they are all the first arm's.
        used = dict.fromkeys(self._wanted(name)[0].dataset for name in self._evidence)
        datasets = {dataset: self._served(dataset) for dataset in used}
        data_kind = joined(self._pool.data(dataset).kind for dataset in datasets)
        enforced = settings.enforced
        arms = tuple(self._evidence.values())
        agreed, documented = None, assertion.documented(self._documented_figures())
        if assertion.contrast and documented is not None:
            measured = assertion.contrast({name: self.values(name) for name in self._evidence})
            weights = {name: weight for name, weight in assertion.weights().items() if weight}
            agreed = agreement(
                documented,
                measured,
                source.repetitions,
                unpaired=math.sqrt(sum(weight**2 * self.values(name).var(ddof=1) for name, weight in weights.items())),
                chosen_from=assertion.chosen_from,
                rounding=rounding_of(self._resolution(assertion), sum(weight**2 for weight in weights.values())),
                alpha=Level.of(settings.planned, verdict.n),
            )
        later = [look for look in settings.planned if look > verdict.n]
        open_ = verdict.outcome == Outcome.INCONCLUSIVE
        next_look = later[0] if open_ and later and not ended(verdict) else None
        more = min(verdict.seeds_to_settle or 2 * verdict.n, 1000)
        trained_on = TrainedOn(self._pool.device_kind, data_kind)
        # Confounders are trained as the arm that they stand for, but for what they change.
        trained = [self._wanted(name)[0] for name in self._evidence if name not in assertion.beside]
        self.result = Result(
            nodeid=self._nodeid,
            id=self._id,
            finding=self._claim.finding,
            kind=assertion.kind,
            claim=self._words,
            source=source,
            contrast=assertion.effect,
            verdict=verdict,
            agreement=agreed,
            compared=assertion.compared,
            arms=arms,
            scale=settings.scale,
            data="; ".join(dict.fromkeys(datasets.values())),
            data_kind=data_kind,
            device="; ".join(self._pool.devices(name for arm in arms for name in arm.runs)),
            device_kind=self._pool.device_kind,
            capabilities=tuple(self._pool.capabilities(name for arm in arms for name in arm.runs)),
            enforced=enforced,
            planned=settings.planned,
            next_look=next_look,
            command=(
                settings.look_on(self._nodeid, self._id, next_look, trained_on)
                if next_look
                else settings.replicate(self._nodeid, self._id, more, trained_on)
            ),
            placebo=self._reassigned(decide) if settings.placebo else {},
            measured=self._metric.name,
            unit=kind_of(assertion.kind).unit or self._metric.unit,
            images=self._claim.images,
            claims=self._claims,
            datasets=datasets,
            contrasted=tuple(map(label, assertion.contrasted)),
            trained=training_words(trained),
            differences=self._differences(assertion),
            more_seeds=next_look - verdict.n if next_look else more,
        )
        if enforced and verdict.outcome != Outcome.REPRODUCED:
            raise NotReproducedError(self.result, self._explain(self.result))

    def _differences(self, assertion: Assertion) -> tuple[float, ...]:
        """Per seed, the contrast whose mean the effect is; none where the data choose it."""
        if assertion.contrast is None or assertion.compared:
            return ()
        return tuple(assertion.contrast({name: self.values(name) for name in assertion.deciding}).tolist())

    def _reassigned(self, decide: Callable[[float], Verdict]) -> dict[str, int]:
        """How often each outcome comes up when the results at hand are given to the arms at random."""
        evidence = dict(self._evidence)
        pooled = [run for arm in evidence.values() for run in zip(arm.values, arm.collapsed, strict=True)]
        rng = np.random.default_rng(list(self._nodeid.encode()))
        outcomes: Counter[str] = Counter()
        for _ in range(PLACEBO_DRAWS):
            drawn = iter(rng.permutation(len(pooled)))
            for name, arm in evidence.items():
                runs = [pooled[next(drawn)] for _ in arm.values]
                values, collapsed = zip(*runs, strict=True)
                nothing = 2 * sum(collapsed) > len(collapsed)
                self._evidence[name] = dataclasses.replace(arm, values=values, collapsed=collapsed, at_chance=nothing)
            outcomes[str(decide(ALPHA).outcome)] += 1
        self._evidence = evidence
        return dict(outcomes)


def _turns_on_chance(assertion: Assertion, verdict: Verdict, at_chance: Mapping[str, bool]) -> bool:
    """Whether a claim on several pairs is not confirmed because of one whose arms are both at chance.

    at_chance: by label. The pair is the one of the upper bound, which is the nearest to being excluded.
    """
    if verdict.outcome == Outcome.REPRODUCED or not kind_of(assertion.kind).directed:
        return False
    pairs = [bound.comparison for bound in verdict.bounds if bound.side == "upper"]
    return any(pair and all(at_chance.get(label, False) for label in pair) for pair in pairs)
