"""What a field is trained towards: target frames, what stands behind them, masks, and where to look closely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.capture import Capture
    from vdf_bench.interfaces import Target

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
        mouth, eyes: (A, S, S) bool boxes around the lips, and around both eyes.
    """

    frames: NDArray[np.int64]
    rgb: NDArray[np.uint8]
    backdrop: NDArray[np.uint8]
    head: NDArray[np.bool_] | None
    mouth: NDArray[np.bool_]
    eyes: NDArray[np.bool_]

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
    mouth = boxes(marks[:, _MOUTH], capture.size, 0.2)
    eyes = boxes(marks[:, _LEFT_EYE], capture.size, 0.3) | boxes(marks[:, _RIGHT_EYE], capture.size, 0.3)
    return Targets(frames, rgb, backdrop, head, mouth, eyes)


def boxes(points: NDArray[np.float32], size: int, margin: float) -> NDArray[np.bool_]:
    """(A, S, S) masks of the boxes around points (A, N, 2), widened on each side by ``margin`` of their width."""
    low, high = points.min(1), points.max(1)
    pad = margin * (high - low)[:, :1] + 1
    low, high = low - pad, high + pad
    centre = np.arange(size, dtype=np.float32) + 0.5
    across = (centre >= low[:, :1]) & (centre <= high[:, :1])
    down = (centre >= low[:, 1:]) & (centre <= high[:, 1:])
    return np.asarray(down[:, :, None] & across[:, None, :])
