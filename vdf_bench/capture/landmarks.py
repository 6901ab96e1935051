"""68 landmarks a frame, and what happens where no face is found (task 7 of RAD-NeRF's ``process.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.interfaces import CaptureRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Policy
    from vdf_bench.core.clip import Split
    from vdf_bench.core.interfaces import LandmarkModel

#: Below this score a frame counts as face-less.
MIN_SCORE: Final = 0.5


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of a clip.

    Attributes:
        points: (T, 68, 2) float32 pixels (x, y); copied from the nearest valid frame where ``valid`` is False.
        valid: (T,) bool, whether a face was found.
        trace: ``detection_rate``.
    """

    points: NDArray[np.float32]
    valid: NDArray[np.bool_]
    trace: dict[str, float]


def detect_landmarks(frames: NDArray[np.uint8], landmarker: LandmarkModel, policy: Policy = "repair") -> Landmarks:
    """Find landmarks and deal with face-less frames.

    The stock pipelines stop at the first one (``len(None)``). An attacker repairs that in a line, by the neighbour's
    landmarks or by leaving the frame out, so a stop is not yet protection.

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        landmarker: finds the points.
        policy: ``strict`` refuses; ``repair`` and ``drop`` fill from the nearest valid frame, the earlier one of two
            (``drop`` then leaves the frame out of training: :func:`usable`).

    Raises:
        CaptureRefused: ``no_face@frame k`` under ``strict``; ``no_face@all frames`` under any policy.
    """
    points, score = landmarker.detect(frames)
    if points.shape != (len(frames), 68, 2) or score.shape != (len(frames),):
        raise ValueError(f"a landmarker must return (T, 68, 2) and (T,), got {points.shape} and {score.shape}")
    valid = (score >= MIN_SCORE) & np.isfinite(points).all(axis=(1, 2))
    if policy == "strict" and not valid.all():
        raise CaptureRefused(f"no_face@frame {int(np.argmin(valid))}")
    if not valid.any():
        raise CaptureRefused("no_face@all frames")
    repaired = points[nearest_valid(valid)].astype(np.float32)
    return Landmarks(repaired, valid, {"detection_rate": float(valid.mean())})


def nearest_valid(valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(T,) index of the valid frame nearest to each frame: itself where valid, the earlier one of two as near."""
    known = np.nonzero(valid)[0]
    distance = np.abs(np.arange(len(valid))[:, None] - known)
    return np.asarray(known[distance.argmin(axis=1)], dtype=np.int64)


def usable(split: Split, valid: NDArray[np.bool_], policy: Policy) -> Split:
    """The split to train on: ``drop`` takes face-less frames out of training and keeps their numbers (AD-NeRF).

    Held-out frames stay, so that every arm is judged on the same ones.

    Raises:
        CaptureRefused: ``no_face@training frames`` if nothing is left.
    """
    from vdf_bench.core.clip import Split

    if policy != "drop":
        return split
    train = split.train[valid[split.train]]
    if not len(train):
        raise CaptureRefused("no_face@training frames")
    return Split(train, split.heldout, split.blocks)
