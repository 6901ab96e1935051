"""Write the figures of a benchmark run into a page, below its line ``<!-- figures -->``.

Usage: python tests/benchmarks/tables.py FIGURES.json ... PAGE.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

MARK = "<!-- figures -->\n"


def tables(runs):
    """Markdown tables of the benchmarks in ``runs`` (``--benchmark-json`` files, loaded)."""
    benchmarks = [benchmark for run in runs for benchmark in run["benchmarks"]]
    group = {}
    for benchmark in benchmarks:
        group.setdefault(benchmark["group"], []).append(benchmark)
    parts = []
    if rows := group.get("rasteriser"):
        cells = {(b["params"]["size"], b["params"]["count"]): f"{1e3 * b['stats']['median']:.2f}" for b in rows}
        parts.append("### Rasteriser, forward and backward, ms\n")
        parts.append(grid(cells, "frame", lambda size: f"{size} px", lambda count: f"{count} Gaussians"))
    if rows := group.get("rasteriser against torch"):
        parts.append("### Rasteriser beside tiles in torch, 128 px, ms\n")
        names = {"torch_ms": "tiles in torch", "ours_ms": "this one", "ratio": "ratio"}
        cells = {
            (name, b["params"]["count"]): f"{b['extra_info'][key]:.{0 if key == 'ratio' else 1}f}"
            for key, name in names.items()
            for b in rows
        }
        parts.append(grid(cells, "", str, lambda count: f"{count} Gaussians"))
    for name, title, shown in (
        ("training steps", "Training steps per CPU second", lambda info: f"{info['steps_per_second']:.0f}"),
        ("training steps", "Peak memory of a process that trains, MiB", lambda info: f"{info['peak_mib']:.0f}"),
        ("seconds to the gate", "CPU seconds to 25 dB head PSNR on unseen frames (steps, dB reached)", _to_gate),
    ):
        if rows := group.get(name):
            parts.append(f"### {title}\n")
            cells = {(b["params"]["victim"], b["params"]["capture_size"]): shown(b["extra_info"]) for b in rows}
            parts.append(grid(cells, "victim", str, lambda size: f"{size} px"))
    return "\n".join(parts)


def grid(cells, corner, row_title, column_title):
    """A table of ``cells``, a mapping from (row, column) to text."""
    rows, columns = (list(dict.fromkeys(key[k] for key in cells)) for k in (0, 1))
    lines = [
        "| " + " | ".join([corner, *map(column_title, columns)]) + " |",
        "|---" + "|---:" * len(columns) + "|",
    ]
    filled = [" | ".join([row_title(row), *(cells.get((row, column), "") for column in columns)]) for row in rows]
    return "\n".join([*lines, *(f"| {line} |" for line in filled)]) + "\n"


def _to_gate(info):
    seconds = "not reached" if info["seconds"] is None else f"{info['seconds']:.1f}"
    return f"{seconds} ({info['steps']}, {info['head_psnr']:.1f})"


def main(*paths):
    *sources, page = map(Path, paths)
    text = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(text + MARK + "\n" + tables([json.loads(p.read_text()) for p in sources]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
