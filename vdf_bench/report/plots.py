"""Plots of a run, as PNG and SVG under ``plots/``; a plot with nothing to show is not made."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vdf_bench.report import words
from vdf_bench.report.attack_plots import heat_figure, strength_figure, strengths
from vdf_bench.report.curve_plots import MARKERS, curve_figure, trace_figure, traced
from vdf_bench.report.tables import defense_name, purifier_name, records, sample
from vdf_bench.report.track import IMAGES
from vdf_bench.stats import FAILS, GROUP, STILL, UNPURIFIED, paired_differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vdf_bench.report.record import Run

#: Okabe and Ito's palette, safe for colour-blind readers; black is left to axes.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
_ERRORS = ("landmark_nme", "pose_error_deg")
_WIDTH = 5.6
_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "svg.hashsalt": "vdf-bench",
    "svg.fonttype": "path",
    "legend.frameon": False,
    # Names come from users: "$" must not start mathematics.
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Plot:
    """A finished plot.

    Attributes:
        title, caption: what it shows, and how to read it.
        svg: its file; the PNG stands beside it.
    """

    title: str
    caption: str
    svg: Path


def write_plots(run: Run) -> list[Plot]:
    """Draw every plot that has something to show into ``plots/``, replacing what is there."""
    import matplotlib

    folder = run.folder / "plots"
    shutil.rmtree(folder, ignore_errors=True)
    if not len(run.summary):
        return []
    folder.mkdir()
    made = []
    with matplotlib.rc_context(cast("Any", _STYLE)):
        for name, title, caption, figure in _figures(run):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
            figure.savefig(folder / f"{name}.png", dpi=160, bbox_inches="tight", metadata={"Software": None})
            made.append(Plot(title, caption, folder / f"{name}.svg"))
    return made


def _figures(run: Run) -> Iterator[tuple[str, str, str, Figure]]:
    valid = run.summary[run.summary["verdict"] != "void"]
    yield from _attack_figures(run)
    for access, rows in valid.groupby("access", sort=False):
        if rows[["dsr_delta", "head_psnr_delta"]].notna().to_numpy().any():
            caption = (
                "Effect of each defense net of the clean arm. Small points: single clips and seeds; large ones: "
                "means, hollow for controls; lines: 95 % intervals over people, given enough. Dotted: thresholds."
            )
            yield f"effect-{access}", f"Effect per victim ({access})", caption, _effect(run, rows)
    found = [panel for panel in run.panels if panel.swept]
    if found:
        caption = (
            "Up and to the right is better for the defender: more protection, higher fidelity. One line a defense, one "
            "point a budget, labelled k of k/255 (≥: its floor); hollow and dashed: controls. Vertical lines: 95 % "
            "intervals over people, given enough."
        )
        for place, panel in enumerate([panel for panel in found if panel.plain] or found, start=1):
            name = "curves" if place == 1 else f"curves-{place}"
            yield name, "Protection against fidelity", caption, curve_figure(panel, _colours(run.summary))
    points = valid[valid["psnr"].notna() & valid["dsr_delta"].notna()]
    plain = points["purifier"].isin(UNPURIFIED)
    if len(points) and not found:  # else the curves say more
        caption = (
            "Up and to the right is better for the defender: more protection, higher fidelity. One point an attack"
        )
        caption += ", as published; purified ones are in the table." if plain.any() and not plain.all() else "."
        yield "fidelity", "Fidelity against effect", caption, _fidelity(run, points[plain] if plain.any() else points)
    costs = run.summary.drop_duplicates(["defense", "linf", "floor"])
    costs = costs[costs["seconds_per_frame"] > 0]
    if len(costs):
        caption = "Processor seconds per protected frame, on the machine named under Environment."
        yield "cost", "Cost of protection", caption, _cost(costs)
    trace = [m for m in ("parse_iou", "head_recall", *_ERRORS) if valid[m].notna().any()]
    if trace:
        caption = "What the attacker's own preprocessing made of the protected video, before any field was trained."
        yield "stages", "Stage trace", caption, _stages(run, valid, trace)
    if len(traced(run.traces)):
        caption = (
            "What each defense noted of every frame: the steps that it took, and the share of source pixels that its "
            "surrogate parser lost at the scale where that share is smallest. Means over clips and seeds; bands: least "
            "to most, at the largest bound. The darker the line, the larger the bound. Floors are met afterwards."
        )
        yield "traces", "Traces of the defenses", caption, trace_figure(run.traces, _colours(run.summary))


def _attack_figures(run: Run) -> Iterator[tuple[str, str, str, Figure]]:
    heat = heat_figure(run)
    if heat is not None:
        caption = (
            "Net DSR in percent: what is left of each defense (rows) under each attacker (columns), against the clean "
            f"{run.terms.made} under the same attacker. Dark: it holds; light: it is broken. Dots: not run, because an "
            "earlier attack had broken it already, or void."
        )
        yield "attackers", "Defense against attacker", caption, heat
    found = strengths(run)
    if found:
        caption = "Net DSR against the strength of a purifier. Dotted: without it. Hollow and dashed: controls."
        yield "strength", "Effect against purifier strength", caption, strength_figure(found, _colours(run.summary))


def _colours(summary: pd.DataFrame) -> dict[str, str]:
    names = sorted(summary["defense"].unique())
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def _short(text: str, length: int = 26) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _lines(rows: pd.DataFrame, keys: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Places on the vertical axis: a bold heading (with no row) for each attack, and its defenses below."""
    several = rows["purifier"].nunique() > 1
    lines: list[tuple[str, dict[str, Any]]] = []
    for key, attack in rows.groupby(keys, sort=False):
        lines.append((_short(" · ".join(str(part) for part in key if part), 40), {}))
        for row in records(attack):
            after = f", {purifier_name(row)}" if several else ""
            lines.append((_short(f"{defense_name(row)}{after}", 34), row))
    return lines


