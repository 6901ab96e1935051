"""What a field is trained towards: target frames, what stands behind them, masks, and where to look closely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import Target

_MOUTH, _LEFT_EYE, _RIGHT_EYE = slice(48, 68), slice(36, 42), slice(42, 48)


@dataclass(frozen=True)
class Targets:
    """Training frames of one capture.

    Attributes:
        frames: (A,) int64 indices into the capture.
        rgb: (A, S, S, 3) uint8. ``composite``: head pixels over the backdrop, as the parsing mask has it
            (GaussianTalker's ``ori * head_mask + bg_w_torso * (1 - head_mask)``); ``full``: frames as they are.
        backdrop: (A, S, S, 3) uint8, torso over plate.
        head: (A, S, S) bool parsed head; None for ``full``, which asks no mask.
        mouth: (A, 4) int64 boxes around the lips: left, top, right, bottom pixel, the last two exclusive.
        eyes: (A, 2, 4) int64 boxes around each eye.
    """

    frames: NDArray[np.int64]
    rgb: NDArray[np.uint8]
    backdrop: NDArray[np.uint8]
    head: NDArray[np.bool_] | None
    mouth: NDArray[np.int64]
    eyes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)


def make_targets(capture: Capture, target: Target) -> Targets:
    """Targets on the training frames of ``capture``."""
    frames = capture.split.train
    backdrop = capture.backdrop(frames)
    head = None
    rgb = capture.frames[frames]
    if target == "composite":
        head = capture.head[frames]
        rgb = np.where(head[..., None], capture.gt[frames], backdrop)
    marks = capture.landmarks[frames]
    eyes = np.stack([boxes(marks[:, side], capture.size, 0.3) for side in (_LEFT_EYE, _RIGHT_EYE)], 1)
    return Targets(frames, rgb, backdrop, head, boxes(marks[:, _MOUTH], capture.size, 0.2), eyes)


def boxes(points: NDArray[np.float32], size: int, margin: float) -> NDArray[np.int64]:
    """(A, 4) pixel boxes around points (A, N, 2), widened on each side by ``margin`` of their width.

    Boxes lie inside the frame and hold at least one pixel, wherever a broken landmark may be.
    """
    low, high = points.min(1), points.max(1)
    pad = margin * (high - low)[:, :1] + 1
    start = np.clip(np.floor(low - pad), 0, size - 1)
    end = np.clip(np.ceil(high + pad), start + 1, size)
    return np.concatenate([start, end], 1).astype(np.int64)
