"""The engine against a plain notebook-style loop, and the promises about company, divergence and bad input."""

import dataclasses
import math

import pytest
import torch

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.data.dataset import DataError
from pytest_claims.stacked import BATCH, LAYER, group, plain_state
from pytest_claims.train.device import prepare
from pytest_claims.train.engine import build, reestimate_statistics, train
from pytest_claims.train.graph import Snapshot
from pytest_claims.train.step import Step, optimizer_of
from pytest_claims.types import Augmentation, Recipe, Run
from reference.networks import load, plain_network
from reference.training import PlainlyTrained, plain_training
from tests_fast.images import tiny

DATA = tiny()
# Every recipe that the claims use, cut short; 80 images with batches of 32 leave a ragged last batch.
ADAMW = Recipe(8, 32, 2, "adamw", 1e-3, weight_decay=0.01)
COSINE = Recipe(8, 32, 3, "sgd", 0.0195, momentum=0.91, schedule=("cosine", 0.003))
DECAYED = Recipe(8, 32, 3, "sgd", 0.012, momentum=0.87, weight_decay=5e-4, schedule=("cosine", 5e-4))
STEPS = Recipe(8, 32, 2, "sgd", 0.0195, momentum=0.91, schedule=("step", 1, 0.1))
LINEAR = Recipe(
    8,
    32,
    3,
    "sgd",
    0.01,
    momentum=0.95,
    schedule=("linear", 0, 0.1, 1, 1.0, 3, 0.02),
    initialisation="xavier",
    augmentation=Augmentation(0.09, 0.09, 7, 0.5, 0.2, 0.2, 0.5),
    l1=1e-4,
)
PRECISE = dataclasses.replace(COSINE, statistics="precise")
GROUPS = (group(4), group(8), group(8))


def quartered(run: Run, **changes) -> Run:
    """A quarter of the images in a quarter of the batch, still with a ragged last one: where float64 convolutions, or
    native ones in bfloat16, take all the time."""
    return Run(run.network, dataclasses.replace(run.recipe, images_per_class=2, batch=8, **changes))


def plainly(run, seed, dtype=torch.float32) -> PlainlyTrained:
    network = load(plain_network(run.network), plain_state(build(run, [seed]), 0))
    return plain_training(network, run.recipe, DATA, seed, dtype)


@pytest.mark.parametrize(
    "run",
    [
        Run(DepthCNN(2, "relu"), ADAMW),
        Run(DepthCNN(2, "sigmoid", width=8, pools=(1,)), ADAMW),
        Run(NormCNN((BATCH,) * 3), COSINE),
        Run(NormCNN(GROUPS), DECAYED),
        Run(NormCNN((group(8),) * 3, widths=(8, 16, 24)), DECAYED),
        Run(OrderCNN(("conv", "activation", "norm"), "leaky_relu"), STEPS),
        Run(NormCNN(GROUPS), dataclasses.replace(COSINE, images_per_class=None, batch=50, epochs=1)),
        Run(SkipCNN(LAYER, dropout=0.0), LINEAR),
        Run(MLP(("conv", "activation", "norm"), width=16), LINEAR),
        Run(NormCNN((BATCH,) * 3), PRECISE),
    ],
    ids=lambda run: (
        f"{type(run.network).__name__}-{run.recipe.optimizer}-{run.recipe.schedule[0]}-{run.recipe.statistics}"
    ),
)
def test_equals_a_plain_training_loop(run):
    # In float64: training amplifies the rounding of float32 until a real difference could hide in it.
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, precision="float64"))
    run = quartered(run) if run.recipe.images_per_class else run
    for result in train(run, [0, 1], DATA):
        plain = plainly(run, result.seed, torch.float64)
        assert result.train_loss == pytest.approx(plain.losses, rel=1e-6)
        assert result.train_accuracy == pytest.approx(plain.accuracies)
        assert result.test_accuracy == pytest.approx(plain.test_accuracy)


def test_float32_begins_as_the_plain_loop_does():
    run = Run(NormCNN((BATCH,) * 3), dataclasses.replace(COSINE, epochs=1))
    for result in train(run, [0, 1], DATA):
        assert result.train_loss == pytest.approx(plainly(run, result.seed).losses, rel=1e-3)


