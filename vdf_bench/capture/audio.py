"""Sound as log-mel: 80 bins, 100 steps a second, in 16-step windows a frame, as pipelines of this family take it.

What the mouth does to such sound is :mod:`vdf_bench.capture.mouth`'s to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.clip import FPS, SAMPLE_RATE

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MEL_BINS: Final = 80
MEL_RATE: Final = 100
#: Steps in the window of one frame: 160 ms around its middle.
WINDOW: Final = 16
#: Analysis window in samples (50 ms) and frequency range, Hz, as lip-sync experts take them.
FFT: Final = 800
FREQUENCIES: Final = (55.0, 7600.0)
#: Sound is brought to this root mean square; below SILENCE there is nothing to bring up.
LOUDNESS: Final = 0.05
SILENCE: Final = 1e-4
#: Power below which a mel bin is zero; each unit of the log-mel above it is two decades.
FLOOR: Final = 1e-4


def mel_filters() -> Array:
    """(80, FFT // 2 + 1) triangular filters of equal height, evenly spaced on the mel scale."""
    low, high = (2595 * np.log10(1 + f / 700) for f in FREQUENCIES)
    edges = 700 * (10 ** (np.linspace(low, high, MEL_BINS + 2) / 2595) - 1)
    grid = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE)
    rising = (grid - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - grid) / np.diff(edges)[1:, None]
    return np.asarray(np.minimum(rising, falling).clip(0, None))


def log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) mono at 16 kHz to (M, 80) at 100 Hz, M = N // 160 + 1, step i centred on sample 160 i; silence is zero.

    The clip's loudness is normalised, so the same words recorded more softly give the same features.
    """
    hop = SAMPLE_RATE // MEL_RATE
    steps = len(audio) // hop + 1
    loudness = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0
    if loudness < SILENCE:
        return np.zeros((steps, MEL_BINS), np.float32)
    # Mirrored ends: a frame at the edge would otherwise look half silent.
    padded = np.pad(audio.astype(np.float64) * (LOUDNESS / loudness), FFT // 2, mode="symmetric")
    framed = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::hop][:steps]
    power = np.abs(np.fft.rfft(framed * np.hanning(FFT), axis=1)) ** 2
    mel = power @ mel_filters().T
    return np.asarray(np.log10(np.maximum(mel, FLOOR) / FLOOR) / 2, dtype=np.float32)


def mel_windows(audio: NDArray[np.float32], count: int, fps: Fraction = FPS) -> NDArray[np.float32]:
    """(count, 16, 80) log-mel windows centred on the middle of each video frame; the sound's ends are held."""
    mel = log_mel(audio)
    middle = (np.arange(count) + 0.5) * MEL_RATE / float(fps)
    first = np.round(middle - (WINDOW - 1) / 2).astype(int)
    index = first[:, None] + np.arange(WINDOW)
    return np.asarray(mel[index.clip(0, len(mel) - 1)])