def _name_lines(axis: Axes, lines: list[tuple[str, dict[str, Any]]]) -> None:
    axis.set_yticks(range(len(lines)), [text for text, _ in lines])
    axis.set_ylim(len(lines) - 0.4, -0.6)
    for tick, (_, row) in zip(axis.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("normal" if row else "bold")


def _effect(run: Run, rows: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    colours = _colours(run.summary)
    lines = _lines(rows, ["victim", "target", "capture"])
    figure = Figure(figsize=(_WIDTH, 0.9 + 0.27 * len(lines)))
    axes = figure.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 0.08})
    panels = [("dsr", 100, run.terms.success_label), ("head_psnr", 1, "Δ head PSNR [dB]")]
    if run.terms is IMAGES:
        panels[1] = ("edit_l2_masked", 1, "masked L2")
    for axis, (metric, factor, name) in zip(axes, panels, strict=True):
        pairs = paired_differences(run.results, run.terms.success if metric == "dsr" else metric)
        for place, (_, row) in enumerate(lines):
            if not row:
                continue
            colour = colours[row["defense"]]
            own = pairs[(pairs[GROUP] == [row[g] for g in GROUP]).all(axis=1)]["delta"] * factor
            # Spread by rank, not by chance: the same table always gives the same picture.
            jitter = np.linspace(-0.16, 0.16, len(own)) if len(own) > 1 else np.zeros(len(own))
            axis.scatter(own, place + jitter, s=9, color=colour, alpha=0.45, linewidths=0)
            low, high = row[f"{metric}_low"] * factor, row[f"{metric}_high"] * factor
            if math.isfinite(low):
                axis.plot([low, high], [place, place], color=colour, linewidth=2, zorder=4, solid_capstyle="butt")
            face = "white" if row["arm"] == "control" else colour
            axis.scatter(row[f"{metric}_delta"] * factor, place, s=40, color=face, edgecolors=colour, zorder=3)
        axis.axvline(0, color="#555555", linewidth=0.8)
        axis.set_xlabel(f"{name}\n{sample(rows)}")
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
    axes[0].set_xlim(min(-10, axes[0].get_xlim()[0]), 105)
    for edge in (STILL, FAILS):
        axes[0].axvline(100 * edge, color="#555555", linewidth=0.8, linestyle=":")
    _name_lines(axes[0], lines)
    return figure


