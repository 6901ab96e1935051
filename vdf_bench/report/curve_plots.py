"""Figures over budgets and over time: effect against fidelity, and what defenses noted of every frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.report import words
from vdf_bench.report.tables import sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vdf_bench.report.panel import Effect, Panel

WIDTH = 5.6
MARKERS = "osD^vPX"
#: Defenses beyond which points bear no labels, for want of room; the tables have every budget.
LABELLED = 6
#: Name in the traces -> axis label: what is drawn of a defense's record.
TRACES = {"iterations": "iterations", "share": "worst-scale\nshare [%]"}
#: Iterations beyond which their axis is logarithmic.
_MANY = 15
#: Where a point's label may stand, points from its middle; the first that is free is taken.
_SEATS = ((0, 6), (0, -12), (9, 3), (-9, 3), (9, -9), (-9, -9), (0, 14), (0, -20), (16, 8), (-16, 8))


def marker_of(names: Sequence[str]) -> dict[str, str]:
    """A marker for each name; names that share a colour, as every seventh does, get different ones."""
    count = len(MARKERS)
    return {name: MARKERS[(i + i // count) % count] for i, name in enumerate(names)}


def curve_figure(panel: Panel, colours: dict[str, str]) -> Figure:
    """Effect against PSNR under one attack: a row an effect, a line a defense; controls hollow and dashed."""
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    rows = len(panel.effects)
    figure = Figure(figsize=(WIDTH, 2.2 * rows + 0.8))
    grid = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    figure.subplots_adjust(hspace=0.12)
    markers = marker_of(list(colours))
    labels = []
    for effect, axis in zip(panel.effects, grid, strict=True):
        labels.append((axis, _curves(axis, panel, effect, colours, markers)))
        axis.set_ylabel(effect.label.replace(" in ", "\nin "))
    if len({row["defense"] for row in panel.rows}) <= LABELLED:
        for axis, points in labels:  # once the limits that rows share are known
            _label(axis, points)
    grid[0].set_title(panel.attack, fontsize=9, loc="left")
    grid[-1].set_xlabel(f"protection PSNR [dB]\n{sample(pd.DataFrame(panel.rows))}")
    names = {row["defense"]: row["arm"] == "control" for row in panel.rows}
    handles = [
        Line2D(
            [], [], color=colours[n], marker=markers[n], lw=1, linestyle="--" if control else "-",
            markerfacecolor="white" if control else colours[n], label=f"{n[:26]}{' (control)' if control else ''}",
        )
        for n, control in names.items()
    ]  # fmt: skip
    grid[-1].legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.34), ncols=min(len(handles), 4))
    return figure


def _curves(
    axis: Axes, panel: Panel, effect: Effect, colours: dict[str, str], markers: dict[str, str]
) -> list[tuple[float, float, str, str]]:
    """Draw the lines of one panel; PSNR, effect, text and colour of every point's label."""
    drawn = []
    for name in dict.fromkeys(row["defense"] for row in panel.rows):
        rows = [row for row in panel.rows if row["defense"] == name and math.isfinite(effect.of(row))]
        rows.sort(key=lambda row: (row["psnr"], row["linf"], row["floor"]))
        control = bool(rows) and rows[0]["arm"] == "control"
        values = [effect.of(row) for row in rows]
        axis.plot(
            [row["psnr"] for row in rows], values, color=colours[name], marker=markers[name], markersize=5.5,
            linewidth=1.2, linestyle="--" if control else "-", markerfacecolor="white" if control else colours[name],
            zorder=3,
        )  # fmt: skip
        for row, value in zip(rows, values, strict=True):
            low, high = effect.ends(row)
            if math.isfinite(low):
                axis.plot([row["psnr"]] * 2, [low, high], color=colours[name], linewidth=1, alpha=0.6)
            text = words.budget(row["linf"], row["floor"]).replace("/255", "").removesuffix(" dB")
            drawn.append((row["psnr"], value, text, colours[name]))
    axis.margins(x=0.12)
    if effect.unit == "%":
        axis.set_ylim(min(-16.0, axis.get_ylim()[0]), max(114.0, axis.get_ylim()[1]))
    else:
        axis.margins(y=0.2)
    return drawn


