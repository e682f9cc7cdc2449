"""Making a process ready for its device."""

import pytest
import torch

from pytest_claims.stacked import kernels
from pytest_claims.train.device import prepare


@pytest.fixture
def as_before():
    """Put back what `prepare` sets for the whole process."""
    threads, matmul, conv = torch.get_num_threads(), torch.backends.cuda.matmul, torch.backends.cudnn.conv
    precisions = matmul.fp32_precision, conv.fp32_precision
    yield
    torch.set_num_threads(threads)
    matmul.fp32_precision, conv.fp32_precision = precisions
    kernels.use("cudnn")


@pytest.mark.parametrize(("tf32", "precision"), [(False, "ieee"), (True, "tf32")])
def test_a_cuda_device_without_an_index_is_the_current_one(as_before, tf32, precision):
    prepare(torch.device("cuda"), tf32=tf32)  # asks nothing of a device, so that it runs where there is none
    assert torch.backends.cuda.matmul.fp32_precision == precision
    assert torch.backends.cudnn.conv.fp32_precision == precision


def test_kernels_are_chosen_for_the_process_and_cudnns_are_the_default(as_before):
    pytest.importorskip("triton")
    prepare(torch.device("cpu"), kernels="triton")
    assert kernels.chosen() == "triton"
    prepare(torch.device("cpu"))
    assert kernels.chosen() == "cudnn"
