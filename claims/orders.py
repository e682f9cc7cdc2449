"""The three orders of convolution, norm and activation that several sources compare, by their names."""

from __future__ import annotations

from models import OrderCNN

STANDARD, RELU_FIRST, LEAKY_FIRST = "conv-norm-ReLU", "conv-ReLU-norm", "conv-LeakyReLU-norm"
NETWORKS = {
    STANDARD: OrderCNN(("conv", "norm", "activation"), "relu"),
    RELU_FIRST: OrderCNN(("conv", "activation", "norm"), "relu"),
    LEAKY_FIRST: OrderCNN(("conv", "activation", "norm"), "leaky_relu"),
}
