"""One command for a GPU: a part that fails is told and stops nothing, and what is done is not done again."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from benchmarks import gpu_page
from benchmarks.on_gpu import MISSING, PAGE, STATE, Part, missing, parts, run, run_all
from pytest_claims.ledger.findings import register
from pytest_claims.runs.transfer import main as runs

ROOT = Path(__file__).resolve().parents[2]


def program(name, text, **more):
    return Part(name, [sys.executable, "-c", text], **{"share": 1.0, **more})


def test_a_part_that_takes_too_long_is_interrupted_and_leaves_its_log(tmp_path):
    slow = program("slow", "import time; print('begun', flush=True); time.sleep(60)")
    ended = run(slow, 1.5, tmp_path / "slow.log", before=100.0)
    assert ended.words.endswith("interrupted: its time was over")
    assert not ended.done
    assert ended.seconds > 101
    assert "begun" in (tmp_path / "slow.log").read_text()
    assert run(program("quick", "pass"), 20, tmp_path / "quick.log").words.startswith("quick: exit 0")


def test_what_fails_is_on_the_page_and_the_rest_goes_on_and_is_not_done_again(tmp_path, capsys):
    count = (
        "import pathlib; path = pathlib.Path({!r}); path.write_text(path.read_text() + 'x' if path.exists() else 'x')"
    )
    counts = [tmp_path / name for name in ("first", "last", "short")]
    fails = program("fails", "print('what went wrong'); raise SystemExit(3)")
    wanted = [
        program("first", count.format(str(counts[0]))),
        fails,
        Part("absent", [str(tmp_path / "no program")], 1.0),
        program("differs", "raise SystemExit(1)", fine=(0, 1)),
        program("last", count.format(str(counts[1]))),
        program("short", count.format(str(counts[2])), share=0),
    ]
    ended = run_all(tmp_path, wanted, 1, "a card")
    assert [each.done for each in ended] == [True, False, False, True, True, True]
    page = (tmp_path / PAGE).read_text()
    assert "## fails did not end well" in page
    assert "what went wrong" in page
    assert "absent: could not be started" in page
    assert "## differs did not end well" not in page
    # Again, once the fault is gone: what ended well is left alone, but for what takes seconds.
    wanted[1] = program("fails", "print('well')")
    capsys.readouterr()
    again = run_all(tmp_path, wanted, 1, "a card")
    assert [each.done for each in again] == [True, True, False, True, True, True]
    assert [len(each.read_text()) for each in counts] == [1, 1, 2]
    assert "first: done before" in capsys.readouterr().out
    assert "what went wrong" not in (tmp_path / PAGE).read_text()
    # With other options it is another part.
    wanted[0] = program("first", count.format(str(counts[0])) + "; print()")
    run_all(tmp_path, wanted, 1, "a card")
    assert counts[0].read_text() == "xx"


def test_a_damaged_state_costs_a_repetition_and_no_more(tmp_path):
    (tmp_path / STATE).write_text("[{")
    assert [each.done for each in run_all(tmp_path, [program("quick", "pass")], 1, "a card")] == [True]
    assert json.loads((tmp_path / STATE).read_text())[0]["name"] == "quick"


def test_where_the_time_is_over_parts_are_left_out_and_short_ones_done(tmp_path):
    ended = run_all(tmp_path, [program("long", "pass"), program("short", "pass", share=0)], 0, "a card")
    assert [each.name for each in ended] == ["short"]
    assert "- long: not run; the same command again goes on here" in (tmp_path / PAGE).read_text()


def test_ctrl_c_leaves_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.on_gpu.run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_all(tmp_path, [program("any", "pass")], 1, "a card")
    assert "any: not run" in (tmp_path / PAGE).read_text()


KERNELS = {
    "device": "a card",
    "errors of 3->32 3x3 on 512x32x32 float32": {"triton": [1e-7, 4.2e-7], "torch": [1.5e-5], "same": True},
    "errors of batch norm, torch.bfloat16": {"triton": [3.5e-3], "torch": [5.2e-3], "same": False},
    "errors of another float32": {"failed": ["a traceback"]},
    "D, 5 seeds, triton, ms a seed and step": 0.238,
    "D, 5 seeds, cudnn, ms a seed and step": 0.47,
    "D, 20 seeds, triton, ms a seed and step": 0.15,
    "A1, 8 blocks, 5 seeds, cudnn, ms a seed and step": {"failed": ["out of memory"]},
}
CLAIMS = {
    "facts": {"scale": "documented, 10 seeds"},
    "totals": {"REPRODUCED": 20, "CONTRADICTED": 0, "OPEN": 1},
    "runs_trained": 530,
    "disagreements": [{"id": "A3a", "verdicts": {"cuda": "REPRODUCED", "cpu": "CONTRADICTED"}}],
}


def test_the_page_has_what_the_parts_have_left(tmp_path):
    (tmp_path / "kernels.json").write_text(json.dumps(KERNELS))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    (tmp_path / "compare-kernels.log").write_text("a table\n\n4 arms, 40 pairs: none differs\n")
    (tmp_path / "compare-kernels.md").write_text("# A page")
    ended = [("kernels", "kernels: exit 0 after 90 s"), ("compare-kernels", "compare-kernels: exit 0 after 2 s")]
    page = gpu_page.gpu_page(tmp_path, "a card", "2026-11-26", ended, [], {"claims": 540.0})
    assert "- claims: 20 REPRODUCED, 1 OPEN; 530 runs trained in the last session, 9.0 minutes in all" in page
    assert "the goal for the whole documented scale with 10 seeds an arm is 10 minutes" in page
    assert "another kind of device: A3a (cuda REPRODUCED, cpu CONTRADICTED)" in page
    assert "| | cudnn, S = 5 | cudnn, S = 20 | triton, S = 5 | triton, S = 20 | ratio, S = 5 | ratio, S = 20 |" in page
    assert "| D | 0.47 | - | 0.238 | 0.15 | 2.0 | - |" in page
    assert "- float32: Triton's 4.2e-07, torch's own 1.5e-05" in page
    assert "- two calls give other bits: batch norm, torch.bfloat16" in page
    assert "- failed: A1, 8 blocks, 5 seeds, cudnn, ms a seed and step" in page
    assert "- kernels: 4 arms, 40 pairs: none differs ([page](compare-kernels.md))" in page


def test_a_damaged_file_costs_its_section_alone(tmp_path):
    (tmp_path / "kernels.json").write_text("{")
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    ended = [("compare-cpu", "compare-cpu: exit 2")]
    page = gpu_page.gpu_page(tmp_path, "a card", "2026-11-26", ended, [], {"kernels": 9.0, "claims": 60.0})
    assert "- claims: 20 REPRODUCED, 1 OPEN" in page
    # Steps and errors look into it; what was compared has no log.
    assert page.count("A section is left out, since its files cannot be read (JSONDecodeError") == 2
    assert page.count("A section is left out, since its files cannot be read (FileNotFoundError") == 1
    assert "- compare-cpu: exit 2" in page


def test_on_a_gpu_all_of_it_is_asked_for(tmp_path):
    commands = {part.name: part.command for part in parts(tmp_path, True, "auto")}
    assert "--gpu" in commands["speed"]
    for name in ("claims", "triton"):
        assert {"--gpu", "documented", "10", "4"} <= set(commands[name])
    assert shlex.join(commands["claims"]).count("--kernels") == 0
    assert commands["triton"][-2:] == ["--kernels", "triton"]


@pytest.mark.parametrize("name", ["compare-kernels", "compare-cpu", "compare-h100", "runs"])
def test_what_follows_training_can_be_called_as_it_is(tmp_path, name, capsys):
    """By its arguments alone: without a store, that is what is missing."""
    (command,) = [part.command for part in parts(tmp_path, True, "auto") if part.name == name]
    assert runs(command[3:]) != 0
    said = capsys.readouterr().err
    assert "no such file" in said or "no such store" in said


def test_what_is_missing_names_claims_that_are_there(tmp_path):
    claims = register(ROOT)
    for part, (name, (file, *rest), scale) in zip(missing(tmp_path, "auto"), MISSING, strict=False):
        found = [each for each in claims if each.test.startswith(file) and (not rest or rest[1] in each.test)]
        assert found, name
        assert {each.scale for each in found} == {scale}
        assert ["--scale", scale] == part.command[part.command.index("--scale") :][:2]
