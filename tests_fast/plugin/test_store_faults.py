"""A session whose store is damaged or taken away while it runs: its verdicts are there, and it is red."""

import json
import textwrap

import pytest

COMMAND = ("-v", "--seeds", "3", "-k", "wide_beats", "--store", "kept/runs.sqlite", "--claims-json", "c.json")

# As soon as the claim is judged, before the session ends.
CONFTEST = """
    import shutil
    import sqlite3
    from pathlib import Path

    pytest_plugins = ["pytest_claims.plugin.hooks"]
    STORE = Path(__file__).with_name("kept") / "runs.sqlite"

    def damage():
        connection = sqlite3.connect(STORE)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        size = STORE.stat().st_size
        with open(STORE, "r+b") as file:
            file.seek(4096)
            file.write(bytes([165]) * (size - 4096))

    def remove():
        shutil.rmtree(STORE.parent)

    def replace():
        remove()
        STORE.parent.mkdir()
        from pytest_claims.runs.store import Store
        Store(STORE).close()

    def pytest_claims_result(config, result):
        FAULT()
"""


@pytest.fixture
def faulty(suite, run):
    """Run the suite's first claim and do this to its store once it is judged; returns the session's result."""

    def runs(fault, *arguments):
        (suite.path / "conftest.py").write_text(textwrap.dedent(CONFTEST).replace("FAULT", fault))
        return run(*COMMAND, *arguments)

    return runs


def assert_told(suite, session, said):
    """The verdict is printed and written, one line says what happened, and the session is red."""
    text = session.stdout.str() + session.stderr.str()
    assert session.ret == pytest.ExitCode.USAGE_ERROR
    session.stdout.fnmatch_lines(["T1 *", "1 claim: *", "runs trained in this session: unknown, reused: unknown, *"])
    session.stderr.fnmatch_lines([f"ERROR: the store *runs.sqlite is {said}*"])
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert "Free disk space" not in text
    found = json.loads((suite.path / "c.json").read_text())
    assert [claim["finding"] for claim in found["claims"]] == ["T1"]
    assert (found["runs_trained"], found["runs_reused"]) == (None, None)


def test_a_page_of_the_store_that_is_damaged_loses_no_verdict(suite, faulty):
    session = faulty("damage", "--claims-html", "page", "--results", "r.md")
    assert_told(suite, session, "damaged (")
    assert session.stderr.str().count("is damaged (") == 2
    session.stderr.fnmatch_lines(["ERROR: page lacks the figures of single runs: the store *"])
    assert "a wide network beats a narrow one" in (suite.path / "page" / "index.html").read_text()
    assert "runs trained in this session: unknown" in (suite.path / "r.md").read_text()


@pytest.mark.parametrize("fault", ["remove", "replace"])
def test_a_store_that_is_gone_is_not_taken_for_an_empty_one(suite, faulty, fault):
    assert_told(suite, faulty(fault), "gone: the file was removed or replaced while this session used it")
    assert (suite.path / "kept").exists() == (fault == "replace")
