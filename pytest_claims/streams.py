"""Random streams named by what they are for, so that adding one use of chance moves no other.

The rule follows DomainBed (hparams_registry.py): a generator's seed is a hash of its name, never of global state.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator

import numpy as np
import torch


def stream(*identity: str | int) -> torch.Generator:
    """A CPU generator seeded from the identity alone, e.g. stream("order", seed); equal names, equal numbers."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in identity).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def global_now() -> tuple[bytes, bytes, int, object]:
    """The global random state of torch (of the CPU), numpy and Python: to be compared with that of another moment."""
    _, words, place, *_ = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), np.asarray(words).tobytes(), int(place), random.getstate()


@contextlib.contextmanager
def global_state(seed: int) -> Iterator[None]:
    """Torch's (of the CPU), numpy's and Python's global random state set to a known one, and set back afterwards."""
    of_torch, of_numpy, of_python = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(of_torch)
        np.random.set_state(of_numpy)
        random.setstate(of_python)
