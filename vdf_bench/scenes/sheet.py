"""Contact sheets: a clip and its ground truth at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.clip import Clip

#: One colour per CelebAMask-HQ class.
LABEL_COLOURS = np.array(
    [
        (0, 0, 0), (239, 190, 160), (120, 70, 30), (150, 95, 45), (40, 110, 220), (70, 160, 250), (250, 220, 40),
        (230, 140, 120), (200, 110, 100), (255, 255, 120), (250, 160, 130), (90, 10, 30), (215, 60, 80),
        (240, 100, 110), (190, 140, 230), (255, 200, 255), (60, 170, 120), (110, 60, 40), (160, 30, 160),
    ],
    np.uint8,
)  # fmt: skip


def _depth_picture(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Near is bright, no surface is black: (S, S, 3)."""
    seen = depth > 0
    if not seen.any():
        return np.zeros((*depth.shape, 3), np.uint8)
    near, far = np.percentile(depth[seen], (1, 95))
    bright = np.where(seen, 60 + 195 * np.clip((far - depth) / max(far - near, 1e-6), 0, 1), 0)
    return np.repeat(bright.astype(np.uint8)[..., None], 3, 2)


def _with_landmarks(frame: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The frame with its landmarks drawn as dots."""
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    radius = max(0.5, frame.shape[0] / 200)
    for x, y in points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(60, 255, 90))
    return np.asarray(image)


def contact_sheet(clip: Clip, columns: int = 6) -> NDArray[np.uint8]:
    """Frames spread over the clip; below each its landmarks, its parsing and its depth where they are known.

    Args:
        clip: what to show.
        columns: how many frames.

    Returns:
        (H, W, 3) uint8 RGB, ``columns`` frames wide.
    """
    picks = np.unique(np.linspace(0, len(clip) - 1, columns).round().astype(int))
    rows = [np.concatenate([clip.frames[t] for t in picks], 1)]
    truth = clip.truth
    if truth is not None:
        rows.append(np.concatenate([_with_landmarks(clip.frames[t], truth.landmarks[t]) for t in picks], 1))
        rows.append(np.concatenate([LABEL_COLOURS[truth.labels[t]] for t in picks], 1))
        if truth.depth is not None:
            rows.append(np.concatenate([_depth_picture(truth.depth[t]) for t in picks], 1))
    return np.concatenate(rows)
