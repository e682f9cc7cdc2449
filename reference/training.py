"""A plain training loop, its optimisers and its schedules: torch.optim alone, nothing of the engine's."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from pytest_claims.data.augment import augmentation_table
from pytest_claims.data.dataset import Dataset
from pytest_claims.data.subset import training_table
from pytest_claims.types import Recipe
from reference.augmentation import plainly_augmented


@dataclasses.dataclass(frozen=True)
class PlainlyTrained:
    """What a plain run came to. losses: mean cross-entropy, by epoch. accuracies: percent, by epoch, both on training
    batches as they pass. test_accuracy: percent, after the last epoch."""

    losses: list[float]
    accuracies: list[float]
    test_accuracy: float


def plain_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser, as a notebook makes it. Raises ValueError for one that is not written down here."""
    options = dict(recipe.optimizer_options)
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(
                model.parameters(),
                lr=recipe.lr,
                momentum=recipe.momentum,
                weight_decay=recipe.weight_decay,
                nesterov=bool(options.get("nesterov", False)),
            )
        case "adam" | "adamw":
            kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
            return kind(
                model.parameters(),
                lr=recipe.lr,
                betas=(options.get("beta1", 0.9), options.get("beta2", 0.999)),
                eps=options.get("eps", 1e-8),
                weight_decay=recipe.weight_decay,
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                model.parameters(),
                lr=recipe.lr,
                alpha=options.get("alpha", 0.99),
                eps=options.get("eps", 1e-8),
                weight_decay=recipe.weight_decay,
                momentum=recipe.momentum,
                centered=bool(options.get("centered", False)),
            )
        case "adafactor":
            return torch.optim.Adafactor(
                model.parameters(),
                lr=recipe.lr,
                beta2_decay=options.get("beta2_decay", -0.8),
                eps=(None, options.get("eps2", 1e-3)),
                d=options.get("d", 1.0),
                weight_decay=recipe.weight_decay,
            )
    raise ValueError(f"no plain loop with {recipe.optimizer!r} is written down here")


def torch_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> torch.optim.lr_scheduler.LRScheduler:
    """torch.optim's scheduler for a recipe, to be stepped once an epoch."""
    kind, *arguments = recipe.schedule
    match kind, [float(argument) for argument in arguments]:
        case "cosine", [final]:
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs, final)
        case "step", [every, factor]:
            return torch.optim.lr_scheduler.StepLR(optimizer, int(every), factor)
        case "linear", points:
            return torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda epoch: float(np.interp(epoch, points[::2], points[1::2]))
            )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)


def plain_training(
    model: nn.Module, recipe: Recipe, data: Dataset, seed: int, dtype: torch.dtype = torch.float32
) -> PlainlyTrained:
    """Train a network, images [B, 3, 32, 32] -> logits [B, classes], on the seed's images in the seed's order.

    dtype: of weights and pixels. The data must be on the CPU.
    """
    mean, std = (torch.tensor(values, dtype=dtype).view(3, 1, 1) for values in (recipe.mean, recipe.std))
    train, test = (((images.to(dtype) / 255) - mean) / std for images in (data.train_images, data.test_images))
    model = model.to(dtype)
    optimizer = plain_optimizer(model, recipe)
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
        for batch in rows.split(recipe.batch):
            optimizer.zero_grad()
            with amp:
                output = model(train[batch])
                loss = F.cross_entropy(output, data.train_labels[batch])
            penalty = recipe.l1 * sum(parameter.abs().sum() for parameter in model.parameters())
            (loss + penalty).backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
            correct += int((output.argmax(1) == data.train_labels[batch]).sum())
        scheduler.step()
        losses.append(loss_sum / len(rows))
        accuracies.append(100 * correct / len(rows))
    if recipe.statistics == "precise":
        torch.optim.swa_utils.update_bn([train[training_table(data, recipe, seed)[-1]]], model)
    model.eval()
    with torch.no_grad(), amp:
        predicted = model(test).argmax(1)
    return PlainlyTrained(losses, accuracies, 100 * (predicted == data.test_labels).double().mean().item())