def _fidelity(run: Run, rows: pd.DataFrame) -> Figure:
    """A panel an attack; colour and marker together name the defense, so that more defenses fit than colours."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    colours = _colours(run.summary)
    markers = {name: MARKERS[place // len(PALETTE) % len(MARKERS)] for place, name in enumerate(colours)}
    attacks = list(rows.groupby(["access", "victim", "target", "capture", "purifier"], sort=False))
    columns = min(3, len(attacks))
    lines = math.ceil(len(attacks) / columns)
    figure = Figure(figsize=(max(_WIDTH, 2.4 * columns), 0.6 + 2.6 * lines))
    grid = figure.subplots(lines, columns, sharey=True, sharex=True, squeeze=False)
    figure.subplots_adjust(hspace=0.3, wspace=0.12)
    for axis in grid.flat[len(attacks) :]:
        axis.set_axis_off()
    for axis, (_, here) in zip(grid.flat, attacks, strict=False):
        for name, points in here.groupby("defense"):
            colour, control = colours[str(name)], bool((points["arm"] == "control").all())
            axis.plot(
                points["psnr"], 100 * points["dsr_delta"], lw=0, marker=markers[str(name)], color=colour,
                markerfacecolor="white" if control else colour, markersize=7, alpha=0.85,
            )  # fmt: skip
        first = records(here)[0]
        axis.set_title(_short(f"{first['access']} · {_attack(first)}", 38), fontsize=9, loc="left")
        axis.margins(x=0.08)
        axis.set_ylim(min(-8.0, axis.get_ylim()[0]), 108)
    for axis in grid[:, 0]:
        axis.set_ylabel("net DSR [%]")
    for axis in grid[-1]:
        axis.set_xlabel("protection PSNR [dB]")
        axis.tick_params(labelbottom=True)
    controls = set(rows.loc[rows["arm"] == "control", "defense"])
    handles = [
        Line2D([], [], lw=0, color=colours[n], marker=markers[n], markerfacecolor="white" if n in controls else None,
               label=_short(n) + (" (control)" if n in controls else ""))
        for n in colours if (rows["defense"] == n).any()
    ]  # fmt: skip
    handles.append(Line2D([], [], lw=0, label=sample(rows)))
    low = axis.figure.subplotpars.bottom - 0.55 / figure.get_figheight()
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, low), ncols=3, fontsize=8)
    return figure


def _attack(row: dict[str, Any]) -> str:
    name = f"{row['victim']} · {row['target']}" if row["target"] else str(row["victim"])
    after = purifier_name(row)
    return name if after == "as published" else f"{name} · {after}"


def _cost(rows: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    colours = _colours(rows)
    rows = rows.sort_values("seconds_per_frame", ascending=False)
    figure = Figure(figsize=(_WIDTH, 0.9 + 0.3 * len(rows)))
    axis = figure.subplots()
    for place, row in enumerate(records(rows)):
        seconds = row["seconds_per_frame"]
        axis.scatter(seconds, place, s=46, color=colours[row["defense"]], zorder=3)
        axis.annotate(
            words.small(seconds), (seconds, place), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.grid(visible=False, axis="y")
    low, high = rows["seconds_per_frame"].min(), rows["seconds_per_frame"].max()
    axis.set_xlim(10 ** math.floor(math.log10(low) - 0.05), 10 ** math.ceil(math.log10(high) + 0.25))
    axis.set_yticks(range(len(rows)), [_short(defense_name(row), 34) for row in records(rows)])
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_xlabel(f"cost [s/frame], logarithmic; {sample(rows)}")
    return figure


def _stages(run: Run, rows: pd.DataFrame, metrics: list[str]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    colours = _colours(run.summary)
    lines = _lines(rows.drop_duplicates(["defense", "linf", "floor", "purifier", "capture"]), ["access", "capture"])
    figure = Figure(figsize=(_WIDTH + 0.6, 0.9 + 0.27 * len(lines)))
    axes = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True, gridspec_kw={"wspace": 0.22}))
    for axis, metric in zip(axes, metrics, strict=True):
        for place, (_, row) in enumerate(lines):
            if row and math.isfinite(row[metric]):
                face = "white" if row["arm"] == "control" else colours[row["defense"]]
                axis.scatter(row[metric], place, s=36, color=face, edgecolors=colours[row["defense"]], zorder=3)
        label, unit = words.label(metric), run.metrics[metric].unit
        axis.set_xlabel(
            f"{label.replace(' ', chr(10), 1)}\n[{unit}]" if unit else label.replace(" ", "\n", 1), fontsize=9
        )
        axis.tick_params(axis="y", length=0)
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(visible=False, axis="y")
        if metric in _ERRORS:
            most = axis.get_xlim()[1] * 1.25 or 1.0
            axis.set_xlim(-0.06 * most, most)
            axis.xaxis.set_major_locator(MaxNLocator(2))
        else:
            axis.set_xlim(-0.06, 1.06)
            axis.set_xticks([0, 0.5, 1])
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _name_lines(axes[0], lines)
    axes[0].annotate(
        sample(rows), (0, 0), xytext=(-8, -30), xycoords="axes fraction", textcoords="offset points", ha="right"
    )
    return figure
