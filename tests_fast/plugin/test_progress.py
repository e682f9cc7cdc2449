"""Live progress: its text from given numbers, and what a session shows on a terminal, in a file and after trouble."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_claims.plugin.progress
from pytest_claims.plugin.progress import plan_line, seconds_left, status
from pytest_claims.runs.progress_notes import Group, InTraining, Plan, State
from pytest_claims.runs.quantities import about
from tests_fast.plugin.conftest import CLAIMS, write
from tests_fast.screen import Screen


def training(configuration="a", network="NormCNN(batch) batch 2", seeds=5, work=1.0, began=0.0, worker=0):
    return InTraining(worker, 1, network, configuration, seeds, work, began)


def test_the_status_says_how_far_what_how_fast_and_how_long():
    groups = (Group("a", 2.0, 10, 5, 12.0), Group("b", 1.0, 400, 0, None))
    deep = training("b", "DepthCNN(8, sigmoid) batch 512", 1, worker=1)
    state = State(groups, (training(), deep), 1234.5)
    assert status(state, 2, 0.0, 200) == (
        "5/410 runs | NormCNN(batch) batch 2 ×5, DepthCNN(8, sigmoid) batch 512 | 2,500 images/s | about 20 min left"
    )
    # Two workers at the same network train its seeds side by side, too.
    twice = State(groups, (training(), training(worker=1)), None)
    assert status(twice, 2, 0.0, 79) == "5/410 runs | NormCNN(batch) batch 2 ×10 | about 20 min left"
    assert status(State(groups, (deep,), None), 2, 0.0, 45) == "5/410 runs | DepthCNN(8,… | about 20 min left"
    assert status(State(groups, (deep,), 99.0), 2, 0.0, 44) == "5/410 runs | 99 images/s | about 20 min left"
    assert status(State(groups, (deep,), 99.0), 2, 0.0, 43) == "5/410 runs | about 20 min left"
    assert status(State((Group("a", 2.0, 1, 0, None),), (), None), 2, 0.0, 79) == "0/1 run"


def test_where_claims_may_go_on_to_more_seeds_it_says_at_least():
    groups = (Group("a", 2.0, 10, 5, 12.0), Group("b", 1.0, 400, 0, None))
    assert status(State(groups, (), None), 2, 0.0, 79, last=20) == "5/410 runs | at least about 20 min left"
    # At the last look there is nothing to go on to.
    whole = (Group("a", 2.0, 20, 15, 60.0),)
    assert status(State(whole, (), None), 1, 0.0, 79, last=20) == "15/20 runs | about 5 min left"
    assert status(State(whole, (), None), 1, 0.0, 79) == "15/20 runs | about 5 min left"
    short = (Group("a", 2.0, 10, 5, 1.0),)
    assert status(State(short, (), None), 1, 0.0, 79, last=20) == "5/10 runs | under 1 min to the next look"


def test_a_block_that_takes_longer_than_expected_moves_the_estimate():
    done = Group("a", 2.0, 20, 5, 12.0)
    # 5 seeds were expected to take a minute, and have taken ten already: so will the 10 after them, at least.
    late = State((done,), (training(began=0.0),), None)
    assert seconds_left(late, 1, 600.0) == pytest.approx(10 * 120)
    # A block that is in time leaves the estimate as it is.
    assert seconds_left(late, 1, 30.0) == pytest.approx(15 * 12 - 30)


def test_a_block_that_hangs_is_not_almost_done_for_minutes():
    """As seen on a GPU: 15 s of work took 366 s, and "about 1 min left" stood all the while."""
    groups = (Group("a", 1.0, 20, 20, 3.0), Group("b", 1.0, 5, 0, None))
    told = [status(State(groups, (training("b"),), None), 4, now, 79).split(" | ")[-1] for now in range(367)]
    assert told[0] == "under 1 min left"
    plain = [text for text in told if text.endswith("left") and not text.startswith("at least")]
    assert len(plain) < 60
    assert set(told[60:]) == {"longer than expected"}
    # With other seeds to come, what is known of them is the least that is left.
    more = (groups[0], Group("b", 1.0, 50, 0, None))
    late = status(State(more, (training("b"),), None), 1, 366.0, 79)
    assert late.endswith(" | at least about 55 min left")


def test_until_the_last_look_no_time_is_promised():
    """A session as it goes: claims want more seeds at each look, and until the last one every time is the least."""
    looks = (5, 7, 10, 14, 20)
    for at, seeds in enumerate(looks):
        for done in range(5, seeds):
            state = State((Group("a", 1.0, seeds, done, 60.0),), (), None)
            text = status(state, 1, 0.0, 79, last=looks[-1]).split(" | ")[-1]
            may_go_on = at < len(looks) - 1
            assert text.startswith("at least ") == may_go_on, (seeds, done, text)
            # What is left of the whole session, if the claim goes on, is not less than what is said.
            assert seconds_left(state, 1, 0.0) <= 60.0 * (looks[-1] - done)


times = st.floats(0, 1e7)


@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e6), st.integers(1, 5000), st.integers(0, 5000), times), min_size=1, max_size=5
    ),
    st.lists(st.tuples(st.text("ab(), ", max_size=80), st.integers(1, 20), times), max_size=5),
    st.none() | st.floats(1e-3, 1e9),
    st.integers(1, 64),
    st.integers(0, 200),
)
def test_the_status_is_never_wider_than_it_may_be(groups, blocks, speed, workers, width):
    groups = tuple(Group(str(at), w, n, min(n, d), s if d else None) for at, (w, n, d, s) in enumerate(groups))
    blocks = tuple(training(str(at), name, seeds, 1.0, began) for at, (name, seeds, began) in enumerate(blocks))
    state = State(groups, blocks, speed)
    text = status(state, workers, 1e6, width)
    assert len(text) <= width
    assert f"{state.done:,}/{state.runs:,} run".startswith(text[: width or None].split(" | ")[0][:-1] if text else "")
    left = seconds_left(state, workers, 1e6)
    assert left is None or left >= 0
    if any(group.runs < 20 for group in groups):
        assert not re.search(r"\| (about|under) [^|]* left$", status(state, workers, 1e6, 300, last=20))


def test_what_is_left_is_weighed_by_work_and_what_a_configuration_took():
    done, new = Group("a", 2.0, 10, 5, 12.0), Group("b", 1.0, 4, 0, None)
    # 5 seeds of 12 s, and 4 of half their work.
    assert seconds_left(State((done, new), (), None), 1, 0.0) == pytest.approx(5 * 12 + 4 * 6)
    assert seconds_left(State((done, new), (), None), 4, 0.0) == pytest.approx((5 * 12 + 4 * 6) / 4)
    # Of what is in training, a part is done; and no number of workers makes the longest of it shorter.
    assert seconds_left(State((done, new), (training(began=80.0),), None), 1, 100.0) == pytest.approx(84 - 20)
    assert seconds_left(State((done, new), (training(began=80.0),), None), 9, 100.0) == pytest.approx(60 - 20)
    assert seconds_left(State((done,), (training(began=0.0),), None), 1, 1e6) == 0
    # Before there is a speed to speak of, nothing is said.
    assert seconds_left(State((new,), (), None), 1, 0.0) is None
    assert seconds_left(State((Group("a", 2.0, 10, 5, 0.1),), (), None), 1, 0.0) is None
    assert seconds_left(State((Group("a", 2.0, 999, 5, 11.0),), (), None), 1, 0.0) is None
    assert seconds_left(State((Group("a", 2.0, 999, 20, 11.0),), (), None), 1, 0.0) == pytest.approx(979 * 11)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "under 1 min"),
        (50, "about 1 min"),
        (12.4 * 60, "about 12 min"),
        (31 * 60, "about 30 min"),
        (80 * 60, "about 1.5 h"),
        (2.1 * 3600, "about 2 h"),
        (21.2 * 3600, "about 21 h"),
        (70 * 3600, "about 3 days"),
    ],
)
def test_durations_are_as_precise_as_an_estimate_is(seconds, words):
    assert about(seconds) == words


def test_the_plan_is_a_line():
    assert plan_line(Plan(94, 530, 320, 12_448_400), (10, 20)) == (
        "plan: 94 networks, 530 runs, 320 of them stored; 12,448,400 steps to train; open claims go on to 10 and 20 "
        "seeds"
    )
    assert plan_line(Plan(1, 1, 0, 1)) == "plan: 1 network, 1 run; 1 step to train"
    assert plan_line(Plan(2, 6, 6, 0)) == "plan: 2 networks, 6 runs, all stored"


# As long as the arguments of a test say nothing else.
REHEARSED = ("--scale", "rehearsal")


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(pytest_claims.plugin.progress, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(pytest_claims.plugin.progress, "_LINE_SECONDS", 0.02)
    monkeypatch.setattr(pytest_claims.plugin.progress, "_SHARE", 1.0)


@pytest.fixture
def on_terminal(suite, monkeypatch, often):
    """Run pytest in this process with a pseudo-terminal as its output; returns the result and all that was sent."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PY_COLORS", "1")  # which pytester turns off

    def runs(*arguments, rows=12, columns=80):
        controlling, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        sent = []

        def receive():
            with contextlib.suppress(OSError):
                while chunk := os.read(controlling, 10_000):
                    sent.append(chunk)

        receiver = threading.Thread(target=receive)
        receiver.start()
        with monkeypatch.context() as patch, open(end, "w", encoding="utf-8") as file:
            patch.setattr("sys.stdout", file)
            result = suite.inline_run("claims", "--data", "images", *REHEARSED, *arguments, no_reraise_ctrlc=True)
        receiver.join()
        os.close(controlling)
        return result, b"".join(sent).decode()

    return runs


