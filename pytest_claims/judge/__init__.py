"""Evidence becomes a verdict: the claim decorator, the lab and its assertions, and the result."""
