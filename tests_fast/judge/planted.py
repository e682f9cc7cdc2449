"""A laboratory whose results are planted: the real lab, pool and store, with an executor that trains nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from pytest_claims.data import Choice
from pytest_claims.judge.lab import Lab, NotReproducedError
from pytest_claims.judge.metric import ACCURACY, Metric
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.pool import Pool
from pytest_claims.runs.store import Store
from pytest_claims.settings import Settings
from pytest_claims.stats.interval import rounding_of
from pytest_claims.types import Arm, Claim, Recipe, Run, Source, Trained
from tests_fast.images import tiny
from tests_fast.runs.executors import Planted as PlantedExecutor

DATA = tiny(test=50)
# Many, so that the rounding of accuracies to whole images is far below what is planted.
TEST_IMAGES = 1_000_000
ROUNDING = rounding_of(100 / TEST_IMAGES, 2)
RECIPE = Recipe(4, 20, 3, "sgd", 0.01)
NOISY = 10.0  # a spread that hides any difference


@dataclasses.dataclass(frozen=True)
class Planted:
    """A network that is never built: its results are planted under its name."""

    name: str
    classes: int = 10


class Planting:
    """Makes labs whose arms have planted results.

    values: by arm, a value a seed (test accuracy, percent). What stands behind an arm in the pool is a run of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._results = folder, {}
        self.trained: list[tuple[str, int]] = []

    def _result(self, run: Run, seed: int) -> Trained:
        self.trained.append((run.network.name, seed))
        return self._results[run.network.name](seed)

    def lab(
        self,
        arms: Mapping[object, Sequence[float]],
        *,
        documented: Mapping[object, float] | None = None,
        diverged: Mapping[object, Sequence[bool]] | None = None,
        gradients: Mapping[object, Sequence[float]] | None = None,
        curves: Mapping[object, Sequence[Sequence[float]]] | None = None,
        metric: Metric = ACCURACY,
        looks: Sequence[int] = (),
        scale: str = "documented",
        repetitions: int = 3,
        choosing: Mapping[object, float | Callable[[int], float]] | None = None,
        nodeid: str = "claims/test_p.py::test_p",
        claims: int = 1,
        kind: str = DATA.kind,
        origin: str = DATA.origin,
        images: bool = False,
        tested: int = TEST_IMAGES,
        may_collapse: Collection[object] = (),
        left_out: Collection[object] = (),
        **settings,
    ) -> Lab:
        """A lab over these arms; by default its one look takes all the seeds that are planted.

        documented: the source's accuracy by arm. diverged: by arm, which runs' losses stopped being finite. gradients:
        by arm, of the first block at initialisation, a value a seed. curves: by arm, test accuracies by epoch, a row a
        seed; the recipe then asks for them. choosing: by arm, the accuracy on the seeds that
        choose settings, one for all or by seed; makes the claim one that chooses. claims: how many the session
        selected. tested: images behind each accuracy. may_collapse: arms that are declared so.
        left_out: arms that the scale does without. kind, origin: of the images. images: as claims declare it.
        """
        n = len(next(iter(arms.values())))
        looks = tuple(looks) or (n,)
        declared = {}
        for place, (name, values) in enumerate(arms.items()):
            network = Planted(f"arm {place}")
            by_epoch = (curves or {}).get(name)
            recipe = RECIPE
            if by_epoch is not None:
                recipe = dataclasses.replace(RECIPE, test_every_epoch=True, epochs=len(by_epoch[0]))
            declared[name] = Arm(
                network, {scale: recipe}, (documented or {}).get(name), may_collapse=name in may_collapse
            )
            flow = (gradients or {}).get(name)
            gone = (diverged or {}).get(name, [False] * len(values))
            self._results[network.name] = _results(values, gone, flow, (choosing or {}).get(name), by_epoch, tested)
        claim = Claim(
            "P1",
            "planted",
            Source("A paper", "Table 1", repetitions),
            lambda: declared,
            tunes=choosing is not None,
            images=images,
        )
        fields = {
            "device": torch.device("cpu"),
            "tf32": False,
            "kernels": "cudnn",
            "scale": scale,
            "data": Choice("files", self._folder, scale),
            "looks": looks,
            "planned": looks,
            "first_seed": 0,
            "placebo": False,
            "store": self._folder / "runs.sqlite",
            "ledger": None,
            "since": "",
            "only_stored": False,
            "evidence": None,
            "runs_of": "",
            "ray": "",
            "mix_capabilities": False,
            "prefix": ("pytest",),
            "options": (),
        }
        settings = Settings(**{**fields, **settings})
        pool = Pool(
            Store(settings.store),
            Leases(settings.store),
            PlantedExecutor(self._result),
            lambda name: {DATA.name: dataclasses.replace(DATA, kind=kind, origin=origin)}[name],
            only_stored=settings.only_stored,
        )
        return Lab(nodeid, nodeid, claim, "planted", declared, settings, pool, str, metric, claims, left_out)


def _results(values, diverged, gradients, chosen, curves, tested):
    def result(seed: int) -> Trained:
        judged = seed < len(values)
        if not judged and chosen is None:
            # A block may hold seeds that no look asks for; what they are must not matter.
            accuracy, gone, flow = 50.0, False, 1.0
        elif not judged:
            accuracy, gone, flow = chosen(seed) if callable(chosen) else chosen, False, 1.0
        else:
            accuracy, gone = float(values[seed]), bool(diverged[seed])
            flow = float(gradients[seed]) if gradients is not None else 1.0
        by_epoch = () if curves is None else tuple(curves[min(seed, len(curves) - 1)])
        epochs = len(by_epoch) or RECIPE.epochs
        if by_epoch:
            accuracy = by_epoch[-1]
        return Trained(
            seed=seed,
            test_accuracy=accuracy,
            train_accuracy=(accuracy,) * epochs,
            train_loss=(2.0,) * epochs,
            diverged=gone,
            seconds=0.01,
            test_images=tested,
            gradients=((flow,),) * epochs,
            test_accuracy_by_epoch=by_epoch,
        )

    return result


def judged(lab: Lab, assertion: str, *arguments, **options):
    """The result that an assertion comes to, whether or not it fails."""
    carried = None
    try:
        getattr(lab, assertion)(*arguments, **options)
    except NotReproducedError as error:
        carried = error.result
    assert carried is None or carried is lab.result
    return lab.result


def around(mean: float, n: int = 10, spread: float = 0.5, seed: int = 0) -> np.ndarray:
    """n values with exactly this mean and standard deviation, symmetric about the mean."""
    half = np.random.default_rng(seed).normal(size=n // 2)
    values = np.concatenate([half, -half, np.zeros(n % 2)])
    return mean + spread * values / values.std(ddof=1)


def arms_at(n: int = 10, spread: float = 0.5, **means: float) -> dict[str, np.ndarray]:
    """Values for arms by name, each with exactly this mean, and each with a pattern of its own."""
    return {name: around(mean, n, spread, seed=place) for place, (name, mean) in enumerate(means.items())}


def first_of(n: int) -> list[bool]:
    """Flags of n runs, of which the first is marked."""
    return [True] + [False] * (n - 1)


def constant(n: int = 10, **values: float) -> dict[str, np.ndarray]:
    """Values for arms by name that do not vary, so that bounds are exact."""
    return {name: np.full(n, value) for name, value in values.items()}
