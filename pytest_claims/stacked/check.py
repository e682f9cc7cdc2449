"""Whether a network keeps its contract, found by building and running it.

What is looked for would spoil results in silence: weights that are not the seed's own, chance that comes from global
state, and seeds that mix. Two seeds are built and run on three images, which takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from pytest_claims.stacked.assemble import assemble, layer_of
from pytest_claims.stacked.network import Network, NetworkError, StackedModule, check_form
from pytest_claims.streams import global_now, global_state, stream

# With two images, logits of [images, seeds, classes] would pass for [seeds, images, classes].
_IMAGES = 3
_OWN_VALUES = (
    "give it its values from the seed's streams (Conv2d and StackedLinear get theirs; another layer needs a method "
    "initialise_seeds, see pytest_claims.stacked.SelfSeeding), or make it a constant"
)
_OWN_CHANCE = "take chance from keys of each seed's own, as pytest_claims.stacked.StackedDropout does"
_APART = "use layers of pytest_claims.stacked, or work on each seed's part apart"
# What holds S seeds side by side in the place of a layer of torch.nn.
_INSTEAD: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Conv2d, "Conv2d(seeds * before, seeds * after, ..., groups=seeds)"),
    (nn.Linear, "StackedLinear(..., seeds), or for a hidden layer block(..., kernel=1, seeds=seeds),"),
    (nn.Dropout, "StackedDropout(p, seeds)"),
)


def check(network: Network, scheme: str = "default") -> None:
    """Raise NetworkError unless the network keeps the contract of StackedModule.

    Checked, under the initialisation `scheme`: the form; that every parameter and buffer is set, holds one slice a
    seed, and is the seed's own or a constant, whatever the seed's neighbours and the global random state are; that a
    forward pass takes no chance from global state; the shape of the logits; that a seed's logits, gradients and buffers
    stay when its neighbour's images and weights change or are not finite, in training and in eval mode; that one seed
    alone is the same function.

    A network that passed is not checked again in this process. Global random state stays as it is.
    """
    check_form(network)  # so that the network can be hashed
    _check(cast(Hashable, network), scheme)


@functools.cache
def _check(network: Hashable, scheme: str) -> None:
    described = cast(Network, network)
    _check_values(described, scheme)
    trial = _Trial(described, scheme)
    for train in (True, False):
        trial.check_apart(train)
    trial.check_alone()


def _check_values(network: Network, scheme: str) -> None:
    """Build in other company and under other global states, and compare each seed's slices."""
    with _UnsetIsNan():
        with global_state(0):
            both = assemble(network, (0, 1), scheme)
        with global_state(1):
            swapped = assemble(network, (1, 0), scheme)
        with global_state(2):
            alone = assemble(network, (1,), scheme)
    values, others, singles = (_tensors(module) for module in (both, swapped, alone))
    if not values.keys() == others.keys() == singles.keys():
        names = ", ".join(sorted((values.keys() ^ others.keys()) | (values.keys() ^ singles.keys())))
        raise NetworkError(f"{network} is not built of the same layers each time; {names} come and go")
    for name, value in values.items():
        where = f"{network}: {layer_of(both, name)}"
        _check_slices(where, both.get_submodule(name.rpartition(".")[0]), value, singles[name])
        if value.is_floating_point() and value.isnan().any():
            raise NetworkError(f"{where} was never set; {_OWN_VALUES}")
        if not _same_by_seed(value, others[name], singles[name]):
            with global_state(1):
                again = _tensors(assemble(network, (0, 1), scheme))[name]
            cause = (
                "depends on the seed's place beside others, not on the seed alone"
                if torch.equal(again, value)
                else "is drawn from global random state, so that a run cannot be repeated"
            )
            raise NetworkError(f"{where} {cause}; {_OWN_VALUES}")


def _check_slices(where: str, layer: nn.Module, both: Tensor, alone: Tensor) -> None:
    needed = [2 * alone.shape[0], *alone.shape[1:]] if alone.ndim else []
    if list(both.shape) != needed:
        raise NetworkError(
            f"{where} has shape {list(alone.shape)} for one seed and {list(both.shape)} for two; needed for two: "
            f"{needed}, a slice a seed along dimension 0{_instead(layer)}"
        )


def _instead(layer: nn.Module) -> str:
    """What to take in the place of a layer that holds one seed; "" where that is not known."""
    if isinstance(layer, nn.Conv2d) and layer.groups > 1:
        return ""
    found = next((instead for kind, instead in _INSTEAD if isinstance(layer, kind)), "")
    return f"; take {found} of pytest_claims.stacked in its place" if found else ""


def _same_by_seed(both: Tensor, swapped: Tensor, alone: Tensor) -> bool:
    """Of seeds (0, 1), (1, 0) and (1,): whether each seed has the same values everywhere."""
    if both.ndim == 0:
        return torch.equal(both, swapped) and torch.equal(both, alone)
    return torch.equal(both, torch.cat(swapped.chunk(2)[::-1])) and torch.equal(both.chunk(2)[1], alone)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


