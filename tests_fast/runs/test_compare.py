"""Two sets of runs side by side: what is paired, what is refused, and what the last line and the exit status say."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models import DepthCNN
from pytest_claims.runs.compare import CompareError, compare, in_words, lines, page, side
from pytest_claims.runs.evidence import publish
from pytest_claims.runs.store import Key, Store
from pytest_claims.runs.transfer import main
from pytest_claims.types import Recipe, Run
from tests_fast.runs.test_store import result

RECIPE = Recipe(2, 20, 2, "sgd", 0.01)
ARMS = [Run(DepthCNN(depth, "relu"), RECIPE) for depth in (1, 2, 3, 4)]


def put(store, kind="cpu", shifts=(0, 0, 0, 0), seeds=10, noise=0.5, engine=1):
    """Runs of all arms; shifts: points by arm."""
    random = np.random.default_rng(len(kind) + engine)
    for run, shift in zip(ARMS, shifts, strict=True):
        own = 50 + np.arange(seeds) % 5 + random.normal(0, noise, seeds) + shift
        results = [result(seed, round(float(value), 2)) for seed, value in enumerate(own)]
        store.put(Key(run, "fp", kind, 1, engine), results, f"a {kind}")


@pytest.fixture
def path(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    put(store)
    put(store, "cuda")
    store.close()
    return store.path


def of(path, **chosen):
    return side(path, [f"{key}={value}" for key, value in chosen.items()])


def test_runs_are_paired_by_arm_and_seed_and_equal_places_do_not_differ(path):
    found = compare(of(path, device="cpu"), of(path, device="cuda"))
    assert not found.differs
    assert [arm.replica.difference.n for arm in found.arms] == [10] * 4
    assert all(arm.replica.r > 0.5 for arm in found.arms)
    assert found.conclusion.startswith("4 arms, 40 pairs: none differs after correction; smallest p .")
    assert lines(found)[-1] == found.conclusion
    assert lines(found)[-2].strip() == ""


def test_an_arm_that_differs_is_named(path, tmp_path, capsys):
    other = Store(tmp_path / "other.sqlite")
    put(other, "cuda", shifts=(0, 2, 0, 0))
    other.close()
    status = main(["compare", str(path), str(other.path), "--first", "device=cpu", "--page", str(tmp_path / "page.md")])
    assert status == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "4 arms, 40 pairs: 1 differs after correction: DepthCNN(relu, 2) batch 20; smallest p < .001"
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("# runs.sqlite (device=cpu) against other.sqlite\n\n**4 arms, 40 pairs: 1 differs")
    assert "| device | a cpu | a cuda |" in text
    assert "$ python -m pytest_claims.runs compare " in text


def test_what_is_in_all_arms_is_found_where_no_arm_shows_it(path, tmp_path):
    other = Store(tmp_path / "other.sqlite")
    put(other, "cuda", shifts=(0.22, 0.2, 0.21, 0.19), noise=0.5)
    first = of(path, device="cuda")
    found = compare(first, side(other.path))
    assert found.differs
    assert found.conclusion.startswith("4 arms, 40 pairs: none differs by itself, but all together do, by +0.2")


def test_arms_that_are_only_tested_otherwise_count_once_in_the_mean(path, tmp_path):
    other = Store(tmp_path / "other.sqlite")
    put(other, "cuda", shifts=(5, 0, 0, 0))
    precise = Run(ARMS[0].network, dataclasses.replace(RECIPE, statistics="precise"))
    for store, shift in ((Store(path), 0), (other, 5)):
        store.put(Key(precise, "fp", "cuda", 1, 1), [result(seed, 50.0 + seed + shift) for seed in range(10)], "a cuda")
    found = compare(of(path, device="cuda"), side(other.path))
    assert len(found.arms) == 5
    assert found.overall.n == 4
    assert found.overall.mean == pytest.approx(5 / 4, abs=0.1)


def test_collapses_count_as_a_difference(tmp_path):
    sides = []
    for name, fallen in (("a", 0), ("b", 12)):
        store = Store(tmp_path / name)
        random = np.random.default_rng(0)
        ends = np.where(np.arange(20) < fallen, 10.0, 11.9) + random.normal(0, 0.01, 20).round(2)
        runs = [
            dataclasses.replace(result(seed, round(float(end), 2)), test_images=10_000, predictions=())
            for seed, end in enumerate(ends)
        ]
        store.put(Key(ARMS[0], "fp", "cpu", 1, 1), runs, "a device")
        sides.append(side(store.path))
    (arm,) = compare(*sides).arms
    assert arm.replica.collapsed == (0, 12)
    assert arm.adjusted_collapses == pytest.approx(2 / 2**12, rel=1)
    assert arm.differs


def test_stores_evidence_and_choices(path, tmp_path):
    store = Store(path)
    evidence = tmp_path / "e.jsonl"
    publish(store.rows(), evidence, lambda name, data: None)
    assert compare(of(evidence, device="cpu"), of(path, device="cuda")).conclusion == (
        compare(of(path, device="cpu"), of(evidence, device="cuda")).conclusion
    )
    put(store, engine=2)
    assert not compare(of(path, device="cpu", engine=1), of(path, device="cpu", engine=2)).differs
    put(store, "cuda", engine=2)
    with pytest.raises(CompareError, match=r"seed \d of DepthCNN\(relu, \d\) batch 20 twice.*engine=1 or engine=2"):
        of(path, device="cuda")


def test_kernels_of_one_store_are_compared_and_each_is_named(path, tmp_path, capsys):
    store = Store(path)
    random = np.random.default_rng(7)
    for run, shift in zip(ARMS, (0, 0, 3, 0), strict=True):
        ends = 50 + np.arange(10) % 5 + random.normal(0, 0.5, 10) + shift
        results = [result(seed, round(float(end), 2)) for seed, end in enumerate(ends)]
        store.put(Key(run, "fp", "cuda", 1, 1, kernels="triton"), results, "a cuda")
    with pytest.raises(CompareError, match=r"twice.*kernels=cudnn or kernels=triton|kernels=triton or kernels=cudnn"):
        of(path, device="cuda")
    page_of = tmp_path / "page.md"
    chosen = ["--first", "kernels=cudnn", "--second", "kernels=triton", "--page", str(page_of)]
    assert main(["compare", str(path), str(path), *chosen]) == 1
    assert "1 differs after correction: DepthCNN(relu, 3) batch 20" in capsys.readouterr().out.splitlines()[-1]
    assert "| kernels | cudnn | triton |" in page_of.read_text()
    # The runs on a CPU are of no kernels, and those of cuDNN have no entry, by which they are chosen, too.
    assert set(of(path, kernels="cudnn").arms) == set(of(path, device="cuda", kernels="").arms)
    assert of(path, kernels="cudnn").told("device name", of(path, kernels="cudnn").arms) == "a cuda"
    assert not compare(of(path, device="cpu"), of(path, kernels="cudnn")).differs
    assert "| kernels |" not in page(compare(of(path, device="cpu"), of(path, kernels="cudnn")), "A page", "a command")


def test_what_cannot_be_compared_says_why(path, tmp_path, capsys):
    for arguments, message in (
        ([str(tmp_path / "none"), str(path)], "no such file"),
        ([str(path), str(path), "--first", "device=tpu"], "has no runs with device=tpu"),
        ([str(path), str(path), "--first", "cuda"], "KEY=VALUE"),
        ([str(path), str(path)], "twice. Choose among its runs with --first or --second: device="),
        ([__file__, str(path), "--second", "device=cpu"], "no file of evidence"),
    ):
        assert main(["compare", *arguments]) == 2
        assert message in capsys.readouterr().err
    few = Store(tmp_path / "few.sqlite")
    put(few, seeds=2)
    with pytest.raises(CompareError, match="no arm with 3 seeds or more in common"):
        compare(side(few.path), of(path, device="cpu"))


def test_arms_with_few_pairs_are_counted(path, tmp_path):
    other = Store(tmp_path / "other.sqlite")
    put(other, "cuda")
    more = Run(DepthCNN(5, "relu"), RECIPE)
    for store in (other, Store(path)):
        store.put(Key(more, "fp", "cuda", 1, 1), [result(0), result(1)], "a cuda")
    found = compare(of(path, device="cuda"), side(other.path))
    assert "1 arm has fewer than 3 pairs and cannot be tested" in lines(found)
    assert "1 arm has fewer than 3 pairs" in page(found, "A page", "a command")


def test_arms_that_read_alike_are_told_apart_by_what_differs():
    runs = [Run(DepthCNN(1, "relu"), dataclasses.replace(RECIPE, epochs=epochs)) for epochs in (1, 2)]
    runs.append(Run(DepthCNN(2, "relu"), RECIPE))
    assert in_words([run.canonical for run in runs]) == [
        "DepthCNN(relu, 1) batch 20, epochs 1",
        "DepthCNN(relu, 1) batch 20, epochs 2",
        "DepthCNN(relu, 2) batch 20",
    ]


def test_the_page_of_cpu_against_h100_is_what_the_evidence_gives():
    root = Path(__file__).parents[2]
    found = compare(*(side(root / "evidence" / name) for name in ("2026-11-21-cpu.jsonl", "2026-11-23-h100.jsonl")))
    text = (root / "docs/results/2026-11-26-cpu-against-h100.md").read_text(encoding="utf-8")
    command = text.split("```console\n$ ")[1].split("\n")[0]
    assert page(found, "CPU against H100", command) == text
    assert found.conclusion == "42 arms, 510 pairs: none differs after correction; smallest p .011"
