"""python -m benchmarks.kernels JSON: cuDNN's convolutions beside the Triton kernels on one CUDA device.

Errors, whole training steps, and tiles to choose from.
Every line is printed when it is known, and an item that fails is a line of its own: time on a device is scarce.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gc
import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from claims.sources import ai_experiments, s8_assignment
from models import DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.data.augment import augmentation_table
from pytest_claims.data.dataset import Dataset
from pytest_claims.defaults import CUDNN, TRITON
from pytest_claims.stacked import BATCH, ORDER, Conv2d, assemble
from pytest_claims.stacked.block import Block
from pytest_claims.stacked.kernels import convolution, normalised, use
from pytest_claims.stacked.kernels.convolution import launch_convolution, launch_weight_gradient
from pytest_claims.stacked.kernels.tiles import Tiles, of_convolution, of_weight_gradient
from pytest_claims.train.arithmetic import dtype
from pytest_claims.train.device import prepare
from pytest_claims.train.graph import GraphedStep
from pytest_claims.train.step import Step, optimizer_of
from pytest_claims.types import Run

_BASE = ai_experiments.BASE_RECIPE["documented"]
RUNS = {
    "A1, 8 blocks": Run(DepthCNN(8, "relu"), ai_experiments.DEPTH_RECIPE["documented"]),
    "A2, batch 128": Run(NormCNN((BATCH,) * 3), dataclasses.replace(_BASE, batch=128)),
    "A3": Run(OrderCNN(ORDER), ai_experiments.ORDER_RECIPE["documented"]),
    "D": Run(SkipCNN(BATCH), s8_assignment.RECIPE["documented"]),
    "A2, batch 2": Run(NormCNN((BATCH,) * 3), dataclasses.replace(_BASE, batch=2)),
}
SEEDS = (5, 20)
# That compile at once.
_THREADS = 16
# Groups of the layers whose errors and tiles are looked at.
_GROUPS = 5


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution as a step meets it. shape: of its input, for one seed. first: its input wants no gradient."""

    inputs: int
    outputs: int
    kernel: int
    padding: int
    shape: tuple[int, int, int]
    precision: torch.dtype
    first: bool

    def __str__(self) -> str:
        batch, height, _ = self.shape
        name = str(self.precision).removeprefix("torch.")
        return f"{self.inputs}->{self.outputs} {self.kernel}x{self.kernel} on {batch}x{height}x{height} {name}"

    @property
    def flops(self) -> float:
        """Of one product for one seed."""
        batch, height, width = self.shape
        return 2.0 * batch * height * width * self.inputs * self.outputs * self.kernel**2


def layers_of(run: Run) -> list[Layer]:
    """The convolutions of a run's step, each once."""
    batch, found = run.recipe.batch, {}
    precision = torch.bfloat16 if run.recipe.precision == "bfloat16" else torch.float32
    module = run.network.build(1)

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, Conv2d):
            shape = (batch, *inputs[0].shape[2:])
            sizes = layer.in_channels, layer.out_channels, layer.kernel_size[0], int(layer.padding[0])
            found[Layer(*sizes, shape, precision, layer.in_channels == 3)] = None

    for layer in module.modules():
        layer.register_forward_hook(note)
    with torch.no_grad():
        module.eval()(torch.zeros(2, 3, 32, 32))
    return list(found)


@dataclasses.dataclass
class Report:
    """What was found so far. said: by name. until: when to stop, as time.monotonic has it."""

    path: Path
    until: float
    said: dict[str, object] = dataclasses.field(default_factory=dict)

    def item(self, name: str, measure: Callable[[], object], *, shown: bool = False) -> None:
        """Measure, print and note it, or how it failed; nothing if the time is over. shown: it prints by itself."""
        if time.monotonic() > self.until:
            print(f"{name}: left out, the time is over", flush=True)
            return
        try:
            self.said[name] = found = measure()
            print(name if shown else f"{name}: {found}", flush=True)
        except Exception:
            last = traceback.format_exc().strip().splitlines()[-6:]
            self.said[name] = {"failed": last}
            print(f"{name}: FAILED", *last, sep="\n    ", flush=True)
            self._stop_if_lost()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.path.write_text(json.dumps(self.said, indent=1) + "\n", encoding="utf-8")

    def _stop_if_lost(self) -> None:
        """After some errors, such as an access outside of memory, a process can use its device no more."""
        try:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
        except RuntimeError as error:
            self.path.write_text(json.dumps(self.said, indent=1) + "\n", encoding="utf-8")
            raise SystemExit(f"the device is lost to this process: {str(error).splitlines()[0]}") from error


