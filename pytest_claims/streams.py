"""Random streams named by what they are for, so that adding one use of chance moves no other.

The rule follows DomainBed (hparams_registry.py): a generator's seed is a hash of its name, never of global state.
"""

from __future__ import annotations

import hashlib

import torch


def stream(*identity: str | int) -> torch.Generator:
    """A CPU generator seeded from the identity alone, e.g. stream("order", seed); equal names, equal numbers."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in identity).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
