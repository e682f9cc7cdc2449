"""Leases: one holder among all processes, none that is dead, and no lease lost to another descriptor of the file."""

import contextlib
import signal
import sqlite3
import subprocess

import pytest

from pytest_claims.runs.leases import Leases
from pytest_claims.runs.lock_file import LockFile
from pytest_claims.runs.store import Store
from pytest_claims.runs.store_file import StoreError
from tests_fast.runs.processes import script
from tests_fast.runs.test_store import KEY

NAME, OTHER = KEY.digest(0), KEY.digest(1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


@pytest.fixture
def elsewhere(path):
    """Leases of another process: a function that says, as Python text, what `leases` there is to do, and its answer."""
    process = script(f"""
        from pathlib import Path
        from pytest_claims.runs.leases import Leases
        leases = Leases(Path({str(path)!r}))
        while True:
            print(eval(input()), flush=True)
    """)

    def asked(text):
        process.stdin.write(text + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    asked.process = process
    yield asked
    process.kill()
    process.wait()


def test_a_lease_is_exclusive_between_processes_and_a_killed_ones_is_free_at_once(path, elsewhere):
    assert elsewhere(f"leases.take({NAME!r}) is not None") == "True"
    leases = Leases(path)
    assert leases.take(NAME) is None
    assert leases.take(OTHER) is not None
    elsewhere.process.send_signal(signal.SIGKILL)
    elsewhere.process.wait()
    assert leases.take(NAME) is not None


def test_a_store_by_another_name_has_the_same_leases(path, elsewhere):
    assert elsewhere(f"leases.take({NAME!r}) is not None") == "True"
    path.with_name("link").symlink_to(path)
    with contextlib.closing(Leases(path.with_name("link"))) as leases:
        assert leases.take(NAME) is None
        assert leases.take(OTHER) is not None


def test_a_released_lease_is_free(path, elsewhere):
    with contextlib.closing(Leases(path)) as leases:
        lease = leases.take(NAME)
        assert elsewhere(f"leases.take({NAME!r})") == "None"
        lease.release()
        lease.release()
        assert elsewhere(f"leases.take({NAME!r}) is not None") == "True"


def test_within_a_process_a_lease_is_exclusive_too(path):
    leases, others = Leases(path), Leases(path)
    lease = leases.take(NAME)
    assert leases.take(NAME) is None
    assert others.take(NAME) is None
    others.close()
    assert leases.take(OTHER) is not None
    lease.release()
    assert leases.take(NAME) is not None


def test_no_lease_is_lost_when_the_process_closes_another_descriptor_of_the_file(path, elsewhere):
    # POSIX drops all locks of a process on a file when it closes any descriptor of it.
    leases = Leases(path)
    lease = leases.take(NAME)
    leases.work("session", 0)
    Store(path).close()
    Leases(path).close()
    LockFile(path).close()
    path.write_bytes(b"not a database, and long enough not to be taken for an empty one" * 20)
    with pytest.raises(StoreError):
        Store(path)
    assert elsewhere(f"leases.take({NAME!r})") == "None"
    assert elsewhere("leases.at_work('session', [0])") == "True"
    lease.release()
    assert elsewhere(f"leases.take({NAME!r}) is not None") == "True"


@pytest.mark.parametrize("others_open", [False, True])
def test_closing_gives_everything_back(path, elsewhere, others_open):
    leases = Leases(path)
    if others_open:  # so that the descriptor stays
        others = Leases(path)
        kept = others.take(OTHER)
    leases.take(NAME)
    leases.work("session", 0)
    leases.close()
    leases.close()
    assert elsewhere(f"leases.take({NAME!r}) is not None") == "True"
    assert elsewhere("leases.at_work('session', [0])") == "False"
    if others_open:
        assert elsewhere(f"leases.take({OTHER!r})") == "None"
        kept.release()


def test_workers_at_work(path, elsewhere):
    leases = Leases(path)
    assert not leases.at_work("session", range(3))
    elsewhere("leases.work('session', 1)")
    assert leases.at_work("session", range(3))
    assert not leases.at_work("session", [0, 2])
    assert not leases.at_work("another", range(3))
    elsewhere("leases.rest('session', 1)")
    assert not leases.at_work("session", range(3))
    elsewhere("leases.work('session', 1)")
    elsewhere.process.kill()
    elsewhere.process.wait()
    assert not leases.at_work("session", range(3))


def test_looking_whether_a_worker_works_leaves_its_mark(path, elsewhere):
    leases = Leases(path)
    leases.work("session", 0)
    assert leases.at_work("session", [0])  # itself
    assert elsewhere("leases.at_work('session', [0])") == "True"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"--store .*file/runs\.sqlite.*folder that can be written"):
        Leases(tmp_path / "file" / "runs.sqlite").take(NAME)


def test_a_store_is_opened_by_one_process_at_a_time(path):
    # One holds the lock under which stores are opened; another one waits for it, and gets a whole store.
    locks = LockFile(path)
    with locks.opening():
        opener = script(f"""
            from pathlib import Path
            from pytest_claims.runs.store import Store
            print("ready", flush=True)
            print(Store(Path({str(path)!r})).count(), flush=True)
        """)
        assert opener.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            opener.wait(0.5)
        assert not path.exists()
    assert opener.wait(100) == 0
    assert opener.stdout.read() == "0\n"
    assert sqlite3.connect(path).execute("SELECT count(*) FROM runs").fetchone() == (0,)
