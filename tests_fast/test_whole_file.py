"""Files are replaced whole: what was there before survives a full disk."""

import os
import resource
import signal

import pytest

from pytest_claims.whole_file import write_whole
from tests_fast.runs.processes import started


def _on_a_full_disk(path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with pytest.raises(OSError) as error:
        write_whole(path, ["a page much longer than before\n" * 1000])
    assert error.value.filename == str(path)
    os._exit(7)


def test_what_was_there_before_survives_a_full_disk(tmp_path):
    path = tmp_path / "index.html"
    path.write_text("the earlier page")
    process = started(_on_a_full_disk, path)
    process.join(60)
    assert process.exitcode == 7
    assert path.read_text() == "the earlier page"
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]


def test_links_are_followed_and_permissions_kept(tmp_path):
    path, link = tmp_path / "real.md", tmp_path / "link.md"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, ["after", "wards"])
    assert link.is_symlink()
    assert path.read_text() == "afterwards"
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_written_to_as_it_is(tmp_path):
    read, write = os.pipe()
    write_whole(f"/dev/fd/{write}", ["text"])
    assert os.read(read, 10) == b"text"
    with pytest.raises(OSError):
        write_whole(tmp_path, ["text"])
    assert list(tmp_path.iterdir()) == []
