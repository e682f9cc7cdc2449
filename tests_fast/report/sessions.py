"""A session with every kind of evidence that the page draws, over a real store; results are drawn, not trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from models import DepthCNN, NormCNN, OrderCNN
from pytest_claims.judge.result import ArmEvidence, Result
from pytest_claims.report.session import Session
from pytest_claims.runs.store import Key, Store
from pytest_claims.stacked import BATCH, group
from pytest_claims.types import (
    Agreement,
    Bound,
    Deviations,
    EqualDifferences,
    HypothesisTest,
    Method,
    Outcome,
    Procedure,
    Recipe,
    Run,
    Shows,
    Source,
    Trained,
    Verdict,
)
from tests_fast.images import tiny

DATA = tiny()
RECIPE = Recipe(4, 20, 3, "sgd", 0.01)
SEEDS = (0, 1, 2, 3, 4)


def verdict(outcome: Outcome, effect: float) -> Verdict:
    lower, upper, compared = effect - 2, effect + 1, ("this", "that")
    return Verdict(
        outcome=outcome,
        procedure=Procedure.SUPERIORITY,
        comparison=compared,
        effect=effect,
        lower=lower,
        upper=upper,
        margin=1.5,
        p=0.01,
        n=len(SEEDS),
        by_bounds=outcome,
        p_holds=0.01 if outcome == Outcome.REPRODUCED else 0.9,
        p_fails=0.01 if outcome == Outcome.CONTRADICTED else 0.9,
        alpha=0.05,
        tests=tuple(
            HypothesisTest(Method.PAIRED_T, shows, at, 0.01, 0.05, compared)
            for shows, at in ((Shows.EFFECT, 0.0), (Shows.BELOW_MARGIN, 1.5))
        ),
        bounds=(
            Bound("lower", lower, 0.0, 0.05, effect, compared),
            Bound("upper", upper, 1.5, 0.05, effect, compared),
        ),
        seeds_to_settle=12 if outcome == Outcome.INCONCLUSIVE else None,
        notes=(Deviations((("a <note> & more", 1.5),)), EqualDifferences(5)),
    )


class Drawn:
    """Arms with drawn results, put into a store."""

    def __init__(self, store: Store) -> None:
        self._store, self._rng = store, np.random.default_rng(0)

    def arm(self, label: str, run: Run, mean: float, documented: float | None = None) -> ArmEvidence:
        key, rng = Key(run, DATA.fingerprint, "cpu", 1, 1), self._rng
        blocks = getattr(run.network, "depth", 3)
        results = [
            Trained(
                seed=seed,
                test_accuracy=float(mean + rng.normal()),
                train_accuracy=tuple(np.sort(rng.uniform(10, mean, run.recipe.epochs)).tolist()),
                train_loss=(2.0,) * run.recipe.epochs,
                diverged=False,
                seconds=1.0,
                test_images=len(DATA.test_labels),
                gradients=tuple(tuple(rng.uniform(1e-4, 1e-2, blocks).tolist()) for _ in range(run.recipe.epochs)),
                predictions=tuple(rng.integers(0, 10, len(DATA.test_labels)).tolist()),
            )
            for seed in SEEDS
        ]
        self._store.put(key, results, "a processor")
        values = tuple(result.test_accuracy for result in results)
        return ArmEvidence(label, SEEDS, values, (False,) * 5, documented, tuple(map(key.digest, SEEDS)))


def result(nodeid: str, finding: str, claim: str, found: Verdict, arms: list[ArmEvidence], **more) -> Result:
    source = more.pop("source", Source("A paper", "Table 1", 5))
    return Result(
        nodeid=nodeid,
        id="-".join([finding, *nodeid.rstrip("]").split("[")[1:]]),
        finding=finding,
        kind=more.pop("kind", "effect"),
        claim=claim,
        source=source,
        contrast="this − that",
        verdict=found,
        agreement=more.pop("agreement", None),
        compared="",
        arms=tuple(arms),
        scale="documented",
        data="cifar",
        data_kind="cifar",
        device="a processor",
        device_kind="cpu",
        enforced=True,
        planned=(5,),
        next_look=None,
        command=f"pytest '{nodeid}' --seeds 12",
        **more,
    )


def session(store: Store) -> Session:
    """Claims by depth, by batch size, on orders, spreads, gradients and images; every verdict once at least."""
    drawn = Drawn(store)
    depths = [
        drawn.arm(f"{name} {depth}", Run(DepthCNN(depth, name), RECIPE), base + depth, base + depth + 1)
        for depth in (1, 2, 3)
        for name, base in (("relu", 40.0), ("sigmoid", 25.0))
    ]
    batches = [
        drawn.arm(
            f"{norm} {batch}", Run(NormCNN((kind,) * 3), dataclasses.replace(RECIPE, batch=batch)), 20 + batch / 2
        )
        for batch in (2, 4, 8, 16)
        for norm, kind in (("batch norm", BATCH), ("group norm", group(4)))
    ]
    orders = [
        drawn.arm("-".join(order), Run(OrderCNN(order), RECIPE), 50.0, 52.0)
        for order in (("conv", "norm", "activation"), ("conv", "activation", "norm"))
    ]
    depth, batch, order = (f"claims/test_{name}.py::test_it" for name in ("x1_depth", "x2_batch", "x3_order"))
    depth += "_at_every_depth_that_the_source_has_a_figure_for"
    agreed = Agreement(9.0, 8.0, 2.0, 14.0, 5)
    gradient = {"measured": "gradient in training, log2", "unit": "doublings"}
    found = [
        result(
            depth,
            "X1a",
            "relu beats sigmoid, <b>always</b>",
            verdict(Outcome.REPRODUCED, 8.0),
            depths,
            agreement=agreed,
            recorded="REPRODUCED",
        ),
        result(depth + "[g]", "X1b", "gradients shrink", verdict(Outcome.TOO_SMALL, 0.4), depths, **gradient),
        result(batch, "X2a", "norms are alike", verdict(Outcome.CONTRADICTED, -3.0), batches, kind="equality"),
        result(
            batch + "[16]",
            "X2b",
            "spreads differ",
            verdict(Outcome.INCONCLUSIVE, 0.2),
            batches[-2:],
            kind="spread",
            unit="doublings",
            source=Source("Another paper", "Figure 2", url="https://example.org/paper"),
        ),
        result(order, "X3", "orders differ", verdict(Outcome.INCONCLUSIVE, 0.1), orders, images=True),
    ]
    facts = dict.fromkeys(("date", "scale", "data", "device", "versions", "meaning"), "as said")
    return Session(
        results=tuple(found),
        not_judged=(("claims/test_x1_depth.py::test_other", "not stored"),),
        facts=facts,
        command="pytest claims",
        trained=3,
        reused=80,
        seconds=200.0,
        enforced=True,
        placebo=("2026-11-21: an effect found in 1 of 100",),
    )


def opened(folder: Path) -> Store:
    return Store(folder / "runs.sqlite")