# Changes values in place.
_Change = Callable[[Tensor], object]


def _moved(values: Tensor) -> Tensor:
    return values.abs_().add_(0.5)


def _spoilt(values: Tensor) -> Tensor:
    return values.fill_(torch.nan)


@dataclasses.dataclass(frozen=True)
class _Passed:
    """One pass. logits: [S, B, classes]. gradients (in training), buffers: by name, a slice a seed along dim 0."""

    logits: Tensor
    gradients: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]

    def first_seeds(self) -> dict[str, Tensor]:
        """What of it is the first seed's, by its name in words."""
        gradients = {f"gradient of {name}": value.chunk(2)[0] for name, value in self.gradients.items()}
        buffers = {f"buffer {name}": value.chunk(2)[0] for name, value in self.buffers.items()}
        return {"logits": self.logits[0], **gradients, **buffers}


class _Trial:
    """Two seeds of a network, built anew for every pass, and images for them."""

    def __init__(self, network: Network, scheme: str) -> None:
        self._network, self._scheme = network, scheme
        generator = stream("images to check a network with")
        self._images = torch.randn(_IMAGES, 2 * 3, 32, 32, generator=generator)
        self._targets = torch.randint(network.classes, (2, _IMAGES), generator=generator)

    def check_apart(self, train: bool) -> None:
        """Nothing of a pass comes from global state, and nothing of the first seed's from the second one."""
        mode = "training" if train else "eval mode"
        with global_state(3):
            before = global_now()
            base = self._passed(train)
            drawn = global_now() != before
        if drawn:
            where, layer = self._first_that_draws(train)
            way = (
                "use StackedDropout(p, seeds) of pytest_claims.stacked"
                if "dropout" in type(layer).__name__.lower()
                else _OWN_CHANCE
            )
            raise NetworkError(
                f"{self._network}: {where} draws from global random state in {mode}, so that a run would depend on "
                f"what ran before it; {way}"
            )
        for change, words in ((_moved, "other images and weights"), (_spoilt, "NaN for images and weights")):
            changed = _first_difference(base, self._passed(train, change))
            if changed is None:
                continue
            if _first_difference(base, self._passed(train)) is not None:
                raise NetworkError(
                    f"{self._network}: the {changed} of two equal passes in {mode} differ; {_OWN_CHANCE}"
                )
            raise NetworkError(
                f"{self._network}: {self._first_that_mixes(train, change)} mixes seeds side by side: in {mode} a "
                f"seed's {changed} changed when its neighbour had {words}; {_APART}"
            )

    def check_alone(self) -> None:
        """One seed alone gives the logits that it gives beside another."""
        module = assemble(self._network, (0,), self._scheme).eval()
        with torch.no_grad():
            alone = self._run(module, self._images[:, :3])
        if not _close(self._passed(False).logits[:1], alone, rtol=1e-3):
            raise NetworkError(
                f"{self._network} is another function for two seeds side by side than for one alone, from "
                f"{self._first_that_is_another(module)} on; {_APART}. Numbers that count channels, such as a norm's "
                "groups, must grow with the number of seeds"
            )

    def _passed(self, train: bool, change: _Change | None = None) -> _Passed:
        """A pass, of seeds of which the second is changed first."""
        module, images = self._changed(1, change)
        module.train(train)
        with contextlib.nullcontext() if train else torch.no_grad():
            logits = self._run(module, images)
        if train:
            # As a training step has it: every seed's own mean, added up.
            loss = F.cross_entropy(logits.flatten(0, 1), self._targets.flatten(), reduction="none")
            try:
                loss.view(2, -1).mean(1).sum().backward()
            except RuntimeError as error:
                raise NetworkError(f"{self._network} has no backward pass: {error}") from error
        gradients = {name: value.grad for name, value in module.named_parameters() if value.grad is not None}
        return _Passed(
            logits.detach(), gradients, {name: value for name, value in module.named_buffers() if value.ndim}
        )

    def _changed(self, seed: int, change: _Change | None) -> tuple[StackedModule, Tensor]:
        module, images = assemble(self._network, (0, 1), self._scheme), self._images.clone()
        if change:
            change(images.chunk(2, 1)[seed])
            with torch.no_grad():
                for value in _tensors(module).values():
                    if value.ndim and value.is_floating_point():
                        change(value.chunk(2)[seed])
        return module, images

    def _run(self, module: StackedModule, images: Tensor) -> Tensor:
        shape = f"images {list(images.shape)} of {module.seeds} seeds"
        running: list[str] = []
        try:
            with _watched(module, running.append, lambda *_: running.pop()):
                logits = module(images)
        except Exception as error:
            where = running[-1] if running else _in_words("", module)
            layer = next((each for name, each in module.named_modules() if _in_words(name, each) == where), module)
            raise NetworkError(
                f"{self._network}: {where} fails on {shape}: {type(error).__name__}: {error}{_instead(layer)}"
            ) from error
        needed = [module.seeds, len(images), self._network.classes]
        if not isinstance(logits, Tensor) or not logits.is_floating_point() or list(logits.shape) != needed:
            found = f"{logits.dtype} {list(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
            raise NetworkError(
                f"{self._network} makes {found} of {shape}; needed: floats of shape {needed}, [seeds, images, classes]"
            )
        return logits

    def _first_that_draws(self, train: bool) -> tuple[str, nn.Module]:
        """The innermost layer, in words and itself, in whose forward pass global state moved first."""
        module = self._changed(1, None)[0].train(train)
        states: list[object] = []
        found: list[tuple[str, nn.Module]] = []

        def entered(where: str) -> None:
            states.append(global_now())

        def left(where: str, layer: nn.Module, output: Any) -> None:
            if states.pop() != global_now():
                found.append((where, layer))

        with global_state(3), torch.no_grad(), _watched(module, entered, left):
            module(self._images)
        return found[0] if found else (_in_words("", module), module)

    def _first_that_is_another(self, alone: nn.Module) -> str:
        """The innermost layer, in words, that first gives the first seed something else than it gives it alone."""
        beside = self._outputs(False, 0, None)
        for (where, both), (_, one) in zip(beside, self._layers(alone, self._images[:, :3]), strict=False):
            # A seed's part lies along one of the first two dimensions, one half of it or every other entry.
            along = [place for place in range(min(2, both.ndim)) if both.shape[place] == 2 * one.shape[place]]
            parts = [both.chunk(2, place)[0] for place in along]
            parts += [both[(slice(None),) * place + (slice(0, None, 2),)] for place in along]
            if parts and not any(_close(part, one, rtol=1e-3) for part in parts):
                return where
        return "a layer"

    def _first_that_mixes(self, train: bool, change: _Change) -> str:
        """The innermost layer, in words, that first makes a value of both seeds: one that either of them moves."""
        base = self._outputs(train, 0, None)
        both = zip(base, self._outputs(train, 0, _moved), self._outputs(train, 1, change), strict=False)
        for (where, output), (_, by_first), (_, by_second) in both:
            if output.shape == by_first.shape == by_second.shape and bool(
                (_unlike(output, by_first) & _unlike(output, by_second)).any()
            ):
                return where
        return "a layer"

    def _outputs(self, train: bool, seed: int, change: _Change | None) -> list[tuple[str, Tensor]]:
        """Every layer's output, in the order in which they came, with one seed changed."""
        module, images = self._changed(seed, change)
        return self._layers(module.train(train), images)

    def _layers(self, module: nn.Module, images: Tensor) -> list[tuple[str, Tensor]]:
        """What each layer gives, in the order in which they end."""
        found: list[tuple[str, Tensor]] = []

        def left(where: str, layer: nn.Module, output: Any) -> None:
            if isinstance(output, Tensor):
                found.append((where, output.clone()))  # the next layer may work in place

        with torch.no_grad(), _watched(module, lambda where: None, left):
            module(images)
        return found


