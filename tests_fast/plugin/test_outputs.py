"""The files of a session: none keeps another from being written, and none is written over another."""

import sqlite3

import pytest

ONE = ("--seeds", "3", "-k", "wide_beats")


def test_what_cannot_be_written_keeps_nothing_else_from_being_written(suite, run):
    # Taken only once the session has begun, so that the options let it pass.
    conftest = suite.path / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + "\nfrom pathlib import Path\n\n\ndef pytest_claims_result(config, result):\n"
        + "    for name in ('r.md', 'page'):\n        Path(__file__).with_name(name).write_text('') if name == 'page' "
        + "else Path(__file__).with_name(name).mkdir()\n"
    )
    session = run(*ONE, "--results", "r.md", "--claims-html", "page", "--claims-json", "c.json")
    assert session.ret == pytest.ExitCode.USAGE_ERROR
    session.stdout.fnmatch_lines(["T1 *", "written: c.json"])
    assert (suite.path / "c.json").stat().st_size > 1000
    session.stderr.fnmatch_lines(["ERROR: *r.md cannot be written (*", "ERROR: *page cannot be written (*"])


SAME = {
    "two reports": (("--results", "a", "--claims-json", "./a"), "--results and --claims-json name the same file"),
    "by a link": (("--results", "link.md", "--claims-json", "linked.md"), "--results and --claims-json name the same"),
    "the store": (("--store", "s.sqlite", "--results", "s.sqlite"), "--store and --results name the same file"),
    "its log": (("--store", "s.sqlite", "--results", "s.sqlite-wal"), "--store's wal and --results name the same file"),
    "the page": (("--store", "p/index.html", "--claims-html", "p"), "--store and --claims-html name the same file"),
    "pytest's own": (("--junitxml", "j.xml", "--claims-json", "j.xml"), "--claims-json and --junitxml name the same"),
    "another store": (("--results", "other.sqlite"), "--results other.sqlite is a database and is not written over"),
}


@pytest.mark.parametrize("name", SAME)
def test_no_file_is_written_over_another(suite, run, name):
    arguments, said = SAME[name]
    (suite.path / "linked.md").touch()
    (suite.path / "link.md").symlink_to("linked.md")
    (suite.path / "p").mkdir()
    with sqlite3.connect(suite.path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    before = (suite.path / "other.sqlite").read_bytes()
    session = run(*ONE, *arguments)
    assert session.ret == pytest.ExitCode.USAGE_ERROR
    session.stderr.fnmatch_lines([f"ERROR: {said}*"])
    assert (suite.path / "other.sqlite").read_bytes() == before
    assert not (suite.path / ".claims").exists()
