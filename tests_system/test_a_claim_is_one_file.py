"""The README's example, put beside the claims, is a claim like them."""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_a_claim_is_one_file(pytester, monkeypatch):
    """The README's example, put beside the others, passes all of the above and breaks nothing."""
    folders = ("claims", "models", "tests_fast/test_claims.py", "tests_fast/ledger", "docs/findings.md")
    for name in (*folders, "conftest.py", "pytest.ini", "tests_fast/models", "tests_fast/data", "tests_fast/train"):
        target = pytester.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    for name in ("tests_fast/test_sources.py", "tests_fast/images.py", "pytest_claims", "evidence"):
        (pytester.path / name).symlink_to(ROOT / name)
    (example,) = re.findall(
        r"```python\n(# claims/test_width\.py\n.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    (pytester.path / "claims" / "test_width.py").write_text(example, encoding="utf-8")
    # In this process, which has loaded torch; but what was copied is loaded again, from the copy.
    for name in [name for name in sys.modules if name.split(".")[0] in ("claims", "models", "tests_fast")]:
        monkeypatch.delitem(sys.modules, name)
    tests = ["tests_fast/test_claims.py", "tests_fast/ledger/test_findings.py"]
    result = pytester.runpytest_inprocess(*tests, "-p", "pytester", "-p", "no:cacheprovider")
    assert result.ret == 0
