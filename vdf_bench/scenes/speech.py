"""Synthesised speech: a random sequence of phonemes heard as formants and seen as visemes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.clip import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Phoneme: mouth opening in [0, 1], mouth width in [-1, 1], first and second formant [Hz], voicing, frication,
#: probability. Formants after Peterson and Barney (1952), rounded.
PHONEMES = {
    "pause": (0.00, 0.0, 400, 1400, 0.0, 0.0, 0.07),
    "a": (1.00, 0.1, 750, 1200, 1.0, 0.0, 0.20),
    "e": (0.55, 0.6, 500, 1900, 0.9, 0.0, 0.15),
    "i": (0.28, 0.9, 300, 2300, 0.8, 0.0, 0.12),
    "o": (0.70, -0.6, 500, 900, 0.9, 0.0, 0.13),
    "u": (0.32, -1.0, 320, 800, 0.7, 0.0, 0.10),
    "m": (0.00, 0.0, 250, 1000, 0.25, 0.0, 0.12),
    "f": (0.12, 0.2, 400, 1400, 0.0, 0.5, 0.06),
    "s": (0.18, 0.5, 400, 1600, 0.0, 0.8, 0.05),
}
#: The voice glides from target to target over about this long, the slower lips over the other, seconds.
GLIDE = 0.09
LIP_GLIDE = 0.20


def _smooth(tracks: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    window = np.hanning(int(seconds * SAMPLE_RATE))
    window /= window.sum()
    padded = np.pad(tracks, ((len(window), len(window)), (0, 0)), "edge")
    smooth = np.stack([np.convolve(padded[:, k], window, "same") for k in range(tracks.shape[1])], 1)
    return smooth[len(window) : -len(window)]


def synthesise(frames: int, seed: int, fps: float = 25.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Speech of ``frames`` video frames.

    Args:
        frames: video frames.
        seed: of the phoneme sequence and the voice.
        fps: video rate.

    Returns:
        audio (N,) float32 mono at 16 kHz in [-1, 1], N = frames / fps seconds; and mouth (T, 2) float32: opening in
        [0, 1] and width in [-1, 1] at the middle of each frame.
    """
    rng = np.random.default_rng([seed, 16])
    count = round(frames / fps * SAMPLE_RATE)
    rows = np.array(list(PHONEMES.values()))
    odds = rows[:, 6] / rows[:, 6].sum()
    tracks = np.zeros((count, 6))
    start = 0
    while start < count:
        length = int(rng.uniform(0.09, 0.24) * SAMPLE_RATE)
        tracks[start : start + length] = rows[rng.choice(len(rows), p=odds), :6]
        start += length
    lips = _smooth(tracks[:, :2], LIP_GLIDE)
    tracks = _smooth(tracks, GLIDE)
    time = np.arange(count) / SAMPLE_RATE
    base = rng.uniform(95, 210)
    pitch = base * (
        1 + 0.12 * np.sin(2 * np.pi * 0.6 * time + rng.uniform(0, 6)) + 0.05 * np.sin(2 * np.pi * 1.7 * time)
    )
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    wave = np.zeros(count)
    for harmonic in range(1, int(3600 / base) + 1):
        hertz = harmonic * pitch
        gain = np.exp(-(((hertz - tracks[:, 2]) / 140) ** 2)) + 0.6 * np.exp(-(((hertz - tracks[:, 3]) / 200) ** 2))
        wave += tracks[:, 4] * gain * np.sin(harmonic * phase)
    hiss = rng.normal(0, 1, count)
    wave += 0.5 * tracks[:, 5] * np.diff(hiss, prepend=0.0) + 0.004 * hiss
    audio = 0.6 * wave / max(float(np.abs(wave).max()), 1e-9)
    middle = np.minimum(((np.arange(frames) + 0.5) / fps * SAMPLE_RATE).astype(np.int64), count - 1)
    mouth = np.clip(lips[middle], (0.0, -1.0), (1.0, 1.0))
    return audio.astype(np.float32), mouth.astype(np.float32)
