"""The device a process trains on, and the process-wide settings that keep its arithmetic and its memory in order."""

from __future__ import annotations

import ctypes
import os
import platform

import psutil
import torch

from pytest_claims.defaults import CUDNN
from pytest_claims.errors import ExplainedError
from pytest_claims.stacked.kernels import use


class DeviceError(ExplainedError):
    """The device that was asked for is not there; the text says what was found and what to do."""


def choose(gpu: bool, worker: int = 0) -> torch.device:
    """The CPU, or with gpu the CUDA device worker % count. Raises DeviceError if there is none."""
    if not gpu:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a build without CUDA"
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        found = f"torch {torch.__version__} is {build} and finds {torch.cuda.device_count()} CUDA devices"
        if visible is not None:
            found += f" (CUDA_VISIBLE_DEVICES={visible!r})"
        raise DeviceError(
            f"--gpu needs a CUDA device: {found}. Leave --gpu out to run on the CPU, or install a CUDA build of torch "
            "and check that nvidia-smi lists a GPU"
        )
    return torch.device("cuda", worker % torch.cuda.device_count())


def prepare(device: torch.device, workers: int = 1, *, tf32: bool = False, kernels: str = CUDNN) -> None:
    """Settings of this process before it trains: threads, float32 that is float32, and memory that stays mapped.

    device: a CUDA device without an index is the current one. tf32: let a CUDA device round the operands of float32
    products to 10 bits of mantissa, as cuDNN does by itself. kernels: what computes convolutions and batch norms on
    a CUDA device, see pytest_claims.stacked.kernels. Raises KernelsError if these kernels are not there.
    """
    use(kernels)
    # On a CPU one thread a process: summation order, and so the last bits of a result, must not depend on how many
    # workers there are; and two threads on a busy core cost a hundred times more than they gain. Cores are used by
    # workers (-n). On a GPU the host only launches kernels; its threads are a share of the cores.
    torch.set_num_threads(1 if device.type == "cpu" else max(1, (os.cpu_count() or 1) // workers))
    if device.type == "cuda":
        if device.index is not None:
            torch.cuda.set_device(device)
        # The recipes say float32; cuDNN's own default would be TF32.
        precision = "tf32" if tf32 else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]  # torch's stubs lack it
    else:
        _keep_memory_mapped()


def describe(device: torch.device) -> str:
    """The device in words, e.g. "cpu (Intel(R) Xeon(R) Processor, 2 cores)" or "cuda:0 (NVIDIA H200)"."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({processor()}, {psutil.cpu_count(logical=False) or os.cpu_count()} cores)"


def capability(device: torch.device) -> str:
    """The instruction set that torch's kernels were chosen for, e.g. "AVX512", "AVX2" or "DEFAULT"; "" for a CUDA
    device. It fixes the order of sums on a CPU; the environment variable ATEN_CPU_CAPABILITY chooses a lower one."""
    return str(torch.backends.cpu.get_cpu_capability()) if device.type == "cpu" else ""


def processor() -> str:
    """The model of this machine's CPU, in words."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _keep_memory_mapped() -> None:
    """Make glibc's malloc keep large blocks instead of returning them to the kernel after each use.

    Activations of tens of MB are otherwise mapped, zeroed page by page and unmapped at every operation: measured on
    A1's 8-block network at batch 512, torch 2.13, 2-core Xeon, 4.5 s a step with and 2.4 s without. A no-op where
    there is no glibc.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, -1)
