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
        from vdf_bench.leaderboard.frames import frames_digest
        from vdf_bench.video import write_video

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
