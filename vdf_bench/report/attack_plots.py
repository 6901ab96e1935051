"""Figures over attackers: which attack breaks which defense, and how much of a purifier it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.report import words
from vdf_bench.report.attacks import SUBJECT, heat
from vdf_bench.report.curve_plots import WIDTH, marker_of
from vdf_bench.report.tables import defense_name, records
from vdf_bench.stats import UNPURIFIED, paired_differences, per_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vdf_bench.report.record import Run

#: Strengths of one purifier from which a curve is drawn.
MIN_STRENGTHS = 3


def heat_figure(run: Run) -> Figure | None:
    """Defense by attacker; the number in a field is net DSR in percent. None where there are fewer than two attackers.

    A map a victim, one above the other.
    """
    from matplotlib.figure import Figure

    maps = heat(run)
    if not maps:
        return None
    columns = max(len(names) for _, _, names, _ in maps)
    heights = [len(labels) for _, labels, _, _ in maps]
    figure = Figure(figsize=(max(WIDTH, 1.9 + 0.42 * columns), 0.42 * sum(heights) + 0.5 * len(maps) + 1.6))
    grid = figure.subplots(len(maps), 1, squeeze=False, gridspec_kw={"height_ratios": heights, "hspace": 0.5})[:, 0]
    for place, (axis, (title, labels, names, cells)) in enumerate(zip(grid, maps, strict=True)):
        # One hue, light to dark: it reads in grey and for colour-blind eyes.
        axis.imshow(np.nan_to_num(cells), cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
        for (i, j), value in np.ndenumerate(cells):
            if math.isfinite(value):
                text = words.number(100 * value, 0)
                axis.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if value > 0.6 else "black")
            else:
                axis.text(j, i, "·", ha="center", va="center", fontsize=8, color="#777777")
        axis.set_yticks(range(len(labels)), labels, fontsize=8)
        last = place == len(maps) - 1
        axis.set_xticks(range(len(names)), names if last else [""] * len(names), rotation=50, ha="right", fontsize=8)
        axis.tick_params(length=0)
        axis.grid(visible=False)
        for side in axis.spines.values():
            side.set_visible(False)
        axis.set_title(title, fontsize=9, loc="left")
    return figure


@dataclass(frozen=True)
class Strengths:
    """One purifier at several strengths, under one capture and victim.

    Attributes:
        purifier, parameter: its name, and what its bare value means.
        attack: victim, target and capture, for the title.
        lines: defense -> (strengths, net DSR, head PSNR of the undefended clone).
        control: defenses that are controls.
        plain: defense -> net DSR without the purifier; NaN where it was not run.
    """

    purifier: str
    parameter: str
    attack: str
    lines: dict[str, list[tuple[float, float]]]
    control: frozenset[str]
    plain: dict[str, float]


def strengths(run: Run) -> list[Strengths]:
    """Every purifier that ran alone with three values or more of its short parameter, nothing else being changed."""
    pairs = paired_differences(run.results, run.terms.success)
    single = pairs["purifier"].str.extract(r"^([a-z0-9-]+):(-?[0-9.]+)$")
    pairs = pairs.assign(family=single[0], strength=single[1].astype(float))
    found = []
    for (family, victim, target, capture), rows in pairs.groupby(["family", "victim", "target", "capture"]):
        if rows["strength"].nunique() < MIN_STRENGTHS:
            continue
        same = pairs[(pairs[["victim", "target", "capture"]] == [victim, target, capture]).all(axis=1)]
        plain = same[same["purifier"].isin(UNPURIFIED)]
        lines: dict[str, list[tuple[float, float]]] = {}
        without: dict[str, float] = {}
        control = set()
        for key, own in rows.groupby(SUBJECT[:4]):
            name = defense_name(records(own)[0])
            lines[name] = [
                (float(value), float(per_unit(at, "delta", run.identities).mean()))  # type: ignore[arg-type]
                for value, at in own.groupby("strength")
            ]
            mine = plain[(plain[SUBJECT[:4]] == list(key)).all(axis=1)]
            without[name] = float(per_unit(mine, "delta", run.identities).mean()) if len(mine) else math.nan
            if own["arm"].iloc[0] == "control":
                control.add(name)
        where = " · ".join(part for part in (str(victim), str(target), str(capture)) if part)
        found.append(Strengths(str(family), _parameter(str(family)), where, lines, frozenset(control), without))
    return found


def _parameter(purifier: str) -> str:
    """What the bare value of a purifier is called; ``strength`` where it is not installed here."""
    from vdf_bench.core import registry
    from vdf_bench.core.errors import UserError

    try:
        return str(registry.load("purifiers", purifier).card.short or "strength")
    except UserError:
        return "strength"


def strength_figure(found: list[Strengths], colours: dict[str, str]) -> Figure:
    """Net DSR against the strength of the purifier, a panel each; dotted: without it."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(WIDTH, 2.5 * len(found)))
    grid = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    figure.subplots_adjust(hspace=0.62)
    names = list(dict.fromkeys(name for each in found for name in each.lines))
    palette: dict[str, Any] = {name: colours[name.partition(" ")[0]] for name in names}
    markers = marker_of(names)
    control = frozenset[str]().union(*(each.control for each in found))
    for axis, each in zip(grid, found, strict=True):
        for name, points in each.lines.items():
            dashed = "--" if name in each.control else "-"
            face = "white" if name in each.control else palette[name]
            axis.plot(
                [x for x, _ in points], [100 * y for _, y in points], color=palette[name], marker=markers[name],
                markerfacecolor=face, linestyle=dashed, linewidth=1.2, markersize=5.5,
            )  # fmt: skip
            if math.isfinite(each.plain[name]):
                axis.axhline(100 * each.plain[name], color=palette[name], linestyle=":", linewidth=0.9)
        values = [x for points in each.lines.values() for x, _ in points]
        if min(values) > 0 and max(values) / min(values) > 8:
            axis.set_xscale("log")
        ticks = sorted(set(values))
        if all(b - a > 0.04 * (ticks[-1] - ticks[0]) for a, b in pairwise(ticks)):
            axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.minorticks_off()
        axis.set_ylim(min(-8.0, axis.get_ylim()[0]), 108)
        axis.set_ylabel("net DSR [%]")
        axis.set_xlabel(f"{each.purifier}: {each.parameter}")
        axis.set_title(each.attack, fontsize=9, loc="left")
    handles = [
        Line2D(
            [], [], color=palette[n], marker=markers[n], lw=1, linestyle="--" if n in control else "-",
            markerfacecolor="white" if n in control else palette[n], label=n,
        )
        for n in names
    ]  # fmt: skip
    grid[-1].legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.34), ncols=3, fontsize=9)
    return figure
