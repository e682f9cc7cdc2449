"""Mutation testing of the modules in which evidence becomes a verdict: `make mutants`, docs/mutants.md."""
