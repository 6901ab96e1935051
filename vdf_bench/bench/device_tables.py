"""The figures of a device as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from vdf_bench.bench.device import SPLATS, SPLATTINGS
from vdf_bench.bench.gate import GATE
from vdf_bench.bench.mixed import CLONE_TOLERANCE, LOSS_TOLERANCE, RENDERING_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from vdf_bench.bench.device import Figures

#: Characters of a name in one line: most names are no longer.
NAME = 26


def print_device(figures: Figures, console: Console) -> None:
    """Print all that was measured, and what was left out."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], spare: Sequence[str] = ()) -> None:
        say(f"\n{title}")  # not the table's own, which would wrap at its width
        held, gone, shown = list(rows), 0, list(range(len(columns)))
        while gone < len(spare) and _width([columns, *held], shown) > console.width:
            gone += 1
            shown = [k for k, name in enumerate(columns) if name not in spare[:gone]]
        made = Table(*(columns[k] for k in shown), box=None)
        for column in made.columns[1:]:
            column.justify = "right"
        made.columns[0].no_wrap = all(len(row[0]) <= NAME for row in held)
        for row in held:
            made.add_row(*(row[k] for k in shown))
        console.print(made)
        if gone:
            say(f"columns left out for lack of width: {', '.join(spare[:gone])}; use --out to write all of them")

    order = figures.order
    say(f"device: {figures.name}")
    say(f"torch {figures.machine['torch']}, {figures.threads} thread; seconds are {figures.seconds}")
    if figures.peaks:
        peaks = figures.peaks
        table(
            f"peaks, measured; copy or triad {peaks.bandwidth / 1e9:.4g} GB/s",
            ("precision", "matrix product GFLOP/s", "convolution GFLOP/s"),
            (
                (name, f"{rate / 1e9:.4g}", f"{peaks.convolution[name] / 1e9:.4g}")
                for name, rate in peaks.product.items()
            ),
        )
        table(
            "roofline",
            ("kernel", "precision", "GFLOP", "MB (minimum)", "FLOP/B", "ms", "GFLOP/s", "of the roof", "n"),
            (
                (p.name, p.precision, f"{p.flops / 1e9:.4g}", f"{p.bytes / 1e6:.4g}", f"{p.intensity:.3g}",
                 f"{1e3 * p.seconds:.4g}", f"{p.achieved / 1e9:.4g}", f"{p.share:.0%}", str(p.n))
                for p in figures.points
            ),
            spare=("GFLOP", "MB (minimum)", "FLOP/B"),
        )  # fmt: skip
    if figures.rates:
        table(
            f"VDF, {order.size} px",
            ("precision", "first frame s", "later frame s", "frames/s", "updates", "success", "n"),
            (
                (r.precision, f"{r.first:.3g}", f"{r.later:.3g}", f"{r.fps:.3g}", f"{r.updates:.2f}",
                 f"{r.success:.0%}", str(r.n))
                for r in figures.rates
            ),
        )  # fmt: skip
    if figures.climbs:
        table(
            f"time to the gate, head PSNR {GATE:g} dB, {order.victim_size} px",
            ("victim", "s", "steps", "head PSNR dB", "n"),
            (
                (c.victim, f"{last.seconds:.3g}" if c.reached else "not reached", str(last.steps),
                 f"{last.head_psnr:.1f}", "1")
                for c in figures.climbs for last in c.tried[-1:]
            ),
        )  # fmt: skip
    if figures.splattings:
        table(
            f"rasteriser, forward and backward, {SPLATS} Gaussians, {order.victim_size} px",
            ("back end", "ms", "n"),
            (
                ("compiled, one CPU core" if device == "cpu" else "gsplat", f"{1e3 * seconds:.3g}", str(SPLATTINGS))
                for device, seconds in figures.splattings.items()
            ),
        )
    if figures.costs:
        table(
            "settings for determinism",
            ("kernel", "ms without", "ms with", "ratio", "n", "not deterministic in torch"),
            (
                (c.name, f"{1e3 * c.free:.4g}", f"{1e3 * c.settled:.4g}", f"{c.ratio:.2f}", str(c.n),
                 ", ".join(c.unsettled) or "none")
                for c in figures.costs
            ),
        )  # fmt: skip
    if figures.repeats:
        table(
            "two fits from one seed end in the same bytes",
            ("victim", "steps", "without", "with"),
            ((r.victim, str(r.steps), _yes(r.free), _yes(r.settled)) for r in figures.repeats),
        )
    if figures.gaps:
        table(
            f"bfloat16 against float32 (loss within {LOSS_TOLERANCE:g}, rendering {RENDERING_TOLERANCE:g} dB, "
            f"clone {CLONE_TOLERANCE:g} dB)",
            ("victim", "loss differs by", "rendering dB", "clone float32 dB", "clone bfloat16 dB", "steps", "holds"),
            (
                (g.victim, f"{g.loss:.2g}", f"{g.rendering:.1f}", f"{g.exact:.2f}", f"{g.half:.2f}", str(g.steps),
                 _yes(g.holds))
                for g in figures.gaps
            ),
        )  # fmt: skip
    say("")
    for what, why in figures.left_out.items():
        say(f"left out: {what}: {why}")
    say(f"{figures.wall:.0f} s in total")


def _width(rows: Sequence[Sequence[str]], shown: Sequence[int]) -> int:
    """Characters of the shown columns of a table, head among its rows, where nothing wraps but long names."""
    first, *others = (max(len(row[k]) for row in rows) for k in shown)
    return min(first, NAME) + sum(others) + 2 * len(shown)


def _yes(value: Any) -> str:
    return "yes" if value else "no"
