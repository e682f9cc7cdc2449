"""How the programs cut their work: a function of shapes and precision alone, so that equal runs have equal bits."""

from __future__ import annotations

import dataclasses

# tl.dot takes no less in any dimension.
_LEAST = 16


@dataclasses.dataclass(frozen=True)
class Tiles:
    """pixels, inner (taps times input channels), out (output channels): of one step of a program, powers of two.

    warps: of a program. stages: steps whose loads are under way at once. out_first: see `weight_gradient`. precision:
    of products in float32, as tl.dot takes it.
    """

    pixels: int
    inner: int
    out: int
    warps: int = 4
    stages: int = 3
    out_first: bool = False
    precision: str = "tf32x3"


def of_convolution(pixels: int, inner: int, inputs: int, outputs: int, bytes_each: int) -> Tiles:
    """For `convolve`: the quickest on an H100. pixels: of the output. inner: taps times inputs. bytes_each: of x."""
    out = min(128, _power(outputs))
    step = 32 if bytes_each == 4 else 64
    # One tap a step where a tap has enough channels; else as many taps as fill a step.
    inner = min(step, _power(inputs) if inputs % _LEAST == 0 and inputs >= 32 else _power(inner))
    if pixels < 8192:
        return Tiles(64, inner, out, warps=8 if out == 128 else 4)
    if bytes_each == 4:
        return Tiles(64, inner, out, stages=4) if out == _LEAST else Tiles(128, inner, out, warps=8)
    return Tiles(256 if out == 128 else 128, inner, out, warps=4 if out == _LEAST else 8)


def of_weight_gradient(inner: int, outputs: int, bytes_each: int) -> Tiles:
    """For `weight_gradient`: the quickest on an H100."""
    out = min(128, _power(outputs))
    if bytes_each == 4:
        # Tensor cores take no transposed operand of 4 bytes; this way round the smaller one is transposed.
        inner = min(64, _power(inner))
        return Tiles(64 if inner == 64 else 32, inner, out, out_first=True)
    return Tiles(64 if out > 64 else 128, min(64, _power(inner)), out)


def chunk_of(pixels: int) -> int:
    """How many pixels the first stage of a weight gradient adds up in a program: a power of two."""
    return min(4096, max(min(256, _power(pixels)), _power(pixels // 64)))


def _power(number: int) -> int:
    """The next power of two, at least what tl.dot takes."""
    return max(_LEAST, 1 << max(0, number - 1).bit_length())
