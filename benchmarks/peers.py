"""What is compared, each a function (run, seeds, data on the CPU, device) that trains those seeds in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

from benchmarks.notebook import notebook
from benchmarks.work import Work
from pytest_claims.data.dataset import Dataset
from pytest_claims.data.subset import rows_of_test_set, training_table
from pytest_claims.train.engine import train
from pytest_claims.types import Run
from reference.networks import plain_network
from reference.training import plain_optimizer, torch_scheduler


@dataclasses.dataclass(frozen=True)
class Peer:
    """One way to train seeds. processes, threads: on a CPU, of the machine's cores: all of them one model, or a process
    a core. seeds: how many a process trains, of a work's own number. steps: it can train, but not test."""

    name: str
    words: str
    train: Callable[[Run, list[int], Dataset, torch.device], None]
    process_a_core: bool
    seeds: Callable[[Work, str], int]


def _notebook(run: Run, seeds: list[int], data: Dataset, device: torch.device) -> None:
    notebook(run, seeds, data, device, loaders=0)


def _notebook_with_loaders(run: Run, seeds: list[int], data: Dataset, device: torch.device) -> None:
    notebook(run, seeds, data, device, loaders=2)


def _resident(run: Run, seeds: list[int], data: Dataset, device: torch.device) -> None:
    """The plain eager loop over tensors that lie on the device; no DataLoader, no augmentation."""
    recipe, here = run.recipe, data.to(device)
    mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (recipe.mean, recipe.std))
    amp = torch.autocast(device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16")
    for seed in seeds:
        model = plain_network(run.network).to(device, memory_format=torch.channels_last)
        optimizer = plain_optimizer(model, recipe)
        scheduler = torch_scheduler(optimizer, recipe)
        for rows in training_table(data, recipe, seed).to(device):
            for batch in rows.split(recipe.batch):
                images = (here.train_images[batch].float() / 255 - mean) / std
                optimizer.zero_grad()
                with amp:
                    loss = F.cross_entropy(model(images), here.train_labels[batch])
                loss.backward()
                optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad(), amp:
            for batch in rows_of_test_set(data, recipe.test_images_per_class).to(device).split(1000):
                model((here.test_images[batch].float() / 255 - mean) / std).argmax(1).sum().item()


def _engine(run: Run, seeds: list[int], data: Dataset, device: torch.device) -> None:
    train(run, seeds, data.to(device))


def _vmap(run: Run, seeds: list[int], data: Dataset, device: torch.device) -> None:
    """torch.func's ensembling: the plain network vmapped over seeds; batch norm keeps no running statistics, for it
    cannot change them under vmap, so nothing is tested. SGD only."""
    recipe = run.recipe
    if recipe.optimizer != "sgd":
        raise ValueError(f"written here for SGD alone, not for {recipe.optimizer}")
    models = [plain_network(run.network).to(device) for _ in seeds]
    for model in models:
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None
                layer.track_running_stats = False
    parameters, buffers = stack_module_state(models)
    skeleton = plain_network(run.network).to("meta")
    for layer in skeleton.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean = layer.running_var = layer.num_batches_tracked = None
            layer.track_running_stats = False

    def loss(weights: dict, state: dict, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(functional_call(skeleton, (weights, state), (images,)), targets)

    step = vmap(grad_and_value(loss))
    velocity = {name: torch.zeros_like(value) for name, value in parameters.items()}
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (recipe.mean, recipe.std))
    tables = torch.stack([training_table(data, recipe, seed) for seed in seeds]).to(device)
    for epoch in range(recipe.epochs):
        for rows in tables[:, epoch].split(recipe.batch, dim=1):
            batch = (images[rows].float() / 255 - mean) / std
            gradients, _ = step(parameters, buffers, batch, labels[rows])
            for name, gradient in gradients.items():
                velocity[name].mul_(recipe.momentum).add_(gradient)
                parameters[name] = parameters[name] - recipe.lr * velocity[name]


def _one(work: Work, kind: str) -> int:
    return 1


def _side_by_side(work: Work, kind: str) -> int:
    return work.seeds[kind]


PEERS = (
    Peer("notebook", "DataLoader, per-image transforms, one model after another", _notebook, False, _one),
    Peer("notebook, 2 loaders", "the same with num_workers=2", _notebook_with_loaders, False, _one),
    Peer("resident eager", "data on the device, else the same; no augmentation", _resident, False, _one),
    Peer("torch.func vmap", "ensembling; no running statistics, no test", _vmap, False, _side_by_side),
    Peer("engine", "this suite", _engine, True, _side_by_side),
)
