"""The pytest plugin: options, hooks, and what a person sees while a session runs."""
