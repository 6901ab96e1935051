"""The result table: long form, one row per measurement, in ``results.parquet``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Outcome
from vdf_bench.core.metrics import STAGES
from vdf_bench.core.place import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

#: Raised whenever a column is added or changes its meaning.
SCHEMA = 2
#: Schemas that are still read. The first had no column ``floor``: it knew no fidelity floors.
READABLE = (1, SCHEMA)

#: Column -> kind of its values, in the order of the file.
#:
#: ``linf`` is the budget in 8-bit levels, ``floor`` its fidelity floor in dB of PSNR, 0 for none. Rows of the stages
#: protect and capture are shared by the cells behind them: what they do not depend on is empty (``victim``,
#: ``target``, and for protect ``purifier`` and ``capture``).
COLUMNS: dict[str, type] = {
    "clip": str,
    "defense": str,
    "linf": float,
    "floor": float,
    "purifier": str,
    "capture": str,
    "target": str,
    "victim": str,
    "seed": int,
    "arm": str,
    "outcome": str,
    "code": str,
    "stage": str,
    "metric": str,
    "unit": str,
    "better": str,
    "value": float,
    "n": int,
}

#: The columns that name a measurement; two rows may not agree on all of them.
KEY = (*PLACE, "arm", "stage", "metric")

_CHOICES: dict[str, tuple[str, ...]] = {
    "arm": ("defended", "clean", "control"),
    "outcome": get_args(Outcome),
    "stage": STAGES,
    "better": ("up", "down"),
}
_MARK = b"vdf_bench.schema"


def write_results(rows: Iterable[Mapping[str, Any]], path: Path | str) -> None:
    """Write the table so that equal rows, in any order, give equal bytes; replaces ``path`` atomically.

    Args:
        rows: one mapping per measurement with exactly :data:`COLUMNS`; exact repetitions are written once.
        path: the parquet file.

    Raises:
        ValueError: a row breaks the schema, or two rows give one measurement different values.
    """
    write_joined([table_of(rows)], path)


def table_of(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of :func:`arrow_schema`, in their order.

    Raises:
        ValueError: a row breaks the schema.
    """
    import pyarrow as pa

    schema = arrow_schema()
    records = [tuple(_checked(row).values()) for row in rows]
    columns = [pa.array([record[i] for record in records], field.type) for i, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def arrow_schema() -> pa.Schema:
    """:data:`COLUMNS` for Arrow, marked with :data:`SCHEMA`."""
    import pyarrow as pa

    arrow = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    fields = [pa.field(name, arrow[kind], nullable=False) for name, kind in COLUMNS.items()]
    return pa.schema(fields, metadata={_MARK: str(SCHEMA).encode()})


def write_joined(tables: Sequence[pa.Table], path: Path | str, marks: Mapping[bytes, bytes] | None = None) -> None:
    """Write several tables as one, as :func:`write_results` writes their rows.

    Args:
        tables: of :func:`table_of`, at least one.
        path: the parquet file.
        marks: metadata of the file beside the schema's number.

    Raises:
        ValueError: two rows give one measurement different values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vdf_bench.core.files import write_atomically

    marks = {**(marks or {}), _MARK: str(SCHEMA).encode()}
    table = _sorted(pa.concat_tables(tables), list(COLUMNS))
    table = table.filter(_changes(table, list(COLUMNS))).combine_chunks().replace_schema_metadata(marks)
    keys = _sorted(table.select(KEY), KEY)
    again = _changes(keys, KEY).index(False).as_py()
    if again >= 0:
        raise ValueError(f"two different rows for one measurement: {keys.slice(again, 1).to_pylist()[0]}")

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", version="2.6", row_group_size=1 << 20)
    write_atomically(Path(path), sink.getvalue().to_pybytes())


def _sorted(table: pa.Table, names: Sequence[str]) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in names])


def _changes(table: pa.Table, names: Sequence[str]) -> pa.Array:
    """Of every row of a sorted table, whether it differs in these columns from the row before; true of the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    changes = pa.array([True] + [False] * (table.num_rows - 1))
    for name in names:
        column = table[name].combine_chunks()
        here = pc.not_equal(column.slice(1), column.slice(0, max(0, len(column) - 1)))
        changes = pc.or_(changes, pa.concat_arrays([pa.array([False]), here]))
    return changes.slice(0, table.num_rows)


def read_results(path: Path | str) -> pd.DataFrame:
    """Read a table that :func:`write_results` wrote.

    Args:
        path: the parquet file, or the run folder that holds ``results.parquet``.

    Returns:
        One row per measurement, columns as :data:`COLUMNS`.

    Raises:
        UserError: there is no such file, it is no result table, or it follows another schema.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "results.parquet"
    if not path.is_file():
        raise UserError(f"{path} not found: give a run folder, as written by `vdf-bench run --out`")
    table = read_table(path)
    frame: pd.DataFrame = table.to_pandas()
    if "floor" not in frame:
        frame.insert(list(COLUMNS).index("floor"), "floor", 0.0)
    if not frame["value"].map(math.isfinite).all():
        raise UserError(f"{path} contains values that are not finite: run again or restore it")
    return frame


def read_table(path: Path) -> pa.Table:
    """Read a table as it was written, of any schema that can be read.

    Raises:
        UserError: it is no result table, or it follows another schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path} is not a Parquet file ({str(error).splitlines()[0]}): run again or restore it"
        ) from None
    found = (table.schema.metadata or {}).get(_MARK, b"none").decode(errors="replace")
    if found not in map(str, READABLE):
        raise UserError(
            f"{path} has schema {found}, this version reads {SCHEMA}: use the version of vdf-bench that wrote it"
        )
    columns = [name for name in COLUMNS if name != "floor" or found != "1"]
    if table.column_names != columns:
        odd = sorted(set(table.column_names) ^ set(columns)) or "the order of the columns"
        raise UserError(f"{path} does not follow schema {found} ({odd}): run again or restore it")
    return table


def _checked(row: Mapping[str, Any]) -> dict[str, Any]:
    if set(row) != set(COLUMNS):
        raise ValueError(f"result row has wrong columns: {sorted(set(row) ^ set(COLUMNS))}")
    try:
        clean = {name: kind(row[name]) for name, kind in COLUMNS.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"result row {dict(row)}: {error}") from None
    for name, kind in COLUMNS.items():
        if kind is float and not math.isfinite(clean[name]):
            raise ValueError(f"{clean['metric']} of {clean['clip']}: {name} is {clean[name]}, not finite")
    for name, choices in _CHOICES.items():
        if clean[name] not in choices:
            raise ValueError(f"{clean['metric']} of {clean['clip']}: {name} {clean[name]!r} is not one of {choices}")
    return clean
