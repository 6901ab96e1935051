"""What plots show, in words: the text of a picture for those who do not see it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.report import words
from vdf_bench.report.attack_plots import strengths
from vdf_bench.report.attacks import heat
from vdf_bench.report.curve_plots import traced
from vdf_bench.report.tables import defense_name, records
from vdf_bench.stats import UNPURIFIED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.report.record import Run

#: Entries that are read out; tables have all.
MOST = 20


def plot_text(run: Run, name: str) -> str:
    """What the plot of that file name shows."""
    kind = name.split("-")[0]
    describe = {
        "attackers": _heat,
        "strength": _strength,
        "curves": _curves,
        "cost": _cost,
        "stages": _stages,
        "traces": _traces,
    }.get(kind)
    if describe is not None:
        return describe(run)
    rows = records(run.summary[run.summary["verdict"] != "void"])
    if kind == "effect":
        access = name.removeprefix("effect-")
        return "Net DSR by defense: " + _list(
            f"{defense_name(row)} {words.percent(row['dsr_delta'])} against {row['victim']}"
            for row in rows
            if row["access"] == access and math.isfinite(row["dsr_delta"])
        )
    plain = [row for row in rows if row["purifier"] in UNPURIFIED] or rows
    return "Protection PSNR and net DSR: " + _list(
        f"{defense_name(row)} {words.number(row['psnr'], 1)} dB and {words.percent(row['dsr_delta'])}"
        for row in plain
        if math.isfinite(row["psnr"]) and math.isfinite(row["dsr_delta"])
    )


def _list(entries: Iterable[str]) -> str:
    found = list(dict.fromkeys(entries))
    more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
    return "; ".join(found[:MOST]) + more + "."


def _heat(run: Run) -> str:
    entries = []
    for title, defenses, names, cells in heat(run):
        for defense, row in zip(defenses, cells, strict=True):
            if np.isfinite(row).any():
                least = int(np.nanargmin(row))
                entries.append(f"{defense} keeps {words.percent(row[least])} under {names[least]} ({title})")
    return "Map of net DSR, worst attack of each defense: " + _list(entries)


def _strength(run: Run) -> str:
    return "Net DSR as a purifier grows stronger: " + _list(
        f"{name} from {words.percent(points[0][1])} at {each.purifier} {points[0][0]:g} "
        f"to {words.percent(points[-1][1])} at {points[-1][0]:g}"
        for each in strengths(run)
        for name, points in each.lines.items()
    )


def _curves(run: Run) -> str:
    return "Effect over fidelity: " + _list(
        f"{curve.defense} from {ends[0].effect:.3g} at {ends[0].psnr:.1f} dB to {ends[-1].effect:.3g} "
        f"at {ends[-1].psnr:.1f} dB {panel.effects[0].label}"
        for panel in run.panels
        if panel.swept
        for curve in panel.curves
        if (ends := sorted(curve.points, key=lambda point: point.psnr))
    )


def _cost(run: Run) -> str:
    costs = run.summary[run.summary["seconds_per_frame"] > 0].sort_values("seconds_per_frame")
    return "Processor seconds per protected frame: " + _list(
        f"{defense_name(row)} {words.small(row['seconds_per_frame'])}" for row in records(costs)
    )


def _stages(run: Run) -> str:
    return "Head recall of the attacker's parser: " + _list(
        f"{defense_name(row)} {words.ratio(row['head_recall'])} ({row['access']})"
        for row in records(run.summary)
        if math.isfinite(row["head_recall"])
    )


def _traces(run: Run) -> str:
    rows = traced(run.traces)
    steps = rows[rows["name"] == "iterations"].groupby("defense")["value"].mean()
    return "Mean iterations per frame: " + _list(f"{name} {value:.3g}" for name, value in steps.items())
