"""The optimisers that a recipe can name. Another one is added here, or from outside by `register`.

This module imports nothing of the package but the base of its errors, and torch only when an optimiser is made.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_claims.errors import ExplainedError

if TYPE_CHECKING:
    import torch

    from pytest_claims.types import Recipe

    Make = Callable[
        [Iterable[torch.nn.Parameter], Recipe, Mapping[str, float], torch.device],
        torch.optim.Optimizer,
    ]


class OptimiserError(ExplainedError, ValueError):
    """An optimiser cannot be registered or used; the text names it, what is wrong and the way out."""


@dataclasses.dataclass(frozen=True)
class Allowed:
    """The values that a number may have. words: these values, for an error. holds: whether a value is one of them."""

    words: str
    holds: Callable[[float], bool]


SHARE = Allowed("[0, 1)", lambda value: 0 <= value < 1)
NOT_NEGATIVE = Allowed(">= 0", lambda value: 0 <= value < math.inf)
SWITCH = Allowed("0 (off) or 1 (on)", lambda value: value in (0, 1))


@dataclasses.dataclass(frozen=True)
class Option:
    """A number of an optimiser's own. default: what it is where a recipe gives none; stored runs rely on it."""

    default: float
    allowed: Allowed


@dataclasses.dataclass(frozen=True)
class Optimiser:
    """How a recipe's optimiser is checked and made.

    name: what `Recipe.optimizer` says. make: called with the parameters, the recipe, the value of every option and the
    device; gives a torch optimizer.
    elementwise: the update of a value depends on no other value. Then one optimiser trains many seeds side by side.
    Where it is False (norms of a whole weight, factored moments), one seed is trained at a time.
    momentum, weight_decay: the values that these fields of Recipe may have; None is an optimiser without the field.
    options: further numbers, by name; a recipe gives them as `Recipe.optimizer_options`.
    capturable: a step on CUDA can be recorded in a CUDA graph. Such an optimiser keeps all its state in tensors that
    begin at 0, does not wait for the device, and reads its learning rate from `device_lr`. Others run ungraphed.
    """

    name: str
    make: Make
    elementwise: bool
    momentum: Allowed | None = None
    weight_decay: Allowed | None = None
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)
    capturable: bool = False


# Steps after which behaviour() looks at what an optimiser has made of its parameter.
_LOOKED_AT = (1, 3, 10, 30, 100)

_REGISTERED: dict[str, Optimiser] = {}


def register(optimiser: Optimiser) -> None:
    """Let recipes name this optimiser. Call it where a claim's module or conftest.py is imported.

    Raises OptimiserError if another optimiser has the name. The same one may be registered again, for pytest may import
    a module twice.
    """
    if not optimiser.name or not optimiser.name.isprintable():
        raise OptimiserError(f"an optimiser is named {optimiser.name!r}; give it a word")
    known = _REGISTERED.setdefault(optimiser.name, optimiser)
    if _description(known) != _description(optimiser):
        raise OptimiserError(f"another optimiser is registered as {optimiser.name!r}; choose another name")


def registered(name: str) -> Optimiser:
    """The optimiser of this name. Raises OptimiserError if there is none."""
    if name not in _REGISTERED:
        raise OptimiserError(
            f"Recipe.optimizer is {name!r}; allowed: {', '.join(map(repr, _REGISTERED))}; "
            "pytest_claims.optimisers.register adds another"
        )
    return _REGISTERED[name]


def names() -> tuple[str, ...]:
    """All registered names, in the order of their registration."""
    return tuple(_REGISTERED)


def check(recipe: Recipe) -> None:
    """Raise OptimiserError if the recipe's optimiser does not exist, or does not take what the recipe gives it."""
    optimiser = registered(recipe.optimizer)
    for field, allowed in (("momentum", optimiser.momentum), ("weight_decay", optimiser.weight_decay)):
        value = getattr(recipe, field)
        if allowed is None and value != 0:
            raise OptimiserError(f"Recipe.{field} is {value!r}; allowed: 0, for {optimiser.name!r} has none")
        if allowed is not None and not allowed.holds(value):
            raise OptimiserError(f"Recipe.{field} is {value!r}; allowed with {optimiser.name!r}: {allowed.words}")
    for name, value in _pairs(recipe):
        option = optimiser.options.get(name)
        if option is None:
            takes = ", ".join(f"{each} ({about.allowed.words})" for each, about in optimiser.options.items())
            raise OptimiserError(
                f"Recipe.optimizer_options names {name!r}; allowed with {optimiser.name!r}: {takes or 'none'}"
            )
        if not isinstance(value, int | float) or not option.allowed.holds(value):
            raise OptimiserError(
                f"Recipe.optimizer_options has {name} = {value!r}; "
                f"allowed with {optimiser.name!r}: {option.allowed.words}"
            )


def canonical_options(recipe: Recipe) -> tuple[tuple[str, float], ...]:
    """The checked recipe's options by name, without those at their defaults: equal recipes get equal keys."""
    options = registered(recipe.optimizer).options
    return tuple(sorted((name, float(value)) for name, value in _pairs(recipe) if value != options[name].default))