@dataclasses.dataclass(frozen=True)
class Operands:
    """Of one layer for some groups: random values on the device, channels last."""

    layer: Layer
    x: Tensor
    weight: Tensor
    bias: Tensor
    gradient: Tensor


def operands(layer: Layer, device: torch.device, groups: int = _GROUPS) -> Operands:
    """Operands of about unit variance."""
    generator = torch.Generator(device).manual_seed(layer.inputs + layer.outputs)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device)

    def last(value: Tensor) -> Tensor:
        return value.contiguous(memory_format=torch.channels_last)

    batch, height, width = layer.shape
    shrink = layer.kernel - 1 - 2 * layer.padding
    x = random(batch, groups * layer.inputs, height, width).to(layer.precision)
    gradient = random(batch, groups * layer.outputs, height - shrink, width - shrink).to(layer.precision)
    weight = random(groups * layer.outputs, layer.inputs, layer.kernel, layer.kernel)
    weight /= (layer.inputs * layer.kernel**2) ** 0.5
    return Operands(layer, last(x), last(weight), random(groups * layer.outputs), last(gradient))


def by_kernels(given: Operands) -> list[Tensor]:
    """Output and gradients of x (unless the layer is a first one), weight and bias, by the Triton kernels."""
    x, weight, bias = (value.detach().requires_grad_() for value in (given.x, given.weight, given.bias))
    x.requires_grad_(not given.layer.first)
    groups = len(bias) // given.layer.outputs
    out = convolution(x, weight, bias, groups, given.layer.padding)
    wanted = [value for value in (x, weight, bias) if value.requires_grad]
    return [out.detach(), *torch.autograd.grad(out, wanted, given.gradient)]


def errors(given: Operands) -> dict[str, object]:
    """Errors of the last group against float64, relative to the largest value: of Triton, and of torch's own.

    same: whether two calls give the same bits.
    """
    layer, found, again = given.layer, by_kernels(given), by_kernels(given)

    def by_torch(kind: torch.dtype) -> list[Tensor]:
        x = given.x[:, -layer.inputs :].to(kind).requires_grad_(not layer.first)
        weight, bias = (
            value[-layer.outputs :].to(layer.precision).to(kind).requires_grad_()
            for value in (given.weight, given.bias)
        )
        out = F.conv2d(x, weight, bias, padding=layer.padding)
        wanted = [value for value in (x, weight, bias) if value.requires_grad]
        gradient = given.gradient[:, -layer.outputs :].to(kind)
        return [out.detach(), *torch.autograd.grad(out, wanted, gradient)]

    exact, own = by_torch(torch.float64), by_torch(layer.precision)
    ours = [found[0][:, -layer.outputs :]]
    ours += [] if layer.first else [found[1][:, -layer.inputs :]]
    ours += [found[-2][-layer.outputs :], found[-1][-layer.outputs :]]

    def worst(values: Sequence[Tensor]) -> list[float]:
        each = zip(values, exact, strict=True)
        return [float(f"{((value.double() - true).abs().max() / true.abs().max()).item():.1e}") for value, true in each]

    same = all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    return {"triton": worst(ours), "torch": worst(own), "same": same}


def milliseconds(call: Callable[[], object], repeats: int = 10) -> float:
    """Of a call on the device, once it is warm."""
    call()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repeats):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / repeats


