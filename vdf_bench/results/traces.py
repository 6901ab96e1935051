"""What defenses noted of every frame, as a table: ``traces.parquet`` in the run folder, one row a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

#: Column -> kind. ``linf`` is in 8-bit levels, ``floor`` in dB; ``frame`` counts from 0.
COLUMNS: dict[str, type] = {
    "clip": str,
    "defense": str,
    "linf": float,
    "floor": float,
    "seed": int,
    "frame": int,
    "name": str,
    "value": float,
}
FILE = "traces.parquet"
#: A measured time: the one name whose values differ from one run of the same step to the next.
SECONDS = "seconds"


def trace_rows(
    place: Mapping[str, Any], log: Mapping[str, Sequence[float]], seconds: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """Rows of one protected clip; numbers that are not finite are left out.

    Args:
        place: ``clip, defense, linf, floor, seed``.
        log: :meth:`vdf_bench.core.interfaces.Defense.log`.
        seconds: of every frame, as the harness measured them.
    """
    for name, values in {**log, SECONDS: seconds}.items():
        for frame, value in enumerate(values):
            if math.isfinite(value):
                yield {**place, "frame": frame, "name": name, "value": float(value)}


def write_traces(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the table, sorted, so that equal rows give equal bytes; replaces ``path`` atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vdf_bench.core.files import write_atomically

    arrow = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    schema = pa.schema([pa.field(name, arrow[kind], nullable=False) for name, kind in COLUMNS.items()])
    records = sorted(tuple(kind(row[name]) for name, kind in COLUMNS.items()) for row in rows)
    columns = [pa.array([record[i] for record in records], field.type) for i, field in enumerate(schema)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd", version="2.6")
    write_atomically(path, sink.getvalue().to_pybytes())


def read_traces(folder: Path) -> pd.DataFrame:
    """The traces of a run folder; empty where it has none, as runs of older versions.

    Raises:
        UserError: the file is damaged.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vdf_bench.core.errors import UserError

    path = folder / FILE
    if not path.is_file():
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        raise UserError(f"{path} is not a Parquet file: run again, restore it or delete it") from None
    if table.column_names != list(COLUMNS):
        raise UserError(f"{path} does not have the columns of a trace file: run again, restore it or delete it")
    frame: pd.DataFrame = table.to_pandas()
    return frame