@pytest.mark.parametrize("norms", [(BATCH,) * 3, GROUPS])
def test_bfloat16_follows_autocast(norms):
    run = quartered(Run(NormCNN(norms), COSINE), lr=1e-3, schedule=("constant",), precision="bfloat16")
    exact = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, precision="float32"))
    for ours, full in zip(train(run, [0, 1], DATA), train(exact, [0, 1], DATA), strict=True):
        assert ours.train_loss == pytest.approx(plainly(run, ours.seed).losses, abs=0.01)
        assert ours.train_loss != full.train_loss  # or else it would be float32 by another name


def test_emulated_bfloat16_convolution_is_as_exact_as_the_native_one():
    network = OrderCNN(("conv", "norm", "activation"))
    run = Run(network, ADAMW)
    ours, native = build(run, [0]), plain_network(network)
    native.load_state_dict(ours.state_dict())
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, expected = ours(images)[0].double(), native(images).double()
    reference = native.double()(images.double())
    error = [((value - reference).norm() / reference.norm()).item() for value in (found, expected)]
    assert error[0] < 1.5 * error[1]
    assert error[1] > 1e-4  # the native one rounds to bfloat16, so this compares what it means to compare


def test_the_same_seed_gives_the_same_result_to_the_last_bit():
    run = Run(NormCNN((BATCH,) * 3), COSINE)
    first, second = (dataclasses.replace(train(run, [3], DATA)[0], seconds=0.0) for _ in range(2))
    assert first == second
    torch.manual_seed(5)
    assert dataclasses.replace(train(run, [3], DATA)[0], seconds=0.0) == first


@pytest.mark.parametrize(
    "run",
    [
        Run(NormCNN((BATCH,) * 3), COSINE),
        # Estimating the statistics again runs dropout in training mode, which counts its steps.
        Run(SkipCNN(BATCH, dropout=0.3), dataclasses.replace(LINEAR, statistics="precise")),
    ],
    ids=lambda run: f"{type(run.network).__name__}-{run.recipe.statistics}",
)
def test_testing_every_epoch_changes_nothing_else_to_the_last_bit(run):
    def trained(**changes):
        return [dataclasses.replace(one, seconds=0.0) for one in train(quartered(run, **changes), [0, 3], DATA)]

    for tested, plain in zip(trained(test_every_epoch=True), trained(), strict=True):
        assert len(tested.test_accuracy_by_epoch) == run.recipe.epochs
        assert tested.test_accuracy_by_epoch[-1] == tested.test_accuracy
        assert dataclasses.replace(tested, test_accuracy_by_epoch=()) == plain
    # The schedule of a run of one epoch is the first epoch of this one, unless it depends on their number.
    constant = {"schedule": ("constant",), "test_every_epoch": True}
    for longer, one in zip(trained(**constant), trained(**constant, epochs=1), strict=True):
        assert longer.test_accuracy_by_epoch[:1] == one.test_accuracy_by_epoch == (one.test_accuracy,)


def test_company_changes_nothing_but_rounding():
    run = quartered(Run(NormCNN(GROUPS), COSINE), precision="float64")
    alone = {seed: train(run, [seed], DATA)[0] for seed in (0, 4)}
    for together in (train(run, [4, 0, 9], DATA), train(run, [0, 4], DATA)):
        for result in together:
            if result.seed in alone:
                assert result.train_loss == pytest.approx(alone[result.seed].train_loss, rel=1e-6)
                assert result.test_accuracy == alone[result.seed].test_accuracy


def test_a_diverged_run_is_a_result_and_leaves_its_neighbours_alone(monkeypatch):
    run = Run(DepthCNN(1, "relu"), dataclasses.replace(ADAMW, epochs=2))
    healthy = train(run, [0, 2], DATA)

    def poisoned(run, seeds):
        module = build(run, seeds)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.chunk(len(seeds))[list(seeds).index(1)].fill_(math.inf)
        return module

    monkeypatch.setattr("pytest_claims.train.engine.build", poisoned)
    first, broken, last = train(run, [0, 1, 2], DATA)
    assert broken.diverged
    assert math.isnan(broken.train_loss[-1])
    assert broken.test_accuracy == pytest.approx(10.0)  # NaN logits: always the first class
    for result, expected in ((first, healthy[0]), (last, healthy[1])):
        assert not result.diverged
        assert result.train_loss == pytest.approx(expected.train_loss, abs=2e-3)


