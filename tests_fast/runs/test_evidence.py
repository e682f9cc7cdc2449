"""Evidence: recorded runs that travel without images and predictions, and are refused when they are damaged."""

import dataclasses
import json
import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DepthCNN
from pytest_claims.runs.evidence import FORMAT, EvidenceError, files, publish, read, store_of
from pytest_claims.runs.store import COLUMNS, Key, Store
from pytest_claims.types import Recipe, Run, Trained

RUN = Run(DepthCNN(2, "relu"), Recipe(4, 20, 2, "sgd", 0.01))
LABELS = np.repeat(np.arange(10), 3)


def key(device="cpu", run=RUN):
    return Key(run, "fp", device, 5, 2)


def trained(seed, **fields):
    predictions = tuple(int(label) for label in np.where(np.arange(30) % 4 == seed % 4, 0, LABELS))
    right = 100 * float(np.mean(np.array(predictions) == LABELS))
    values = {
        **{"seed": seed, "test_accuracy": right, "train_accuracy": (10.0, 20.123456789), "train_loss": (2.3, 1.1)},
        **{"diverged": False, "seconds": 1.234, "test_images": 30, "gradients": ((0.5, 0.25),)},
        **{"predictions": predictions},
    }
    return Trained(**{**values, **fields})


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "runs.sqlite")
    made.put(key(), [trained(seed) for seed in (3, 1)], "a processor")
    made.put(key(), [trained(2)], "a processor", at_once=3)
    made.put(key("cuda"), [trained(0, diverged=True, train_loss=(2.3, float("nan")))], "a card")
    yield made
    made.close()


@pytest.fixture
def published(store, tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    assert publish(store.rows(), folder / "a.jsonl", lambda name, data: LABELS if data == "fp" else None) == 4
    return folder


def test_runs_come_back_under_their_own_keys_without_predictions(store, published, tmp_path):
    found = store_of(published, tmp_path / "elsewhere" / "runs.sqlite")
    for at, seeds in ((key(), (1, 2, 3)), (key("cuda"), (0,))):
        for seed, run in found.get(at, seeds).items():
            own = store.get(at, [seed])[seed]
            assert (run.test_accuracy, run.diverged, run.gradients) == (own.test_accuracy, own.diverged, own.gradients)
            assert run.train_accuracy == pytest.approx(own.train_accuracy, rel=1e-6)
            assert run.train_loss == pytest.approx(own.train_loss, nan_ok=True)
            assert run.predictions == ()
            counts = np.zeros((10, 10), dtype=int)
            np.add.at(counts, (LABELS, own.predictions), 1)
            assert run.confusion == tuple(counts.ravel())
    assert set(found.kinds()) == {("cpu", ""), ("cuda", "")}
    assert found.fingerprints("cifar10") == {"fp"}
    assert found.devices([key().digest(1), key("cuda").digest(0)]) == ["a processor", "a card"]
    found.close()


def test_how_many_seeds_were_trained_at_once_is_published(published, store):
    records = [json.loads(dict(zip(COLUMNS, row, strict=True))["records"]) for row in read(published / "a.jsonl")]
    assert sorted(each.get("at_once", 0) for each in records) == [0, 0, 0, 3]


def test_it_is_published_alike_from_itself(published, tmp_path):
    again = tmp_path / "again.jsonl"
    publish(read(published / "a.jsonl"), again, lambda name, data: None)
    assert again.read_bytes() == (published / "a.jsonl").read_bytes()


def test_runs_without_labels_at_hand_have_no_counts(store, tmp_path):
    publish(store.rows(), tmp_path / "a.jsonl", lambda name, data: None)
    assert "confusion" not in (tmp_path / "a.jsonl").read_text()


def test_a_store_reads_what_it_lacks_from_the_evidence_beside_it(published, tmp_path):
    own = Store(tmp_path / "own.sqlite")
    own.put(key(), [trained(1, test_accuracy=55.0)], "mine")
    own.close()
    both = Store(tmp_path / "own.sqlite", beside=store_of(published, tmp_path / "x" / "runs.sqlite"))
    assert [both.get(key(), [seed])[seed].test_accuracy == 55.0 for seed in (1, 2)] == [True, False]
    assert both.holds(key(), (1, 2, 3))
    assert not both.holds(key(), (1, 2, 3, 4))
    names = [key().digest(seed) for seed in (1, 2)]
    assert [stored.device for stored in both.named(names).values()] == ["mine", "a processor"]
    assert both.devices(names) == ["mine", "a processor"]
    assert both.older(names, "9999") == 2
    both.close()


def test_the_store_of_a_folder_is_made_once_for_its_content(published, tmp_path):
    beside = tmp_path / "made" / "runs.sqlite"
    store_of(published, beside).close()
    (first,) = beside.parent.glob("evidence-*.sqlite")
    with sqlite3.connect(first) as connection:
        connection.execute("DELETE FROM runs WHERE seed = 1")
    same = store_of(published, beside)
    assert not same.holds(key(), [1])  # it was not made again
    same.close()
    publish([], published / "b.jsonl", lambda name, data: None)
    other = store_of(published, beside)
    assert other.holds(key(), [1])
    other.close()
    assert store_of(tmp_path / "nowhere", beside) is None
    assert files(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace(b'"accuracy":', b'"accuracy": ', 1), "is damaged: its content is not what"),
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: b"", "is no file of evidence"),
        (lambda text: "\ufeff".encode("utf-16") + text, "is no file of evidence"),
        (lambda text: text.replace(FORMAT.encode(), b"pytest-claims evidence 9"), "its format is 'pytest-claims evid"),
    ],
)
def test_damage_is_named_with_the_way_out(published, damage, said):
    path = published / "a.jsonl"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(EvidenceError, match=said) as error:
        read(path)
    assert str(path) in str(error.value)
    assert "Restore it from version control, or remove it" in str(error.value)


