"""The data sets that the package knows. A further one is one entry here, or a `register` in your own conftest.py."""

from __future__ import annotations

from pytest_claims.data.spec import DatasetSpec, Sample, register
from pytest_claims.data.torchvision_loader import Torchvision

# Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
register(
    DatasetSpec(
        "cifar10",
        family="cifar",
        classes=10,
        training_images=50_000,
        test_images=10_000,
        class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        loader=Torchvision("CIFAR10", files=("cifar-10-batches-py",)),
        sample=Sample("5254d357344685712e74050e97c4f3da2fc134b4959621809d7f3c5569685538", train=500, test=200),
        fingerprint="4eb9de6aa72f2f19a0206b07205e49551ce36a7ecfa57e04a93937a5fc70dd21",
    )
)
register(
    DatasetSpec(
        "cifar100",
        family="cifar",
        classes=100,
        training_images=50_000,
        test_images=10_000,
        loader=Torchvision("CIFAR100", files=("cifar-100-python",)),
        sample=Sample("35e31c9c97d94082f55209eb25acf181bd28ed55479353d60f45e692086c4e75", train=15, test=5),
        fingerprint="9042c554239b2c25d6c39cbf9c35262cdc5d98722c3da9ff205ac735b86f9a5d",
    )
)
# Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017.
register(
    DatasetSpec(
        "fashion_mnist",
        classes=10,
        training_images=60_000,
        test_images=10_000,
        channels=1,
        size=28,
        loader=Torchvision(
            "FashionMNIST",
            files=(
                "FashionMNIST/raw/train-images-idx3-ubyte",
                "FashionMNIST/raw/train-labels-idx1-ubyte",
                "FashionMNIST/raw/t10k-images-idx3-ubyte",
                "FashionMNIST/raw/t10k-labels-idx1-ubyte",
            ),
        ),
    )
)
# Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
register(
    DatasetSpec(
        "svhn",
        classes=10,
        training_images=73_257,
        test_images=26_032,
        class_names=tuple("0123456789"),
        loader=Torchvision(
            "SVHN",
            files=("train_32x32.mat", "test_32x32.mat"),
            split=("split", "train", "test"),
            labels="labels",
            channels_first=True,
        ),
    )
)
