"""What is timed runs on one thread; sizes that take long are left out where benchmarks are disabled."""

from __future__ import annotations

from functools import cache

import pytest

from vdf_bench.core import registry
from vdf_bench.models.landmarker import load_landmarker
from vdf_bench.parsers.network import load_parser
from vdf_bench.stages.capture import capture_frames

SIZES = (64, 128, 256)
#: Of the captured clip, where timed and where not: two thirds are trained on, the rest is held out.
FRAMES, FEW_FRAMES = 60, 12


def timed(config):
    """Whether benchmarks are enabled; else each runs once, to see that it works."""
    return config.option.benchmark_enable or not config.option.benchmark_disable


def pytest_generate_tests(metafunc):
    if "capture_size" in metafunc.fixturenames:
        metafunc.parametrize("capture_size", SIZES if timed(metafunc.config) else SIZES[:1])


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    """Every test here."""


@pytest.fixture(scope="session")
def captures(request):
    """A function from a size to the capture of ``synth-a`` at that size, made once."""

    frames = FRAMES if timed(request.config) else FEW_FRAMES

    @cache
    def capture_of(size):
        clip = registry.create("clips", "synth").load("synth-a", size, frames)
        return capture_frames(clip.frames, clip.audio, load_parser("builtin"), load_landmarker(), "repair")

    return capture_of


@pytest.fixture
def capture(captures, capture_size):
    return captures(capture_size)
