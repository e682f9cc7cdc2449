"""Settings of the fast tests: Hypothesis without deadlines, since a shared machine may pause at any time."""

import torch
from hypothesis import settings

pytest_plugins = ["pytester"]

settings.register_profile("fast", deadline=None, max_examples=25, derandomize=True, print_blob=True)
settings.load_profile("fast")
# As in a training process: results, not speed, are compared here, and small tensors gain nothing from more threads.
torch.set_num_threads(1)
