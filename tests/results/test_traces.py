import math

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.results.traces import COLUMNS, FILE, read_traces, trace_rows, write_traces

PLACE = {"clip": "synth-a", "defense": "vdf", "linf": 8.0, "floor": 0.0, "seed": 0}


def test_a_log_becomes_a_row_a_number(tmp_path):
    rows = list(trace_rows(PLACE, {"iterations": [3.0, 1.0], "loss": [0.5, math.nan]}, [0.25, 0.5]))
    write_traces(rows, tmp_path / FILE)
    table = read_traces(tmp_path)
    assert list(table.columns) == list(COLUMNS)
    found = {(row["name"], row["frame"]): row["value"] for row in table.to_dict("records")}
    assert found == {
        ("iterations", 0): 3, ("iterations", 1): 1, ("loss", 0): 0.5, ("seconds", 0): 0.25, ("seconds", 1): 0.5
    }  # fmt: skip
    before = (tmp_path / FILE).read_bytes()
    write_traces(reversed(rows), tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_run_without_traces_reads_as_empty_and_a_damaged_one_is_one_line(tmp_path):
    assert read_traces(tmp_path).empty
    write_traces([], tmp_path / FILE)
    assert list(read_traces(tmp_path).columns) == list(COLUMNS)
    (tmp_path / FILE).write_bytes(b"no parquet")
    with pytest.raises(UserError, match="not a Parquet file"):
        read_traces(tmp_path)
