"""Runs: what is stored, who trains what, and how the two stay in step across processes."""
