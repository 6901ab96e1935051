"""Mel-frequency cepstral coefficients as SyncNet learnt them (the defaults of ``python_speech_features``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE: Final = 16_000
#: Frame length and step, samples: 25 ms every 10 ms.
LENGTH: Final = 400
STEP: Final = 160
FFT: Final = 512
FILTERS: Final = 26
COUNT: Final = 13
LIFTER: Final = 22
PREEMPHASIS: Final = 0.97


def cepstra(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """(13, N) coefficients, 100 a second; the first is the log energy of the frame.

    Args:
        audio: (M,) mono in [-1, 1] at 16 kHz.
    """
    from scipy.fft import dct

    if not len(audio):
        return np.zeros((COUNT, 0))
    signal = np.asarray(audio, np.float64) * 32768  # 16-bit levels
    signal = np.concatenate([signal[:1], signal[1:] - PREEMPHASIS * signal[:-1]])
    count = 1 + max(int(np.ceil((len(signal) - LENGTH) / STEP)), 0)
    padded = np.concatenate([signal, np.zeros(max((count - 1) * STEP + LENGTH - len(signal), 0))])
    frames = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)[: count * STEP : STEP]
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2 / FFT
    tiny = np.finfo(float).eps
    bands = power @ filter_bank().T
    found = dct(np.log(np.where(bands == 0, tiny, bands)), type=2, axis=1, norm="ortho")[:, :COUNT]
    found *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COUNT) / LIFTER)
    energy = power.sum(1)
    found[:, 0] = np.log(np.where(energy == 0, tiny, energy))
    result: NDArray[np.float64] = found.T
    return result


def filter_bank() -> NDArray[np.float64]:
    """(26, 257) triangles, evenly spaced in mel from 0 to 8 kHz, with corners on bins of the spectrum."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, FILTERS + 2) / 2595) - 1)
    corner = np.floor((FFT + 1) * hertz / RATE)
    bins = np.arange(FFT // 2 + 1)
    bank = np.zeros((FILTERS, FFT // 2 + 1))
    for row, (low, mid, high) in zip(bank, zip(corner, corner[1:], corner[2:], strict=False), strict=False):
        up, down = (bins >= low) & (bins < mid), (bins >= mid) & (bins < high)
        row[up] = (bins[up] - low) / (mid - low)
        row[down] = (high - bins[down]) / (high - mid)
    return bank
