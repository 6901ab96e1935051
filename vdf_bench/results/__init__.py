"""What a run's artifacts say, as tables: one row per measurement, and what defenses noted of every frame."""

from vdf_bench.results.table import COLUMNS, KEY, READABLE, SCHEMA, read_results, write_results

__all__ = ["COLUMNS", "KEY", "READABLE", "SCHEMA", "read_results", "write_results"]
