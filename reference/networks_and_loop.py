"""Plain PyTorch networks and a training loop, as a notebook would have them: what the engine must equal."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.data.augment import augmentation_table
from pytest_claims.data.dataset import Dataset
from pytest_claims.data.subset import training_table
from pytest_claims.data.torchvision_import import torchvision
from pytest_claims.stacked import Norm
from pytest_claims.types import Recipe

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


class PlainSkip(nn.Module):
    """Two layers and a connection around them; parameter names as in nn.Sequential."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.add_module("0", first)
        self.add_module("1", second)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.children()
        return second(first(x)) + x


def plain_linear_block(inputs: int, outputs: int, network: MLP) -> nn.Sequential:
    """A block of the MLP."""
    width = outputs if network.order.index("conv") < network.order.index("norm") else inputs
    norm = plain_norm(network.norm, width)
    parts = {
        "conv": nn.Linear(inputs, outputs),
        "norm": nn.BatchNorm1d(width) if isinstance(norm, nn.BatchNorm2d) else norm,
        "activation": _ACTIVATIONS[network.activation](),
    }
    return nn.Sequential(OrderedDict((name, parts[name]) for name in network.order if parts[name] is not None))


def load(module: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    """Load a state whose linear layers may be 1x1 convolutions."""
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    module.load_state_dict({name: value.reshape(shapes[name]) for name, value in state.items()})
    return module


def plain_network(network: DepthCNN | NormCNN | OrderCNN | SkipCNN | MLP) -> PlainNetwork:
    """The network written down again with torch.nn alone, from the sources' descriptions."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    match network:
        case DepthCNN():
            channels = 3
            for n in range(1, network.depth + 1):
                layers[f"block{n}"] = plain_block(
                    channels, network.width, network.norm, network.activation, network.order
                )
                if n in network.pools:
                    layers[f"pool{n}"] = nn.MaxPool2d(2)
                channels = network.width
            layers["pool"] = nn.AdaptiveAvgPool2d(1)
            head = nn.Linear(network.width, network.classes)
        case NormCNN():
            inputs = (3, *network.widths[:2])
            for n, (norm, i, o) in enumerate(zip(network.norms, inputs, network.widths, strict=True), 1):
                layers[f"block{n}"] = plain_block(i, o, norm, "relu", ("conv", "norm", "activation"))
                layers[f"pool{n}"] = nn.MaxPool2d(2)
            head = nn.Linear(16 * network.widths[2], network.classes)
        case OrderCNN():
            widths = (3, 16, 32, 64, 128, 64, 32, 16, 10)
            for n in range(1, 9):
                layers[f"block{n}"] = plain_block(
                    widths[n - 1], widths[n], network.norm, network.activation, network.order
                )
                if n in (2, 4, 6, 8):
                    layers[f"pool{n}"] = nn.MaxPool2d(2)
            head = nn.Linear(40, network.classes)
        case SkipCNN():

            def conv(inputs: int, outputs: int) -> nn.Module:
                return plain_block(inputs, outputs, network.norm, "relu", ("conv", "norm", "activation"))

            layers["block1"], layers["block2"] = conv(3, 16), conv(16, 16)
            layers["reduce1"], layers["pool1"] = nn.Conv2d(16, 8, 1), nn.MaxPool2d(2)
            layers["block3"], layers["skip1"] = conv(8, 32), PlainSkip(conv(32, 32), conv(32, 32))
            layers["reduce2"], layers["pool2"] = nn.Conv2d(32, 16, 1), nn.MaxPool2d(2)
            layers["block4"], layers["skip2"] = conv(16, 32), PlainSkip(conv(32, 32), conv(32, 32))
            layers["pool3"] = nn.AdaptiveAvgPool2d(1)
            head = nn.Linear(32, network.classes)
        case MLP():
            layers["pixels"] = nn.Flatten()
            for n in range(1, network.depth + 1):
                inputs = 3072 if n == 1 else network.width
                layers[f"block{n}"] = plain_linear_block(inputs, network.width, network)
            head = nn.Linear(network.width, network.classes)
    return PlainNetwork(nn.Sequential(layers), head)


def torch_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> torch.optim.lr_scheduler.LRScheduler:
    """torch.optim's scheduler for a recipe, to be stepped once an epoch."""
    match recipe.schedule:
        case ("cosine", final):
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs, final)
        case ("step", every, factor):
            return torch.optim.lr_scheduler.StepLR(optimizer, every, factor)
        case ("linear", *points):
            return torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda epoch: np.interp(epoch, points[::2], points[1::2])
            )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)


def plainly_augmented(
    image: torch.Tensor, right: float, down: float, scale: float, degrees: float, brightness: float, contrast: float
) -> torch.Tensor:
    """One image, float [3, H, W] in [0, 1], by torchvision's operators; its mirrored surroundings are padded on."""
    transforms = torchvision("transforms.v2")
    height, width = image.shape[1:]
    padding = ((0, 0), (height // 2, height // 2), (width // 2, width // 2))
    padded = torch.from_numpy(np.pad(image.numpy(), padding, mode="symmetric"))
    moved = transforms.functional.affine(
        padded,
        angle=degrees,
        translate=[right * width, down * height],
        scale=scale,
        shear=[0.0, 0.0],
        interpolation=transforms.InterpolationMode.BILINEAR,
    )
    inner = moved[:, height // 2 : -(height // 2), width // 2 : -(width // 2)].clamp(0, 1)
    bright = transforms.functional.adjust_brightness(inner, brightness)
    return transforms.functional.adjust_contrast(bright, contrast)


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
    for epoch, rows in enumerate(training_table(data, recipe, seed)):
        model.train()
        if recipe.augmentation:
            table = augmentation_table(recipe.augmentation, len(rows), epoch, seed)
            for row, changes in zip(rows, table, strict=True):
                train[row] = (plainly_augmented(data.train_images[row].to(dtype) / 255, *changes.tolist()) - mean) / std
        loss_sum, correct = 0.0, 0
        for start in range(0, len(rows), recipe.batch):
            batch = rows[start : start + recipe.batch]
            optimizer.zero_grad()
            with amp:
                output = model(train[batch])
                loss = F.cross_entropy(output, data.train_labels[batch])
            penalty = recipe.l1 * sum(parameter.abs().sum() for parameter in model.parameters())
            (loss + penalty).backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
            correct += (output.argmax(1) == data.train_labels[batch]).sum().item()
        scheduler.step()
        losses.append(loss_sum / len(rows))
        accuracies.append(100 * correct / len(rows))
    if recipe.statistics == "precise":
        torch.optim.swa_utils.update_bn([train[training_table(data, recipe, seed)[-1]]], model)
    model.eval()
    with torch.no_grad(), amp:
        predicted = model(test).argmax(1)
    return losses, accuracies, 100 * (predicted == data.test_labels).double().mean().item()
