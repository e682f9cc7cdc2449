"""A network built for given seeds, each with its own initial weights."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from pytest_claims.stacked.dropout import StackedDropout
from pytest_claims.stacked.initialise import initialise
from pytest_claims.stacked.network import Network, NetworkError, StackedModule, check_form
from pytest_claims.streams import stream


def assemble(
    network: Network, seeds: Sequence[int], scheme: str = "default", dtype: torch.dtype = torch.float32
) -> StackedModule:
    """The module for these seeds, on the CPU, with weights and keys of dropout from each seed's own streams.

    scheme: of initial weights, as `initialise` takes it. dtype: of the weights, which are drawn in it. Torch's
    global random state stays as it is. Raises NetworkError if the network has another form than Network says, or
    does not build; what the module does is not looked at here. Raises MemoryError where there is too little memory.
    """
    check_form(network)
    try:
        inspect.signature(network.build).bind(len(seeds))
    except (AttributeError, TypeError, ValueError) as error:
        raise NetworkError(
            f"{type(network).__name__} has no method build that takes a number of seeds ({error}); write "
            "`def build(self, seeds: int = 1) -> nn.Module`"
        ) from error
    # torch.nn's constructors draw weights from the global generator; these are replaced and must leave no trace.
    with torch.random.fork_rng(devices=[]):
        try:
            module = network.build(len(seeds))
        except (Exception, SystemExit) as error:  # no claim ends a session
            refuse_out_of_memory(error)
            raise NetworkError(
                f"{network} does not build for {len(seeds)} seeds: {type(error).__name__}: {error}"
            ) from error
    _check_module(network, module, len(seeds))
    module.to(dtype)
    try:
        initialise(module, [functools.partial(stream, "weights", seed) for seed in seeds], scheme)
    except NetworkError as error:
        raise NetworkError(f"{network}: {error}") from error
    for name, layer in module.named_modules():
        if isinstance(layer, StackedDropout):
            if layer.seeds != len(seeds):
                raise NetworkError(
                    f"{network}: {name} (a {type(layer).__name__}) is made for {layer.seeds} seeds and not for "
                    f"{len(seeds)}; give it the number that build is called with"
                )
            keys = [torch.randint(2**31, (), generator=stream("dropout", seed, name)) for seed in seeds]
            layer.set_keys(torch.stack(keys))
    return cast(StackedModule, module)


def refuse_out_of_memory(error: BaseException) -> None:
    """Raise MemoryError for an error that says nothing of a network, but that there was too little memory for it."""
    # The words are those of torch's allocator on a CPU, which has no type for it.
    words = ("can't allocate memory", "not enough memory")
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(each in str(error) for each in words)
    ):
        raise MemoryError(str(error)) from error


def _check_module(network: Network, module: object, seeds: int) -> None:
    if not isinstance(module, nn.Module):
        raise NetworkError(f"{network}.build gives a {type(module).__name__}; needed: a torch.nn.Module")
    if getattr(module, "seeds", None) != seeds:
        raise NetworkError(
            f"{network}.build({seeds}) gives a module whose attribute `seeds` is "
            f"{getattr(module, 'seeds', 'missing')}; needed: {seeds}, the number that build was called with. "
            "StackedClassifier(features, head) has it"
        )
    tensors = [*module.named_parameters(), *module.named_buffers()]
    for name, value in tensors:
        if is_lazy(value):
            raise NetworkError(f"{network}: {layer_of(module, name)} is lazy; give its layer the sizes when it is made")
        if value.device.type != "cpu":
            raise NetworkError(
                f"{network}: {layer_of(module, name)} is built on {value.device}; build on the CPU, and the engine "
                "moves the module"
            )
        if value.ndim and len(value) % seeds:
            raise NetworkError(
                f"{network}: {layer_of(module, name)} has shape {list(value.shape)} for {seeds} seeds; needed: "
                f"{seeds} equal slices along dimension 0"
            )
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise NetworkError(f"{network} has no parameter to train; give it one that requires a gradient")


def layer_of(module: nn.Module, tensor: str) -> str:
    """A parameter or buffer in words, by its qualified name: "features.fc.weight (of a Linear)"."""
    owner, _, _ = tensor.rpartition(".")
    return f"{tensor} (of a {type(module.get_submodule(owner)).__name__})"