BAD = [
    {"accuracy": 250},
    {"accuracy": -3},
    {"accuracy": "abc"},
    {"accuracy": None},
    {"accuracy": 55.0},  # not what the confusion counts say
    {"confusion": [1, 2, 3]},
    {"seed": "many"},
    {"train": None, "loss": None, "seconds": "long"},
]


@given(st.sampled_from(BAD))
def test_a_line_that_no_run_can_have_is_refused_even_with_a_right_checksum(tmp_path_factory, change):
    import hashlib

    folder = tmp_path_factory.mktemp("evidence")
    with_runs = Store(folder / "runs.sqlite")
    with_runs.put(key(), [trained(1)], "a processor")
    publish(with_runs.rows(), folder / "a.jsonl", lambda name, data: LABELS)
    with_runs.close()
    head, group, line = (folder / "a.jsonl").read_text().splitlines()
    body = f"{group}\n{json.dumps({**json.loads(line), **change})}\n"
    told = json.loads(head) | {"sha256": hashlib.sha256(body.encode()).hexdigest()}
    (folder / "a.jsonl").write_text(f"{json.dumps(told)}\n{body}")
    with pytest.raises(EvidenceError, match="line 3: not a run"):
        read(folder / "a.jsonl")


def test_a_number_of_runs_that_the_first_line_does_not_have_is_refused(published):
    path = published / "a.jsonl"
    head, _, body = path.read_text().partition("\n")
    path.write_text(json.dumps(json.loads(head) | {"runs": 5}) + "\n" + body)
    with pytest.raises(EvidenceError, match="has 4 runs; its first line says 5"):
        read(path)


def test_every_column_of_the_store_is_read_back(published):
    assert all(len(row) == len(COLUMNS) and None not in row for row in read(published / "a.jsonl"))


def test_what_is_recorded_of_runs_by_epoch_stays(store, tmp_path):
    recipe = dataclasses.replace(RUN.recipe, test_every_epoch=True)
    at = key(run=Run(RUN.network, recipe))
    store.put(at, [trained(7, test_accuracy_by_epoch=(10.0, 20.0))], "a processor")
    (tmp_path / "e").mkdir()
    publish(store.rows(), tmp_path / "e" / "a.jsonl", lambda name, data: None)
    found = store_of(tmp_path / "e", tmp_path / "e" / "runs.sqlite")
    assert found.get(at, [7])[7].test_accuracy_by_epoch == (10.0, 20.0)
    found.close()
