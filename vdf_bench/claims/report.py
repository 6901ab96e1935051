"""How a measured claim is shown and kept."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.claims.equal_success import CLAIM, INHERITING, METHOD
from vdf_bench.claims.published_surrogates import SIZE, STEPS
from vdf_bench.store import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from vdf_bench.claims.speed import Speed


def print_speedup(found: Speed, console: Console) -> None:
    """Print both comparisons and the verdict."""
    from rich.table import Table

    console.print(
        f"One surrogate, equal success: {found.size} px, {found.frames} frames a clip, {found.budget}, CPU seconds, "
        "one thread",
        style="bold",
        highlight=False,
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("defense", "s/frame", "later frames", "success", "PSNR", "times vdf [95 %]", "equal success on"):
        table.add_column(head, justify="left" if head == "defense" else "right")
    ratios = {ratio.baseline: ratio for ratio in found.ratios}
    for name, clips in found.timings.items():
        rows = list(clips.values())
        ratio = ratios.get(name)
        said = ""
        if ratio:
            said = f"{ratio.value:.2f}" + ("" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]")
        table.add_row(
            name + (" (inherits)" if name == INHERITING else ""),
            f"{np.mean([row.mean for row in rows]):.3f}",
            f"{np.mean([row.later for row in rows]):.3f}",
            f"{np.mean([row.success for row in rows]):.0%}",
            f"{np.mean([row.psnr for row in rows]):.1f} dB",
            said,
            f"{ratio.clips} of {ratio.of} clips" if ratio else "",
        )
    console.print(table)
    if found.published:
        console.print(
            f"Published surrogates, timing only: {STEPS} steps at {SIZE} px, published sizes, random weights",
            style="bold",
            highlight=False,
        )
        table = Table(box=None, padding=(0, 2, 0, 0))
        for head in ("defense", "s/frame", "times vdf"):
            table.add_column(head, justify="left" if head == "defense" else "right")
        table.add_row(f"{METHOD} (full-size BiSeNet, later frame)", f"{found.published.method:.1f}", "")
        for name, seconds in found.published.baselines.items():
            table.add_row(name, f"{seconds:.0f}", f"{seconds / found.published.method:.0f}")
        console.print(table)
    console.print(f"The claim: {CLAIM:g}x over the fastest baseline (abstract of arXiv 2512.21019).", highlight=False)
    console.print(f"Verdict at equal success: {found.verdict}.", style="bold", highlight=False)


def write_speedup(found: Speed, folder: Path) -> Path:
    """Write ``speedup.json`` with every figure, the machine and the versions."""
    record = {
        "schema": 1,
        "claim": {"factor": CLAIM, "source": "arXiv 2512.21019, abstract"},
        **asdict(found),
        "environment": {
            "machine": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "torch": version("torch"),
            "vdf-bench": version("vdf-bench"),
        },
    }
    path = folder / "speedup.json"
    write_atomically(path, json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode())
    return path
