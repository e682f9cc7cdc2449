"""Of what kind images are: which ledger a verdict on them belongs to, and whether it speaks of the findings.

A kind is the family of a registered data set ("cifar") where its own images were loaded; "sample" where they were the
sample of it that ships with the claims (sample.py); or "folders", images of one's own. The kinds of several data sets
are one kind, joined by "+" in alphabetical order: "cifar+svhn".
"""

from __future__ import annotations

from collections.abc import Iterable

SAMPLE, FOLDERS = "sample", "folders"


def joined(kinds: Iterable[str]) -> str:
    """One kind for images of these kinds, each of which may be joined itself; "" for none."""
    return "+".join(sorted({part for kind in kinds for part in kind.split("+") if part}))


def parts(kind: str) -> set[str]:
    """The kinds that this one was joined of."""
    return set(kind.split("+")) - {""}


def are_real(kind: str) -> bool:
    """Whether all of these images are those of registered data sets, whole or samples of them.

    A ledger takes verdicts on these: others can have the same images, and check.
    """
    return bool(parts(kind)) and FOLDERS not in parts(kind)


def are_whole(kind: str) -> bool:
    """Whether all of these images are those of registered data sets, and no part of them is a sample."""
    return are_real(kind) and SAMPLE not in parts(kind)