@contextlib.contextmanager
def _watched(
    module: nn.Module, entered: Callable[[str], object], left: Callable[[str, nn.Module, Any], object]
) -> Iterator[None]:
    """Call entered(layer in words) before each layer's forward pass, and left(layer in words, layer, output) after."""

    def before(where: str) -> Callable[..., None]:
        return lambda *_: void(entered(where))

    def after(where: str) -> Callable[..., None]:
        return lambda layer, _, output: void(left(where, layer, output))

    def void(_: object) -> None:
        """A hook that returns something would replace what the layer gets or gives."""

    hooks = []
    for name, layer in module.named_modules():
        where = _in_words(name, layer)
        hooks += [layer.register_forward_pre_hook(before(where)), layer.register_forward_hook(after(where))]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _in_words(name: str, layer: nn.Module) -> str:
    return f"{name} (a {type(layer).__name__})" if name else f"the module itself (a {type(layer).__name__})"


def _first_difference(one: _Passed, other: _Passed) -> str | None:
    """What of the first seed differs, in words; None if nothing does."""
    before, after = one.first_seeds(), other.first_seeds()
    for name in before | after:
        if name not in before or name not in after or not _close(before[name], after[name]):
            return name
    return None


def _close(one: Tensor, other: Tensor, rtol: float = 1e-4) -> bool:
    """Equal up to the rounding of float32; a value much smaller than the largest may differ more."""
    finite = one[one.isfinite()].abs()
    atol = rtol * float(finite.max()) if len(finite) else 0.0
    return one.shape == other.shape and torch.allclose(one, other, rtol, atol, equal_nan=True)


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    return (one != other) & ~((one != one) & (other != other))


class _UnsetIsNan(TorchDispatchMode):
    """Memory that nobody has set yet holds NaN instead of what lay there before."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of torch

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if function.overloadpacket.__name__ in _UNSET and result.is_floating_point():
            result.fill_(torch.nan)
        return result


_UNSET = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
