"""The loop that the sources' notebooks have: DataLoader, transforms image by image, one model after another."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from pytest_claims.data.dataset import Dataset
from pytest_claims.data.subset import rows_of_test_set, training_table
from pytest_claims.data.torchvision_import import torchvision
from pytest_claims.types import Augmentation, Recipe, Run
from reference.networks import plain_network
from reference.training import plain_optimizer, torch_scheduler


class _Images(TorchDataset):
    """As torchvision.datasets.CIFAR10: an array an image, made a PIL image and transformed when it is asked for."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, transform: object) -> None:
        self.images, self.labels = images.permute(0, 2, 3, 1).numpy(), labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def _transform(recipe: Recipe, augmentation: Augmentation | None) -> object:
    transforms = torchvision("transforms")
    steps = [transforms.ToTensor(), transforms.Normalize(recipe.mean, recipe.std)]
    if augmentation:
        change = augmentation
        affine = transforms.RandomAffine(
            change.degrees, (change.shift, change.shift), (1 - change.scale, 1 + change.scale)
        )
        jitter = transforms.ColorJitter(change.brightness, change.contrast)
        steps = [
            transforms.RandomApply([affine], change.affine_probability),
            transforms.RandomApply([jitter], change.jitter_probability),
            *steps,
        ]
    return transforms.Compose(steps)


def notebook(run: Run, seeds: list[int], data: Dataset, device: torch.device, loaders: int) -> None:
    """Train and test these seeds one after another. data is on the CPU. loaders: DataLoader's num_workers."""
    recipe = run.recipe
    for seed in seeds:
        torch.manual_seed(seed)
        rows = training_table(data, recipe, seed)[0]
        train = _Images(data.train_images[rows], data.train_labels[rows], _transform(recipe, recipe.augmentation))
        tested = rows_of_test_set(data, recipe.test_images_per_class)
        test = _Images(data.test_images[tested], data.test_labels[tested], _transform(recipe, None))
        model = plain_network(run.network).to(device)
        context = "fork" if loaders else None
        train_loader = DataLoader(
            train, recipe.batch, shuffle=True, num_workers=loaders, multiprocessing_context=context
        )
        test_loader = DataLoader(test, 256, num_workers=loaders, multiprocessing_context=context)
        _fit(model, recipe, train_loader, test_loader, device)


def _fit(model: torch.nn.Module, recipe: Recipe, train: DataLoader, test: DataLoader, device: torch.device) -> float:
    optimizer = plain_optimizer(model, recipe)
    scheduler = torch_scheduler(optimizer, recipe)
    amp = torch.autocast(device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16")
    for _ in range(recipe.epochs):
        model.train()
        total, correct = 0.0, 0
        for batch, labels in train:
            images, targets = batch.to(device), labels.to(device)
            optimizer.zero_grad()
            with amp:
                output = model(images)
                loss = F.cross_entropy(output, targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
            correct += (output.argmax(1) == targets).sum().item()
        scheduler.step()
    model.eval()
    right = 0
    with torch.no_grad(), amp:
        for images, labels in test:
            right += (model(images.to(device)).argmax(1) == labels.to(device)).sum().item()
    return right / len(test.dataset)
