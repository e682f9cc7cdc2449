"""What a process opens for its claims: made when it is needed, by whoever the session chose, and closed."""

import dataclasses
from pathlib import Path

import pytest
import torch

from models import DepthCNN
from pytest_claims.data.load import Choice
from pytest_claims.runs.executor import InProcess
from pytest_claims.runs.laboratory import Laboratory
from pytest_claims.runs.leases import Leases
from pytest_claims.runs.store import Store, now
from pytest_claims.settings import Settings
from pytest_claims.types import Recipe, Run
from tests_fast.runs.executors import Planted
from tests_fast.runs.test_store import result

SAMPLE = Path(__file__).resolve().parents[2] / "sample"
RUN = Run(DepthCNN(1, "relu", width=4), Recipe(4, 20, 1, "sgd", 0.01))
LONGER = dataclasses.replace(RUN, network=DepthCNN(2, "relu", width=4))


@pytest.fixture
def settings(tmp_path):
    return Settings(
        device=torch.device("cpu"), ray="", tf32=False, kernels="cudnn", scale="rehearsal",
        data=Choice("sample", SAMPLE, "rehearsal"), looks=(3,), planned=(3,), first_seed=0, placebo=False,
        store=tmp_path / "runs.sqlite", ledger=None, since="", only_stored=False, evidence=None, runs_of="",
        mix_capabilities=False,
        prefix=("pytest",), options=(),
    )  # fmt: skip


class Chosen(Planted):
    """Counts how often it is made and closed, and what it trained."""

    def __init__(self):
        super().__init__(self._trained)
        self.trained, self.made, self.closed = [], [], 0

    def make(self, settings, workers):
        self.made.append((settings, workers))
        return self

    def _trained(self, run, seed):
        self.trained.append((run, seed))
        return result(seed)

    def close(self):
        self.closed += 1


def test_a_session_chooses_what_trains(settings):
    chosen = Chosen()
    laboratory = Laboratory(settings, 0, 2, now(), [(RUN, range(1)), (LONGER, range(1))], chosen.make)
    assert chosen.made == []
    assert not settings.store.exists()
    laboratory.plan()
    laboratory.pool.results(RUN, range(2))
    assert chosen.made == [(settings, 2)]
    assert chosen.trained == [(RUN, 0), (RUN, 1)]
    laboratory.finish()
    assert chosen.trained[2:] == [(LONGER, 0)]
    assert Store(settings.store).count() == 3
    laboratory.close()
    laboratory.close()
    assert chosen.closed == 1


def test_without_a_choice_each_worker_trains_in_its_process(settings):
    executor = Laboratory(settings, 0, 1, now(), []).executor
    assert isinstance(executor, InProcess)
    assert (executor.device_kind, executor.tf32) == ("cpu", False)


def test_a_worker_is_at_work_from_its_first_claim_until_it_has_no_more_of_its_own(settings):
    session = now()
    laboratory = Laboratory(settings, 1, 2, session, [], Chosen().make)
    leases = Leases(settings.store)
    assert not leases.at_work(session, range(2))
    assert laboratory.pool
    assert leases.at_work(session, [1])
    laboratory.finish()
    assert not leases.at_work(session, range(2))
    laboratory.close()


def test_long_runs_are_trained_first(settings):
    chosen = Chosen()
    laboratory = Laboratory(settings, 0, 1, now(), [(RUN, range(1)), (LONGER, range(1))], chosen.make)
    assert laboratory.pool
    laboratory.finish()
    assert chosen.trained == [(LONGER, 0), (RUN, 0)]


def test_what_was_never_opened_is_closed_all_the_same(settings):
    laboratory = Laboratory(settings, 0, 1, now(), [], Chosen().make)
    laboratory.finish()
    laboratory.close()
    assert not settings.store.exists()
