"""How a speaker moves: head turns, blinks, gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _wander(time: NDArray[np.float64], hertz: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """A sum of slow sinusoids within [-1, 1]."""
    weights = rng.uniform(0.4, 1.0, len(hertz))
    waves = [
        w * np.sin(2 * np.pi * h * rng.uniform(0.8, 1.2) * time + rng.uniform(0, 6.3))
        for w, h in zip(weights, hertz, strict=True)
    ]
    return np.asarray(np.sum(waves, 0) / weights.sum())


def head_motion(frames: int, rng: np.random.Generator, fps: float = 25.0, reach: float = 20.0) -> NDArray[np.float64]:
    """Yaw, pitch and roll [radians] and offsets to the right and up [head units]: (T, 5).

    Mostly small sways, now and then a turn towards ``reach`` degrees of yaw.
    """
    time = np.arange(frames) / fps
    yaw = _wander(time, (0.13, 0.31, 0.83), rng)
    yaw = np.radians(reach) * np.sign(yaw) * np.abs(yaw) ** 1.15
    pitch = np.radians(7) * _wander(time, (0.21, 0.55, 1.3), rng)
    roll = np.radians(4) * _wander(time, (0.17, 0.45), rng)
    right, up = 0.07 * _wander(time, (0.11, 0.4), rng), 0.035 * _wander(time, (0.19, 0.7), rng)
    return np.stack([yaw, pitch, roll, right, up], 1)


def blinks(frames: int, rng: np.random.Generator, fps: float = 25.0) -> NDArray[np.float32]:
    """Lid closure (T,) in [0, 1]: one blink of a quarter second every two to five seconds."""
    closure = np.zeros(frames, np.float32)
    shape = np.array([0.45, 1.0, 1.0, 0.6, 0.25], np.float32)
    at = int(rng.uniform(0.2, 1.5) * fps)
    while at < frames:
        end = min(at + len(shape), frames)
        closure[at:end] = shape[: end - at]
        at += int(rng.uniform(2.0, 5.0) * fps)
    return closure


def gazes(motion: NDArray[np.float64], rng: np.random.Generator, fps: float = 25.0) -> NDArray[np.float64]:
    """Gaze (T, 2) to the right and up in [-1, 1]: the eyes stay with the camera, with a saccade now and then."""
    frames = len(motion)
    drift = np.zeros((frames, 2))
    at = 0
    while at < frames:
        length = int(rng.uniform(0.4, 2.0) * fps)
        drift[at : at + length] = rng.normal(0, (0.22, 0.12))
        at += length
    towards = np.stack([-1.6 * motion[:, 0], -1.6 * motion[:, 1]], 1)
    return np.clip(towards + drift, -1, 1)
