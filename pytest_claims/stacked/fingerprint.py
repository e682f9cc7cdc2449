"""What a network computes, as a short text: two networks of one name and other behaviour get different ones.

A class name and fields say what a network is called. Its behaviour is what a run depends on: which parameters it has
and what their first values are, what it makes of images, and which gradients these give, in training and in eval mode.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from pytest_claims.stacked.assemble import assemble, refuse_out_of_memory
from pytest_claims.stacked.network import Network, NetworkError, StackedModule, check_form
from pytest_claims.streams import stream

# As many as the check of a network's contract takes (check.py), which a network must run on anyway.
_IMAGES = 3
# Initialisations that a recipe can name.
_SCHEMES = ("default", "xavier")
# Of every number that is kept, in float64. Processors differ from the twelfth digit on.
_DIGITS = 5
# Beside the largest of its kind, a tensor of this size is the rounding of sums that should be 0.
_ROUNDING = 1e-12
# In float32, processors differ from the sixth digit on. Each number that is kept is one that may be rounded to either
# side; so few are, and with few digits.
_DIGITS_OF_FLOAT32 = 3


def behaviour(network: Network) -> str:
    """16 hex digits that say what a network computes, the same wherever and however its code is written.

    One seed is built from its streams under each initialisation, and run forward and backward on three fixed images
    in float64: once in training mode, then forward in eval mode. The names and shapes of all parameters and
    buffers, their first values, the logits, the gradients and the buffers afterwards go into the text, each as its
    size and one weighted sum, to five digits. Networks that differ by less have one text. Of a network that does not
    run in float64, what it makes of images is told in float32: of all logits, all gradients and all buffers together,
    to three digits. Raises NetworkError as assemble(), and for a network that does not run on these images; MemoryError
    where there is too little memory, which says nothing of the network.

    The global random state and gradient mode stay as they are. A network is run once in a process.
    """
    check_form(network)  # so that the network can be hashed
    return _behaviour(cast(Hashable, network))


@functools.cache
def _behaviour(described: Hashable) -> str:
    network = cast(Network, described)
    digest = hashlib.sha256()
    with _one_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        for scheme in _SCHEMES:
            module = assemble(network, (0,), scheme, torch.float64)
            digest.update("\n".join(_told(scheme, _tensors(module))).encode())
        digest.update("\n".join(_in_any_precision(network)).encode())
    return digest.hexdigest()[:16]


def _in_any_precision(network: Network) -> list[str]:
    """What a network makes of images, in words: in float64, or where its layers do not take that, in float32.

    Raises NetworkError if it runs in neither.
    """
    for dtype in (torch.float64, torch.float32):
        try:
            return list(_passed(assemble(network, (0,), dtype=dtype), network.classes, dtype))
        except Exception as error:
            refuse_out_of_memory(error)
            found = error
    raise NetworkError(
        f"{network} does not run on {_IMAGES} images of 3 x 32 x 32: {type(found).__name__}: {found}"
    ) from found


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """On busy cores, threads that wait for one another take a hundred times as long as one for so little work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _passed(module: StackedModule, classes: int, dtype: torch.dtype) -> Iterator[str]:
    """One step in training mode, and a pass in eval mode, in words."""
    images = torch.randn(_IMAGES, 3, 32, 32, generator=stream("behaviour", "images"), dtype=torch.float64).to(dtype)
    labels = torch.arange(_IMAGES) % classes
    module.train()
    logits: Tensor = module(images)
    loss = F.cross_entropy(logits.flatten(0, 1), labels)
    loss.backward()
    gradients = [(name, value.grad) for name, value in module.named_parameters() if value.grad is not None]
    groups = [("logits", [("", logits)]), ("gradients", gradients), ("buffers", list(module.named_buffers()))]
    if dtype == torch.float64:
        yield from _told("training", [("logits", logits), *gradients, *module.named_buffers()])
    else:
        yield from (_told_together(f"training {name}", tensors) for name, tensors in groups)
    module.eval()
    with torch.no_grad():
        evaluated = [("logits", module(images))]
    if dtype == torch.float64:
        yield from _told("eval", evaluated)
    else:
        yield _told_together("eval", evaluated)


def _told_together(when: str, tensors: Sequence[tuple[str, Tensor]]) -> str:
    """Tensors in words, as one vector, to as many digits as float32 has in common everywhere."""
    whole = torch.cat([value.detach().double().flatten() for _, value in tensors] or [torch.zeros(1).double()])
    shapes = [(name, list(value.shape)) for name, value in tensors]
    return f"{when} {shapes} {_summary(whole, float(whole.norm()), _DIGITS_OF_FLOAT32)}"


def _tensors(module: StackedModule) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


def _told(when: str, tensors: Iterable[tuple[str, Tensor]]) -> Iterator[str]:
    """Tensors in words. Those that are nothing but rounding beside the largest (the gradient of a bias that batch norm
    takes away again) count as 0."""
    values = [(name, list(value.shape), value.detach().double().flatten()) for name, value in tensors]
    norms = [float(flat.norm()) for _, _, flat in values]
    least = _ROUNDING * max((norm for norm in norms if math.isfinite(norm)), default=0.0)
    for (name, shape, flat), norm in zip(values, norms, strict=True):
        yield f"{when} {name} {shape} {_summary(flat, norm) if not norm < least else 0}"


@functools.cache
def _weights(bits: int) -> Tensor:
    """Weights of a sum for every vector with fewer than 2^bits values."""
    return torch.cos(torch.arange(1, 2**bits, dtype=torch.float64))


def _summary(values: Tensor, norm: float, digits: int = _DIGITS) -> str:
    """Size and direction of a vector, float64 [n]: its norm, and its weighted sum as a share of the norm.

    A sum that cancels would keep fewer digits than its parts; as a share of the norm it is rounded where they are.
    """
    if not norm or not math.isfinite(norm):
        return f"{norm}"
    share = round(float(values @ _weights(len(values).bit_length())[: len(values)]) / norm, digits)
    return f"{norm:.{digits - 1}e} {share + 0.0:.{digits}f}"
