"""Which nodes a session trains on, and what is said where it cannot."""

import dataclasses

import pytest

from pytest_claims.cluster.nodes import (
    ClusterError,
    Node,
    checked,
    cluster_words,
    differences,
    processes_per_gpu,
    slots_of,
    versions,
)
from pytest_claims.cluster.on_node import device_index

SESSION = {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"}
NODE = Node("a1", "one", 4, 0, "3.11.7", "2.13.0+cu130", "2.4.6", "", "AVX512", "A processor")
GPU = dataclasses.replace(NODE, id="b2", host="two", gpus=2, gpu="H100", gpu_memory=80 * 10**9)


def refused(nodes, gpu=False):
    with pytest.raises(ClusterError) as caught:
        checked(nodes, SESSION, gpu=gpu, where="the cluster")
    return str(caught.value)


def test_all_nodes_with_a_cpu_train():
    head = dataclasses.replace(NODE, id="c3", cpus=0)
    assert checked([head, NODE, GPU], SESSION, gpu=False, where="") == [NODE, GPU]


def test_with_gpu_those_with_one_do():
    assert checked([NODE, GPU], SESSION, gpu=True, where="") == [GPU]


def test_a_build_of_torch_is_no_other_version():
    assert differences({**SESSION, "torch": "2.13.0+cu130"}, SESSION) == ""


@pytest.mark.parametrize(
    ("name", "words"), [("python", "Python 3.10.1"), ("torch", "torch 3.10.1"), ("numpy", "numpy 3.10.1")]
)
def test_another_version_is_named_with_its_node_and_the_way_out(name, words):
    text = refused([NODE, dataclasses.replace(NODE, host="two", **{name: "3.10.1"})])
    assert f"node two: {words} instead of {SESSION[name]}" in text
    assert "node one" not in text
    assert "constraints.txt" in text


def test_what_a_node_lacks_is_named():
    text = refused([dataclasses.replace(NODE, torch="", numpy="", missing="No module named 'torch'")])
    assert "node one: No module named 'torch'" in text


def test_a_node_that_trains_nothing_may_have_any_version():
    assert checked([dataclasses.replace(NODE, cpus=0, torch="1.0"), NODE], SESSION, gpu=False, where="") == [NODE]


def test_without_a_gpu_in_the_cluster_the_way_out_is_named():
    text = refused([NODE], gpu=True)
    assert "the cluster has none" in text
    assert "Leave --gpu out" in text


def test_a_gpu_that_ray_counts_and_torch_does_not_find_is_named():
    assert "Ray counts a GPU on node two" in refused([dataclasses.replace(GPU, gpu="")], gpu=True)


def test_without_any_cpu_the_way_out_is_named():
    assert "ray start" in refused([dataclasses.replace(NODE, cpus=0)])


def test_cpus_that_compute_differently_are_not_mixed_and_beside_gpus_do_not_matter():
    other = dataclasses.replace(GPU, capability="AVX2")
    text = refused([NODE, other])
    assert "node one: AVX512; node two: AVX2" in text
    assert "ATEN_CPU_CAPABILITY=avx2" in text
    assert checked([GPU, other], SESSION, gpu=True, where="") == [GPU, other]


def test_this_process_has_its_own_versions():
    assert differences(versions(), versions()) == ""


@pytest.mark.parametrize(("gigabytes", "processes"), [(8, 1), (24, 1), (40, 2), (80, 4), (141, 4)])
def test_a_gpu_is_shared_as_far_as_its_memory_permits(gigabytes, processes):
    assert processes_per_gpu(gigabytes * 10**9) == processes


@pytest.mark.parametrize(
    ("cpus", "gpus", "per_gpu", "slots"), [(4.0, 0.0, 0, 4), (0.5, 0.0, 0, 0), (16.0, 2.0, 4, 8), (6.0, 2.0, 4, 6)]
)
def test_a_block_takes_a_cpu_and_on_gpus_its_share_of_one(cpus, gpus, per_gpu, slots):
    assert slots_of(cpus, gpus, per_gpu) == slots


def test_a_cluster_in_words():
    assert cluster_words([NODE], 4, gpu=False) == "1 node, 4 CPUs (A processor, AVX512)"
    assert cluster_words([GPU, GPU], 8, gpu=True) == "2 nodes, 4 GPUs (H100), 8 blocks at once"


@pytest.mark.parametrize(
    ("ids", "visible", "index"),
    [([1], None, 1), (["1"], None, 1), ([3], "2,3", 1), (["GPU-b"], "GPU-a, GPU-b", 1), ([], None, 0)],
)
def test_a_task_finds_its_gpu_among_those_that_the_process_sees(ids, visible, index):
    assert device_index(ids, visible) == index
