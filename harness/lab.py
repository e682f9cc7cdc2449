"""What a claim's test works with: its arms' results, and assertions that turn them into a verdict."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np

from harness.claim import Arm, Claim, Outcome, Source, Verdict
from harness.judgement import ArmEvidence, Judgement
from harness.pool import Pool
from harness.settings import Settings
from harness.stats import (
    agreement,
    best_of,
    collapse,
    equivalence,
    never_falls,
    no_difference,
    not_on_collapses,
    superiority,
    trend,
)
from harness.train.device import describe

Name = Hashable


class NotReproducedError(AssertionError):
    """A claim's verdict, in a session whose verdicts decide, is not REPRODUCED; carries the judgement."""

    def __init__(self, judgement: Judgement, text: str) -> None:
        super().__init__(text)
        self.judgement = judgement


def label(name: Name) -> str:
    """An arm's name for people: ("relu", 4) reads "relu 4"."""
    return " ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


class Lab:
    """The `lab` fixture of one claim.

    Every assert_ method trains what is not yet stored, decides, records the judgement (self.judgement), and raises
    NotReproducedError if the session's verdicts decide and this one is not REPRODUCED. Margins are in points, above 0.
    Arms are named as the claim declares them; an undeclared name raises KeyError.
    """

    def __init__(
        self,
        nodeid: str,
        claim: Claim,
        words: str,
        arms: Mapping[Name, Arm],
        settings: Settings,
        pool: Pool,
        explain: Callable[[Judgement], str],
    ) -> None:
        self._nodeid, self._claim, self._words, self._arms = nodeid, claim, words, arms
        self._settings, self._pool, self._explain = settings, pool, explain
        self._evidence: dict[Name, ArmEvidence] = {}
        self.judgement: Judgement | None = None

    def accuracy(self, name: Name) -> np.ndarray:
        """Test accuracy of an arm in percent, float64 [seeds], in the order of seeds."""
        return np.asarray(self._of(name).accuracy)

    def collapsed(self, name: Name) -> np.ndarray:
        """Which runs of an arm diverged or ended at chance, bool [seeds]."""
        return np.asarray(self._of(name).collapsed)

    def assert_greater(self, better: Name, worse: Name, *, margin: float) -> None:
        """The claim that one arm beats another, by an effect whose smallest interesting size is margin."""
        values = self.accuracy(better), self.accuracy(worse)
        collapsed = self.collapsed(better), self.collapsed(worse)
        verdict = superiority(*values, margin=margin, collapsed=collapsed, names=(label(better), label(worse)))
        self._judge(
            "effect", f"{label(better)} − {label(worse)}", verdict, values[0] - values[1], self._gap(better, worse)
        )

    def assert_within(self, first: Name, second: Name, *, within: float) -> None:
        """The claim that two arms differ by less than `within` points."""
        values = self.accuracy(first), self.accuracy(second)
        verdict = not_on_collapses(equivalence(*values, within=within), self._collapses([first, second]))
        self._judge(
            "equality", f"{label(first)} − {label(second)}", verdict, values[0] - values[1], self._gap(first, second)
        )

    def assert_no_difference(self, names: Sequence[Name], *, within: float) -> None:
        """The claim that no two of these arms differ by `within` points or more."""
        # Highest mean first, so that every difference reads as a distance.
        ordered = sorted(names, key=lambda name: -self.accuracy(name).mean())
        verdict = no_difference({label(name): self.accuracy(name) for name in ordered}, within=within)
        verdict = not_on_collapses(verdict, self._collapses(names))
        # The documented contrast is that of the source's own two extremes, fixed before any run.
        high, low = self._documented_extremes(names)
        difference = self.accuracy(high) - self.accuracy(low)
        compared = f"{label(high)} − {label(low)}"
        self._judge("equality", "the deciding pair's difference", verdict, difference, self._gap(high, low), compared)

    def assert_best(self, best: Name, rivals: Sequence[Name], *, margin: float) -> None:
        """The claim that one arm beats every rival."""
        arms = {label(name): self.accuracy(name) for name in (best, *rivals)}
        collapsed = {label(name): self.collapsed(name) for name in (best, *rivals)}
        verdict = best_of(arms, best=label(best), margin=margin, collapsed=collapsed)
        closest, _ = self._documented_extremes(rivals)
        difference = self.accuracy(best) - self.accuracy(closest)
        compared = f"{label(best)} − {label(closest)}"
        self._judge(
            "best", f"{label(best)} − its closest rival", verdict, difference, self._gap(best, closest), compared
        )

    def assert_rises(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy grows along the levels (keys, ascending), end to end by about margin or more."""
        self._trend(by_level, +1, margin, "last − first level")

    def assert_falls(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy falls along the levels (keys, ascending), end to end by about margin or more."""
        self._trend(by_level, -1, margin, "first − last level")

    def assert_never_falls(self, by_level: Mapping[float, Name], *, margin: float) -> None:
        """The claim that accuracy falls by less than margin at every step along the levels and from end to end."""
        levels, names = list(by_level), list(by_level.values())
        values = np.stack([self.accuracy(name) for name in names], axis=1)
        verdict = not_on_collapses(never_falls(levels, values, margin=margin), self._collapses(names))
        ends = values[:, -1] - values[:, 0]
        self._judge("no fall", "the least change", verdict, ends, self._gap(names[-1], names[0]), "last − first level")

    def assert_gap_widens(self, by_level: Mapping[float, tuple[Name, Name]], *, margin: float) -> None:
        """The claim that (first − second) grows along the levels, end to end by about margin or more."""
        levels, pairs = list(by_level), list(by_level.values())
        gaps = np.stack([self.accuracy(first) - self.accuracy(second) for first, second in pairs], axis=1)
        collapsed = np.stack([self.collapsed(first) | self.collapsed(second) for first, second in pairs], axis=1)
        verdict = trend(levels, gaps, direction=+1, margin=margin, collapsed=collapsed)
        documented = [self._gap(*pair) for pair in (pairs[-1], pairs[0])]
        change = None if None in documented else documented[0] - documented[1]
        self._judge("effect", "gap at the last − at the first level", verdict, gaps[:, -1] - gaps[:, 0], change)

    def assert_spans_less(self, steady: Sequence[Name], other: Sequence[Name], *, margin: float) -> None:
        """The claim that one group of arms spans less (highest − lowest accuracy, per seed) than another."""
        spans, documented, collapsed = [], [], []
        for names in (other, steady):
            values = np.stack([self.accuracy(name) for name in names], axis=1)
            spans.append(np.ptp(values, axis=1))
            collapsed.append(np.stack([self.collapsed(name) for name in names], axis=1).any(axis=1))
            documented.append(self._gap(*self._documented_extremes(names)))
        names = tuple(f"{label(group[0])} … {label(group[-1])}" for group in (other, steady))
        verdict = superiority(*spans, margin=margin, collapsed=tuple(collapsed), names=names)
        difference = None if None in documented else documented[0] - documented[1]
        contrast = f"span of {names[0]} − span of {names[1]}"
        self._judge("effect", contrast, verdict, spans[0] - spans[1], difference)

    def _trend(self, by_level: Mapping[float, Name], direction: int, margin: float, contrast: str) -> None:
        levels, names = list(by_level), list(by_level.values())
        values = np.stack([self.accuracy(name) for name in names], axis=1)
        collapsed = np.stack([self.collapsed(name) for name in names], axis=1)
        verdict = trend(levels, values, direction=direction, margin=margin, collapsed=collapsed)
        documented = self._gap(names[-1], names[0])
        ends = direction * (values[:, -1] - values[:, 0])
        self._judge("effect", contrast, verdict, ends, None if documented is None else direction * documented)

    def _of(self, name: Name) -> ArmEvidence:
        if name not in self._arms:
            raise KeyError(f"{name!r} is no arm of this claim; declared: {', '.join(map(repr, self._arms))}")
        if name not in self._evidence:
            run = self._pool.fitted(self._arms[name].run(self._settings.scale))
            results = self._pool.results(run, self._settings.seeds)
            accuracy = [result.test_accuracy for result in results]
            collapsed = collapse(
                np.asarray(accuracy),
                chance=100 / run.network.classes,
                test_images=results[0].test_images,
                diverged=np.asarray([result.diverged for result in results]),
            )
            documented = self._arms[name].documented
            self._evidence[name] = ArmEvidence(
                label(name), tuple(accuracy), tuple(bool(flag) for flag in collapsed), documented
            )
        return self._evidence[name]

    def _collapses(self, names: Sequence[Name]) -> dict[str, int]:
        """How many runs of each of these arms collapsed, where any did."""
        counts = {label(name): int(self.collapsed(name).sum()) for name in names}
        return {name: count for name, count in counts.items() if count}

    def _gap(self, first: Name, second: Name) -> float | None:
        """The documented difference of two arms, None where the source gives none."""
        figures = self._arms[first].documented, self._arms[second].documented
        return None if None in figures else figures[0] - figures[1]

    def _documented_extremes(self, names: Sequence[Name]) -> tuple[Name, Name]:
        """The arms with the highest and the lowest documented figure; the first and last where there are none."""
        known = [name for name in names if self._arms[name].documented is not None]
        if len(known) < len(names):
            return names[0], names[-1]
        ordered = sorted(known, key=lambda name: self._arms[name].documented)
        return ordered[-1], ordered[0]

    def _judge(
        self,
        kind: str,
        contrast: str,
        verdict: Verdict,
        values: np.ndarray,
        documented: float | None,
        compared: str = "",
    ) -> None:
        """Record the judgement of this claim.

        values: the contrast per seed, [n], that the documented one is held against; compared: what it is, where it is
        not the contrast of the verdict's effect.
        """
        if self.judgement is not None:
            raise RuntimeError(f"{self._nodeid} asserts twice; one claim is one assertion")
        source: Source = self._claim.source
        agreed = None if documented is None else agreement(documented, values, source.repetitions)
        settings, n = self._settings, verdict.n
        more = verdict.seeds_to_settle or 2 * n
        self.judgement = Judgement(
            nodeid=self._nodeid,
            finding=self._claim.finding,
            kind=kind,
            claim=self._words,
            source=str(source),
            contrast=contrast,
            verdict=verdict,
            agreement=agreed,
            compared=compared,
            arms=tuple(self._evidence.values()),
            scale=settings.scale,
            data=str(settings.data),
            device=describe(settings.device),
            enforced=settings.enforced,
            command=settings.command(self._nodeid, min(more, 1000)),
        )
        if settings.enforced and verdict.outcome != Outcome.REPRODUCED:
            raise NotReproducedError(self.judgement, self._explain(self.judgement))
