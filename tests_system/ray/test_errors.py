"""What is wrong with a cluster is said before anything is trained, and never by a session that hangs."""

import socket

import pytest


def test_a_machine_of_no_cluster(folder):
    folder.claims(1)
    session = folder.start("--ray", "auto", address="127.0.0.1:1")
    assert session.ended(120) == 4
    assert "no Ray cluster at " in session.text
    assert "RAY_ADDRESS" in session.text
    assert session.runs == 0


def test_no_cluster_at_the_address(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.claims(1)
    session = folder.start("--ray", f"ray://127.0.0.1:{port}")
    assert session.ended(120) == 4
    assert f"no Ray cluster at ray://127.0.0.1:{port}" in session.text


def test_something_else_at_the_address(folder):
    folder.claims(1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        session = folder.start("--ray", f"ray://127.0.0.1:{other.getsockname()[1]}")
        assert session.ended(120) == 4
    assert "ERROR" in session.text


def test_no_gpu_in_the_cluster(two_nodes, folder):
    folder.claims(1)
    session = folder.start("--ray", "auto", "--gpu", "--data", "images", address=two_nodes.address)
    assert session.ended() == 4
    assert "--gpu needs a GPU in the cluster, and the cluster has none" in session.text


def test_a_node_with_another_torch(nodes_of, folder):
    nodes, other = nodes_of(1), folder.folder / "other"
    other.mkdir()
    (other / "torch.py").write_text("__version__ = '1.0'")
    nodes.add(env_vars={"PYTHONPATH": str(other)})
    folder.claims(1)
    session = folder.start("--ray", "auto", address=nodes.address)
    assert session.ended() == 4
    assert "torch 1.0 instead of" in session.text
    assert session.runs == 0


@pytest.mark.parametrize("arguments", [("--plan",), ()])
def test_a_cluster_of_this_machine_that_ends_with_the_session(folder, arguments):
    folder.claims(1)
    session = folder.start("--ray", "local", *arguments)
    assert session.ended() == 0, session.text
    assert ("for the cluster" in session.text) == bool(arguments)
    assert "1 node, " in session.text
    assert session.runs == 0 if arguments else session.runs == 6
