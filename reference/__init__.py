"""Plain PyTorch, as a notebook has it: what tests hold the engine to, and what benchmarks measure it against.

networks: the findings' networks, of torch.nn. training: the loop, its optimisers and schedules, of torch.optim.
augmentation: one image at a time, by torchvision.
"""
