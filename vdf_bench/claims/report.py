"""How a measured claim is shown and kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.claims.equal_success import CLAIM, INHERITING, METHOD, spread
from vdf_bench.claims.published_surrogates import SIZE, STEPS
from vdf_bench.core.files import write_atomically
from vdf_bench.results.gather import environment

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
    for head in ("defense", "s/frame", "later", "updates", "success", "PSNR", "times vdf [95 %]", "later frames"):
        table.add_column(head, justify="left" if head == "defense" else "right")
    ratios = {ratio.baseline: ratio for ratio in found.ratios}
    for name, clips in found.timings.items():
        rows = list(clips.values())
        ratio = ratios.get(name)
        bound = "" if ratio is None or ratio.relation == "=" else f"{ratio.relation} "
        table.add_row(
            name + (" (inherits)" if name == INHERITING else ""),
            f"{np.mean([row.mean for row in rows]):.3f}",
            f"{np.mean([row.later for row in rows]):.3f}",
            f"{np.mean([row.iterations for row in rows]):.1f}",
            f"{np.mean([row.success for row in rows]):.0%}",
            f"{np.mean([row.psnr for row in rows]):.1f} dB",
            ratio.text if ratio else "",
            f"{bound}{ratio.later:.1f}" if ratio else "",
        )
    console.print(table)
    for line in notes(found):
        console.print(line, highlight=False, markup=False)
    if found.published:
        console.print(
            f"Published surrogates, *timing only*: {SIZE} px, published sizes, random weights; one step timed, "
            f"taken {STEPS} times",
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
    console.print(f"verdict at equal success: {found.verdict}.", style="bold", highlight=False)


def notes(found: Speed) -> list[str]:
    """What was left out of the measurement, and what its bounds mean."""
    cold = len(spread(found.frames))
    lines = [
        "left out: warm-up, loading of clips and networks; "
        f"baselines that inherit nothing ran on {cold} of the {found.frames} frames, {METHOD} and {INHERITING} on all"
    ]
    for ratio in found.ratios:
        if ratio.relation == ">=":
            lines.append(
                f"{ratio.baseline} was given up at {found.cap} steps on {ratio.of - ratio.clips} of {ratio.of} clips: "
                "its ratio is a lower bound, not one at equal success"
            )
        elif ratio.relation == "<=":
            lines.append(f"{METHOD} did not succeed on every frame: the ratio to {ratio.baseline} is an upper bound")
        elif ratio.relation == "?":
            lines.append(f"neither {METHOD} nor {ratio.baseline} succeeded on every frame: their ratio says nothing")
    lines.append("the claim's baseline, unit and machine are not known here; this is one small surrogate on a CPU")
    return lines


def write_speedup(found: Speed, folder: Path) -> Path:
    """Write ``speedup.json`` with every figure, the machine and the versions."""
    record = {
        "schema": 2,
        "claim": {"factor": CLAIM, "source": "arXiv 2512.21019, abstract"},
        **asdict(found),
        "environment": environment(),
    }
    path = folder / "speedup.json"
    write_atomically(path, json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode())
    return path
