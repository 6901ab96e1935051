"""Sound: log-mel windows, and what a frozen linear map reads of the mouth in them.

Pipelines of this family feed 16-step windows of a frozen speech network to the field. Here the features are an own
80-bin log-mel, and a ridge regression per clip, fitted on the training frames' landmarks, turns them into the mouth
scalars that drive a clone from sound alone. How well it does is recorded (``audio_r``), never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.clip import FPS, SAMPLE_RATE

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
#: Ridge strengths that are tried, over the mean square of the features.
RIDGES: Final = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
#: Windows that are tried, as frames about the predicted one: long clips can afford context (and lips that lag).
CONTEXTS: Final = ((0,), (-4, 0, 4))
FOLDS: Final = 6


@dataclass(frozen=True)
class MouthFromSound:
    """The audio-to-mouth map at work.

    Attributes:
        mouth: (T, 2) float32, opening and width in the units of the scalars, variance matched. Training frames hold
            what the map says of them when their block was left out of the fit: no better than on unseen frames.
        trace: ``audio_r`` and ``audio_r_width``, correlation of those out-of-block predictions with the landmarks.
    """

    mouth: NDArray[np.float32]
    trace: dict[str, float]


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


def mouth_from_sound(mel: NDArray[np.float32], mouth: NDArray[np.float32], train: NDArray[np.int64]) -> MouthFromSound:
    """Fit the ridge on training frames and predict the mouth of every frame.

    Args:
        mel: (T, 16, 80) windows.
        mouth: (T, 2) scalars from landmarks; only those of ``train`` are looked at.
        train: (A,) frame indices with trustworthy landmarks, ascending.
    """
    target = mouth[train].astype(np.float64)
    mean, spread = target.mean(axis=0), target.std(axis=0)
    if len(train) < 2 * FOLDS or not mel[train].any():
        flat = np.broadcast_to(mean.astype(np.float32), mouth.shape).copy()
        return MouthFromSound(flat, {"audio_r": 0.0, "audio_r_width": 0.0})

    trials = []
    for context in CONTEXTS:
        features = _features(mel, context)
        features -= features[train].mean(axis=0)
        folds = _folds(train, gap=WINDOW * int(FPS) // MEL_RATE + max(context) - min(context))
        for ridge in RIDGES:
            guess = _out_of_fold(features[train], target - mean, folds, ridge)
            error = float(((guess - target + mean) ** 2 / spread.clip(1e-9) ** 2).mean())
            trials.append((error, ridge, features, guess))
    _, ridge, features, guess = min(trials, key=lambda trial: trial[0])

    predicted = features @ _ridge(features[train], target - mean, ridge)
    predicted[train] = guess
    matched = mean + (predicted - guess.mean(axis=0)) * spread / guess.std(axis=0).clip(1e-9)
    r = [_correlation(guess[:, k], target[:, k]) for k in range(2)]
    return MouthFromSound(matched.astype(np.float32), {"audio_r": r[0], "audio_r_width": r[1]})


def _features(mel: NDArray[np.float32], context: tuple[int, ...]) -> Array:
    """(T, K) windows at half the resolution in time and frequency, of the frames at ``context`` from each."""
    count = len(mel)
    pooled = mel.astype(np.float64).reshape(count, WINDOW // 2, 2, MEL_BINS // 2, 2).mean(axis=(2, 4))
    index = (np.arange(count)[:, None] + np.array(context)).clip(0, count - 1)
    return np.asarray(pooled.reshape(count, -1)[index].reshape(count, -1))


def _folds(train: NDArray[np.int64], gap: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions to fit on and to predict, block by block; frames within ``gap`` of the block are left out."""
    out = []
    for block in np.array_split(np.arange(len(train)), FOLDS):
        low, high = train[block[0]] - gap, train[block[-1]] + gap
        out.append((np.nonzero((train < low) | (train > high))[0], block))
    return out


def _out_of_fold(
    features: Array, target: Array, folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]], ridge: float
) -> Array:
    guess = np.zeros_like(target)
    for fit, block in folds:
        if len(fit):
            guess[block] = features[block] @ _ridge(features[fit], target[fit], ridge)
    return guess


def _ridge(features: Array, target: Array, ridge: float) -> Array:
    """Weights of a ridge regression through the origin, in its dual form: there are fewer frames than features.

    Both sides are centred on all training frames. Centring on each fit's own frames would tie a block's prediction to
    the others' mean, which pushes the correlation over blocks below zero where there is nothing to predict.
    """
    gram = features @ features.T
    strength = ridge * np.trace(gram) / len(gram) + 1e-9
    return np.asarray(features.T @ np.linalg.solve(gram + strength * np.eye(len(gram)), target))


def _correlation(a: Array, b: Array) -> float:
    """Pearson's r; 0 where either does not vary."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 1e-12 else 0.0
