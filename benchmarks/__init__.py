"""Benchmarks: how good and how fast hbmlc is, re-runnable by anybody with the data."""
