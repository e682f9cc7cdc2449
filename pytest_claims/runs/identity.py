"""What the names in a run's configuration stand for, where a name alone does not say it.

A class name and fields tell networks apart only while nobody writes another network under the same name. The word for
an optimiser that a claim's module registered does so likewise. So a run's key has what they compute. Two things are
named by words alone. One is what the package itself provides (schedules, augmentation, initialisation, its own
optimisers): the engine version stands for these. The other are networks beside whose module `behaviours.json` says what
they compute: their runs were recorded before keys had this. A network that no longer computes what that file says gets
keys of its own, as any other does.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_claims import optimisers
from pytest_claims.errors import ExplainedError
from pytest_claims.stacked.fingerprint import behaviour
from pytest_claims.stacked.network import NetworkError
from pytest_claims.types import Run, canonical

# Beside the module of a network: what the networks of recorded runs compute, by their canonical text.
FILE = "behaviours.json"
# In the place of a behaviour.
DOES_NOT_RUN = "does not run"


class IdentityError(ExplainedError):
    """What a run's names stand for cannot be found; the text names the file or the network, and the way out."""


def identity(run: Run) -> dict[str, str]:
    """What belongs into a run's key beside its names: "network" and "optimiser", as far as names do not say it.

    A network that cannot be built or run has a name, too; training it is what reports the reason. Raises IdentityError
    for a damaged file, and where there is too little memory to run a network once.
    """
    found = {}
    try:
        computed = _computed(run.network)
    except TypeError:  # it cannot be hashed, so that it is no network (stacked/network.py says so)
        computed = DOES_NOT_RUN
    if _recorded(_file_of(type(run.network))).get(text_of(run.network)) != computed:
        found["network"] = computed
    if run.recipe.optimizer not in optimisers.OWN:
        found["optimiser"] = optimisers.behaviour(run.recipe)
    return found


@functools.cache
def _computed(network: Any) -> str:
    """What a network computes. Kept also where it does not run, for it is asked for whenever the store is looked at."""
    try:
        return behaviour(network)
    except NetworkError:
        return DOES_NOT_RUN
    except MemoryError as error:  # which may be otherwise a moment later
        raise IdentityError(
            f"{network} cannot be run once to find what it computes, for want of memory ({error}). Free memory, or use "
            "fewer workers, and run the same command again; nothing that is stored is lost"
        ) from error


def text_of(network: Any) -> str:
    """A network's canonical text, as in a run's configuration."""
    return json.dumps(canonical(network), sort_keys=True, separators=(",", ":"))


def _file_of(kind: type[Any]) -> Path | None:
    """The file of recorded behaviours beside a class's module; None for a class of no file, as in a notebook."""
    try:
        return Path(inspect.getfile(kind)).with_name(FILE)
    except (OSError, TypeError):
        return None


@functools.cache
def _recorded(path: Path | None) -> Mapping[str, str]:
    """What the networks of a folder computed when their runs were recorded, by canonical text."""
    if path is None or not path.is_file():
        return {}
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
            raise ValueError("needed: one object, from canonical networks to behaviours")
    except (OSError, ValueError) as error:
        raise IdentityError(
            f"{path} cannot be read ({error}). It says which networks the recorded runs were made of: restore it from "
            "version control"
        ) from error
    return texts
