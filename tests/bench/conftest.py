"""One thread, and a capture small enough to train on in seconds."""

from __future__ import annotations

import pytest

from vdf_bench.models.landmarker import load_landmarker
from vdf_bench.parsers.network import load_parser
from vdf_bench.stages.capture import capture_frames
from vdf_bench.stages.load import load_clip


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    """Every test here."""


@pytest.fixture(scope="session")
def capture():
    clip = load_clip("synth-a", 64, 18)
    return capture_frames(clip.frames, clip.audio, load_parser("builtin"), load_landmarker(), "repair")
