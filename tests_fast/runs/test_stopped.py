"""Who waits for a stopped process says so."""

import signal
import sqlite3
import time

import psutil
import pytest

from pytest_claims.runs.progress_notes import Notes
from pytest_claims.runs.stopped import Stopped, in_words
from pytest_claims.runs.store import Store
from tests_fast.runs.processes import script
from tests_fast.runs.test_progress_notes import block


@pytest.fixture
def stopped(tmp_path):
    """A process that was stopped, and lives."""
    process = script("print('ready', flush=True); input()")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def test_a_session_names_the_stopped_process_that_trains_what_it_needs(tmp_path, stopped):
    store = Store(tmp_path / "runs.sqlite")
    waiting, other, unconcerned = (Notes(store.path, session, 0) for session in ("one", "two", "three"))
    waiting.plan([block(0), block(1)])
    unconcerned.plan([block(7)])
    with other.training(block(1)):
        looks = Stopped(store.path, "one")
        assert looks.processes() == ()  # this process runs
        with sqlite3.connect(store.path) as connection:
            connection.execute("UPDATE blocks_in_training SET process = ?", (stopped.pid,))
        assert looks.processes() == (stopped.pid,)
        assert Stopped(store.path, "three").processes() == ()
        stopped.send_signal(signal.SIGCONT)
        while psutil.Process(stopped.pid).status() == psutil.STATUS_STOPPED:
            time.sleep(0.01)
        assert looks.processes() == ()


def test_what_it_says():
    assert in_words(()) == ""
    assert in_words((12,)) == "waits for process 12, stopped in training: fg or kill"
    assert in_words((12, 13)) == "waits for processes 12, 13, stopped in training: fg or kill"