def test_a_real_learning_rate_that_is_far_too_high_diverges():
    recipe = Recipe(8, 8, 3, "sgd", 1e6, momentum=0.9)
    result = train(Run(NormCNN(GROUPS), recipe), [0], DATA)[0]
    assert result.diverged
    assert len(result.train_loss) == 3


def test_augmentation_and_dropout_are_each_seeds_own():
    run = quartered(Run(SkipCNN(BATCH, dropout=0.3), LINEAR), precision="float64")
    alone = train(run, [4], DATA)[0]
    torch.manual_seed(5)
    for result in train(run, [9, 4], DATA):
        if result.seed == 4:
            assert result.train_loss == pytest.approx(alone.train_loss, rel=1e-6)
    plain = dataclasses.replace(run, network=SkipCNN(BATCH, dropout=0.0))
    assert train(plain, [4], DATA)[0].train_loss != pytest.approx(alone.train_loss, rel=1e-3)


@pytest.mark.parametrize("batch", [40, 16])
def test_gradients_are_those_of_the_first_step_of_each_epoch(batch):
    run = Run(
        DepthCNN(3, "sigmoid", width=8),
        dataclasses.replace(ADAMW, precision="float64", images_per_class=4, batch=batch, epochs=3),
    )
    steps = math.ceil(40 / batch)
    for result in train(run, [0, 1], DATA):
        network = load(plain_network(run.network), plain_state(build(run, [result.seed]), 0)).double()
        every_step = [[], [], []]
        for n, seen in enumerate(every_step, 1):
            weight = network.features.get_submodule(f"block{n}.conv").weight
            weight.register_hook(lambda gradient, seen=seen: seen.append(gradient.square().mean().sqrt().item()))
        plain_training(network, run.recipe, DATA, result.seed, torch.float64)
        assert [len(seen) for seen in every_step] == [3 * steps] * 3
        expected = list(zip(*(seen[::steps] for seen in every_step), strict=True))
        assert result.gradients == tuple(pytest.approx(epoch, rel=1e-5) for epoch in expected)


def test_predictions_are_what_the_accuracy_counts():
    for result in train(Run(NormCNN((BATCH,) * 3), COSINE), [0, 1], DATA):
        right = (torch.tensor(result.predictions) == DATA.test_labels).double().mean().item()
        assert result.test_accuracy == pytest.approx(100 * right)


def test_precise_statistics_are_those_of_the_whole_training_set():
    run = Run(NormCNN((BATCH,) * 3), dataclasses.replace(PRECISE, precision="float64", epochs=1))
    module = build(run, [0]).double()
    reestimate_statistics(module, run.recipe, DATA, torch.arange(80)[:, None])
    pixels = DATA.train_images[:80].double() / 255
    mean, std = (torch.tensor(values).double().view(3, 1, 1) for values in (run.recipe.mean, run.recipe.std))
    conv = module.features.block1.conv((pixels - mean) / std)
    torch.testing.assert_close(module.features.block1.norm.running_mean, conv.mean((0, 2, 3)))
    torch.testing.assert_close(module.features.block1.norm.running_var, conv.transpose(0, 1).flatten(1).var(1))


def test_learns():
    result = train(Run(NormCNN((BATCH,) * 3), dataclasses.replace(COSINE, epochs=8, batch=8)), [0], DATA)[0]
    assert result.train_accuracy[-1] > 60
    assert result.test_accuracy > 30
    assert result.test_images == 60


def test_test_set_can_be_cut_per_class():
    recipe = dataclasses.replace(ADAMW, epochs=1, test_images_per_class=2)
    assert train(Run(DepthCNN(1, "relu"), recipe), [0], DATA)[0].test_images == 20


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            Run(DepthCNN(1, "relu"), dataclasses.replace(ADAMW, batch=81)),
            "batch 81 is larger than the training set of 80",
        ),
        (
            Run(DepthCNN(1, "relu"), dataclasses.replace(ADAMW, images_per_class=13)),
            "has 12 training images of class 'c0'",
        ),
        (Run(DepthCNN(1, "relu", classes=7), ADAMW), "has 10 classes and the network 7"),
    ],
)
def test_data_that_does_not_fit_is_refused(run, message):
    with pytest.raises(DataError, match=message):
        train(run, [0], DATA)


