"""A good submission, and a way to spoil copies of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.leaderboard.check import opened
from vdf_bench.leaderboard.manifest import FILE
from vdf_bench.leaderboard.pack import About, method_of, write_frames, write_method
from vdf_bench.leaderboard.strict_json import canonical_bytes
from vdf_bench.leaderboard.suites import SUITES

SMOKE = SUITES["vdf-bench-v1-smoke"]
ABOUT = About("striped", "Stripes on a portrait", ("A. Person",), "someone@example.org", "CC-BY-4.0")


def striped(levels: int = 12, shift: int = 0) -> dict:
    """The smoke suite's clip with every other column brighter by whole levels; nowhere over white."""
    frames = SMOKE.clip("synth-a").frames.astype(np.int16)
    room = np.minimum(255 - frames, levels)
    columns = (np.arange(SMOKE.size) + shift) % 2 == 0
    return {("synth-a", 12.75): (frames + room * columns[None, None, :, None]).astype(np.uint8)}


@dataclass
class Spoiler:
    """A copy of a good submission that a test spoils."""

    root: Path

    def manifest(self) -> dict:
        return json.loads((self.root / FILE).read_bytes())

    def write(self, value) -> None:
        (self.root / FILE).write_bytes(canonical_bytes(value))

    def say(self, **changes) -> None:
        """Change top-level values of the manifest; ``a__b`` reaches into objects."""
        value = self.manifest()
        for name, new in changes.items():
            *way, last = name.split("__")
            place = value
            for part in way:
                place = place[part]
            place[last] = new
        self.write(value)

    def relist(self) -> None:
        """List the files as they are now."""
        value = self.manifest()
        for entry in value["files"]:
            data = (self.root / entry["path"]).read_bytes()
            entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        self.write(value)

    def add(self, path: str, data: bytes, kind: str = "") -> None:
        """Add a file and list it."""
        kinds = {".png": "image/png", ".md": "text/markdown", ".json": "application/json", ".toml": "application/toml"}
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        value = self.manifest()
        value["files"].append(
            {
                "path": path,
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "media_type": kind or kinds.get(file.suffix, "application/octet-stream"),
            }
        )
        self.write(value)

    @property
    def video(self) -> Path:
        return self.root / "synth-a-12.75.mkv"

    def film(self, frames, *, digest: bool = True, **options) -> None:
        """Put other frames into the video, and list them."""
        from vdf_bench.core.frames import frames_digest
        from vdf_bench.video.encode import write_video

        write_video(self.video, iter(frames), **options)
        self.relist()
        if digest:
            value = self.manifest()
            value["clips"][0]["frames_sha256"] = frames_digest(np.asarray(frames))
            self.write(value)