def candidates(layer: Layer) -> Iterator[tuple[str, Tiles]]:
    """(which program, tiles) to choose from; the ones in use come first."""
    each, inner = layer.precision.itemsize, layer.inputs * layer.kernel**2
    batch, height, width = layer.shape
    for name, inputs, outputs in (("forward", layer.inputs, layer.outputs), ("of x", layer.outputs, layer.inputs)):
        if layer.first and name == "of x":
            continue
        own = of_convolution(batch * height * width, inputs * layer.kernel**2, inputs, outputs, each)
        yield from ((name, tiles) for tiles in dict.fromkeys([
            own,
            dataclasses.replace(own, pixels=64, warps=4, stages=4),
            *(dataclasses.replace(own, precision="bf16x6") for _ in range(each == 4)),
        ]))  # fmt: skip
    own = of_weight_gradient(inner, layer.outputs, each)
    yield from (("of weight", tiles) for tiles in dict.fromkeys([
        own,
        dataclasses.replace(own, warps=8),
        dataclasses.replace(own, pixels=32),
        dataclasses.replace(own, inner=min(own.inner, 32)),
        dataclasses.replace(own, stages=2),
        *(
            dataclasses.replace(own, precision="bf16x6", out_first=first)
            for first in (True, False)
            for _ in range(each == 4)
        ),
    ]))  # fmt: skip


def launcher(given: Operands, program: str, tiles: Tiles) -> tuple[Callable[[], None], Tensor]:
    """A call that runs one program of a layer with these tiles, and where it writes its result."""
    layer, groups = given.layer, len(given.bias) // given.layer.outputs
    if program == "forward":
        out = torch.empty_like(given.gradient)
        return functools.partial(
            launch_convolution, given.x, given.weight, given.bias, out, groups, layer.padding, tiles=tiles
        ), out
    if program == "of x":
        by_x, turned = torch.empty_like(given.x), layer.kernel - 1 - layer.padding
        return functools.partial(
            launch_convolution, given.gradient, given.weight, None, by_x, groups, turned, transposed=True, tiles=tiles
        ), by_x
    weight, bias = torch.empty_like(given.weight), torch.empty_like(given.bias)
    return functools.partial(
        launch_weight_gradient, given.x, given.gradient, weight, bias, groups, layer.padding, tiles=tiles
    ), weight


def compared(given: Operands) -> dict[str, str]:
    """ms, TFLOP/s and the difference from the tiles in use, relative to the largest value, of every candidate."""
    calls = [(name, tiles, *launcher(given, name, tiles)) for name, tiles in candidates(given.layer)]

    with ThreadPoolExecutor(_THREADS) as threads:
        failed = list(threads.map(_failure, [call for _, _, call, _ in calls]))
    found, in_use = {}, dict[str, Tensor]()
    for (name, tiles, call, result), failure in zip(calls, failed, strict=True):
        words = f"{name}: {tiles.pixels}x{tiles.inner}x{tiles.out}, {tiles.warps} warps, {tiles.stages} stages"
        words += ", out first" if tiles.out_first else ""
        words += f", {tiles.precision}" if given.layer.precision == torch.float32 else ""
        if failure:
            found[words] = failure
        else:
            took = milliseconds(call)
            own = in_use.setdefault(name, result)
            off = ((result - own).abs().max() / own.abs().max()).item()
            rate = given.layer.flops * _GROUPS / took / 1e9
            found[words] = f"{took:.4f} ms, {rate:.1f} TFLOP/s, off by {off:.1e}"
        print(f"    {given.layer}, {words}: {found[words]}", flush=True)
    return found


def images(device: torch.device) -> Dataset:
    """Random images, for timing alone."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (2048, 3, 32, 32), generator=generator, dtype=torch.uint8)
    labels = torch.randint(10, (2048,), generator=generator)
    names = tuple(map(str, range(10)))
    return Dataset("cifar10", "random", names, pixels, labels, pixels, labels, "random", "cifar").to(device)


def steps_of(run: Run, seeds: int, data: Dataset, fused: bool = True) -> Callable[[], None]:
    """A call that takes one training step of the engine's, as it trains on this device. fused: see Block."""
    device, recipe = data.train_images.device, run.recipe
    module = assemble(run.network, range(seeds)).to(device, dtype(recipe))
    module = module.to(memory_format=torch.channels_last)
    for layer in module.modules():
        if isinstance(layer, Block):
            layer.fused = fused
    step = Step(module, optimizer_of(module, recipe, device), recipe, data)
    take = GraphedStep(step) if device.type == "cuda" else step
    module.train()
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(len(data.train_labels), (recipe.batch, seeds), generator=generator).to(device)
    changes = None
    if recipe.augmentation is not None:
        tables = [augmentation_table(recipe.augmentation, recipe.batch, 0, seed) for seed in range(seeds)]
        changes = torch.stack(tables, dim=1).to(device)
    return lambda: take(rows, changes, False)


