"""A run folder drawn with numpy: defenses, controls, victims, parsers, odd names, void and refused cells."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.results import write_results
from vdf_bench.results.picture import Picture

if TYPE_CHECKING:
    from pathlib import Path

WEIRD = '<script>alert("ä")</script> & $x_1$'
DEFENSES = (
    ("vdf", 12.75, "defended"),
    ("pgd", 12.75, "defended"),
    ("noise", 12.75, "control"),
    ("occlude", 0.0, "control"),
)
ATTACKS = (("gaussian", "composite"), ("gaussian", "full"), ("triplane", "composite"))
CAPTURES = ("builtin/strict", "heldout/strict")
#: DSR that a defense adds on composite frames under the builtin parser.
STRENGTH = {"vdf": 0.9, "pgd": 0.35, "noise": 0.01, "occlude": 0.97}


def rows(
    clips: list[str], seeds: int = 2, purifiers: tuple[str, ...] = ("identity", "jpeg"), seed: int = 0
) -> list[dict]:
    rng = np.random.default_rng(seed)
    table: list[dict] = []

    def add(cell: dict, outcome: str, stage: str, values: dict, code: str = "") -> None:
        for metric, (unit, better, value) in values.items():
            n = 1 if stage == "cost" else 28
            measured = {"stage": stage, "metric": metric, "unit": unit, "better": better, "value": value, "n": n}
            table.append({**cell, "outcome": outcome, "code": code, **measured})

    def clone(dsr: float, psnr: float, lip: float, identity: float) -> tuple[dict, dict]:
        parts = {"dsr_identity": 0.3 * dsr, "dsr_lips": 0.9 * dsr, "dsr_quality": 0.5 * dsr}
        judged = {"dsr": dsr, **parts, "lip_correlation": lip, "identity": identity}
        return {"head_psnr": ("dB", "up", psnr)}, {name: ("", "up", value) for name, value in judged.items()}

    for clip, s in product(clips, range(seeds)):
        skill = rng.normal(0, 0.03)
        for defense, linf, arm in DEFENSES:
            cell = {"clip": clip, "defense": defense, "linf": linf, "floor": 0.0, "seed": s, "arm": arm}
            public = {**cell, "purifier": "", "capture": "", "target": "", "victim": ""}
            quality = {"vdf": 30.1, "pgd": 26.4, "noise": 29.0, "occlude": 12.0}[defense] + rng.normal(0, 0.4)
            fidelity = {"psnr": ("dB", "up", quality), "ssim": ("", "up", min(1.0, quality / 34))}
            add(public, "trained", "protect", fidelity)
            cost = {"vdf": 0.031, "pgd": 0.42, "noise": 0.0004, "occlude": 0.0002}[defense]
            add(public, "trained", "cost", {"seconds_per_frame": ("s", "down", cost)})
        for purifier, capture in product(purifiers, CAPTURES):
            reach = (1.0 if purifier == "identity" else 0.25) * (1.0 if capture.startswith("builtin") else 0.05)
            seen = {"clip": clip, "purifier": purifier, "capture": capture, "seed": s}
            for defense, linf, arm in DEFENSES:
                hit = STRENGTH[defense] * (1.0 if defense == "occlude" else reach)
                trace = {
                    "parse_iou": ("", "up", 1 - 0.9 * hit),
                    "head_recall": ("", "up", 1 - 0.95 * hit),
                    "face_recall": ("", "up", 1 - 0.95 * hit),
                    "landmark_nme": ("", "down", 0.02 + 0.01 * hit),
                    "pose_error_deg": ("°", "down", 0.8 + 0.5 * hit),
                }
                where = {**seen, "defense": defense, "linf": linf, "floor": 0.0, "arm": arm, "target": "", "victim": ""}
                add(where, "trained", "capture", trace)
            for victim, target in ATTACKS:
                void = victim == "triplane" and clip == clips[-1]
                attack = {**seen, "victim": victim, "target": target}
                field, judged = clone(0.03, 27.1 + 10 * skill, 0.81 + skill, 0.62)
                clean = {**attack, "defense": "none", "linf": 0.0, "floor": 0.0, "arm": "clean"}
                add(clean, "void" if void else "trained", "field", field)
                add(clean, "void" if void else "trained", "clone", judged)
                for defense, linf, arm in DEFENSES:
                    hit = STRENGTH[defense] * (1.0 if defense == "occlude" else reach)
                    hit = float(np.clip((hit if target == "composite" else 0.03 * hit) + rng.normal(0, 0.03), 0, 0.97))
                    outcome, code = ("frozen", "alpha=.03") if hit > 0.8 else ("trained", "")
                    if defense == "occlude" and target == "composite":
                        outcome, code = "refused", "no_face@frame 3"
                    field, judged = clone(
                        0.03 + hit, 27.1 - 9 * hit + 10 * skill, 0.81 * (1 - hit) + skill, 0.62 - 0.2 * hit
                    )
                    mine = {**attack, "defense": defense, "linf": linf, "floor": 0.0, "arm": arm}
                    add(mine, "void" if void else outcome, "field", field, code)
                    add(mine, "void" if void else outcome, "clone", judged, code)
    return table


def record(clips: list[str], seeds: int) -> dict:
    return {
        "schema": 1,
        "version": "0.1.0",
        "environment": {"python": "3.11.9", "platform": "Linux", "cpu": "2 cores", "torch": "2.4", "numpy": "2.1"},
        "command": f"vdf-bench run --defense vdf pgd --clip '{WEIRD}'",
        "preset": {"name": "standard", "size": 128, "frames": 110},
        "seeds": list(range(seeds)),
        "budget": ["12.75/255"],
        "inputs": {clip: {"sha256": f"{i:064x}", "licence": "CC0"} for i, clip in enumerate(clips)},
        "steps": [
            {"key": letter * 64, "step": step, "label": step, "wall": wall, "cpu": wall - 0.1, "peak_mib": 410.0,
             "cached": hit}
            for letter, step, wall, hit in (("a", "protect", 4, False), ("b", "fit", 9, False), ("c", "fit", 29, True))
        ],
        "notes": ["synth clips are rendered: what holds on them need not hold on people", f"clip {WEIRD} was cropped"],
        "left_out": [{"kind": "judge", "name": "sync", "why": "needs weights:syncnet (vdf-bench weights add syncnet)"}],
        "gates": [
            {"clip": clip, "purifier": purifier, "victim": "triplane", "target": "composite", "seed": 0, "gate": gate,
             "value": value, "threshold": threshold, "side": side, "ok": ok}
            for clip, purifier, gate, value, side, threshold, ok in (
                (clips[-1], "jpeg", "head_psnr", 21.34, "at least", 25.0, False),
                (clips[-1], "identity", "dsr_identity", 0.5, "at most", 0.1, False),
                (clips[0], "identity", "head_psnr", 27.1, "at least", 25.0, True),
            )
        ],
        "wall": 61.5,
    }  # fmt: skip


def face(count: int, size: int, mouth: bool = True) -> np.ndarray:
    """A talking disc with eyes: (count, size, size, 3) uint8."""
    y, x = np.mgrid[0:size, 0:size] / size
    frames = np.empty((count, size, size, 3), np.uint8)
    for t in range(count):
        sway = 0.5 + 0.05 * np.sin(t / 5)
        picture = np.stack([0.25 + 0.2 * y, 0.3 + 0.3 * x, 0.45 + 0 * x], -1)
        picture[(x - sway) ** 2 + (y - 0.48) ** 2 * 0.7 < 0.07] = (0.87, 0.68, 0.56)
        for side in (-0.09, 0.09):
            picture[(x - sway - side) ** 2 + (y - 0.4) ** 2 < 0.0006] = (0.1, 0.1, 0.2)
        opening = 0.0005 + 0.004 * abs(np.sin(t / 3)) if mouth else 0.0005
        picture[((x - sway) ** 2 * opening / 0.006 + (y - 0.62) ** 2) < opening] = (0.5, 0.1, 0.12)
        frames[t] = (255 * picture).astype(np.uint8)
    return frames


def pictures(clips: list[str], size: int = 64, count: int = 24) -> list[Picture]:
    rng = np.random.default_rng(1)
    original = face(count, size)
    made = []
    for clip, (defense, linf, _), (victim, target) in product(clips, DEFENSES[:2] + DEFENSES[3:], ATTACKS):
        noise = rng.integers(-12, 13, original.shape) if linf else 0
        protected = np.clip(original.astype(int) + noise, 0, 255).astype(np.uint8)
        if not linf:
            protected = original.copy()
            protected[:, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 128
        frozen = np.repeat(face(1, size, mouth=False) // 2 + 60, count, axis=0)
        refused = defense == "occlude" and target == "composite"
        outcome = "refused" if refused else "frozen" if target == "composite" and defense == "vdf" else "trained"
        clone = None if refused else frozen if outcome == "frozen" else original
        made.append(
            Picture(
                clip=clip, defense=defense, linf=linf, purifier="identity", capture=CAPTURES[0], target=target,
                victim=victim, seed=0, outcome=outcome, original=original, protected=protected, clean_clone=original,
                defended_clone=clone, frames=np.arange(count) + 86, fps=Fraction(25), code="no_face@frame 3" * refused,
            )
        )  # fmt: skip
    return made


def write_run(
    folder: Path, clips: list[str], seeds: int = 2, purifiers: tuple[str, ...] = ("identity", "jpeg")
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_results(rows(clips, seeds, purifiers), folder / "results.parquet")
    (folder / "run.json").write_text(json.dumps(record(clips, seeds)), encoding="utf-8")
    return folder
