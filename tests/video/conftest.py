"""Makes the videos of these tests: nothing binary is kept in the repository."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30)


def picture(width: int, height: int, step: int = 0) -> np.ndarray:
    """A square that moves right over four coloured quadrants: red, green over blue, yellow."""
    out = np.empty((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    out[:top, :left], out[:top, left:], out[top:, :left], out[top:, left:] = RED, GREEN, BLUE, YELLOW
    x = (step * 2) % (width - 8)
    out[top - 4 : top + 4, x : x + 8] = 255
    return out


def encode(
    path: Path,
    count: int = 70,
    size: tuple[int, int] = (96, 96),
    fps: Fraction | int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: list[float] | None = None,
    rotation: int | None = None,
    sound: float = 0.0,
    sound_at: float = 0.0,
    tags: tuple[int, int] | None = None,
    still: bool = False,
    combed: bool = False,
) -> Path:
    """Write ``count`` test pictures; ``times`` gives them seconds of their own, ``tags`` colour space and range."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=fps)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.options = options or {}
        context = video.codec_context
        context.thread_count = 1
        if times:
            context.time_base = Fraction(1, 1000)
        if rotation is not None:
            video.set_display_rotation(rotation)
        if tags:
            context.colorspace, context.color_range = tags
        if sound:
            audio = container.add_stream("mp2" if path.suffix == ".mpg" else "aac", rate=44100, layout="stereo")
        for step in range(count):
            shown = picture(*size, 0 if still else step)
            if combed:  # four times as fast, and the lower field half a frame later
                shown = picture(*size, 4 * step)
                shown[1::2] = picture(*size, 4 * step + 2)[1::2]
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            if tags:
                frame = frame.reformat(format=pix_fmt, dst_colorspace=tags[0], dst_color_range=tags[1])
            if times:
                frame.pts, frame.time_base = round(times[step] * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound:
            tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(sound * 44100)) / 44100).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 44100, round(sound_at * 44100)
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ordinary clip: 70 frames of 96x96 at 25 fps, with 2.8 s of sound."""
    return encode(tmp_path_factory.mktemp("video") / "plain.mp4", sound=2.8)