def milliseconds_a_seed_and_step(kernels: str, run: Run, seeds: int, data: Dataset, fused: bool) -> float:
    """Of captured steps, seeds side by side."""
    use(kernels)
    try:
        call = steps_of(run, seeds, data, fused)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="training without CUDA graphs")
            call()
        torch.cuda.synchronize()
        started = time.perf_counter()
        call()
        torch.cuda.synchronize()
        repeats = max(3, min(200, int(0.5 / (time.perf_counter() - started))))
        return round(milliseconds(call, repeats) / seeds, 4)
    finally:
        use(CUDNN)


def profile(run: Run, seeds: int, data: Dataset) -> dict[str, str]:
    """The kernels that take longest in replayed steps under Triton's convolutions, ms a seed and step."""
    use(TRITON)
    try:
        call, repeats = steps_of(run, seeds, data), 3
        call()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
            for _ in range(repeats):
                call()
            torch.cuda.synchronize()
        events = [event for event in profiler.key_averages() if event.self_device_time_total > 0]
        events.sort(key=lambda event: -event.self_device_time_total)
        found = {}
        for event in events[:14]:
            took = event.self_device_time_total / 1000 / repeats / seeds
            found[event.key[:90]] = f"{took:.4f} ms in {event.count / repeats:g} launches"
            print(f"    {found[event.key[:90]]}: {event.key[:90]}", flush=True)
        return found
    finally:
        use(CUDNN)


def measure(path: Path, seconds: float = 95) -> None:
    """Measure everything on the current CUDA device within about so many seconds; path: where the JSON is written."""
    started = time.monotonic()
    device = torch.device("cuda", torch.cuda.current_device())
    prepare(device)
    report = Report(path, started + seconds)
    report.item("device", lambda: f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}")
    layers = list(dict.fromkeys(layer for run in RUNS.values() for layer in layers_of(run)))
    given = [operands(layer, device) for layer in layers]

    report.item("compiled", lambda: compiled(given, norms_of(RUNS.values()), device))
    for each in given:
        report.item(f"errors of {each.layer}", functools.partial(errors, each))
    for precision in (torch.float32, torch.bfloat16):
        report.item(f"errors of batch norm, {precision}", functools.partial(norm_errors, precision, device))
    data = images(device)

    def steps(words: str, kernels: str, seeds: int, fused: bool = True) -> None:
        for name, run in RUNS.items():
            timed = functools.partial(milliseconds_a_seed_and_step, kernels, run, seeds, data, fused)
            report.item(f"{name}, {seeds} seeds, {words}, ms a seed and step", timed)
        report.item(f"seconds after {words} at {seeds}", lambda: round(time.monotonic() - started, 1))

    few, many = SEEDS
    steps("triton", TRITON, few)
    steps("triton", TRITON, many)
    steps("cudnn", CUDNN, few)
    steps("cudnn", CUDNN, many)
    for each in sorted(given, key=lambda each: -each.layer.flops):
        if _is_heavy(each.layer, layers):
            report.item(f"tiles of {each.layer}", functools.partial(compared, each), shown=True)
    given.clear()
    torch.cuda.empty_cache()
    for name in ("A1, 8 blocks", "A3", "D"):
        report.item(f"profile of {name}", functools.partial(profile, RUNS[name], few, data), shown=True)
    steps("triton without fused norms", TRITON, few, fused=False)


