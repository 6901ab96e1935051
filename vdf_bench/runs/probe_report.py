"""What probes of victims say: each damaged capture beside its undamaged twin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vdf_bench.core.files import write_atomically
from vdf_bench.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from vdf_bench.plan.run import Run
    from vdf_bench.runs.probe import Probed

SCHEMA = 1
#: Metric -> heading and digits.
_COLUMNS = {"head_psnr": ("head PSNR [dB]", 1), "alpha_head": ("alpha head", 2), "frame_change_ratio": ("change", 2)}


def print_probes(probes: Sequence[Probed], console: Console) -> None:
    """Print a row a probe, each figure with its difference to the undamaged twin."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("victim", "clip", "target", "capture"):
        table.add_column(name)
    for heading, _ in _COLUMNS.values():
        table.add_column(escape(f"{heading} (Δ)"), justify="right")
    table.add_column("outcome")
    for probe in probes:
        cell = probe.cell
        damage = cell.defense if probe.twin is not None else "as it is"
        figures = [_figure(probe, metric, digits) for metric, (_, digits) in _COLUMNS.items()]
        table.add_row(cell.victim, cell.clip, cell.target, damage, *figures, probe.outcome)
    console.print(table)


def write_probes(run: Run, probes: Sequence[Probed]) -> None:
    """Write ``probes.json`` into the folder."""
    from vdf_bench.results.gather import environment

    record: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run.identity,
        "environment": environment(),
        "preset": {"name": run.request.preset.name, "size": run.request.preset.size},
        "probes": [probe.record() for probe in probes],
    }
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(run.out / "probes.json", text.encode())


def _figure(probe: Probed, metric: str, digits: int) -> str:
    if metric not in probe.values:
        return words.DASH
    text = words.number(probe.values[metric], digits)
    change = probe.change(metric)
    return text if change is None else f"{text} ({words.number(change, digits, True)})"
