"""What --ray takes."""

import pytest

from pytest_claims.cluster.address import cluster_address, host_and_port


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("auto", "auto"),
        ("local", "local"),
        ("ray://head:10001", "ray://head:10001"),
        ("ray://head", "ray://head:10001"),
        ("ray://10.0.0.1:7/", "ray://10.0.0.1:7"),
        ("ray://[::1]:7", "ray://[::1]:7"),
    ],
)
def test_an_address_is_taken_as_ray_takes_it(text, address):
    assert cluster_address(text) == address


@pytest.mark.parametrize("text", ["", "Auto", "head:6379", "ray://", "ray://head:0", "ray://head:99999", "http://head"])
def test_another_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match="allowed: auto"):
        cluster_address(text)


@pytest.mark.parametrize(
    ("address", "place"),
    [("ray://head:7", ("head", 7)), ("10.0.0.1:6379", ("10.0.0.1", 6379)), ("[::1]:7", ("::1", 7))],
)
def test_its_host_and_port(address, place):
    assert host_and_port(address) == place