def rules_of(path, records=(), severity: str = "error") -> set[str]:
    with opened(Path(path), records) as (_, findings):
        return {finding.rule for finding in findings if finding.severity == severity}


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A submission of frames that no rule minds."""
    folder = tmp_path_factory.mktemp("good") / "striped"
    write_frames(folder, SMOKE, striped(), ABOUT, None, [0])
    return folder


@pytest.fixture(scope="session")
def good_method(tmp_path_factory):
    """A submission of a method that no rule minds."""
    folder = tmp_path_factory.mktemp("good") / "method"
    write_method(folder, SMOKE, ABOUT, method_of("vdf", {}), [0])
    return folder


@pytest.fixture
def spoiler(good, tmp_path):
    root = tmp_path / "spoilt"
    shutil.copytree(good, root)
    return Spoiler(root)


@pytest.fixture
def tools():
    """What tests of this folder share; it is no package."""
    import types

    return types.SimpleNamespace(SMOKE=SMOKE, ABOUT=ABOUT, striped=striped, rules_of=rules_of, Spoiler=Spoiler)


def draw_record(name, nets, *, suite=None, tier="verified", role="defense", lacking=(), psnr=30.0, **changes):
    """A record whose cells have given net DSR.

    Args:
        nets: of every cell, or by attack; text is a status instead.
        lacking: attacks that are missing.
    """
    from vdf_bench.leaderboard.manifest import Entry, SuiteRef
    from vdf_bench.leaderboard.records import CellRecord, ClipRecord, Record

    suite = suite or SUITES["vdf-bench-v1"]
    cells, frames = [], []
    for k, (clip, sha) in enumerate(suite.clips.items()):
        frames.append(
            ClipRecord(
                clip=clip,
                linf=12.75,
                sha256=sha,
                prints=[],
                sketch=[k],
                fidelity={"psnr": psnr, "ssim": 0.9, "linf": 12},
            )
        )
        for attack in suite.attacks:
            net = nets.get(attack.name, 0.5) if isinstance(nets, dict) else nets
            net = net[k] if isinstance(net, list | tuple) else net
            status = net if isinstance(net, str) else "scored"
            if attack.name in lacking:
                continue
            values = {"dsr": 0.1, "face_recall": 0.9, "landmark_nme": 0.03, "head_psnr": 28.0, "identity": 0.8}
            cells.append(
                CellRecord(
                    clip=clip,
                    linf=12.75,
                    attack=attack.name,
                    victim="gaussian",
                    seed=0,
                    status=status,
                    outcome="trained",
                    net=0.0 if status != "scored" else float(net),
                    clean=values,
                    value=values,
                )
            )
    entry = Entry(name=name, version=1, title=f"{name}, a title", authors=["A. Person"], role=role)
    told = {
        "suite": SuiteRef(name=suite.name, sha256=suite.sha256),
        "entry": entry,
        "tier": tier,
        "kind": "frames",
        "licence": "CC-BY-4.0",
        "contact": "a@example.org",
        "manifest_sha256": "0" * 64,
        "frames": frames,
        "cells": cells,
        "date": "2026-01-01",
        **changes,
    }
    return Record(**told)


@pytest.fixture(scope="session")
def draw():
    """Draws records."""
    return draw_record


@pytest.fixture(scope="session")
def board(tmp_path_factory):
    """A site over a dozen drawn records, one of them hostile."""
    from PIL import Image

    from vdf_bench.leaderboard.manifest import Entry, Paper
    from vdf_bench.leaderboard.records import Event, add_record
    from vdf_bench.leaderboard.site import build

    spread = [0.02, 0.1, 0.05, 0.12, 0.03]
    hostile = Entry(
        name="hostile",
        version=1,
        title="<script>document.title='owned'</script>",
        summary="<img src=https://example.org/x onerror=alert(1)> {{ 7*7 }}",
        authors=['=HYPERLINK("https://example.org")', '"><svg onload=alert(1)>'],
    )
    records = [
        draw_record(
            "strong", {"as published": [0.95, 0.9, 0.99, 0.97, 0.92], "other parser": [0.6, 0.7, 0.65, 0.72, 0.61]}
        ),
        draw_record("alike", {"as published": 0.9, "other parser": [0.58, 0.72, 0.6, 0.7, 0.66]}, psnr=33.0),
        draw_record("weak", {"as published": 0.9, "other parser": spread}, psnr=40.0),
        draw_record("holey", {"other parser": [0.8, 0.7, 0.75, 0.8, 0.7]}, lacking=("landmark hull",)),
        draw_record("gave-up", {"as published": "infrastructure"}),
        draw_record("claims-much", {}, tier="reported", cells=[], frames=[], reported={"12.75": 1.0}),
        draw_record("nothing", 0.0, role="control", psnr=100.0),
        draw_record(
            "contested", 0.99, events=[Event(status="contested", date="2026-01-02", reason="frames of another")]
        ),
        draw_record("hostile", 0.4, entry=hostile, paper=Paper(title="a<b>c", url="javascript:alert(1)")),
    ]
    records += [draw_record(f"filler-{k}", [0.1 * k] * 5, psnr=20.0 + k) for k in range(5)]
    home = tmp_path_factory.mktemp("records")
    (home / "vdf-bench-v1").mkdir()
    Image.new("RGB", (512, 128), (200, 90, 60)).save(home / "vdf-bench-v1" / "strong-v1.0.png")
    shown = {"synth-a, protected": "vdf-bench-v1/strong-v1.0.png", "elsewhere": "../../etc/passwd.png"}
    records[0] = records[0].model_copy(update={"pictures": shown})
    for record in records:
        add_record(record, home)
    out = tmp_path_factory.mktemp("site") / "out"
    build(records, out, home)
    return out
