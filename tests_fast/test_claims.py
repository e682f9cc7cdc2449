"""The claims, as pytest collects them: a new claim is checked without writing a test for it."""

import ast
import inspect
import json
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from claims.facts import FACTS
from claims.recipes import COLLAPSED_AT
from pytest_claims.data import spec_of
from pytest_claims.defaults import FIXED_SEEDS
from pytest_claims.judge.decorator import arms_at, arms_of, claim_id, claim_of, is_quick, words_of
from pytest_claims.runs.evidence import read
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.runs.store import COLUMNS, Key
from pytest_claims.train.cost import CPU_CORE, cost
from pytest_claims.train.engine import version_of
from pytest_claims.types import LOOK_BESIDE_COLLAPSES, LOOKS, first_look

ROOT = Path(__file__).resolve().parent.parent


class Collector:
    """Keeps what a session collected."""

    def pytest_collection_finish(self, session):
        self.claims = [
            (item.nodeid, claim_of(item), words_of(item), arms_of(item)) for item in session.items if claim_of(item)
        ]
        self.others = [item.nodeid for item in session.items if not claim_of(item)]
        self.ids = [claim_id(item) for item in session.items if claim_of(item)]
        self.quick = {
            item.nodeid: arms_at(item, "quick") for item in session.items if claim_of(item) and is_quick(item)
        }
        self.tests = [(claim_of(item), item.function) for item in session.items if claim_of(item)]


