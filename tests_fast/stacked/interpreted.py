"""The Triton programs run by Triton's interpreter, which wants a process of its own; prints what it finds as JSON.

TRITON_INTERPRET=1 must be set before triton is imported: `python -m tests_fast.stacked.interpreted` sets it.
"""

import json
import os

os.environ["TRITON_INTERPRET"] = "1"

import torch
from torch import nn
from torch.nn import functional as F

from pytest_claims.stacked import NO_NORM, block, kernels
from tests_fast.stacked.against_float64 import by_torch, by_triton, errors, operands
from tests_fast.stacked.shapes import shapes_of_models

# Beside the models' shapes: no padding, padding as wide as may be, and channels that fill no tile.
# The MLP's are wider than the interpreter is quick; what is new in them is that outputs fill several tiles.
SHAPES = [shape for shape in shapes_of_models() if max(shape[:2]) <= 128]
OTHERS = ((20, 144, 1, 0), (16, 10, 3, 0), (5, 7, 3, 2), (3, 7, 1, 0))
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def errors_by_shape() -> list[dict[str, object]]:
    """Of every shape in float32, and of some in bfloat16, on an odd batch; narrow ones of two groups."""
    found = []
    for name, dtype in DTYPES.items():
        shapes = (*SHAPES, *OTHERS) if name == "float32" else ((3, 16, 3, 1), (32, 32, 3, 1), (16, 8, 1, 0))
        for shape in shapes:
            groups = 2 if shape[0] < 16 else 1
            x, weight, bias = operands(groups, 3, shape, (3, 4), dtype, "cpu")
            each = errors(by_triton(x, weight, bias, groups, shape[3]), by_torch(x, weight, bias, groups, shape[3]))
            found.append({"shape": shape, "dtype": name, "errors": list(each)})
    return found


def over_several_tiles() -> dict[str, object]:
    """Pixels that fill no tile, in several tiles and chunks: errors, and whether two calls give the same bits."""
    x, weight, bias = operands(1, 5, (3, 16, 3, 1), (7, 8), torch.float32, "cpu")
    once, again = (by_triton(x, weight, bias, 1, 1) for _ in range(2))
    same = all(torch.equal(one, other) for one, other in zip(once, again, strict=True))
    return {"errors": list(errors(once, by_torch(x, weight, bias, 1, 1))), "same": same}


def batch_norm_errors(precision: str, slope: float) -> list[float]:
    """Output, gradients and running statistics beside torch's own in float64, of values far from 0."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(3, 6, 9, 10, generator=generator) + 5).to(DTYPES[precision])
    gradient = torch.randn(x.shape, generator=generator).to(x.dtype)
    found = []
    for dtype in (x.dtype, torch.float64):
        norm = nn.BatchNorm2d(6).to(torch.float64 if dtype == torch.float64 else torch.float32)
        with torch.no_grad():
            norm.weight.copy_(torch.linspace(0.5, 2, 6))
            norm.bias.copy_(torch.linspace(-1, 1, 6))
        values = x.to(dtype).requires_grad_()
        if dtype == torch.float64:
            out = F.leaky_relu(norm(values), slope)
        else:
            out = kernels.normalised(norm, values, slope)
        wanted = torch.autograd.grad(out, (values, norm.weight, norm.bias), gradient.to(dtype))
        found.append((out.detach(), *wanted, norm.running_mean, norm.running_var))
    return list(errors(*found))


def blocks_by_both_kernels(enabled: bool) -> list[float]:
    """A block of two seeds: the largest relative difference of outputs and gradients between the two kernels.

    enabled: under bfloat16 autocast.
    """
    found: list[list[torch.Tensor]] = []
    layers = block(3, 8, norm=NO_NORM, seeds=2)
    generator = torch.Generator().manual_seed(0)
    for parameter in layers.parameters():
        nn.init.uniform_(parameter, 0.2, 0.7, generator=generator)
    images = torch.rand(5, 6, 4, 4, generator=generator).contiguous(memory_format=torch.channels_last)
    for choice in ("cudnn", "triton"):
        kernels.use(choice)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            out = layers(images)
        gradients = torch.autograd.grad(
            (out.float() * torch.arange(16).view(16, 1, 1)).sum(), list(layers.parameters())
        )
        found.append([out.detach(), *gradients])
    return list(errors(tuple(found[1]), tuple(value.double() for value in found[0])))


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "shapes": errors_by_shape(),
                "tiles": over_several_tiles(),
                "norms": {
                    "float32": [error for slope in (0.0, 0.01, 1.0) for error in batch_norm_errors("float32", slope)],
                    "bfloat16": batch_norm_errors("bfloat16", 0.0),
                },
                "blocks": {name: blocks_by_both_kernels(name == "bfloat16") for name in DTYPES},
            }
        )
    )
