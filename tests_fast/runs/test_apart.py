"""Runs that are kept apart although their names are one: other code under a name, and another instruction set."""

import dataclasses
import json

import pytest

from models import DepthCNN
from pytest_claims.runs.apart import CAPABILITY, NETWORK, OPTIMISER, Apart, apart
from pytest_claims.runs.evidence import publish, read
from pytest_claims.runs.row import stored
from pytest_claims.runs.store import COLUMNS, Key, Store, digest
from pytest_claims.runs.store_file import DamagedError
from pytest_claims.runs.transfer import export_runs, import_runs
from tests_fast.runs.test_store import KEY, RECORDED, result

HERE, THERE = (dataclasses.replace(KEY, capability=name) for name in ("AVX512", "AVX2"))


@pytest.fixture
def store(tmp_path):
    """Seeds 0 to 2 of before instruction sets were recorded, 1 and 2 of AVX2, 2 of AVX512, each told by accuracy."""
    made = Store(tmp_path / "runs.sqlite")
    for key, first, accuracy in ((KEY, 0, 10.0), (THERE, 1, 20.0), (HERE, 2, 30.0)):
        made.put(key, [result(seed, accuracy) for seed in range(first, 3)], "a processor")
    yield made
    made.close()


def accuracies(store, key):
    return {seed: run.test_accuracy for seed, run in store.get(key, range(4)).items()}


def test_a_run_of_another_instruction_set_is_another_run(store):
    assert accuracies(store, KEY) == {0: 10.0, 1: 10.0, 2: 10.0}
    assert accuracies(store, THERE) == {1: 20.0, 2: 20.0}
    assert accuracies(store, HERE) == {2: 30.0}
    assert not store.holds(HERE, range(1, 3))
    assert store.count() == 6
    assert store.kinds() == {("cpu", ""): 3, ("cpu", "AVX2"): 2, ("cpu", "AVX512"): 1}
    assert store.capabilities(store.names(HERE, range(3)).values()) == ["AVX512"]


def test_who_asks_for_it_is_given_other_ones_where_its_own_are_missing(store):
    mixing = Store(store.path, mix=True, read_only=True)
    # What is not recorded has the most runs, and so comes before AVX2.
    assert accuracies(mixing, HERE) == {0: 10.0, 1: 10.0, 2: 30.0}
    assert accuracies(mixing, THERE) == {0: 10.0, 1: 20.0, 2: 20.0}
    assert mixing.holds(HERE, range(3))
    assert not mixing.holds(HERE, range(4))
    names = mixing.names(HERE, range(4))
    assert names == {0: KEY.digest(0), 1: KEY.digest(1), 2: HERE.digest(2)}
    assert mixing.capabilities(names.values()) == ["", "AVX512"]
    # Of a GPU there is nothing to mix.
    assert mixing.get(dataclasses.replace(KEY, device="cuda"), range(3)) == {}


def test_mixing_looks_at_the_evidence_too(store, tmp_path):
    own = Store(tmp_path / "own.sqlite", beside=store, mix=True)
    assert accuracies(own, HERE) == {0: 10.0, 1: 10.0, 2: 30.0}
    assert accuracies(Store(tmp_path / "own.sqlite", beside=store), HERE) == {2: 30.0}


@pytest.mark.parametrize("move", ["export", "publish"])
def test_the_instruction_set_goes_where_the_run_goes(store, tmp_path, move):
    other = Store(tmp_path / "other.sqlite")
    if move == "export":
        export_runs(store, tmp_path / "runs.jsonl")
        import_runs(tmp_path / "runs.jsonl", other)
    else:
        publish(store.rows(), tmp_path / "runs.jsonl", lambda name, data: None)
        other.add(read(tmp_path / "runs.jsonl"))
    assert other.kinds() == store.kinds()
    assert accuracies(other, THERE) == {1: 20.0, 2: 20.0}


@pytest.mark.parametrize("capability", [7, "", "AVX\x1b[31m", "A" * 41, None])
def test_what_is_no_instruction_set_is_no_run(store, capability):
    row = dict(zip(COLUMNS, next(row for row in store.rows() if "AVX2" in row[4]), strict=True))
    row["numerics"] = json.dumps({**json.loads(row["numerics"]), "capability": capability})
    row["key"] = digest(*(row[name] for name in ("configuration", "data", "numerics", "engine", "seed")))
    with pytest.raises(ValueError, match="allowed: the name of an instruction set"):
        stored(tuple({**row, "checksum": ""}.values()))


def used(*keys: Key):
    return [(key.run.canonical, key.data, key.numerics) for key in keys]


def test_what_is_kept_apart_is_counted_by_what_keeps_it(store):
    of_network = Apart(CAPABILITY, "", "", "AVX512")
    assert apart(store, used(HERE)) == {of_network: 3, dataclasses.replace(of_network, then="AVX2"): 2}
    assert apart(store, used(KEY, THERE)) == {dataclasses.replace(of_network, then="AVX512", now=""): 1}
    # What is in use is not apart, and neither is what the session chose, or what has other names or images.
    assert apart(store, used(KEY, THERE, HERE)) == {}
    for chosen in ({"device": "cuda", "capability": ""}, {"seeds_per_block": 5}, {"data": "others"}):
        assert apart(store, used(dataclasses.replace(HERE, **chosen))) == {}
    wider = dataclasses.replace(RECORDED, network=DepthCNN(1, "relu", width=5))
    assert apart(store, used(dataclasses.replace(HERE, run=wider))) == {}


def test_a_damaged_row_is_named_and_no_traceback(store):
    store._execute("UPDATE runs SET numerics = 'none' WHERE seed = 1")
    with pytest.raises(DamagedError, match=r"runs\.sqlite is damaged \(numerics of a run are 'none'\)"):
        apart(store, used(HERE))


@pytest.mark.parametrize(("by", "name"), [(NETWORK, "DepthCNN"), (OPTIMISER, "sgd")])
def test_other_code_under_a_name_is_told_with_its_name(store, by, name):
    numerics = json.dumps({**json.loads(HERE.numerics), by: "another behaviour"}, sort_keys=True)
    ours = [(RECORDED.canonical, "data", numerics)]
    then = json.loads(HERE.numerics).get(by, "")
    # Another instruction set beside it is not worth a word more.
    assert apart(store, ours) == {Apart(by, name, then, "another behaviour"): 6}
