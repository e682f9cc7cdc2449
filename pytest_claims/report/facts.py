"""What stands below a session's table: what it ran on, what it cost, and what its verdicts mean."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pytest_claims.data.kinds import SAMPLE, parts
from pytest_claims.report.kept_apart import APART, MIXED
from pytest_claims.report.session import Session, devices
from pytest_claims.report.settings_in_words import arithmetic_words, device_words, meaning
from pytest_claims.settings import Settings


def session_lines(settings: Settings, session: Session, width: int) -> list[str]:
    """Facts of a session, wrapped to a width but for paths."""
    kind = session.data_kind
    used = dict.fromkeys(words for result in session.results for words in result.datasets.values())
    trained_on = devices(session.results)
    lines = [
        f"runs trained in this session: {number(session.trained)}, reused: {number(session.reused)}, kept in "
        f"{_kept_in(settings)}",
        f"data: {'; '.join(used) or settings.data}",
        f"device: {trained_on + arithmetic_words(settings) if trained_on else device_words(settings)}",
        f"wall time: {wall_time(session.seconds)}",
        f"verdicts: {meaning(settings, kind or settings.data.kind)}",
    ]
    lines += [f"{head}: {session.facts[head]}" for head in (MIXED, APART) if head in session.facts]
    lines += not_judged_lines(session.not_judged)
    if SAMPLE in parts(kind) and settings.data.rule == "auto" and not settings.only_stored:
        lines.append("for whole data sets: `make data` fetches CIFAR (about 330 MB); then the same command uses it")
    return [part for line in lines for part in wrapped(line, width)]


def _kept_in(settings: Settings) -> Path:
    """Where the runs are: in the store, or where there is none yet, in the evidence."""
    there = settings.store.exists() and settings.store.stat().st_size
    return settings.store if there or not settings.evidence else settings.evidence


def number(runs: int | None) -> str:
    """How many runs, in words: "unknown" where the store could not be read."""
    return "unknown" if runs is None else str(runs)


def rehearsed_words(session: Session) -> str:
    """What a rehearsal came to: "100 of 100 claims ran, in 2 min 21 s (-v shows what they came to)"."""
    ran = len(session.results)
    return f"{ran} of {ran + len(session.not_judged)} claims ran, in {wall_time(session.seconds)} (-v: with verdicts)"


def not_judged_lines(not_judged: Sequence[tuple[str, str]]) -> list[str]:
    """Why claims have no verdict, each reason once with its number of claims, the most frequent first.

    not_judged: as a Session has them.
    """
    counts = Counter(_alike(why) for _, why in not_judged)
    shown = [f"not judged, {many} {'claim' if many == 1 else 'claims'}: {why}" for why, many in counts.most_common(4)]
    more = len(counts) - len(shown)
    return shown + ([f"and {more} more reasons why claims are not judged; -rs lists all"] if more > 0 else [])


def _alike(why: str) -> str:
    """A reason without what differs from claim to claim."""
    return re.sub(r"\d+ of \d+ runs of .* are not", "runs are not", why.removeprefix("not judged: "))


def wall_time(seconds: float) -> str:
    """ "12 s", "3 min 05 s", "2 h 07 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def wrapped(text: str, width: int, indent: str = "    ") -> list[str]:
    """Lines of a width; a word that is longer, a path, is left whole."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