def test_a_terminal_is_painted_and_left_as_it_was(on_terminal):
    result, sent = on_terminal("-k", "equal")
    assert result.ret == 0
    assert re.search(r"\x1b\[1;11r\x1b\[12;1H\x1b\[0m\x1b\[7m\d/6 runs \| DepthCNN\(1, relu, 1\d\) batch 20 ", sent)
    screen = Screen(12, 80).feed(sent)
    assert screen.region == (0, 11)
    text = "\n".join(screen.lines)
    verdict = r"REHEARSED \(REPRODUCED\) \+0\.0 \[.*\] n=3\n"
    assert re.search(
        r"/ 2 selected\nplan: 2 networks, 6 runs; 96 steps to train\n\nclaims/test_width.py *\n"
        rf"T3-12 {verdict}T3-14 {verdict} +\[100%\]\n"
        r"=+ claims =+\n+2 of 2 claims ran, in .*\n(.*\n)*=+ 2 passed, 3 deselected in .*=$",
        text.rstrip(),
    )
    assert "runs |" not in text
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_a_failure_is_as_wide_as_its_terminal(on_terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "76")
    _, sent = on_terminal("--scale", "documented", "--seeds", "5", "-k", "narrow_beats", rows=24, columns=76)
    said = re.sub(r"\x1b\[[\d;]*m", "", sent)
    failure = said[said.index("CONTRADICTED: T2, ") : said.index("    pytest claims -k T2 ")].splitlines()
    assert 70 < max(map(len, failure)) <= 76


