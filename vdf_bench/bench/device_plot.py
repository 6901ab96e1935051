"""The roofline of a device, drawn."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.bench.roofline import Peaks, Point

#: How a file may end that the roofline is drawn into.
PICTURES = (".png", ".svg")
#: Of Okabe and Ito's palette, by precision.
COLOURS = {"float32": "#0072B2", "bfloat16": "#D55E00", "tf32": "#009E73"}


def plot_roofline(peaks: Peaks, points: list[Point], device: str, file: Path) -> None:
    """Draw kernels under the roof into ``file``, whose ending, one of :data:`PICTURES`, says how."""
    from matplotlib.figure import Figure

    figure = Figure((7.0, 5.6), layout="constrained")
    axes = figure.subplots()
    lowest = min([0.1, *(point.intensity for point in points)]) / 2
    highest = 4 * max([*(rate / peaks.bandwidth for rate in peaks.flops.values()), *(p.intensity for p in points)])
    intensity = np.geomspace(lowest, highest, 200)
    for precision, rate in peaks.flops.items():
        roof = np.minimum(rate, intensity * peaks.bandwidth) / 1e9
        axes.loglog(intensity, roof, color=COLOURS[precision], label=f"roof, {precision}: {rate / 1e9:.3g} GFLOP/s")
    for number, point in enumerate(points, 1):
        colour = COLOURS[point.precision]
        axes.plot(point.intensity, point.achieved / 1e9, "o", color=colour)
        beside = (5, -3) if point.precision == "float32" else (-9, -3)  # looks differ in little but precision
        axes.annotate(
            str(number), (point.intensity, point.achieved / 1e9), textcoords="offset points", xytext=beside, fontsize=8
        )
        axes.plot([], [], " ", label=f"{number} {point.name}, {point.precision}: {point.share:.0%}")
    axes.set_xlabel("FLOPs a byte (upper bound)")
    axes.set_ylabel("GFLOP/s")
    axes.set_title(f"{device}; {peaks.bandwidth / 1e9:.3g} GB/s", fontsize=9)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False, fontsize=7)
    kind, drawn = file.suffix.lower().removeprefix("."), BytesIO()
    figure.savefig(drawn, format=kind, dpi=130, metadata={"Software": None} if kind == "png" else None)
    write_atomically(file, drawn.getvalue())
