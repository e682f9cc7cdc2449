"""Kinds of images: what several come to, which are real, and which a ledger takes."""

import pytest

from pytest_claims.data.kinds import are_real, are_recorded, joined, parts


@pytest.mark.parametrize(
    ("kinds", "kind", "real", "recorded"),
    [
        ([], "", False, False),
        (["cifar", "cifar"], "cifar", True, True),
        (["svhn", "cifar"], "cifar+svhn", True, True),
        (["cifar+svhn", "mnist", "cifar"], "cifar+mnist+svhn", True, True),
        (["synthetic"], "synthetic", False, True),
        (["synthetic", "cifar"], "cifar+synthetic", False, True),
        (["folders"], "folders", False, False),
        (["cifar", "folders"], "cifar+folders", False, False),
    ],
)
def test_kinds(kinds, kind, real, recorded):
    assert (joined(kinds), are_real(kind), are_recorded(kind)) == (kind, real, recorded)
    assert joined(parts(kind)) == kind
