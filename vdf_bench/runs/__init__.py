"""Runs: planned, executed, collected and reported; checks and probes of victims through the same plan."""
