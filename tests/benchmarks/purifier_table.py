"""What every purifier costs a clean clip, in quality and in time: the tables of docs/purifiers.md.

    python tests/benchmarks/purifier_table.py docs/purifiers.md     # a minute of CPU time

The first 100 frames of synth-a at 128 px, one thread, CPU time. Purifiers that take minutes are left to
docs/purification.md.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import torch

from vdf_bench.assets.needs import unmet
from vdf_bench.attackers.chain import build_chain, canonical_chain
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.frames import to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.stages.load import load_clip

MARK = "<!-- figures -->\n"
CLIP, SIZE, FRAMES = "synth-a", 128, 100
#: Other settings that publications name, chains of them, and what a platform may do.
SETTINGS = (
    "jpeg:70", "jpeg:90", "jpeg:75+resize:0.5", "resize:0.75", "gaussian-noise:0.1", "gaussian-blur:5,size=31",
    "bit-depth:4", "h264:18", "h264:28", "h264:35", "h264:40", "h264:23+h264:28", "h264:23,pix_fmt=yuv444p",
    "fps:24,method=blend", "frame-average:1,align=none", "temporal-median:2,align=none",
)  # fmt: skip


def measure(chain: str, frames: list[torch.Tensor]) -> tuple[float, float]:
    """PSNR in dB over all frames, and CPU milliseconds per frame."""
    setting = Setting(budget=Budget(0.0), size=SIZE, clean=lambda: iter(frames))
    purifier = build_chain(chain)
    list(purifier.purify(iter(frames[:1]), Setting(budget=Budget(0.0), size=SIZE, clean=lambda: iter(frames[:1]))))
    began = time.process_time()
    out = list(purifier.purify(iter(frames), setting))
    seconds = time.process_time() - began
    error = torch.stack([((a - b) ** 2).mean() for a, b in zip(out, frames, strict=True)]).mean()
    return -10 * math.log10(error) if error else math.inf, 1e3 * seconds / len(frames)


def tables(frames: list[torch.Tensor]) -> str:
    lines = [
        "| purifier | what | after | does nothing at | PSNR, dB | CPU, ms per frame |",
        "|---|---|---|---|---|---|",
    ]
    for name in registry.names("purifiers"):
        purifier = registry.load("purifiers", name)
        if purifier.card.cost != "seconds" or unmet(purifier.card):
            continue
        card, idle = purifier.card, purifier.harmless
        source = f"[{card.source}]({card.url})" if card.url else card.source
        values = "" if idle is None else ", ".join(f"{key}={value}" for key, value in idle.parameters.items())
        quality, cost = measure(name, frames)
        shown = "any" if idle and not idle.parameters else values or "never"
        lines.append(f"| `{canonical_chain(name)}` | {card.title} | {source} | {shown} | {quality:.1f} | {cost:.1f} |")
    lines += ["", "| other settings | PSNR, dB | CPU, ms per frame |", "|---|---|---|"]
    for chain in SETTINGS:
        quality, cost = measure(chain, frames)
        lines.append(f"| `{chain}` | {quality:.1f} | {cost:.1f} |")
    return "\n".join(lines) + "\n"


def main(page: Path) -> None:
    torch.set_num_threads(1)
    frames = list(to_tensors(load_clip(CLIP, SIZE, FRAMES).frames))
    text = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(text + MARK + "\n" + tables(frames), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