STOPPED = """
    @claim("T0", "stopped", source=SOURCE, arms=wide_and_narrow)
    def test_stopped(lab):
        lab.values("wide")
        import time
        time.sleep(0.2)
        raise KeyboardInterrupt
"""


def test_an_interrupted_session_leaves_the_terminal_as_it_was(suite, on_terminal):
    head, tests = CLAIMS.split("    @claim", 1)
    write(suite, head + STOPPED + "    @claim" + tests)
    result, sent = on_terminal("-q", "-k", "stopped")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "\x1b[1;11r" in sent
    screen = Screen(12, 80).feed(sent)
    text = "\n".join(screen.lines)
    assert screen.region == (0, 11)
    assert "! KeyboardInterrupt !" in text
    assert "plan:" not in text
    assert "runs |" not in text


@pytest.mark.parametrize("arguments", [["--collect-only"], ["-p", "no:terminal"], ["-k", "ordinary"]])
def test_nothing_is_shown_where_nothing_is_trained_or_no_terminal_is_wanted(on_terminal, arguments):
    _, sent = on_terminal("-k", "equal", *arguments)
    assert "plan:" not in sent
    assert "\x1b[1;11r" not in sent


def in_file(suite, monkeypatch, *arguments):
    path = suite.path / "output"
    with monkeypatch.context() as patch, path.open("w", encoding="utf-8") as file:
        patch.setattr("sys.stdout", file)
        result = suite.inline_run("claims", "--data", "images", *REHEARSED, *arguments)
    return result, path.read_text(encoding="utf-8")


def test_without_a_terminal_there_are_lines_of_their_own(suite, monkeypatch, often):
    result, text = in_file(suite, monkeypatch, "-k", "equal")
    assert result.ret == 0
    assert re.search(r"^progress: \d/6 runs.*$", text, re.MULTILINE)
    assert text.count("progress: ") == len(re.findall(r"^progress: \d/6 runs( \| .+)?$", text, re.MULTILINE))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)


VANISHED = """
    @claim("T0", "the store goes", source=SOURCE, arms=wide_and_narrow)
    def test_aa_vanished(lab):
        import pathlib, time
        for path in pathlib.Path(".claims").iterdir():
            path.unlink()
        time.sleep(0.1)
        lab.assert_greater("wide", "narrow", margin=2.0)
"""


def test_a_store_that_vanishes_ends_the_progress_at_most(suite, monkeypatch, often):
    head, tests = CLAIMS.split("    @claim", 1)
    write(suite, head + VANISHED + "    @claim" + tests)
    result, text = in_file(suite, monkeypatch, "-k", "vanished")
    # Its claim has no place for its runs, and says so; nothing of the progress gets in the way.
    assert result.ret == 1
    assert "Failed: the store " in text
    assert "Traceback" not in text
