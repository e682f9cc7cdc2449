"""Plain PyTorch loops: what tests and benchmarks compare the engine with."""
