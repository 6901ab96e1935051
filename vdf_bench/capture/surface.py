"""The rigid part of a face as a sheet of points: brows, nose, cheeks and forehead, without eyes, lips and jaw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Points on the sheet, about.
COUNT: Final = 900
#: How far it reaches above the brows, over the distance from brows to chin, and how deep a forehead bends back there.
FOREHEAD: Final = 0.5
BEND: Final = 0.5
#: Landmarks that lie on it: ends of the contour, brows, nose, corners of eyes and mouth.
_ANCHORS: Final = np.r_[0:3, 14:36, 36, 39, 42, 45, 48, 54]
_EYES: Final = (slice(36, 42), slice(42, 48))


def rigid_sheet(face: Array) -> tuple[Array, Array]:
    """Points and outward normals (N, 3) twice, on the surface through the landmarks (68, 3), head units.

    Raises:
        ValueError: the landmarks span no face.
    """
    from scipy.interpolate import RBFInterpolator

    brow, chin, nose = face[17:27, 1].mean(), face[8, 1], face[31:36, 1].mean()
    height, middle, half = brow - chin, (face[0, 0] + face[16, 0]) / 2, (face[16, 0] - face[0, 0]) / 2
    low, high = nose - 0.05 * height, brow + FOREHEAD * height
    if not np.isfinite(face).all() or min(half, height, high - low) < 0.1:
        raise ValueError("landmarks span no face")
    step = np.sqrt(2 * half * (high - low) / COUNT)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(-half, half, step), np.arange(low, high, step)))
    rise = np.clip((y - brow) / (FOREHEAD * height), 0, None)
    keep = (np.abs(x) < 0.92 * half) & ((x / half) ** 2 + rise**2 < 0.9)
    x += middle
    for eye in _EYES:
        (across, up, _), width = face[eye].mean(axis=0), np.ptp(face[eye, 0]) / 2
        keep &= ((x - across) / (1.3 * width)) ** 2 + ((y - up) / (0.8 * width)) ** 2 > 1
    flat = np.stack([x, y], 1)[keep]

    # No landmark lies on the forehead.
    brows = face[17:27:2]
    forehead = brows + np.array([0, 1, -BEND * FOREHEAD]) * FOREHEAD * height
    anchors = np.concatenate([face[_ANCHORS], forehead])
    depth = RBFInterpolator(anchors[:, :2], anchors[:, 2], smoothing=1e-2)
    slope = [(depth(flat + nudge) - depth(flat - nudge)) / (2 * step) for nudge in np.eye(2) * step]
    normal = np.stack([-slope[0], -slope[1], np.ones(len(flat))], 1)
    return np.column_stack([flat, depth(flat)]), normal / np.linalg.norm(normal, axis=1, keepdims=True)
