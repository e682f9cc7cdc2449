"""Sessions on a machine whose instruction set is another than that of stored runs, and after an edited network."""

import json

import pytest
import torch

from pytest_claims.runs.row import sealed
from pytest_claims.runs.store import COLUMNS, Store, digest
from tests_fast.plugin.conftest import CLAIMS, write

HERE = torch.backends.cpu.get_cpu_capability()


def elsewhere(path, capability):
    """Make all runs of a store those of another machine; "": of before instruction sets were recorded."""
    store = Store(path)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in store.rows()]
    store.remove(row["key"] for row in rows)
    for row in rows:
        numerics = {**json.loads(row["numerics"]), "capability": capability}
        row["numerics"] = json.dumps({key: value for key, value in numerics.items() if value}, sort_keys=True)
        row["key"] = digest(*(row[name] for name in ("configuration", "data", "numerics", "engine", "seed")))
    store.add(sealed(tuple(row.values())) for row in rows)
    store.close()


@pytest.fixture
def told(run, suite):
    """Judge T1 on so many seeds; what a program is told of it, with the lines that a person sees."""

    def judged(*options):
        found = run("-k", "T1", "-v", "--claims-json", "c.json", *options)
        document = json.loads((suite.path / "c.json").read_text())
        return document, document["claims"][0], found.stdout.str().replace("\n    ", " ")

    return judged


def test_runs_of_another_instruction_set_are_kept_apart_and_mixed_only_where_that_is_asked(told, run, suite):
    store = suite.path / ".claims" / "runs.sqlite"
    told("--seeds", "3")
    elsewhere(store, "AVX9")
    document, claim, lines = told("--seeds", "3")
    assert (document["runs_trained"], document["runs_reused"]) == (6, 0)
    assert claim["capabilities"] == [HERE]
    assert "kept apart: the store has 6 runs of other instruction sets (AVX9: 6), which this session" in lines
    said = f"6 runs of the same networks on another instruction set (AVX9: 6); this session's are of {HERE}"
    assert f"\nkept apart: {said}" in lines
    assert document["facts"]["kept apart"].startswith(said)
    assert "mixed" not in document["facts"]
    # Nothing is lost, and nothing is trained twice.
    document, _, _ = told("--seeds", "3")
    assert document["runs_trained"] == 0
    assert Store(store).count() == 12

    # Three seeds of a machine of before, three of here: a session that trains nothing does not add them up.
    elsewhere(store, "")
    told("--seeds", "3", "--first-seed", "3")
    _, claim, lines = told("--stored", "--seeds", "3")
    assert claim["capabilities"] == [""]
    assert ", instruction set not recorded" in lines
    run("-k", "T1", "--stored", "--seeds", "6").assert_outcomes(skipped=1)

    document, claim, lines = told("--stored", "--seeds", "6", "--mix-capabilities")
    assert claim["capabilities"] == ["", HERE]
    assert sorted(claim["arms"][0]["seeds"]) == list(range(6))
    mixed = f"1 claim is judged on runs of several instruction sets, {HERE} and one that is not recorded"
    assert f"\nmixed: {mixed}" in lines
    assert document["facts"]["mixed"].startswith(mixed)
    assert any("--mix-capabilities let them in" in note for note in claim["verdict"]["words"]["notes"])
    # Asked for in a session that trains, it trains what no machine has.
    document, _, lines = told("--seeds", "7", "--mix-capabilities")
    assert document["runs_trained"] == 2
    assert "plan: 2 networks, 14 runs, 12 of them stored" in lines


def test_a_page_says_that_a_verdict_mixes_them(told, suite):
    told("--seeds", "3")
    elsewhere(suite.path / ".claims" / "runs.sqlite", "SVE256")
    told("--seeds", "4", "--mix-capabilities", "--claims-html", "page", "--results", "page.md")
    for name in ("page/index.html", "page.md"):
        text = (suite.path / name).read_text()
        assert f"1 claim is judged on runs of several instruction sets, {HERE} and SVE256" in text


def test_what_mixes_is_recorded_in_no_ledger(recorded, run):
    found = run("--scale", "documented", "--stored", "--update-ledger", "--mix-capabilities", data=None)
    found.stderr.fnmatch_lines(["*records runs of one instruction set: leave --mix-capabilities out"])


NETWORK = """
import dataclasses


@dataclasses.dataclass(frozen=True)
class Edited:
    classes: int = 10

    def build(self, seeds):
        return DepthCNN(DEPTH, "relu", width=4, classes=self.classes).build(seeds)


"""


def test_after_an_edit_a_network_is_trained_anew_and_the_session_says_what_it_keeps(told, run, suite):
    claims = CLAIMS.replace("\n    ", "\n").replace("SOURCE =", NETWORK + "SOURCE =", 1)
    claims = claims.replace(
        'DepthCNN(1, "relu", width=width, classes=5)',
        'Edited(5) if width == 16 else DepthCNN(1, "relu", width=width, classes=5)',
    )
    write(suite, claims.replace("DEPTH", "1"))
    told("--seeds", "3")
    write(suite, claims.replace("DEPTH", "2"))
    document, _, lines = told("--seeds", "3")
    assert (document["runs_trained"], document["runs_reused"]) == (3, 3)
    assert "\nkept apart: 3 runs of Edited from when its code did something else (behaviour " in lines
    assert ") has runs of its own, trained anew. Change it back to use the others" in lines
    # Changed back, its runs are there again, and the other ones are kept.
    write(suite, claims.replace("DEPTH", "1"))
    document, _, lines = told("--seeds", "3")
    assert (document["runs_trained"], document["runs_reused"]) == (0, 6)
    assert "kept apart: 3 runs of Edited" in lines
    # It is said before anything is trained, too.
    write(suite, claims.replace("DEPTH", "3"))
    plan = run("-k", "T1", "--plan")
    assert sum(line.startswith("kept apart: 3 runs of Edited from when") for line in plan.outlines) == 2
