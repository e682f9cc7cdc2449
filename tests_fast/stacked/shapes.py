"""The convolutions of the findings' networks."""

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.stacked import BATCH, Conv2d

NETWORKS = (DepthCNN(2, "relu"), NormCNN((BATCH,) * 3), OrderCNN(("conv", "norm", "activation")), SkipCNN(BATCH), MLP())


def shapes_of_models() -> list[tuple[int, int, int, int]]:
    """(input channels, output channels, kernel, padding), each once."""
    layers = [layer for network in NETWORKS for layer in network.build(1).modules() if isinstance(layer, Conv2d)]
    return sorted({(each.in_channels, each.out_channels, each.kernel_size[0], each.padding[0]) for each in layers})
