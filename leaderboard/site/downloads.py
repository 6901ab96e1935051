"""The table for other programs: CSV that no spreadsheet runs, and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdf_bench.leaderboard.ranking import Row

#: Beginnings that spreadsheets take for formulas (OWASP, "CSV Injection").
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|")


def plain(row: Row) -> dict[str, Any]:
    """One row as JSON values; what nobody measured is null."""
    record = row.record
    return {
        "suite": record.suite.name,
        "suite_sha256": record.suite.sha256,
        "entry": record.entry.name,
        "version": record.entry.version,
        "title": record.entry.title,
        "role": record.entry.role,
        "kind": record.kind,
        "tier": record.tier,
        "status": record.status,
        "linf": row.linf,
        "track": row.track,
        "place": row.place,
        "tied": row.tied,
        "not_ranked": row.why,
        "worst": _number(row.worst),
        "low": _number(row.low),
        "high": _number(row.high),
        "mean": _number(row.mean),
        "strongest": row.by,
        "people": len(row.people),
        "missing": row.missing,
        "void": row.void,
        "gave_up": row.broken,
        "psnr": _number(row.psnr),
        "ssim": _number(row.ssim),
        "seconds_per_frame": record.seconds_per_frame,
        "date": record.date,
    }


def as_json(rows: Sequence[Row]) -> str:
    """All rows, as a JSON array."""
    return json.dumps([plain(row) for row in rows], indent=1, sort_keys=True, allow_nan=False) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """All rows, as CSV (RFC 4180): texts that a spreadsheet would run begin with an apostrophe."""
    plain_rows = [plain(row) for row in rows]
    file = io.StringIO()
    names = list(plain_names())
    writer = csv.DictWriter(file, names, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows({name: harmless(value) for name, value in row.items()} for row in plain_rows)
    return file.getvalue()


def plain_names() -> tuple[str, ...]:
    """Columns of the downloads, in order."""
    return (
        "suite",
        "suite_sha256",
        "entry",
        "version",
        "title",
        "role",
        "kind",
        "tier",
        "status",
        "linf",
        "track",
        "place",
        "tied",
        "not_ranked",
        "worst",
        "low",
        "high",
        "mean",
        "strongest",
        "people",
        "missing",
        "void",
        "gave_up",
        "psnr",
        "ssim",
        "seconds_per_frame",
        "date",
    )


def harmless(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return value
    text = "".join(sign if sign.isprintable() else " " for sign in value)
    return f"'{text}" if value.lstrip().startswith(_RUNS) or value.startswith(_RUNS) else text


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
