"""The memory of a CUDA device, as one of the processes that share it sees it."""

from __future__ import annotations

import gc
from typing import Protocol

import torch


class DeviceMemory(Protocol):
    """Of one device. model: what blocks of memory depend on, in words. identity: of this very device. total: bytes."""

    model: str
    identity: str
    total: int

    def free(self) -> int:
        """Bytes that no other process has: those that this one keeps count as free."""
        ...

    def limit(self, size: int) -> None:
        """From now on, torch.OutOfMemoryError where this process would take more bytes than that."""
        ...

    def start(self) -> None:
        """From now on, measure the peak anew."""
        ...

    def peak(self) -> int:
        """The most bytes that this process had since start()."""
        ...

    def release(self, *, thorough: bool = False) -> None:
        """Give back what nothing uses. thorough: also what only cycles of objects still hold, which takes longer."""
        ...


class CudaMemory:
    """See DeviceMemory. device: with an index. What PyTorch's allocator has is counted, not what a context takes.

    kernels: what else than the device decides which kernels run, and so which workspaces they take, in words.
    """

    def __init__(self, device: torch.device, kernels: str = "") -> None:
        self._device = device
        properties = torch.cuda.get_device_properties(device)
        # Kernels choose their workspaces: another version of PyTorch may need other amounts.
        self.model = ", ".join(filter(None, (properties.name, f"torch {torch.__version__}", kernels)))
        self.identity = str(getattr(properties, "uuid", device))
        self.total = torch.cuda.mem_get_info(device)[1]

    def free(self) -> int:
        return int(torch.cuda.mem_get_info(self._device)[0] + torch.cuda.memory_reserved(self._device))

    def limit(self, size: int) -> None:
        torch.cuda.set_per_process_memory_fraction(min(1.0, max(0.0, size / self.total)), self._device)

    def start(self) -> None:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def peak(self) -> int:
        return torch.cuda.max_memory_reserved(self._device)

    def release(self, *, thorough: bool = False) -> None:
        if thorough:
            gc.collect()
        # cuBLAS keeps a workspace, of 32 MiB on an H100, for every stream that it was used on, and one in the memory of
        # every graph. Nothing runs any more that could use them. PyTorch's own trees of graphs do the same.
        torch.cuda.synchronize(self._device)
        torch._C._cuda_clearCublasWorkspaces()
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a lack of device memory is behind an error: what the end of a capture raises may hide it."""
    each: BaseException | None = error
    while each is not None:
        # cuDNN and cuBLAS allocate by themselves, too.
        if isinstance(each, torch.OutOfMemoryError) or (
            isinstance(each, RuntimeError)
            and any(words in str(each) for words in ("CUDA error: out of memory", "STATUS_ALLOC_FAILED"))
        ):
            return True
        each = each.__cause__ or each.__context__
    return False
