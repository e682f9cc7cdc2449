"""The table of findings in docs/ is that of the claims and the ledger."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import DepthCNN
from pytest_claims.ledger.entries import FOLDER, Entry, read
from pytest_claims.ledger.findings import BEGIN, END, Registered, lacking, recorded, register, table, with_table
from pytest_claims.ledger.unjudged import Unjudged, recorded_seeds, unjudged
from pytest_claims.types import Arm, Claim, Recipe, Source

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_has_the_recorded_verdicts_and_no_others():
    lines = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines()
    claims, entries = register(ROOT), recorded(ROOT)
    missing = lacking(ROOT, claims, entries)
    expected = table(claims, entries, missing)
    # A claim that no one has verified yet may be missing: whoever adds one touches its own file alone.
    unseen = {f"| {each.id} " for each in claims if each.test in missing}
    optional = [line for line in expected if any(line.startswith(name) for name in unseen)]
    assert [line for line in lines if line] == [line for line in expected if line in lines or line not in optional], (
        "run `make findings`"
    )


def test_not_run_stands_only_where_no_run_is_recorded_on_any_device():
    claims, entries = register(ROOT), recorded(ROOT)
    missing, seeds = lacking(ROOT, claims, entries), recorded_seeds(ROOT / "evidence")
    for each in claims:
        if each.test in entries:
            continue
        names = {arm.run(each.scale).canonical for arm in each.arms}
        some = any(name in seeds[kind] for kind in seeds for name in names)
        words = [missing[each.test].words(kind) for kind in ("cpu", "cuda")]
        assert all(word.startswith("not run: ") for word in words) is not some, each.id
        assert all(" on a CPU core" in word or " on an H100" in word or "recorded" in word for word in words if word)


def test_every_entry_of_the_ledgers_is_of_a_claim():
    names = {each.test for each in register(ROOT)}
    for path in (ROOT / FOLDER).glob("*.json"):
        assert set(read(path)) <= names, f"{path} has entries of no claim"


def test_a_row_shows_what_was_documented_and_found():
    entry = Entry(
        finding="A",
        claim="a",
        source="S",
        verdict="REPRODUCED",
        effect=2.0,
        lower=1.0,
        upper=3.0,
        margin=1.5,
        unit="doublings",
        n=5,
        looks=(5,),
        first_seed=0,
        documented=None,
        measured=None,
        compared="",
        agrees=None,
        date="2026-01-01",
        device="cpu",
        versions="",
    )
    of_extremes = replace(entry, unit="points", documented=4.0, measured=5.0, compared="x − y", n=10, looks=(5, 10, 20))
    on_cuda = replace(of_extremes, verdict="CONTRADICTED", measured=6.0, n=20, samples=2, device="cuda:0 (a card)")
    claim = Claim("X", "a claim", Source("S", "T", 1), lambda: {})
    claims = [
        Registered(f"t::{name}", name, f"{name} is true", claim, "documented", ()) for name in ("a", "b", "c", "d")
    ]
    claims.append(Registered("t::e", "e", "e is true", claim, "", ()))
    entries = {"t::a": {"cpu": entry}, "t::b": {"cpu": of_extremes, "cuda": on_cuda}}
    missing = {
        "t::c": Unjudged(30, {"cpu": 0, "cuda": 0}, {"cpu": 7200, "cuda": 60}),
        "t::d": Unjudged(30, {"cpu": 0, "cuda": 12}, {"cpu": 7200, "cuda": 60}),
    }
    assert table(claims, entries, missing)[2:] == [
        "| a | a is true | S |  | REPRODUCED +2.00 (+1.00 to +3.00) doublings, 5 seeds | – |",
        "| b | b is true | S | +4.00 (x − y) | REPRODUCED +2.00 (+1.00 to +3.00), 10 seeds; of the documented pair "
        "+5.00 | CONTRADICTED +2.00 (+1.00 to +3.00), 20 seeds, sample 2; of the documented pair +6.00 |",
        "| c | c is true | S |  | not run: 30 runs, about 2 h on a CPU core "
        "| not run: 30 runs, about 1 min on an H100 |",
        "| d | d is true | S |  | – | 12 of 30 runs recorded; the others about 1 min on an H100 |",
        "| e | e is true | S |  | – | – |",
    ]


def test_what_a_claim_lacks_is_counted_by_arm_and_seed_and_costs_in_proportion():
    recipes = {"documented": Recipe(2, 20, 1, "sgd", 0.1)}
    arms = [Arm(DepthCNN(depth, "relu"), recipes, may_collapse=depth == 2) for depth in (1, 2)]
    claim = Claim("X", "a claim", Source("S", "T", 1), lambda: {})
    one, two = (arm.run("documented").canonical for arm in arms)
    none = unjudged(claim, arms, "documented", {"cpu": {}, "cuda": {}})
    # Beside arms that may collapse the first look has 10 seeds.
    assert (none.needed, none.recorded) == (20, {"cpu": 0, "cuda": 0})
    # Seeds that no first look has count for nothing.
    some = unjudged(claim, arms, "documented", {"cpu": {one: range(10), two: range(20)}, "cuda": {one: range(5, 50)}})
    assert some.recorded == {"cpu": 20, "cuda": 5}
    assert some.words("cpu") == "20 runs recorded, not judged"
    assert 0 == some.seconds["cpu"] < some.seconds["cuda"] < none.seconds["cuda"]
    tuned = replace(claim, tunes=True)
    assert unjudged(tuned, arms, "documented", {"cpu": {}, "cuda": {}}).needed == 40


def test_a_file_without_marks_is_refused():
    with pytest.raises(ValueError, match="must each stand once"):
        with_table(f"{BEGIN} {END} {END}", [])
