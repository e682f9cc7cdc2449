"""The speed of the engine, as ratios of time a seed against a plain notebook-style loop on the same machine.

`python -m benchmarks` measures and prints; `--out FOLDER` writes a page and its numbers.
"""
