"""Do the decision procedures keep their error rates? Simulated through the public functions of pytest_claims.stats.

`make calibrate` simulates every cell of cells.py, asserts its bound, and writes the measured rates to
docs/calibration.md.
"""
