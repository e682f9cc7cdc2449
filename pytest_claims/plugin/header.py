"""What a session's header says of its claims, before anything is trained."""

from __future__ import annotations

import psutil

from pytest_claims.errors import shown
from pytest_claims.report.kept_apart import APART
from pytest_claims.report.settings_in_words import device_words, meaning, seeds_words
from pytest_claims.settings import Settings


def header(settings: Settings, workers: int, *, untrained: bool, judged: bool, apart: str = "") -> list[str]:
    """Lines of the header. workers: how many processes train. untrained: the session trains nothing. judged: tests pass
    or fail by their verdicts, which --plan and --explain let none do. apart: what is said of stored runs that are kept
    apart, "" for nothing."""
    lines = [
        f"claims: scale {settings.scale}, {seeds_words(settings)}, {device_words(settings)}, store {settings.store}"
        + (" (--fresh: nothing reused)" if settings.since else ""),
        f"data: {settings.data}",
        *([f"verdicts: {meaning(settings, settings.data.kind)}{_unverified(settings)}"] if judged else []),
        *([f"{APART}: {apart}"] if apart else []),
    ]
    cores = psutil.cpu_count(logical=False) or 1
    if settings.device.type == "cpu" and workers == 1 and cores > 1 and not (untrained or settings.ray):
        lines.append(f"speed: one process trains on one core; -n {cores} uses all of this machine's")
    return [shown(line) for line in lines]


def _unverified(settings: Settings) -> str:
    """A reservation where it is not known before the images are loaded what they are."""
    files = settings.data.unverified()
    if not (settings.enforced and files):
        return ""
    hold = "holds" if len(files) == 1 else "hold"
    return f" (as far as {' and '.join(files)} {hold} the published images, which is seen when they are loaded)"
