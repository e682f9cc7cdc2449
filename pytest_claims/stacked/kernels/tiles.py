"""How the programs cut their work: a function of shapes and precision alone, so that equal runs have equal bits."""

from __future__ import annotations

import dataclasses

# tl.dot takes no less in any dimension.
_LEAST = 16


@dataclasses.dataclass(frozen=True)
class Tiles:
    """pixels, inner (taps times input channels), out (output channels): of one step of a program, powers of two.

    warps: of a program. stages: steps whose loads are under way at once. out_first: see `weight_gradient`.
    """

    pixels: int
    inner: int
    out: int
    warps: int = 4
    stages: int = 3
    out_first: bool = False


def of_convolution(pixels: int, inner: int, inputs: int, outputs: int, bytes_each: int) -> Tiles:
    """For `convolve`. pixels: of the output. inner: taps times inputs. bytes_each: of an activation."""
    out = min(128, _power(outputs))
    step = 32 if bytes_each == 4 else 64
    # One tap a step where a tap has enough channels; else as many taps as fill a step.
    inner = min(step, _power(inputs) if inputs % _LEAST == 0 and inputs >= 32 else _power(inner))
    return Tiles(128 if pixels >= 8192 else 64, inner, out, warps=8 if out == 128 else 4)


def of_weight_gradient(inner: int, outputs: int, bytes_each: int) -> Tiles:
    """For `weight_gradient`."""
    out = min(128, _power(outputs))
    if bytes_each == 4:
        # Tensor cores take no transposed operand of 4 bytes; this way round the smaller one is transposed.
        return Tiles(32, min(64, _power(inner)), out, out_first=True)
    return Tiles(64, min(64 if out > 64 else 128, _power(inner)), out)


def chunk_of(pixels: int) -> int:
    """How many pixels the first stage of a weight gradient adds up in a program: a power of two."""
    return min(8192, max(min(256, _power(pixels)), _power(pixels // 64)))


def _power(number: int) -> int:
    """The next power of two, at least what tl.dot takes."""
    return max(_LEAST, 1 << max(0, number - 1).bit_length())
