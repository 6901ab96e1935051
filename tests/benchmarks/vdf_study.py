"""What VDF's constants do, and how fast its later frames are: the tables of docs/vdf.md.

    python tests/benchmarks/vdf_study.py constants constants.json           # five minutes of CPU time; or
    python tests/benchmarks/vdf_study.py constants small.json 128           # of these frame sizes alone
    python tests/benchmarks/vdf_study.py speed speed.json                   # five more, most of them at 512 px
    python tests/benchmarks/vdf_study.py tables constants.json speed.json docs/vdf.md

Everything runs on one thread and is counted in CPU time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from vdf_bench.claims.official_loop import time_official
from vdf_bench.claims.speedup import full_size_parser, measure_work, price_looks
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.frames import to_bytes, to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.parsing import ParsingObjective
from vdf_bench.judges.pixels import ssim
from vdf_bench.parsers.network import load_parser
from vdf_bench.stages.load import load_clip

MARK = "<!-- figures -->"
BUDGET = Budget(0.05)
BEFORE = {"learning_rate": "0.6", "decay": "0.8", "motion": "false"}
#: The fewest changes of the official constants with which the official variables come near success in reasonable time.
LEAST = {"loss": "cross-entropy", "gain": "100", "learning_rate": "0.06"}
SHORT = {**LEAST, "max_iterations_first": "200", "max_iterations": "40"}

#: Title, defense, overrides, clips, size, frames.
BOTH = ("synth-a", "synth-e")
ROWS = [
    ("vdf", "vdf", {}, BOTH, 128, 12),
    ("as before: lr 0.6, decay 0.8, no motion", "vdf", BEFORE, BOTH, 128, 12),
    ("learning rate 0.06", "vdf", {"learning_rate": "0.06"}, BOTH, 128, 12),
    ("learning rate 0.15", "vdf", {"learning_rate": "0.15"}, BOTH, 128, 12),
    ("learning rate 0.6", "vdf", {"learning_rate": "0.6"}, BOTH, 128, 8),
    ("gain 1", "vdf", {"gain": "1"}, BOTH, 128, 8),
    ("gain 10 (official)", "vdf", {"gain": "10"}, BOTH, 128, 8),
    ("loss log (official)", "vdf", {"loss": "log"}, BOTH, 128, 4),
    ("noise start 1 (official)", "vdf", {"noise_start": "1"}, BOTH, 128, 8),
    ("mask start 0 (official)", "vdf", {"mask_start": "0"}, BOTH, 128, 8),
    ("decay 0.8 (official)", "vdf", {"decay": "0.8"}, BOTH, 128, 8),
    ("decay 1", "vdf", {"decay": "1"}, BOTH, 128, 8),
    ("no motion (official)", "vdf", {"motion": "false"}, BOTH, 128, 8),
    ("updates: first unmet scale", "vdf", {"updates": "first-unmet", "max_iterations": "12"}, BOTH, 128, 8),
    ("bfloat16", "vdf", {"precision": "bfloat16"}, BOTH, 128, 8),
    ("vdf-noshare", "vdf-noshare", {}, BOTH, 128, 4),
    ("vdf-spatial", "vdf-spatial", {}, BOTH, 128, 8),
    ("vdf-frequency", "vdf-frequency", {}, BOTH, 128, 4),
    ("vdf-nomask", "vdf-nomask", {}, BOTH, 128, 8),
    ("vdf-1scale", "vdf-1scale", {}, BOTH, 128, 8),
    ("vdf-init", "vdf-init", {}, BOTH, 128, 8),
    ("vdf-official", "vdf-official", {}, ("synth-a",), 128, 4),
    ("vdf-official, least changes", "vdf-official", SHORT, ("synth-a",), 128, 5),
    ("vdf", "vdf", {}, BOTH, 256, 10),
    ("as before: lr 0.6, decay 0.8, no motion", "vdf", BEFORE, ("synth-a",), 256, 10),
    ("vdf", "vdf", {}, ("synth-a",), 512, 3),
]


def constants(path, *sizes):
    """Protect, and judge what came out anew in float32 at all five scales."""
    objective = ParsingObjective(parser := load_parser("builtin"), ParsingParameters())
    rows = []
    for title, name, overrides, clips, size, count in ROWS:
        for clip in clips if not sizes or str(size) in sizes else ():
            frames = load_clip(clip, size, count).frames
            defense = registry.create("defenses", name, overrides)
            setting = Setting(budget=BUDGET, size=size, surrogate=parser)
            shares, errors, likeness = [], [], []
            pairs = zip(defense.protect(to_tensors(frames), setting), to_tensors(frames), strict=True)
            for picture, clean in pairs:
                with torch.no_grad():
                    shares.append(objective.judge(picture, objective.prepare(clean)).share)
                errors.append(float((picture - clean).square().mean()))
                likeness.append(float(ssim(to_bytes(picture), to_bytes(clean))))
            iterations = defense.log()["iterations"]
            rows.append(
                {
                    "title": title,
                    "clip": clip,
                    "size": size,
                    "frames": count,
                    "first": iterations[0],
                    "later": float(np.mean(iterations[1:])),
                    "success": float(np.mean([share > 0.8 for share in shares])),
                    "worst": min(shares),
                    "psnr": float(np.mean([-10 * np.log10(max(error, 1e-10)) for error in errors])),
                    "ssim": float(np.mean(likeness)),
                }
            )
            path.write_text(json.dumps(rows, indent=1))


#: Title, defense, overrides of what is priced on its own arithmetic.
STEPS = [
    ("vdf as before: lr 0.6, decay 0.8, no motion", "vdf", BEFORE),
    ("+ lr 0.3, motion, decay 0.95: vdf", "vdf", {}),
    ("+ bfloat16", "vdf", {"precision": "bfloat16"}),
]


#: Frame sizes and how many frames of each.
SIZES = ((256, 6), (512, 3))


def speed(path):
    """Official parts, and the work of our steps priced with the full-size network."""
    parser = full_size_parser()
    found = []
    for size, count in SIZES:
        official = time_official(size)
        price, steps = {}, []
        frames = load_clip("synth-a", size, count).frames
        for title, name, overrides in STEPS:
            work = measure_work(name, overrides, frames, BUDGET)
            price |= price_looks(parser, set(work.looks) - set(price), 1)
            row = {**vars(work), "looks": sum(work.looks.values())}
            steps.append({"title": title, **row, "seconds": work.seconds(price)})
        found.append({"size": size, "frames": count, "official": asdict(official), "steps": steps})
        path.write_text(json.dumps(found, indent=1))


def tables(rows, found):
    """Markdown."""
    lines = ["### Constants\n"]
    head = "| | clip | size, frames | iterations, frame 0 | later | success | worst share | PSNR dB | SSIM |"
    lines += [head, "|---|---|---|---:|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {r['title']} | {r['clip']} | {r['size']}, {r['frames']} | {r['first']:.0f} | {r['later']:.2f} | "
        f"{r['success']:.2f} | {r['worst']:.2f} | {r['psnr']:.1f} | {r['ssim']:.3f} |"
        for r in rows
    ]
    least = [row for row in rows if row["title"].endswith("least changes")]
    for at in found:
        official, steps = at["official"], at["steps"]
        look = official["paint"] + official["visual"] + official["check"]
        update = official["update"]

        def frame(updates, visual=True, check=True, official=official, succeeds=1):
            looks = updates + succeeds
            each = official["paint"] + visual * official["visual"] + check * official["check"]
            # Where the logits of the loss serve the check, a last look is a check all the same.
            last = 0 if check else succeeds * official["check"]
            return official["masks"] + looks * each + last + updates * official["update"]

        lines.append(f"\n### Seconds of a later frame, {at['size']} px\n")
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in official.items())
        lines.append(f"The official loop's parts, CPU seconds: {parts}; an iteration {look + update:.2f}.\n")
        lines += ["| | updates | success | seconds | times |", "|---|---:|---:|---:|---:|"]
        vdf = steps[1]["seconds"]
        before = steps[0]["iterations"]
        cells = [
            ("official loop, official constants, its own cap", 3000, "none", frame(3000, succeeds=0)),
            ("official loop, official constants, cap 15", 15, "none", frame(15, succeeds=0)),
            *(
                (
                    f"official loop, least changes (updates of {row['size']} px)",
                    row["later"],
                    f"{row['success']:.2f}",
                    frame(row["later"]),
                )
                for row in least
            ),
            ("official loop, constants of vdf as before", before, f"{steps[0]['success']:.2f}", frame(before)),
            (
                "− VGG, forward (its way back stays in the update)",
                before,
                f"{steps[0]['success']:.2f}",
                frame(before, visual=False),
            ),
            (
                "− second look (logits serve loss and check)",
                before,
                f"{steps[0]['success']:.2f}",
                frame(before, visual=False, check=False),
            ),
        ]
        cells += [(step["title"], step["iterations"], f"{step['success']:.2f}", step["seconds"]) for step in steps]
        lines += [
            f"| {title} | {updates:.2f} | {success} | {seconds:.2f} | {seconds / vdf:.1f} |"
            for title, updates, success, seconds in cells
        ]
    return "\n".join(lines) + "\n"


def main(command, *paths):
    torch.set_num_threads(1)
    if command == "tables":
        *sources, last, page = map(Path, paths)
        rows = [row for source in sources for row in json.loads(source.read_text())]
        text = page.read_text(encoding="utf-8").partition(MARK)[0]
        page.write_text(text + MARK + "\n\n" + tables(rows, json.loads(last.read_text())), encoding="utf-8")
    else:
        {"constants": constants, "speed": speed}[command](Path(paths[0]), *paths[1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
