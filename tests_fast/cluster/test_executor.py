"""Futures of blocks on a cluster, which the session may cancel while the cluster speaks of them."""

from concurrent.futures import Future

from pytest_claims.cluster.executor import _runs


def test_a_block_runs_from_when_it_begins():
    future = Future()
    assert _runs(future)
    assert future.running()
    assert _runs(future)


def test_a_cancelled_block_does_not_run_however_often_the_cluster_speaks_of_it():
    future = Future()
    future.cancel()
    assert not _runs(future)
    future.set_running_or_notify_cancel()
    assert not _runs(future)


def test_a_finished_block_does_not_run_again():
    future = Future()
    future.set_result(None)
    assert not _runs(future)