def test_steps_that_warm_up_leave_no_trace():
    run = Run(SkipCNN(BATCH, dropout=0.3), dataclasses.replace(LINEAR, augmentation=None))

    def states(warm_up):
        module = build(run, [0, 1]).to(memory_format=torch.channels_last)
        step = Step(module, optimizer_of(module, run.recipe, torch.device("cpu")), run.recipe, DATA)
        module.train()
        rows = torch.arange(32)[:, None].expand(-1, 2)
        step(rows, None, True)
        for _ in range(warm_up):
            before = Snapshot(step)
            for _ in range(2):
                step(rows + 7, None, True)
            before.restore()
        step(rows + 1, None, True)
        tensors = [*module.parameters(), *module.buffers(), step.sums, step.gradients]
        return [tensor.detach().clone() for tensor in tensors]

    for plain, rewound in zip(states(0), states(2), strict=True):
        assert torch.equal(plain, rewound)


def test_a_snapshot_before_the_first_step_sets_new_state_to_0():
    run = Run(DepthCNN(1, "relu"), ADAMW)
    module = build(run, [0])
    step = Step(module, optimizer_of(module, run.recipe, torch.device("cpu")), run.recipe, DATA)
    before = Snapshot(step)
    step(torch.arange(32)[:, None], None, False)
    before.restore()
    assert {float(value.abs().max()) for state in step.optimizer.state.values() for value in state.values()} == {0.0}


GRAPHED = [
    Run(DepthCNN(2, "relu"), ADAMW),
    Run(NormCNN((BATCH,) * 3), dataclasses.replace(COSINE, precision="bfloat16")),
    Run(NormCNN(GROUPS), DECAYED),
    Run(OrderCNN(("conv", "activation", "norm"), "leaky_relu"), STEPS),
    Run(SkipCNN(BATCH, dropout=0.3), LINEAR),
    Run(MLP(width=16), LINEAR),
    Run(NormCNN(GROUPS), Recipe(8, 32, 2, "adam", 1e-3, weight_decay=0.01)),
    Run(NormCNN(GROUPS), Recipe(8, 32, 2, "rmsprop", 1e-3, momentum=0.9, optimizer_options=(("centered", 1),))),
]


@pytest.mark.cuda
@pytest.mark.parametrize("run", GRAPHED, ids=lambda run: f"{type(run.network).__name__}-{run.recipe.optimizer}")
def test_replayed_steps_give_what_launched_ones_give(run, recwarn):
    prepare(torch.device("cuda"))
    data = DATA.to(torch.device("cuda"))
    eager, replayed = (train(run, [0, 1, 2], data, graphs=graphs) for graphs in (False, True))
    assert not [warning for warning in recwarn if "without CUDA graphs" in str(warning.message)]
    for ours, reference in zip(replayed, eager, strict=True):
        # Batches of 32, 32 and 16: two sizes and a recorded step, every epoch.
        assert ours.train_loss == pytest.approx(reference.train_loss, rel=1e-3)
        assert ours.gradients[0] == pytest.approx(reference.gradients[0], rel=1e-3)
        assert ours.train_accuracy[0] == pytest.approx(reference.train_accuracy[0], abs=2.6)


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("run", "seeds"),
    [
        (Run(DepthCNN(2, "relu"), ADAMW), [0, 1]),
        (Run(NormCNN(GROUPS), COSINE), [0, 1]),
        (Run(NormCNN(GROUPS), Recipe(8, 32, 2, "adafactor", 1e-3)), [0]),  # one at a time, and never captured
    ],
)
def test_cuda_gives_what_the_cpu_gives(run, seeds, recwarn):
    prepare(torch.device("cuda"))  # float32 that is float32
    on_cpu, on_gpu = (train(run, seeds, DATA.to(torch.device(device))) for device in ("cpu", "cuda"))
    assert not [warning for warning in recwarn if "without CUDA graphs" in str(warning.message)]
    for ours, reference in zip(on_gpu, on_cpu, strict=True):
        assert ours.train_loss == pytest.approx(reference.train_loss, abs=5e-3)
