"""The sound of a video as 16 kHz mono, aligned with its first frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np

from vdf_bench.core.clip import SAMPLE_RATE
from vdf_bench.video.decode import open_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def load_audio(path: Path, origin: float, seconds: float) -> tuple[NDArray[np.float32], list[str]]:
    """Decode the sound under a span of video.

    Args:
        path: video file.
        origin: time of the first video frame on the file's clock, seconds.
        seconds: length of the span.

    Returns:
        (N,) float32 mono in [-1, 1] at 16 kHz, ``N = round(seconds * 16000)``, padded with silence where the sound
        starts late or ends early; empty where there is none. And notes on how it was handled.
    """
    count = round(seconds * SAMPLE_RATE)
    audio = np.zeros(count, np.float32)
    with open_video(path) as source:
        streams = source.container.streams.audio
        if not streams:
            return np.zeros(0, np.float32), ["no sound: audio-driven steps follow the landmarks"]
        position: int | None = None
        end = 0
        try:
            for start, samples in _resampled(source.container, streams[0]):
                if position is None:
                    position = round((start - origin) * SAMPLE_RATE)
                first, last = max(position, 0), min(position + len(samples), count)
                if first < last:
                    audio[first:last] = samples[first - position : last - position]
                    end = last
                position += len(samples)
                if position >= count:
                    break
        except av.error.FFmpegError as error:
            return np.zeros(0, np.float32), [f"the sound cannot be decoded ({error.strerror}): taken as no sound"]
    if not end:
        return np.zeros(0, np.float32), ["the sound does not overlap the picture: taken as no sound"]
    notes = [f"sound ends {(count - end) / SAMPLE_RATE:.2f} s before the picture: padded with silence"]
    return np.clip(audio, -1, 1), notes if count - end > SAMPLE_RATE // 10 else []


def _resampled(container: Any, stream: Any) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Yield (time of the first sample of the stream, mono samples at 16 kHz)."""
    # Channels are averaged here: FFmpeg's own mix to mono adds up to sqrt(2) and would clip.
    resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
    start: float | None = None
    for frame in container.decode(stream):
        if start is None:
            start = frame.time or 0.0
        for piece in resampler.resample(frame):
            yield start, piece.to_ndarray().mean(axis=0)
    for piece in resampler.resample(None):
        yield start or 0.0, piece.to_ndarray().mean(axis=0)