@pytest.fixture(scope="module")
def register():
    collector = Collector()
    arguments = ["--scale", "rehearsal", "--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    assert pytest.main([str(ROOT / "claims"), *arguments], plugins=[collector]) == 0
    return collector


def test_every_test_is_a_claim_and_every_fact_is_kept_by_a_fast_test(register):
    assert register.claims
    assert not register.others
    assert len({fact.name for fact in FACTS}) == len(FACTS)
    assert not {fact.name for fact in FACTS} & {claim.finding for _, claim, *_ in register.claims}
    for fact in FACTS:
        file, name = fact.kept_by.split("::")
        functions = ast.walk(ast.parse((ROOT / "tests_fast" / file).read_text(encoding="utf-8")))
        assert name in {node.name for node in functions if isinstance(node, ast.FunctionDef)}, fact


def test_every_claim_reads_as_a_sentence_of_its_own(register):
    sentences = [words for _, _, words, _ in register.claims]
    assert len(set(sentences)) == len(sentences)
    assert all("{" not in words and not words.endswith(".") for words in sentences)


def test_every_claim_has_an_id_of_its_own_that_is_a_word_of_a_selection(register):
    assert len({name.lower() for name in register.ids}) == len(register.ids)
    for name in register.ids:
        Expression.compile(name)  # raises for what -k does not take
        assert " " not in name


def test_every_arm_can_be_built_and_trained_at_every_scale_that_it_has(register):
    arms = [(scale, arm.run(scale)) for *_, arms in register.claims for arm in arms.values() for scale in arm.recipes]
    for scale, run in set(arms):
        spec = spec_of(run.dataset)
        train, test = spec.training_images // spec.classes, spec.test_images // spec.classes
        if scale == "rehearsal" and spec.sample:  # which must suffice for it
            train, test = spec.sample.train, spec.sample.test
        assert run.network.classes == spec.classes, f"{run.network} on {run.dataset}"
        assert (run.recipe.images_per_class or 0) <= train, f"images a class of {run.dataset} at {scale}"
        assert (run.recipe.test_images_per_class or 0) <= test, f"test images a class of {run.dataset} at {scale}"
        assert run.recipe.batch <= (run.recipe.images_per_class or train) * run.network.classes
        assert cost(run, 1, 1).flops > 0  # which builds the network


def test_every_claim_is_rehearsed_and_has_one_scale_that_speaks_of_its_finding(register):
    for nodeid, _, _, arms in register.claims:
        scales = {frozenset(arm.recipes) for arm in arms.values()}
        assert scales in ({frozenset({"rehearsal", "documented"})}, {frozenset({"rehearsal", "full"})}), nodeid


def test_claims_beside_arms_that_have_collapsed_are_first_looked_at_with_ten_seeds(register):
    """Of the networks of A2 and C2, runs at these batch sizes ended at chance; the record is in claims/recipes.py."""
    assert COLLAPSED_AT == (2, 4)
    beside = set()
    for nodeid, _, _, arms in register.claims:
        file = Path(nodeid.split("::")[0]).stem.split("_")[1]
        of_batch_size = file in ("a2", "c2")
        for arm in arms.values():
            batch = arm.run("documented" if "documented" in arm.recipes else "full").recipe.batch
            assert arm.may_collapse == (of_batch_size and batch in COLLAPSED_AT), (nodeid, arm)
        expected = LOOK_BESIDE_COLLAPSES if any(arm.may_collapse for arm in arms.values()) else LOOKS[0]
        assert first_look(arms.values()) == expected
        if expected == 10:
            beside.add(file)
    assert beside == {"a2", "c2"}


def test_the_recorded_runs_are_still_found_under_their_keys(register):
    """How many seeds belong together is part of a key, and so is the engine's version: neither may move."""
    arms = {
        arm.run("documented") for *_, arms in register.claims for arm in arms.values() if "documented" in arm.recipes
    }
    runs = {run.canonical: run for run in arms}
    looked_up, seen = {"cpu": 0, "cuda": 0}, {}
    for path in (ROOT / "evidence").glob("*.jsonl"):
        for row in read(path):
            run = dict(zip(COLUMNS, row, strict=True))
            if run["configuration"] not in runs:
                continue  # of a claim that is no more
            numerics = json.loads(run["numerics"])
            kind, ours = numerics["device"], runs[run["configuration"]]
            capability = numerics.get("capability", "")
            place = kind, capability, run["configuration"]
            if place not in seen:
                blocks, version, tf32 = seeds_per_block(ours, kind), version_of(ours), numerics.get("tf32", False)
                seen[place] = Key(ours, run["data"], kind, blocks, version, tf32, capability=capability)
            assert seen[place].digest(run["seed"]) == run["key"], run["configuration"]
            looked_up[kind] += 1
    assert min(looked_up.values()) >= 500


def test_claims_tune_settings_where_their_assertion_does(register):
    for claim, function in register.tests:
        assert claim.tunes == ("lab.assert_needs_lower(" in inspect.getsource(function)), claim.finding


def test_the_rehearsal_is_small_enough_for_two_cores(register):
    arms = [arm for *_, arms in register.claims for arm in arms.values()]
    runs = {arm.run("rehearsal").canonical: arm.run("rehearsal") for arm in arms}
    seeds = {text: max(FIXED_SEEDS["rehearsal"], seeds_per_block(run, "cpu")) for text, run in runs.items()}
    # A 2-core Xeon trains about 30 TFLOP of these networks in 5 minutes, and steps of small batches come on top.
    assert sum(cost(run, 0, 0).flops * seeds[text] for text, run in runs.items()) < 29e12


def test_the_quick_claims_fit_the_sample_and_six_minutes_of_two_cores(register):
    arms = [arm for arms in register.quick.values() for arm in arms.values()]
    assert {Path(name.split("::")[0]).stem.split("_")[1] for name in register.quick} == {"a1", "a2"}
    runs = {arm.run("quick").canonical: arm.run("quick") for arm in arms}
    seconds = 0.0
    for run in runs.values():
        sample = spec_of(run.dataset).sample
        assert run.recipe.images_per_class <= sample.train
        at_once = seeds_per_block(run, "cpu")
        images = (count * run.network.classes for count in (sample.train, sample.test))
        seconds += FIXED_SEEDS["quick"] * CPU_CORE.seconds(cost(run, *images), at_once)
    assert seconds / 2 < 360
