"""What a network is: a description that builds a module for any number of seeds."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, runtime_checkable

from torch import nn

from pytest_claims.errors import ExplainedError
from pytest_claims.types import canonical


class NetworkError(ExplainedError, ValueError):
    """A network cannot be trained; the text names it, the layer if one is at fault, and the way out."""


class StackedModule(nn.Module):
    """The networks of S seeds side by side: images [B, S*3, 32, 32] -> logits [S, B, classes], float.

    seeds: S. Of the images' channels, the first three are the first seed's, and so on. Every parameter and every
    buffer holds S equal slices along dimension 0, a seed's own in each; a buffer without dimensions (a counter) belongs
    to all. A seed's logits, gradients and buffers depend on its own images and slices alone.

    To inherit from it is a convenience for type checkers: any torch.nn.Module that keeps this contract will do.
    """

    seeds: int


@runtime_checkable
class Network(Protocol):
    """A network to be trained: a frozen dataclass whose fields are all that tells it from another one.

    Its class name and fields are the key of its stored runs, so they must be numbers, strings, None, tuples, or frozen
    dataclasses of these. classes: a field, how many classes the network tells apart.

    The contract is checked by behaviour when a network is first trained; see `pytest_claims.stacked.check`.

    Example, a linear classifier::

        @dataclasses.dataclass(frozen=True)
        class Linear:
            classes: int = 10

            def build(self, seeds: int = 1) -> nn.Module:
                return StackedClassifier(nn.Identity(), StackedLinear(3 * 32 * 32, self.classes, seeds))
    """

    @property
    def classes(self) -> int: ...

    def build(self, seeds: int = 1) -> nn.Module:
        """A new module for so many seeds, as StackedModule says, on the CPU. Its weights are set afterwards."""
        ...


def check_form(network: Any) -> None:
    """Raise NetworkError unless this is an instance of a frozen dataclass with the fields that Network says."""
    kind = type(network).__name__
    if isinstance(network, type):
        raise NetworkError(f"{network.__name__} is a class; give an instance of it, as {network.__name__}(...)")
    form = "a network is a frozen dataclass with a field `classes: int` and a method build(seeds)"
    if isinstance(network, nn.Module):
        raise NetworkError(f"{kind} is a torch module, which holds weights; {form}, which makes such a module")
    parameters = getattr(type(network), "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise NetworkError(f"{kind} is no frozen dataclass; {form}. Write @dataclasses.dataclass(frozen=True) above it")
    fields = {field.name: getattr(network, field.name) for field in dataclasses.fields(network)}
    classes = fields.get("classes")
    if not isinstance(classes, int) or isinstance(classes, bool) or classes < 1:
        found = f"{kind}.classes is {classes!r}" if "classes" in fields else f"{kind} has no field `classes`"
        raise NetworkError(f"{found}; give it `classes: int`, the number of classes that it tells apart")
    for name, value in fields.items():
        try:
            hash(value)
            canonical(value)
        except TypeError as error:
            raise NetworkError(
                f"{kind}.{name} is {value!r}; allowed in a network's fields, which are the key of its stored runs: "
                "numbers, strings, None, tuples, and frozen dataclasses of these"
            ) from error
