"""What is lost on a cluster, and what is not: nodes, workers, the head, and whoever presses Ctrl-C."""

import psutil
import pytest

from tests_system.ray.conftest import passed


def test_a_node_killed_in_mid_session_loses_nothing(nodes_of, folder):
    nodes = nodes_of(2)
    first = nodes.all[0]
    # Its block never ends, so that it is training when it is killed.
    hold = folder.folder / f"hold-{first.node_id}"
    hold.touch()
    there = f"{str(folder.folder / 'hold-')!r} + ray.get_runtime_context().get_node_id()"
    folder.claims(4, on_node=f"while os.path.exists({there}): time.sleep(0.05)")
    session = folder.start("--ray", "auto", address=nodes.address)
    session.wait_for(lambda: session.runs >= 3 and first.node_id in folder.nodes_used)
    nodes.kill(first)
    assert session.ended() == 0, session.text
    assert passed(session.text) == 4
    assert session.runs == 24
    assert "a block is trained again: the node was lost on node" in session.text


@pytest.mark.long
def test_a_node_added_in_mid_session_is_used(nodes_of, folder):
    nodes = nodes_of(1)
    folder.claims(8, on_node="time.sleep(0.2)")
    session = folder.start("--ray", "auto", address=nodes.address)
    session.wait_for(lambda: session.runs >= 1)
    assert len(folder.nodes_used) == 1
    added = nodes.add()
    assert session.ended() == 0, session.text
    assert folder.nodes_used == {nodes.all[0].node_id, added.node_id}


@pytest.mark.long
def test_a_node_that_computes_differently_and_joins_later_is_left_out(nodes_of, folder):
    nodes = nodes_of(1)
    folder.claims(5, on_node="time.sleep(0.2)")
    session = folder.start("--ray", "auto", address=nodes.address)
    session.wait_for(lambda: session.runs >= 1)
    nodes.add(env_vars={"ATEN_CPU_CAPABILITY": "default"})
    assert session.ended() == 0, session.text
    assert folder.nodes_used == {nodes.all[0].node_id}
    assert "is left out: its CPU computes with" in session.text


def test_a_block_that_kills_its_process_is_given_up_and_named(two_nodes, folder):
    folder.claims(3, on_node="self.number != 2 or os._exit(1)")
    session = folder.start("--ray", "auto", address=two_nodes.address)
    assert session.ended() == 1
    assert passed(session.text) == 2
    assert "given up after 3 tries; the last one: the process that trained it was killed or crashed" in session.text
    assert 12 <= session.runs <= 15  # its other network may have been trained by then


@pytest.mark.long
def test_ctrl_c_keeps_what_is_finished_and_leaves_the_cluster_free(two_nodes, folder):
    folder.claims(6, on_node="time.sleep(0.3)")
    session = folder.start("--ray", "auto", address=two_nodes.address)
    session.wait_for(lambda: session.runs >= 2)
    before = session.runs
    status, seconds = session.interrupt()
    assert status == 2, session.text
    assert seconds < 6  # of which pytest's own end takes some; no block is waited for
    assert "KeyboardInterrupt" in session.text
    assert session.runs >= before
    assert not [child for child in psutil.process_iter(["cmdline"]) if _is_driver(child, folder)]
    again = folder.start("--ray", "auto", address=two_nodes.address)
    assert again.ended() == 0, again.text
    assert again.runs == 36
    assert f"reused: {session_runs(again)}" in again.text


@pytest.mark.long
def test_the_head_lost_ends_the_session_with_what_is_stored(nodes_of, folder):
    nodes = nodes_of(1)
    folder.claims(6, on_node="time.sleep(0.3)")
    session = folder.start("--ray", "auto", address=nodes.address)
    session.wait_for(lambda: session.runs >= 2)
    nodes.kill_head()
    assert session.ended(60) not in (0, 1), session.text
    assert "the Ray cluster was lost" in session.text
    stored = session.runs
    assert 2 <= stored < 36
    again = folder.start()
    assert again.ended() == 0, again.text
    assert again.runs == 36


def session_runs(session):
    """Runs that were there before, of those that the session needed."""
    return 36 - int(session.text.split("runs trained in this session: ")[1].split(",")[0])


def _is_driver(process, folder):
    command = " ".join(process.info["cmdline"] or [])
    return "pytest_claims.cluster.driver" in command and str(folder.folder) in command
