"""`python -m mutants` on a small project: what a test notices is killed, in place and anew; the rest is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mutmut", reason="mutmut makes the mutants: the extra `mutants`")
ROOT = Path(__file__).resolve().parents[1]

MODULE = """
import functools

LIMIT = 3


@functools.cache
def above(value, limit=LIMIT):
    return value > limit


class Pair:
    def __init__(self, first, second):
        self.first, self.second = first, second

    @property
    def falls(self):
        return self.first > self.second


def lowest(number):
    while number > 1:
        number = number - 1
    return number
"""
TESTS = """
import pytest

from decides import Pair, above, lowest


def test_above():
    assert above(4) and not above(3)
    assert above(2, limit=1)


@pytest.mark.parametrize(("pair", "falls"), [((2, 1), True), ((1, 2), False), ((1, 1), False)])
def test_falls(pair, falls):
    assert Pair(*pair).falls is falls


def test_lowest():
    assert lowest(4) == 1
"""


@pytest.fixture
def mutants(tmp_path):
    """Writes the project's tests and what may survive, and runs the command there; returns its status and text."""
    shutil.copytree(ROOT / "mutants", tmp_path / "mutants", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "mutants" / "modules.toml").write_text('["decides.py"]\ntests = ["test_decides.py"]\n')
    (tmp_path / "decides.py").write_text(MODULE)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    def run(*arguments, tests=TESTS, survivors=""):
        (tmp_path / "test_decides.py").write_text(tests)
        (tmp_path / "mutants" / "survivors.txt").write_text(survivors)
        command = [sys.executable, "-m", "mutants", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert (tmp_path / "decides.py").read_text() == MODULE  # it is a copy that is changed
        return done.returncode, done.stdout + done.stderr

    return run


def test_tests_that_notice_everything_let_no_mutant_survive(mutants):
    status, text = mutants()
    assert status == 0, text
    assert " 0 of " in text
    # The limit, and its default, are no function's code. A loop that never ends is ended (number + 1).
    made, in_place, anew = (int(text.split(before)[1].split()[0]) for before in ("decides.py: ", "\n  ", "place; "))
    assert 0 < in_place < made == in_place + anew, text


BEYOND = "decides.py Pair.falls: return self.first > self.second => return self.first >= self.second"


def test_what_no_test_notices_is_named_until_it_is_listed_with_a_reason(mutants):
    weak = TESTS.replace(", ((1, 1), False)", "")
    status, text = mutants("-k", "Pair.falls", tests=weak)
    assert status == 1, text
    assert f"NEW: {BEYOND}" in text
    assert f"\n{BEYOND}  # ?\n" in text
    listed = f"{BEYOND}  # pairs of equals do not occur\n"
    status, text = mutants("-k", "Pair.falls", tests=weak, survivors=listed)
    assert status == 0, text
    assert f"listed: {BEYOND}" in text
    status, text = mutants("-k", "Pair.falls", survivors=listed)
    assert status == 1
    assert "1 listed survivors that did not survive" in text
    status, text = mutants(survivors=f"{BEYOND}  # ?\n")
    assert status == 1
    assert "no reason is given" in text


def test_tests_that_fail_as_they_are_and_modules_that_are_not_listed_are_refused(mutants):
    status, text = mutants(tests=TESTS.replace("assert above(4)", "assert above(1)"))
    assert (status, "the tests of decides.py do not pass as they are" in text) == (1, True), text
    status, text = mutants("other.py")
    assert (status, "not in modules.toml: other.py" in text) == (2, True), text
