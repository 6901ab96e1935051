"""One thread, and a capture small enough to train on in seconds."""

from __future__ import annotations

import pytest
import torch

from vdf_bench.models.parser import load_parser
from vdf_bench.steps import capture_frames, load_clip


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def capture():
    clip = load_clip("synth-a", 64, 18)
    return capture_frames(clip.frames, clip.audio, load_parser("builtin"), "repair")
