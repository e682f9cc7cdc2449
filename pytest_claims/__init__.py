"""From a documented finding to a verdict: data, training engine, store, statistics, report, pytest plugin."""
