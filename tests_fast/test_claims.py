"""The register of claims, walked: a new claim is checked without writing a test for it."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from claims.register import REGISTER
from pytest_claims.data.load import CLASSES, SYNTHETIC_SIZES
from pytest_claims.defaults import REHEARSED_SEEDS
from pytest_claims.judge.decorator import arms_of, claim_of, words_of
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.train.cost import cost
from pytest_claims.types import SCALES

ROOT = Path(__file__).resolve().parent.parent


class Collector:
    """Keeps what a session collected."""

    def pytest_collection_finish(self, session):
        self.claims = [
            (item.nodeid, claim_of(item), words_of(item), arms_of(item)) for item in session.items if claim_of(item)
        ]
        self.others = [item.nodeid for item in session.items if not claim_of(item)]


@pytest.fixture(scope="module")
def register():
    collector = Collector()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    assert pytest.main([str(ROOT / "claims"), *arguments], plugins=[collector]) == 0
    return collector


def test_every_finding_is_kept_by_claims_or_by_a_fast_test(register):
    assert len({finding.name for finding in REGISTER}) == len(REGISTER)
    found = Counter(claim.finding for _, claim, _, _ in register.claims)
    assert found == {finding.name: finding.tests for finding in REGISTER if finding.tests}
    assert not register.others
    for finding in REGISTER:
        assert bool(finding.tests) != bool(finding.kept_by), finding
        if finding.kept_by:
            file, name = finding.kept_by.split("::")
            functions = ast.walk(ast.parse((ROOT / "tests_fast" / file).read_text(encoding="utf-8")))
            assert name in {node.name for node in functions if isinstance(node, ast.FunctionDef)}, finding


def test_every_claim_reads_as_a_sentence_of_its_own(register):
    sentences = [words for _, _, words, _ in register.claims]
    assert len(set(sentences)) == len(sentences)
    assert all("{" not in words and not words.endswith(".") for words in sentences)


def test_every_arm_can_be_built_and_trained_at_every_scale_that_it_has(register):
    arms = [(scale, arm.run(scale)) for *_, arms in register.claims for arm in arms.values() for scale in arm.recipes]
    networks = {at: len({run.canonical for scale, run in arms if scale == at}) for at in SCALES}
    # A1; A2 with three confounders at batch 2 and 4; A3; the MLP; the skip network with 3 norms at batch 32, at 64 and
    # 128 in 2 budgets, and at 3 more learning rates.
    documented = 16 + 3 * 14 + 2 * 3 + 3 + 3 + 3 * (1 + 2 * 2 + 3)
    # Depth; batch size; order.
    full = 6 + 12 + 3
    # The orders' rehearsals are the same.
    assert networks == {"documented": documented, "full": full, "rehearsal": documented + full - 3}
    for scale, run in set(arms):
        train, test = SYNTHETIC_SIZES[run.dataset, scale]
        assert run.network.classes == CLASSES[run.dataset]
        assert (run.recipe.images_per_class or 0) <= train
        assert (run.recipe.test_images_per_class or 0) <= test
        assert run.recipe.batch <= (run.recipe.images_per_class or train) * run.network.classes
        assert cost(run, 1, 1).flops > 0  # which builds the network


def test_every_claim_is_rehearsed_and_has_one_scale_that_speaks_of_its_finding(register):
    for nodeid, _, _, arms in register.claims:
        scales = {frozenset(arm.recipes) for arm in arms.values()}
        assert scales in ({frozenset({"rehearsal", "documented"})}, {frozenset({"rehearsal", "full"})}), nodeid


def test_claims_choose_settings_where_their_assertion_does(register):
    assert {claim.finding for _, claim, _, _ in register.claims if claim.tunes} == {"Dg", "Dh"}


def test_the_rehearsal_is_small_enough_for_two_cores(register):
    arms = [arm for *_, arms in register.claims for arm in arms.values()]
    runs = {arm.run("rehearsal").canonical: arm.run("rehearsal") for arm in arms}
    seeds = {text: max(REHEARSED_SEEDS, seeds_per_block(run, "cpu")) for text, run in runs.items()}
    # A 2-core Xeon trains about 30 TFLOP of these networks in 5 minutes, and steps of small batches come on top.
    assert sum(cost(run, 0, 0).flops * seeds[text] for text, run in runs.items()) < 29e12
