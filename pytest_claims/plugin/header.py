"""What a session's header says of its claims, before anything is trained."""

from __future__ import annotations

import psutil

from pytest_claims.errors import shown
from pytest_claims.report.settings_in_words import device_words, meaning, seeds_words
from pytest_claims.settings import Settings


def header(settings: Settings, workers: int, *, untrained: bool) -> list[str]:
    """Lines of the header. workers: how many processes train. untrained: the session trains nothing."""
    lines = [
        f"claims: scale {settings.scale}, {seeds_words(settings)}, {device_words(settings)}, store {settings.store}"
        + (" (--fresh: nothing reused)" if settings.since else ""),
        f"data: {settings.data}",
        f"verdicts: {meaning(settings, settings.data.kind)}",
    ]
    cores = psutil.cpu_count(logical=False) or 1
    if settings.device.type == "cpu" and workers == 1 and cores > 1 and not (untrained or settings.ray):
        lines.append(f"speed: one process trains on one core; -n {cores} uses all of this machine's")
    return [shown(line) for line in lines]
