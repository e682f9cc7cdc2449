"""Sessions on real processes under random faults, and after each round an independent check of what they left."""
