import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.results import COLUMNS, read_results, write_results

ROW = {
    "clip": "synth-a", "defense": "vdf", "linf": 12.75, "floor": 0.0, "purifier": "identity",
    "capture": "builtin/strict", "target": "composite", "victim": "gaussian", "seed": 0, "arm": "defended",
    "outcome": "trained", "code": "", "stage": "clone", "metric": "dsr", "unit": "", "better": "up",
    "value": 0.25, "n": 28,
}  # fmt: skip


def test_round_trip_keeps_every_value_and_type(tmp_path):
    rows = [ROW, ROW | {"metric": "identity", "value": -0.5}, ROW | {"clip": "<b>ü", "seed": 3}]
    write_results(rows, tmp_path / "results.parquet")
    frame = read_results(tmp_path)
    assert list(frame.columns) == list(COLUMNS)
    back = frame.to_dict("records")
    assert sorted(map(repr, back)) == sorted(map(repr, rows))


def test_bytes_do_not_depend_on_order_or_repetition(tmp_path):
    rows = [ROW | {"seed": seed, "value": seed / 7} for seed in range(20)]
    write_results(rows, tmp_path / "a.parquet")
    write_results([*reversed(rows), rows[3]], tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    "change",
    [{"value": math.nan}, {"value": math.inf}, {"arm": "other"}, {"outcome": "fine"}, {"extra": 1}, {"n": "x"}],
)
def test_broken_rows_are_not_written(tmp_path, change):
    with pytest.raises(ValueError):
        write_results([ROW | change], tmp_path / "results.parquet")
    assert not (tmp_path / "results.parquet").exists()


def test_two_values_for_one_measurement_are_a_bug(tmp_path):
    with pytest.raises(ValueError, match="one measurement"):
        write_results([ROW, ROW | {"value": 0.5}], tmp_path / "results.parquet")


def test_an_old_table_survives_a_failed_write(tmp_path):
    path = tmp_path / "results.parquet"
    write_results([ROW], path)
    before = path.read_bytes()
    with pytest.raises(ValueError):
        write_results([ROW | {"value": math.nan}], path)
    assert path.read_bytes() == before


def test_foreign_files_are_refused_in_one_line(tmp_path):
    path = tmp_path / "results.parquet"
    with pytest.raises(UserError, match="not found"):
        read_results(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(UserError, match="not a Parquet file"):
        read_results(path)
    pq.write_table(pa.table({"clip": ["a"]}), path)
    with pytest.raises(UserError, match="schema none"):
        read_results(path)
    pq.write_table(pa.table({"clip": ["a"]}).replace_schema_metadata({"vdf_bench.schema": "1"}), path)
    with pytest.raises(UserError, match="does not follow schema 1") as error:
        read_results(path)
    assert "\n" not in str(error.value)


def test_a_table_without_floors_is_still_read(tmp_path):
    path = tmp_path / "results.parquet"
    write_results([ROW], path)
    old = pq.read_table(path).drop_columns(["floor"]).replace_schema_metadata({"vdf_bench.schema": "1"})
    pq.write_table(old, path)
    assert read_results(path).to_dict("records") == [ROW]


def test_an_empty_table_can_be_read(tmp_path):
    write_results([], tmp_path / "results.parquet")
    assert len(read_results(tmp_path)) == 0
