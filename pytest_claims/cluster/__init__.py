"""Training on a Ray cluster: an executor (runs/executor.py) whose blocks are Ray tasks.

Three kinds of processes take part. The session's own (executor.py) plans, judges and stores. It has a child, the driver
(driver.py), which alone talks to Ray: so Ray's output, its signal handlers and its way of ending a process that has
lost its cluster stay there. Workers on the nodes train (on_node.py).
"""
