"""FLOPs and steps against counts by hand."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import MLP, DepthCNN, NormCNN, SkipCNN
from pytest_claims.runs.pool import SIDE_BY_SIDE, seeds_per_block
from pytest_claims.stacked import BATCH, StackedClassifier, StackedLinear
from pytest_claims.train.cost import DATA_CENTRE_GPU, Cost, Speed, cost, flops_per_step, probe
from pytest_claims.types import Recipe, Run


def convolution(inputs, outputs, size):
    return 2 * 9 * inputs * outputs * size * size


def test_flops_and_steps_of_a_network_counted_by_hand():
    forward = convolution(3, 32, 32) + convolution(32, 32, 32) + 2 * 32 * 10
    # Backward: gradients of the weights cost a forward pass, of the inputs too, except for the images.
    backward = 2 * forward - convolution(3, 32, 32)
    found = cost(Run(DepthCNN(2, "relu"), Recipe(300, 512, 10, "adamw", 1e-3)), 50_000, 10_000)
    assert found.steps == 6 * 10
    assert found.flops == pytest.approx((forward + backward) * 3000 * 10 + forward * 10_000, rel=1e-6)


@dataclasses.dataclass(frozen=True)
class Valued:
    """A linear classifier whose module looks at its values, which shapes alone cannot tell."""

    classes: int = 10

    def build(self, seeds=1):
        class Looking(StackedClassifier):
            def forward(self, images):
                return super().forward(images) if images.sum().item() == 0 else super().forward(images * 1)

        return Looking(torch.nn.Identity(), StackedLinear(3 * 32 * 32, self.classes, seeds))


def test_any_network_is_counted():
    found = cost(Run(Valued(), Recipe(1, 1, 1, "sgd", 0.1, test_images_per_class=1)), 10, 10)
    forward = 2 * 3072 * 10
    # Backward: of the weights alone, for the images need no gradient.
    assert found.flops == pytest.approx((2 * forward + forward) * 10)


def test_whole_data_set_and_cut_test_set():
    recipe = Recipe(None, 100, 2, "sgd", 0.1, test_images_per_class=5)
    found = cost(Run(NormCNN((BATCH,) * 3), recipe), 1010, 999)
    assert found.steps == 2 * 11
    smaller = cost(Run(NormCNN((BATCH,) * 3), recipe), 1010, 10)
    assert found.flops == smaller.flops


def test_tests_after_every_epoch_are_counted():
    once = Recipe(10, 20, 4, "sgd", 0.1)
    run, often = (
        Run(DepthCNN(2, "relu"), once),
        Run(DepthCNN(2, "relu"), dataclasses.replace(once, test_every_epoch=True)),
    )
    forward = cost(run, 1000, 101).flops - cost(run, 1000, 100).flops
    assert cost(often, 1000, 100).flops - cost(run, 1000, 100).flops == pytest.approx(3 * 100 * forward)


def test_probe_measures_a_speed():
    speed = probe(torch.device("cpu"))
    assert 0 < speed.seconds_per_step < 1
    assert 1e6 < speed.flops_per_second < 1e15


def test_seconds_add_up():
    assert Speed(0.01, 1e9).seconds(Cost(100, 2e9), width=5) == pytest.approx(100 * 0.01 / 5 + 2)


def test_counting_leaves_global_random_state_alone():
    state = torch.get_rng_state()
    cost(Run(DepthCNN(7, "relu"), Recipe(1, 1, 1, "sgd", 0.1)), 10, 10)
    assert torch.equal(torch.get_rng_state(), state)


@given(
    batch=st.sampled_from([1, 2, 8, 32, 100, 512]),
    network=st.sampled_from([DepthCNN(8, "relu"), NormCNN((BATCH,) * 3), MLP(), SkipCNN(BATCH)]),
)
def test_a_block_on_a_gpu_has_the_most_seeds_within_its_arithmetic(batch, network):
    run = Run(network, Recipe(5, batch, 1, "sgd", 0.1))
    seeds, each = seeds_per_block(run, "cuda"), flops_per_step(run)
    assert seeds in SIDE_BY_SIDE
    assert seeds == SIDE_BY_SIDE[0] or seeds * each <= 5.5e9
    assert all(more * each > 5.5e9 for more in SIDE_BY_SIDE if more > seeds)


# Milliseconds a seed and step on an H100 with 1, 5 and 20 seeds side by side, as measured (docs/costs.md).
MEASURED = [
    (Run(DepthCNN(8, "relu"), Recipe(300, 512, 10, "adamw", 1e-3)), (21.3, 20.5, 19.9)),
    (Run(NormCNN((BATCH,) * 3), Recipe(200, 2, 10, "sgd", 0.1, precision="bfloat16")), (0.288, 0.094, 0.030)),
    (Run(NormCNN((BATCH,) * 3), Recipe(200, 128, 10, "sgd", 0.1, precision="bfloat16")), (0.635, 0.291, 0.210)),
    (Run(SkipCNN(BATCH), Recipe(None, 32, 20, "sgd", 0.1)), (1.19, 0.473, 0.425)),
]


@pytest.mark.parametrize(("run", "measured"), MEASURED, ids=lambda value: "")
def test_the_nominal_speed_is_right_within_a_factor_of_two_and_a_half(run, measured):
    one = Cost(1, flops_per_step(run))
    for width, milliseconds in zip((1, 5, 20), measured, strict=True):
        assert 1 / 2.5 < 1000 * DATA_CENTRE_GPU.seconds(one, width) / milliseconds < 2.5
