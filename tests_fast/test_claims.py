"""The register of claims, walked: a new claim is checked without writing a test for it."""

from collections import Counter
from pathlib import Path

import pytest

from claims.sources import ai_experiments as source
from harness.claim import SCALES
from harness.data.load import CLASSES, STAND_IN
from harness.declare import arms_of, claim_of, words_of
from harness.pool import width
from harness.settings import REHEARSED_SEEDS
from harness.train.cost import cost

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


# Every documented finding that is a claim, with the number of its tests. Da, an architecture, is a test of models/.
FINDINGS = {
    **{"A1a": 8, "A1b": 1, "A1b'": 1, "A1c": 1, "A1d": 1},
    **{"A2a": 3 * 2, "A2b": 3 * 5, "A2c": 3, "A2c'": 3, "A3a": 1, "A3b": 1, "A3c": 1},
    **{"Ca": 2, "Cb": 4, "Cc": 2, "Cd": 1, "Ce": 1, "Cf": 7, "Cg": 2, "Ch": 2, "Ci": 1, "Cj": 1},
    **{"Db": 1, "Dc": 1, "Dd": 2, "De": 2, "Df": 2, "Dg": 1, "Dh": 1},
    **{"Ga": 1, "Gb": 2, "Ma": 1},
}


def test_every_finding_is_claimed(register):
    assert Counter(claim.finding for _, claim, _, _ in register.claims) == FINDINGS
    assert not register.others


def test_every_claim_reads_as_a_sentence_of_its_own(register):
    sentences = [words for _, _, words, _ in register.claims]
    assert len(set(sentences)) == len(sentences)
    assert all("{" not in words and not words.endswith(".") for words in sentences)


def test_every_arm_can_be_built_and_trained_at_every_scale(register):
    arms = {(scale, arm.run(scale)) for *_, arms in register.claims for arm in arms.values() for scale in SCALES}
    # A1; A2 with three confounders at batch 2 and 4; A3; the MLP; the skip network with 3 norms at batch 32, at 64 and
    # 128 in 2 budgets, and at 3 more learning rates.
    assert len({run.canonical for _, run in arms}) == 2 * (16 + 3 * 14 + 2 * 3 + 3 + 3 + 3 * (1 + 2 * 2 + 3))
    for scale, run in arms:
        train, test = STAND_IN[run.dataset, scale]
        assert run.network.classes == CLASSES[run.dataset]
        assert (run.recipe.images_per_class or 0) <= train
        assert (run.recipe.test_images_per_class or 0) <= test
        assert run.recipe.batch <= (run.recipe.images_per_class or train) * run.network.classes
        assert cost(run, 1, 1).flops > 0  # which builds the network


def test_the_rehearsal_is_small_enough_for_two_cores(register):
    runs = {arm.run("smoke").canonical: arm.run("smoke") for *_, arms in register.claims for arm in arms.values()}
    seeds = {text: max(REHEARSED_SEEDS, width(run, "cpu")) for text, run in runs.items()}
    # A 2-core Xeon trains about 30 TFLOP of these networks in 5 minutes, and steps of small batches come on top.
    assert sum(cost(run, 0, 0).flops * seeds[text] for text, run in runs.items()) < 25e12


def test_documented_recipes_are_the_sources():
    depth, base = source.DEPTH_RECIPE["documented"], source.BASE_RECIPE["documented"]
    long, order = source.LONG_RECIPE["documented"], source.ORDER_RECIPE["documented"]
    assert (depth.images_per_class, depth.batch, depth.epochs, depth.optimizer, depth.lr) == (
        300,
        512,
        10,
        "adamw",
        1e-3,
    )
    assert (base.images_per_class, base.epochs, base.lr, base.momentum, base.weight_decay) == (200, 10, 0.0195, 0.91, 0)
    assert base.schedule == ("cosine", 0.003)
    assert (long.images_per_class, long.epochs, long.lr, long.momentum, long.weight_decay) == (
        500,
        100,
        0.012,
        0.87,
        5e-4,
    )
    assert long.schedule == ("cosine", 5e-4)
    assert (order.images_per_class, order.batch, order.epochs, order.lr, order.momentum) == (500, 256, 50, 0.0195, 0.91)
    assert order.schedule == ("step", 20, 0.1)
    assert depth.precision == "float32"
    assert {recipe.precision for recipe in (base, long, order)} == {"bfloat16"}
