"""A run folder, read back with its tables."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vdf_bench.core.errors import UserError
from vdf_bench.report.curves import make_panels
from vdf_bench.report.record import Run
from vdf_bench.report.tables import summarise
from vdf_bench.results import READABLE, SCHEMA, read_results

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from vdf_bench.report.panel import Panel

#: Key of ``run.json`` -> what its list holds.
_LISTS: dict[str, type] = {
    "gates": dict,
    "steps": dict,
    "left_out": dict,
    "notes": str,
    "metrics": dict,
    "plugins": dict,
}


class FolderRun(Run):
    """A run whose tables are made when first asked for."""

    @cached_property
    def summary(self) -> pd.DataFrame:
        return summarise(self)

    @cached_property
    def panels(self) -> list[Panel]:
        return make_panels(self)


def load_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        UserError: a file is missing, damaged or of another schema.
    """
    results = read_results(folder)
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: give the folder that `vdf-bench run --out` wrote") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}); run again or restore it") from None
    if not isinstance(record, dict) or record.get("schema") not in READABLE:
        raise UserError(f"{path} does not follow schema {SCHEMA}: use the version of vdf-bench that wrote it")
    odd = [name for name, kind in _LISTS.items() if not _is_list_of(kind, record.get(name))]
    odd += [name for name in ("identities", "environment", "inputs") if not isinstance(record.get(name) or {}, dict)]
    if odd:
        raise UserError(f"{path} is damaged ({', '.join(odd)}): run again or restore it")
    return FolderRun(folder, results, record)


def _is_list_of(kind: type, value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, kind) for item in value))