def _label(axis: Axes, points: list[tuple[float, float, str, str]]) -> None:
    """Write each point's text beside it, where neither a point nor another text stands, as far as there is room."""
    from matplotlib.patheffects import withStroke

    size = 7
    scale = 72 / axis.figure.dpi
    middles = [np.asarray(axis.transData.transform((x, y))) * scale for x, y, _, _ in points]
    taken = [(x - 3.5, y - 3.5, x + 3.5, y + 3.5) for x, y in middles]
    for (x, y), (at, value, text, colour) in zip(middles, points, strict=True):
        half = 0.31 * size * len(text)
        boxes = [(x + dx - half, y + dy, x + dx + half, y + dy + size) for dx, dy in _SEATS]
        seat = next((i for i, box in enumerate(boxes) if not any(_meet(box, other) for other in taken)), 0)
        taken.append(boxes[seat])
        axis.annotate(
            text, (at, value), xytext=_SEATS[seat], textcoords="offset points", ha="center", va="bottom",
            fontsize=size, color=colour, zorder=4, path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def traced(traces: pd.DataFrame) -> pd.DataFrame:
    """The rows that :func:`trace_figure` draws: floors are met after the defense, so its record follows the bound."""
    shown = traces[traces["name"].isin(list(TRACES))]
    return shown.sort_values("floor").drop_duplicates(["clip", "defense", "linf", "seed", "frame", "name"])


def trace_figure(traces: pd.DataFrame, colours: dict[str, str]) -> Figure:
    """Iterations and worst-scale share per frame, a row a defense: means over clips and seeds.

    Bounds of a defense go from light to dark and by line style; the largest has a band from the least to the most.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawn = traced(traces)
    names = sorted(drawn["defense"].unique())
    figure = Figure(figsize=(WIDTH + 0.6, 1.5 * len(names) + 0.5))
    grid = figure.subplots(len(names), len(TRACES), sharex=True, squeeze=False)
    figure.subplots_adjust(wspace=0.34, hspace=0.4)
    for name, axes in zip(names, grid, strict=True):
        own = drawn[drawn["defense"] == name]
        bounds = sorted(own["linf"].unique())
        for place, bound in enumerate(bounds):
            mine = own[own["linf"] == bound]
            # The largest bound is the darkest.
            style: dict[str, Any] = {
                "color": _blend(colours.get(name, "#555555"), 1 - 0.65 * (len(bounds) - 1 - place) / len(bounds)),
                "linestyle": ("-", "--", "-.", ":")[(len(bounds) - 1 - place) % 4],
            }
            for trace, axis in zip(TRACES, axes, strict=True):
                frames = mine[mine["name"] == trace].groupby("frame")["value"].agg(["mean", "min", "max"])
                frames = frames * 100 if trace == "share" else frames
                axis.plot(frames.index, frames["mean"], linewidth=1.2, label=words.budget(bound), **style)
                if place == len(bounds) - 1 and (frames["max"] > frames["min"]).any():
                    axis.fill_between(frames.index, frames["min"], frames["max"], color=style["color"], alpha=0.2, lw=0)
        axes[0].set_title(name[:40], fontsize=10, loc="left", fontweight="bold")
        most = max(axes[0].get_ylim()[1], 1.0)
        if most > _MANY:  # the first frame may take many times what the others take: logarithmic from 1 on
            axes[0].set_yscale("symlog", linthresh=1)
            axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes[0].set_ylim(-0.2, most * 1.5)
        else:
            axes[0].set_ylim(-0.03 * most, most * 1.1)
            axes[0].yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes[1].set_ylim(-4, 106)
        axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        for axis, text in zip(axes, TRACES.values(), strict=True):
            axis.set_ylabel(text, fontsize=9)
    for axis in grid[-1]:
        axis.set_xlabel(f"frame\nn = {words.count(drawn['clip'].nunique(), 'clip')}")
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def _blend(colour: str, strength: float) -> tuple[float, ...]:
    """``colour`` over white, ``strength`` of it."""
    from matplotlib.colors import to_rgb

    return tuple(1 - strength * (1 - part) for part in to_rgb(colour))
