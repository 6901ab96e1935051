"""Makes portrait videos of any shape: a rendered head, where asked on a wider picture."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.protection import Order, measure, protect_file

if TYPE_CHECKING:
    from pathlib import Path

EDGE = 96


@pytest.fixture(scope="session")
def head() -> np.ndarray:
    """(24, 96, 96, 3) uint8: a rendered head that speaks."""
    return registry.create("clips", "synth").load("synth-a", size=EDGE, frames=64).frames[:24]


def portrait(
    path: Path,
    head: np.ndarray,
    count: int = 24,
    size: tuple[int, int] = (EDGE, EDGE),
    at: tuple[int, int] = (0, 0),
    times: list[int] | None = None,
    rotation: int = 0,
    mirror: bool = False,
    sound: str = "aac",
    pixels: tuple[int, int] = (1, 1),
) -> Path:
    """Write ``count`` frames of ``size`` as stored, the head at ``at`` (left, top) of the picture as shown.

    Args:
        path: where to.
        head: frames of it, played over and over.
        count: of frames.
        size: stored width and height.
        at: where the head's corner is.
        times: milliseconds of each frame; 25 fps by default.
        rotation: degrees counter-clockwise that a player turns the picture by.
        mirror: it mirrors it too.
        sound: codec; empty for none.
        pixels: shape of a stored pixel.
    """
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "my living room"
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = *size, "yuv420p" if size[0] % 2 == 0 else "yuv444p"
        video.options = {"crf": "12", "preset": "ultrafast"}
        video.codec_context.sample_aspect_ratio = Fraction(*pixels)
        video.codec_context.time_base = Fraction(1, 1000)
        video.codec_context.thread_count = 1
        if rotation:
            video.set_display_rotation(rotation, hflip=mirror)
        voice = container.add_stream(sound, rate=44100, layout="stereo") if sound else None
        shown = size if rotation % 180 == 0 else size[::-1]
        for step in range(count):
            picture = np.full((shown[1], shown[0], 3), (90, 110, 130), np.uint8)
            target = picture[at[1] : at[1] + EDGE, at[0] : at[0] + EDGE]
            target[:] = head[step % len(head)][: target.shape[0], : target.shape[1]]
            stored = np.ascontiguousarray(np.rot90(picture, -rotation // 90))
            frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
            frame.pts, frame.time_base = (times[step] if times else 40 * step), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if voice is not None:
            seconds = (times[-1] / 1000 if times else count / 25) + 0.04
            tone = 0.5 * np.sin(np.arange(round(seconds * 44100)) / 16).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 44100, 0
            container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
    return path


@pytest.fixture
def protect(monkeypatch):
    """Protects with noise at 12 levels, looks at two frames only, and says nothing."""
    monkeypatch.setattr(measure, "SAMPLES", 2)

    def call(video, out, tell=lambda *_: None, **choices):
        choices = {"defense": "noise", "budget": Budget(12 / 255), **choices}
        return protect_file(Order(video=video, out=out, **choices), tell)

    return call
