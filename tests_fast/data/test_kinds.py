"""Kinds of images: what several come to, which are real, and which are whole data sets."""

import pytest

from pytest_claims.data.kinds import are_real, are_whole, joined, parts


@pytest.mark.parametrize(
    ("kinds", "kind", "real", "whole"),
    [
        ([], "", False, False),
        (["cifar", "cifar"], "cifar", True, True),
        (["svhn", "cifar"], "cifar+svhn", True, True),
        (["cifar+svhn", "mnist", "cifar"], "cifar+mnist+svhn", True, True),
        (["sample"], "sample", True, False),
        (["sample", "fashion_mnist"], "fashion_mnist+sample", True, False),
        (["folders"], "folders", False, False),
        (["cifar", "folders"], "cifar+folders", False, False),
    ],
)
def test_kinds(kinds, kind, real, whole):
    assert (joined(kinds), are_real(kind), are_whole(kind)) == (kind, real, whole)
    assert joined(parts(kind)) == kind
