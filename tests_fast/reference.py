"""A plain PyTorch training loop, as a notebook would have it: the reference that the engine must equal."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from harness.claim import Recipe
from harness.data.dataset import Dataset
from harness.data.subset import training_table
from models import DepthCNN, Norm, NormCNN, OrderCNN

_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "leaky_relu": lambda: nn.LeakyReLU(0.01)}


def plain_norm(norm: Norm, channels: int) -> nn.Module | None:
    """The torch.nn layer that a Norm stands for."""
    groups = {"group": norm.groups, "layer": 1}.get(norm.kind)
    if groups is not None:
        return nn.GroupNorm(groups, channels)
    return nn.BatchNorm2d(channels) if norm.kind == "batch" else None


def plain_block(inputs: int, outputs: int, norm: Norm, activation: str, order: tuple[str, ...]) -> nn.Sequential:
    """A block of torch.nn layers in this order."""
    normed = outputs if order.index("conv") < order.index("norm") else inputs
    parts = {
        "conv": nn.Conv2d(inputs, outputs, 3, padding=1),
        "norm": plain_norm(norm, normed),
        "activation": _ACTIVATIONS[activation](),
    }
    return nn.Sequential(OrderedDict((name, parts[name]) for name in order if parts[name] is not None))


class PlainNetwork(nn.Module):
    """Features, flatten, linear; parameter names as in models.StackedClassifier."""

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).flatten(1))


def plain_network(network: DepthCNN | NormCNN | OrderCNN) -> PlainNetwork:
    """The network written down again with torch.nn alone, from the sources' descriptions."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    match network:
        case DepthCNN():
            channels = 3
            for n in range(1, network.depth + 1):
                layers[f"block{n}"] = plain_block(
                    channels, network.width, network.norm, network.activation, network.order
                )
                channels = network.width
            layers["pool"] = nn.AdaptiveAvgPool2d(1)
            head = nn.Linear(network.width, network.classes)
        case NormCNN():
            for n, (norm, i, o) in enumerate(zip(network.norms, (3, 16, 32), (16, 32, 64), strict=True), 1):
                layers[f"block{n}"] = plain_block(i, o, norm, "relu", ("conv", "norm", "activation"))
                layers[f"pool{n}"] = nn.MaxPool2d(2)
            head = nn.Linear(1024, network.classes)
        case OrderCNN():
            widths = (3, 16, 32, 64, 128, 64, 32, 16, 10)
            for n in range(1, 9):
                layers[f"block{n}"] = plain_block(
                    widths[n - 1], widths[n], network.norm, network.activation, network.order
                )
                if n in (2, 4, 6, 8):
                    layers[f"pool{n}"] = nn.MaxPool2d(2)
            head = nn.Linear(40, network.classes)
    return PlainNetwork(nn.Sequential(layers), head)


def torch_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> torch.optim.lr_scheduler.LRScheduler:
    """torch.optim's scheduler for a recipe, to be stepped once an epoch."""
    match recipe.schedule:
        case ("cosine", final):
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs, final)
        case ("step", every, factor):
            return torch.optim.lr_scheduler.StepLR(optimizer, every, factor)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)


def notebook_training(
    model: PlainNetwork, recipe: Recipe, data: Dataset, seed: int, dtype: torch.dtype = torch.float32
) -> tuple[list[float], list[float], float]:
    """Train with torch.optim and its schedulers; returns losses and accuracies per epoch and the test accuracy."""
    mean, std = (torch.tensor(values, dtype=dtype).view(3, 1, 1) for values in (recipe.mean, recipe.std))
    train, test = (((images.to(dtype) / 255) - mean) / std for images in (data.train_images, data.test_images))
    model = model.to(dtype)
    if recipe.optimizer == "adamw":
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, foreach=False, fused=False
        )
    else:
        optimizer = torch.optim.SGD(
            model.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay, foreach=False
        )
    scheduler = torch_scheduler(optimizer, recipe)
    losses, accuracies = [], []
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16")
    for rows in training_table(data, recipe, seed):
        model.train()
        loss_sum, correct = 0.0, 0
        for start in range(0, len(rows), recipe.batch):
            batch = rows[start : start + recipe.batch]
            optimizer.zero_grad()
            with amp:
                output = model(train[batch])
                loss = F.cross_entropy(output, data.train_labels[batch])
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
            correct += (output.argmax(1) == data.train_labels[batch]).sum().item()
        scheduler.step()
        losses.append(loss_sum / len(rows))
        accuracies.append(100 * correct / len(rows))
    model.eval()
    with torch.no_grad(), amp:
        predicted = model(test).argmax(1)
    return losses, accuracies, 100 * (predicted == data.test_labels).double().mean().item()
