"""docs/calibration.md, from the rates that `make calibrate` measured: python -m calibration.page docs/calibration.md"""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy
import scipy

from calibration import designs
from calibration.cells import EXPERIMENTS
from calibration.record import Row, saved

INTRODUCTION = """# Calibration

What the decision rules of [verdicts.md](verdicts.md) do where the truth is known, measured by `make calibrate` through
the functions that decide real claims. 10,000 simulated experiments a cell, seeded by the cell's name, so that a rate of
5 % is measured with a standard error of 0.22 points. Promised are 5 %, 7 % where differences are skewed or tied or runs
collapse, and a power of .80. A rate that stands more than three standard errors beyond is in bold. Differences between
arms have a standard deviation of 1, margins are 1 where no other is named, alpha is .05.
"looks" are those at 5, 7, 10, 14 and 20 seeds with the levels that they spend.

Skewed noise is a gamma distribution of shape 4, with its tail to the better runs (skewness +1) or to the worse (-1). In
claims on several arms the first carries it, since arms that are skewed alike have symmetric differences.
"""

SECTIONS = {
    "false": (
        "False verdicts at the edge",
        "The share of experiments with a false verdict, where the truth lies exactly on the edge of what must not be "
        "said. Farther from the edge it is smaller.",
    ),
    "collapse": (
        "Arms that collapse",
        "Arms near 60 % of which some runs fall to 10 %. Of two, the first is no better and collapses no less often "
        "than the second: the share in which it is called better. Of several that are equal: the share in which one "
        "is called best, a trend is seen, or a difference or a fall is called larger than 2 points. Bound: 7 %.",
    ),
    "power": (
        "Power",
        "The share of experiments with the right verdict at the effect that the suite itself names as detectable with "
        "power .80 at this number of seeds (compound claims: with the misses divided over their parts). At the "
        "margin, and at no effect with such a margin, a claim is thus INCONCLUSIVE in at most 20 %.",
    ),
    "coverage": (
        "Coverage of the intervals",
        "How often a one-sided 95 % bound misses the effect (the worse of both sides; 5 % is nominal), how often any "
        "bound of all looks does, and how often our mean lies outside the 95 % prediction interval of a documented "
        "figure that is true (5 % is nominal).",
    ),
    "session": (
        "A whole session",
        "Claims of every kind on shared arms. Holm: how often any claim stays red, with an adjusted p of at most .05, "
        "where all are just true. Benjamini-Hochberg: the mean share of false ones among those called REPRODUCED with "
        "an adjusted p of at most .05, where three effects of five are none, and beside them ten claims of effects "
        "that are there and too small.",
    ),
    "training": (
        "Real training",
        "Networks trained on the sample of CIFAR-10: the accuracies of 64 seeds of one network (NormCNN, a short "
        "recipe), drawn as two arms. Placebo: how often an effect is found. Positive control: how often an effect of "
        "the margin, added to one arm, is found at the number of seeds that the suite names for it. Negative control: "
        "the test accuracy after training on shuffled labels, as a share.",
    ),
    "open": (
        "Measured and not promised",
        "Skewness -2 (exponential) is beyond the correction with few seeds. Collapses that the seeds did not show "
        "leave no trace: an arm that is ahead otherwise, by as much as they cost it, is called better as often as "
        "none is seen (at a rate r and n seeds that is (1 - r)^n: 59 %, 35 % and 12 % for 10 % and 5, 10 and 20 "
        "seeds). No test of a mean can do otherwise (Bahadur and Savage, Annals of Mathematical Statistics, 1956). n "
        "seeds without a collapse exclude, at 95 %, only collapse rates above 45 % (5), 26 % (10) and 14 % (20). An "
        "effect that is made of the other arm's collapses is called too small or contradicted for the same reason.",
    ),
}


DESIGNS = """## Designs of looks

How many seeds a claim needs by several designs of looks, what these find, and how often they err. One arm against
another; 100,000 experiments a cell, which all designs judge. No promise is tested here: the table is what the design
was chosen by. *Levels* are the nominal one-sided ones of each look. "Hall up to 1.5 t" is the correction for skewness
that widens a bound of Student's t by half at most.

The first table is of a margin of 2.6 standard deviations of a paired difference, as in claim D: the mean number of
seeds at true effects of so many margins, and in brackets how many are trained where seeds come in blocks of five.

The second is of a margin of 1 standard deviation. *At 0*: how often a claim is CONTRADICTED where there is no effect.
*At half*: how often it has any verdict but INCONCLUSIVE at half of the margin. *At the margin*: how often it is
REPRODUCED there; *the same, .6* for a margin of .6. *Normal*, *skewness -1*: how often L > 0 at any look, at no
effect and where U ends no claim, by the noise (5 % and 7 % are promised). *Inflation*: the mean effect of claims that
stopped with L > 0 over the true one, which is the margin, for margins of .6, 1 and 2.6; the reason for the estimate
in [verdicts.md](verdicts.md).
"""


def page(rows: Sequence[Row], measured_designs: Sequence[designs.Measured]) -> str:
    """The page as Markdown. Raises ValueError if a section has no rows, or where no design was measured."""
    if not measured_designs:
        raise ValueError("no design of looks was measured; run all of `make calibrate`")
    lines = [INTRODUCTION]
    measured = [row for row in rows if row.bound is not None]
    broken = sum(not row.holds for row in measured)
    lines.append(
        f"{len(measured)} rates with a promise, {broken} beyond it; {len(rows) - len(measured)} without one. Measured "
        f"on {datetime.date.today().isoformat()} with Python {platform.python_version()}, NumPy {numpy.__version__}, "
        f"SciPy {scipy.__version__}.\n"
    )
    fewer = {row.experiments for row in rows if row.experiments < EXPERIMENTS}
    if fewer:
        numbers = ", ".join(f"{number:,}" for number in sorted(fewer))
        lines.append(f"Rates with ° are from {numbers} experiments, the others from {EXPERIMENTS:,}.\n")
    for section, (title, text) in SECTIONS.items():
        mine = [row for row in rows if row.section == section]
        if not mine:
            raise ValueError(f"no rates for section {section!r}; run all of `make calibrate`")
        lines += [f"## {title}\n", text + "\n", *_table(mine), ""]
    lines += [DESIGNS, *designs.table(measured_designs), ""]
    return "\n".join(lines)


def _table(rows: Sequence[Row]) -> list[str]:
    """One row a claim, truth and noise, one column a number of seeds."""
    seeds = sorted({row.seeds for row in rows}, key=lambda text: (not text.split()[0].isdigit(), _number(text), text))
    found: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: (row.what, row.truth, row.noise)):
        found.setdefault((row.what, row.truth, row.noise), {})[row.seeds] = row
    head = ["Claim", "Truth", "Noise", *seeds]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for names, cells in found.items():
        shares = [_share(cells[name]) if name in cells else "" for name in seeds]
        lines.append(f"| {' | '.join((*names, *shares))} |")
    return lines


def _number(text: str) -> int:
    first = text.split()[0]
    return int(first) if first.isdigit() else 0


def _share(row: Row) -> str:
    text = f"{row.share:.3f}" if row.least else f"{100 * row.share:.1f} %"
    text += "°" if row.experiments < EXPERIMENTS else ""
    return text if row.holds else f"**{text}**"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(saved(), designs.saved()), encoding="utf-8")
    print(f"written: {sys.argv[1]}")
