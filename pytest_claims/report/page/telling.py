"""A module's story: which figure it is told with, and what is said before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pytest_claims.data import DataError
from pytest_claims.data.spec import spec_of
from pytest_claims.judge.metric import ACCURACY
from pytest_claims.judge.result import Result
from pytest_claims.report.page.colours import Colours
from pytest_claims.report.page.figures import values_figure
from pytest_claims.report.page.gaps import Gaps, gaps
from pytest_claims.report.page.panels import Panel, panels, trained_as
from pytest_claims.report.page.sentences import claim_sentence, gap_sentences, summed_up
from pytest_claims.report.page.story_figures import SHOWN, levels_figure, slopes_figure, story_curves_figure
from pytest_claims.runs.store import Stored
from pytest_claims.story import Story

# A gap at fewer levels is no course along an axis.
_LEAST_LEVELS = 3

_SIGNS = "Thick: 95 % intervals over seeds. Open signs: what the source documents."
_BENEATH = "Beneath: {}; its sign and colour are the verdict, thin the bounds that decide, short bars the margin."


@dataclasses.dataclass(frozen=True)
class Told:
    """What a reader sees first of a module. headline: sentences, the first one the most telling. figure: inline SVG, ""
    where no run is at hand. of_gaps: the claims that the figure itself gives the verdicts of. panel: whose values the
    figure has, None where it has others."""

    headline: tuple[str, ...]
    figure: str
    caption: str
    of_gaps: tuple[Result, ...] = ()
    panel: Panel | None = None

    def has_values_of(self, panel: Panel) -> bool:
        """Whether the figure has all values of a panel, which then needs no figure of its own."""
        if self.panel is None or self.panel.measured != panel.measured:
            return False
        return {point.arm.runs for point in panel.points} <= {point.arm.runs for point in self.panel.points}


def told(story: Story, results: Sequence[Result], runs: Mapping[str, Stored], colours: Colours) -> Told:
    """The story of one module's claims, as far as these results and runs give it; declared or not."""
    chosen = [result for result in results if result.finding in story.findings] or list(results)
    shown = [panel for panel in panels(chosen, runs) if panel.points]
    if not shown:
        return Told((summed_up(chosen),), "", "")
    if story.figure in ("", "levels"):
        found = [(panel, gaps(panel, chosen, runs, story.gap)) for panel in shown]
        courses = [(panel, of) for panel, of in found if of is not None and len(of.along) >= _LEAST_LEVELS]
        if courses:
            return _along_levels(story, *max(courses, key=lambda course: len(course[1].along)), colours)
    accuracies = [panel for panel in shown if panel.measured == ACCURACY.name] or shown
    if story.figure == "slopes" and (panel := _side_by_side(accuracies)):
        about = _about(panel, results, runs)
        caption = f"Thin lines: one seed each, {_many(panel)}. {_SIGNS} {_BENEATH.format('each claim')}"
        return Told((claim_sentence(chosen[0]),), slopes_figure(panel, about, colours), caption, panel=panel)
    if story.figure == "curves" and (panel := _side_by_side(accuracies)):
        about = _about(panel, results, runs)
        figure = story_curves_figure(panel, about, colours, story.ends if chosen[0].comparable else {})
        lines = f"Training accuracy, thin lines: one seed each, {_many(panel)}. On the right the test."
        caption = f"{lines} {_SIGNS} {_BENEATH.format('each claim')}"
        return Told((claim_sentence(chosen[0]),), figure, caption)
    panel = max(accuracies, key=lambda panel: len(panel.points))
    caption = f"{panel.measured}: means with 95 % intervals over {_many(panel)}; dots are seeds."
    return Told((summed_up(chosen),), values_figure(panel, colours, widest=SHOWN), caption, panel=panel)


def _along_levels(story: Story, panel: Panel, found: Gaps, colours: Colours) -> Told:
    figure = levels_figure(panel, found, colours, chance=_chance(panel) if story.chance else None)
    # Claims that settle early have fewer seeds than others have of the same networks.
    over = "A mean is over all seeds of its network, a gap over those of its claim."
    caption = f"{_many(panel)}. {_SIGNS} {_BENEATH.format('the gap at each level')} {over}"
    return Told(tuple(gap_sentences(found, story)), figure, caption, tuple(gap.result for gap in found.along), panel)


def _about(panel: Panel, results: Sequence[Result], runs: Mapping[str, Stored]) -> list[Result]:
    """The claims on a panel's arms alone, in its measure and unit."""
    trained = {point.trained for point in panel.points}
    found = []
    for result in results:
        stored = [runs[name] for arm in result.arms for name in arm.runs[:1] if name in runs]
        inside = bool(stored) and {trained_as(run) for run in stored} <= trained
        if inside and result.measured == panel.measured and result.unit == "points":
            found.append(result)
    return found


def _side_by_side(shown: Sequence[Panel]) -> Panel | None:
    """The panel of arms without a common axis that has the most of them."""
    return max((panel for panel in shown if panel.axis is None), key=lambda panel: len(panel.points), default=None)


def _many(panel: Panel) -> str:
    seeds = sorted({len(point.arm.values) for point in panel.points})
    return f"{seeds[0]} seeds" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"


def _chance(panel: Panel) -> float | None:
    """The accuracy of guessing, percent; None where the number of classes is not known."""
    try:
        return 100 / spec_of(panel.points[0].runs[0].dataset).classes
    except DataError:
        return None