def make(parameters: Iterable[torch.nn.Parameter], recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """The recipe's optimiser over these parameters, which are on the device."""
    optimiser = registered(recipe.optimizer)
    return optimiser.make(parameters, recipe, _options(optimiser, recipe), device)


def device_lr(recipe: Recipe, device: torch.device) -> torch.Tensor | float:
    """The recipe's learning rate. On CUDA it is a tensor there, which a captured step reads at each replay."""
    import torch

    return torch.tensor(recipe.lr, device=device) if device.type == "cuda" else recipe.lr


def check_steps(recipe: Recipe) -> None:
    """Raise OptimiserError if the recipe's optimiser draws from global random state, or is registered as elementwise
    and is not.

    Two seeds are stepped in one parameter and each in a parameter of its own, by the same gradients. Both must come to
    the same values. Takes milliseconds, once per recipe's optimiser in a process. Global random state stays as it is.
    """
    _check_steps(
        dataclasses.replace(recipe, schedule=("constant",), epochs=1), registered(recipe.optimizer).elementwise
    )


@functools.cache
def _check_steps(recipe: Recipe, elementwise: bool) -> None:
    import torch

    from pytest_claims.streams import global_now, global_state

    device, generator = torch.device("cpu"), torch.Generator().manual_seed(0)
    shapes = ((4, 3), (4,))
    # The other seed is far from this one, so that whatever they share is seen.
    scale = torch.tensor((1.0, 100.0), dtype=torch.float64)

    def drawn(shape: tuple[int, ...]) -> torch.Tensor:
        values = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
        return values * scale.view(2, *(1 for _ in shape))

    begin = [drawn(shape) for shape in shapes]
    gradients = [[drawn(shape) for shape in shapes] for _ in range(3)]

    def trained(seeds: slice, steps: int = 3) -> list[torch.Tensor]:
        parameters = [torch.nn.Parameter(values[seeds].flatten(0, 1).clone()) for values in begin]
        optimizer = make(parameters, recipe, device)
        for step in range(steps):
            for parameter, gradient in zip(parameters, gradients[step % 3], strict=True):
                parameter.grad = gradient[seeds].flatten(0, 1).clone()
            optimizer.step()
        return [parameter.detach() for parameter in parameters]

    with global_state(0):
        before = global_now()
        trained(slice(0, 1), _LOOKED_AT[-1])  # chance may only begin later
        moved = global_now() != before
    if moved:
        raise OptimiserError(
            f"optimiser {recipe.optimizer!r} draws from global random state, so that a run would depend on what ran "
            "before it; draw from a torch.Generator that it makes and seeds itself, and register it with "
            "elementwise=False"
        )
    if not elementwise:
        return
    both, first, second = trained(slice(0, 2)), trained(slice(0, 1)), trained(slice(1, 2))
    for together, one, other in zip(both, first, second, strict=True):
        if not torch.allclose(together, torch.cat((one, other)), rtol=1e-7, atol=1e-12, equal_nan=True):
            raise OptimiserError(
                f"optimiser {recipe.optimizer!r} is registered as elementwise, but a seed's steps depend on the seed "
                "beside it; register it with elementwise=False, and seeds are trained one at a time"
            )


def behaviour(recipe: Recipe) -> str:
    """16 hex digits that say how the recipe's optimiser steps: what it makes of fixed values by fixed gradients.

    A hundred steps in float64, to five digits of every change after the first, the third, the tenth, the thirtieth and
    the last: what only begins later (a warm-up, an average that is taken in turns) shows, too. Global random state
    stays as it is. Raises OptimiserError if the optimiser fails there.
    """
    return _behaviour(dataclasses.replace(recipe, schedule=("constant",), epochs=1))


@functools.cache
def _behaviour(recipe: Recipe) -> str:
    import torch

    generator, device = torch.Generator().manual_seed(0), torch.device("cpu")
    begin, *gradients = torch.randn(1 + _LOOKED_AT[-1], 4, 3, generator=generator, dtype=torch.float64)
    steps: list[float] = []
    parameter = torch.nn.Parameter(begin.clone())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            optimizer = make([parameter], recipe, device)
            for step, gradient in enumerate(gradients, start=1):
                parameter.grad = gradient.clone()
                optimizer.step()
                if step in _LOOKED_AT:
                    steps += ((parameter.detach() - begin) / recipe.lr).flatten().tolist()
        except MemoryError:
            raise
        except Exception as error:
            raise OptimiserError(
                f"optimiser {recipe.optimizer!r} fails on a parameter of 4 x 3: {type(error).__name__}: {error}"
            ) from error
    return hashlib.sha256(" ".join(f"{step:.4e}" for step in steps).encode()).hexdigest()[:16]


def _pairs(recipe: Recipe) -> tuple[tuple[str, float], ...]:
    """The recipe's options; raises OptimiserError if they are not pairs, or if a name is there twice."""
    given = recipe.optimizer_options
    pairs = isinstance(given, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in given)
    if not pairs or len({name for name, _ in given}) != len(given):
        raise OptimiserError(
            f"Recipe.optimizer_options is {given!r}; "
            'allowed: a tuple of pairs with each name once, as (("beta1", 0.8), ("eps", 1e-6))'
        )
    return given


def _options(optimiser: Optimiser, recipe: Recipe) -> dict[str, float]:
    return {name: option.default for name, option in optimiser.options.items()} | dict(recipe.optimizer_options)


def _description(optimiser: Optimiser) -> tuple[object, ...]:
    """What tells two optimisers apart. A module that is imported twice makes equal code, but not equal functions."""
    fields = {
        name: allowed and allowed.words
        for name, allowed in (("momentum", optimiser.momentum), ("weight_decay", optimiser.weight_decay))
    }
    options = {name: (option.default, option.allowed.words) for name, option in optimiser.options.items()}
    code = getattr(optimiser.make, "__code__", optimiser.make)
    return optimiser.elementwise, optimiser.capturable, fields, options, code


def _sgd(
    parameters: Iterable[torch.nn.Parameter], recipe: Recipe, options: Mapping[str, float], device: torch.device
) -> torch.optim.Optimizer:
    import torch

    # "fused" is one kernel instead of one an operation.
    return torch.optim.SGD(
        parameters,
        lr=device_lr(recipe, device),
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        # Without momentum both are the same, which torch refuses to say.
        nesterov=bool(options["nesterov"]) and recipe.momentum > 0,
        fused=True,
    )


register(
    Optimiser(
        "sgd",
        _sgd,
        elementwise=True,
        momentum=SHARE,
        weight_decay=NOT_NEGATIVE,
        options={"nesterov": Option(0.0, SWITCH)},
        capturable=True,
    )
)


def _of_the_adam_family(name: str) -> Make:
    """Adam and AdamW take the same; they differ in what weight decay does."""

    def make(
        parameters: Iterable[torch.nn.Parameter], recipe: Recipe, options: Mapping[str, float], device: torch.device
    ) -> torch.optim.Optimizer:
        import torch

        kind: type[torch.optim.Adam] = getattr(torch.optim, name)
        return kind(
            parameters,
            lr=device_lr(recipe, device),
            betas=(options["beta1"], options["beta2"]),
            eps=options["eps"],
            weight_decay=recipe.weight_decay,
            fused=True,
            capturable=device.type == "cuda",
        )

    return make


_BETAS = {"beta1": Option(0.9, SHARE), "beta2": Option(0.999, SHARE), "eps": Option(1e-8, NOT_NEGATIVE)}

for _name in ("AdamW", "Adam"):
    register(
        Optimiser(
            _name.lower(),
            _of_the_adam_family(_name),
            elementwise=True,
            weight_decay=NOT_NEGATIVE,
            options=_BETAS,
            capturable=True,
        )
    )


def _rmsprop(
    parameters: Iterable[torch.nn.Parameter], recipe: Recipe, options: Mapping[str, float], device: torch.device
) -> torch.optim.Optimizer:
    import torch

    return torch.optim.RMSprop(
        parameters,
        lr=device_lr(recipe, device),
        alpha=options["alpha"],
        eps=options["eps"],
        weight_decay=recipe.weight_decay,
        momentum=recipe.momentum,
        centered=bool(options["centered"]),
        capturable=device.type == "cuda",
    )


register(
    Optimiser(
        "rmsprop",
        _rmsprop,
        elementwise=True,
        momentum=SHARE,
        weight_decay=NOT_NEGATIVE,
        options={"alpha": Option(0.99, SHARE), "eps": Option(1e-8, NOT_NEGATIVE), "centered": Option(0.0, SWITCH)},
        capturable=True,
    )
)


def _adafactor(
    parameters: Iterable[torch.nn.Parameter], recipe: Recipe, options: Mapping[str, float], device: torch.device
) -> torch.optim.Optimizer:
    import torch

    # It reads its step count on the host, so that no graph can hold it.
    return torch.optim.Adafactor(
        parameters,
        lr=recipe.lr,
        beta2_decay=options["beta2_decay"],
        eps=(None, options["eps2"]),
        d=options["d"],
        weight_decay=recipe.weight_decay,
    )


# Second moments are factored over a weight's last two dimensions, and steps are scaled by the weight's own size.
register(
    Optimiser(
        "adafactor",
        _adafactor,
        elementwise=False,
        weight_decay=NOT_NEGATIVE,
        options={
            "beta2_decay": Option(-0.8, Allowed("<= 0", lambda value: -math.inf < value <= 0)),
            "eps2": Option(1e-3, NOT_NEGATIVE),
            "d": Option(1.0, Allowed(">= 1", lambda value: 1 <= value < math.inf)),
        },
    )
)

# The package's own, which the engine version stands for; others are told apart by what they do.
OWN = names()
