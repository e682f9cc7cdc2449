"""torchvision, importable even where its compiled operators do not fit the torch beside it.

A torchvision wheel built for another build of torch (CUDA against CPU, say) stops at import, because two operators
that it describes are not registered. Its data sets, transforms and layers are Python and work without them. Where
torchvision is whole, the first import succeeds and nothing here happens.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

# Held for the life of the process: the definitions go with the library object.
_definitions: list[torch.library.Library] = []


def torchvision(submodule: str) -> ModuleType:
    """torchvision.<submodule>, e.g. "datasets". Raises ImportError where torchvision is not installed."""
    try:
        return importlib.import_module(f"torchvision.{submodule}")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _definitions.append(library)
    return importlib.import_module(f"torchvision.{submodule}")
