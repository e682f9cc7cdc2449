"""The template of a claim."""

import shutil

import pytest

from pytest_claims.new_claim import main, write
from tests_fast.plugin.conftest import ROOT


def test_what_is_written_can_be_collected_and_planned_as_it_is(suite, run):
    suite.path.joinpath("claims", "test_width.py").unlink()
    shutil.copytree(ROOT / "models", suite.path / "models")
    path = write("wide_nets", suite.path)
    assert path == suite.path / "claims" / "test_wide_nets.py"
    # Its rehearsal trains for a minute; that it could be trained is what the plan says.
    (suite.path / "sample").symlink_to(ROOT / "sample")
    result = run("--plan", data="sample")
    result.stdout.fnmatch_lines(["1 claim at 3 seeds; nothing is trained", "DepthCNN on cifar10 *2 *6 *"])
    assert "in the way" not in result.stdout.str()


def test_nothing_is_overwritten(tmp_path):
    path = write("width", tmp_path)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="is there already; choose another name"):
        write("width", tmp_path)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "Width", "two words", "../x", "1st", "a__b", "a_"])
def test_other_names_are_refused(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([name]) == 1
    assert "lower-case words with underscores" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_line_says_what_it_wrote_and_how_it_is_used(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "NAME" in capsys.readouterr().err
    assert main(["width"]) == 0
    assert "claims/test_width.py is written. Rehearse it" in capsys.readouterr().out
