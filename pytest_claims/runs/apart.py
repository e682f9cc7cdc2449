"""Stored runs that have the name of runs in use, and were computed by something else: what keeps them apart.

The same network, recipe and images by their names, on the same kind of device. A key tells them apart (store.py), so
they judge nothing beside one another, and nothing of them is lost. A person who edited a network, or moved to another
machine, is told so here.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pytest_claims.runs.store import CPU, Store

# What the names of a run stand for, and where it was trained: entries of Key.numerics, the weightiest first.
NETWORK, OPTIMISER, CAPABILITY = "network", "optimiser", "capability"
_KEPT_APART_BY = (NETWORK, OPTIMISER, CAPABILITY)

# Canonical configuration, fingerprint of the images, numerics: all of a key that decides with whom a run is compared.
Used = tuple[str, str, str]


@dataclasses.dataclass(frozen=True, order=True)
class Apart:
    """Runs that are kept apart.

    by: the entry of their numerics that does it. name: of the network's class, or the optimiser's; "" for CAPABILITY.
    then, now: what that entry is in these runs and in those in use: a behaviour (identity.py) or an instruction set; ""
    where their key does not say it.
    """

    by: str
    name: str
    then: str
    now: str


def apart(store: Store, used: Iterable[Used]) -> dict[Apart, int]:
    """How many stored runs are kept apart from those that a session uses, or will train, by what keeps them.

    Raises StoreError if the store cannot be read, or is damaged there.
    """
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for configuration, data, numerics, count in store.groups():
        found_so_far = groups.setdefault((configuration, data), {})
        # The store and the evidence beside it may have the same ones.
        found_so_far[numerics] = max(count, found_so_far.get(numerics, 0))
    in_use: dict[tuple[str, str], list[str]] = {}
    for configuration, data, numerics in dict.fromkeys(used):
        in_use.setdefault((configuration, data), []).append(numerics)
    found: Counter[Apart] = Counter()
    for (configuration, data), ours in in_use.items():
        for numerics, count in groups.get((configuration, data), {}).items():
            if numerics in ours:
                continue
            other = store.parsed(numerics)
            reasons = (_between(configuration, other, json.loads(own)) for own in ours)
            if told := next(filter(None, reasons), None):
                found[told] += count
    return dict(sorted(found.items()))


def _between(configuration: str, other: dict[str, Any], own: dict[str, Any]) -> Apart | None:
    """What keeps these numerics apart; None where the session chose it: another device, TF32, other kernels."""
    if {**other, **dict.fromkeys(_KEPT_APART_BY)} != {**own, **dict.fromkeys(_KEPT_APART_BY)}:
        return None
    for by in _KEPT_APART_BY:
        then, now = (str(numerics.get(by, "")) for numerics in (other, own))
        if then != now and (by != CAPABILITY or own.get("device") == CPU):
            return Apart(by, _named(configuration, by), then, now)
    return None


def _named(configuration: str, by: str) -> str:
    parsed = json.loads(configuration)
    if by == NETWORK:
        return str(parsed["network"]["kind"])
    return str(parsed["recipe"]["optimizer"]) if by == OPTIMISER else ""