def norm_errors(precision: torch.dtype, device: torch.device) -> dict[str, object]:
    """Errors of batch norm with ReLU against float64, relative to the largest value: Triton's, and torch's own.

    Of the output, its gradient of x, weight and bias, and the running statistics. Values lie far from 0.
    """
    generator = torch.Generator(device).manual_seed(0)
    x = (torch.randn(65, 160, 33, 34, generator=generator, device=device) + 5).to(precision)
    x = x.contiguous(memory_format=torch.channels_last)
    gradient = torch.randn(x.shape, generator=generator, device=device).to(precision)

    def by(kind: torch.dtype, ours: bool) -> list[Tensor]:
        norm = nn.BatchNorm2d(160).to(device, torch.float64 if kind == torch.float64 else torch.float32)
        values = x.to(kind).requires_grad_()
        out = normalised(norm, values, 0.0) if ours else norm(values).relu()
        wanted = torch.autograd.grad(out, (values, norm.weight, norm.bias), gradient.to(kind))
        running = [each for each in (norm.running_mean, norm.running_var) if each is not None]
        return [out.detach(), *wanted, *running]

    exact = by(torch.float64, False)

    def worst(values: Sequence[Tensor]) -> list[float]:
        each = zip(values, exact, strict=True)
        return [float(f"{((value.double() - true).abs().max() / true.abs().max()).item():.1e}") for value, true in each]

    found, again = by(precision, True), by(precision, True)
    same = all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    return {"triton": worst(found), "torch": worst(by(precision, False)), "same": same}


def norms_of(runs: Iterable[Run]) -> list[tuple[torch.Size, torch.dtype]]:
    """(shape, dtype) of all values that are normalised in the steps of these runs, for every number of seeds."""
    found = {}
    for run in runs:
        precision = torch.bfloat16 if run.recipe.precision == "bfloat16" else torch.float32
        for seeds in SEEDS:
            with torch.device("meta"):
                module = run.network.build(seeds)

                def note(
                    layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, kind: torch.dtype = precision
                ) -> None:
                    if isinstance(layer, nn.BatchNorm2d):
                        found[inputs[0].shape, kind] = None

                for layer in module.modules():
                    layer.register_forward_hook(note)
                module.eval()(torch.empty(run.recipe.batch, 3 * seeds, 32, 32))
    return list(found)


def compiled(
    given: Sequence[Operands], norms: Sequence[tuple[torch.Size, torch.dtype]], device: torch.device
) -> dict[str, object]:
    """Compile every program that the steps run, side by side: autograd would have them compiled one by one."""
    before = time.monotonic()
    calls: list[Callable[[], None]] = []
    for each in given:
        first: dict[str, Tiles] = {}
        for program, tiles in candidates(each.layer):
            first.setdefault(program, tiles)
        calls += [launcher(each, program, tiles)[0] for program, tiles in first.items()]
    calls += [functools.partial(_normalise, shape, precision, device) for shape, precision in norms]
    first_failure = _failure(calls[0])  # which makes the driver ready
    with ThreadPoolExecutor(_THREADS) as threads:
        failures = [failure for failure in (first_failure, *threads.map(_failure, calls[1:])) if failure]
    return {"calls": len(calls), "seconds": round(time.monotonic() - before, 1), "failures": failures}


def _normalise(shape: torch.Size, precision: torch.dtype, device: torch.device) -> None:
    """Batch norm with ReLU and its gradients, on whatever lies in memory."""
    x = torch.empty(shape, dtype=precision, device=device, memory_format=torch.channels_last)
    each = [torch.ones(shape[1], device=device) for _ in range(4)]
    _, mean, scale = torch.ops.pytest_claims.batch_norm_activation(x, *each, 1e-5, 0.1, 0.0)
    torch.ops.pytest_claims.batch_norm_activation_backward(x, x, each[0], each[1], mean, scale, 0.0)


def _failure(call: Callable[[], None]) -> str:
    try:
        call()
    except Exception as error:  # too much shared memory, say
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return ""


def _is_heavy(layer: Layer, layers: Sequence[Layer]) -> bool:
    """Whether a layer is among the two of its step that take the most operations, and the step has many images."""
    if layer.shape[0] < 8:
        return False
    alike = [other for other in layers if (other.shape[0], other.precision) == (layer.shape[0], layer.precision)]
    return layer in sorted(alike, key=lambda each: -each.flops)[:2]


def main() -> int:
    """Measure into the JSON that is named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path, help="where what was found is written, item by item")
    parser.add_argument(
        "--seconds", type=float, default=150, help="what is not begun by then is left out (default: 150)"
    )
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("this needs a CUDA device, and torch finds none")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    measure(options.json, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
