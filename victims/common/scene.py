"""Where the head is: a box in head space, found from landmarks and, where they are plausible, from head masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.core.interfaces import FitFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.clip import Pose

_CHIN, _BROWS, _JAW = 8, slice(17, 27), (0, 16)


@dataclass(frozen=True)
class Scene:
    """The head's place in head space.

    Attributes:
        low, high: (3,) float32 corners of a box that holds all of the head (face, hair, ears).
        centre, radii: (3,) float32, an ellipsoid near its surface.
        landmarks: (68, 3) float32, mean landmarks laid onto the ellipsoid.
        unit: size of this head against the standard one (face height 1.4 between brows and chin).
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    centre: NDArray[np.float32]
    radii: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    unit: float


def unproject(pixels: NDArray[np.float32], pose: Pose, index: int, size: int) -> NDArray[np.float32]:
    """Lift pixels (N, 2) of frame ``index`` to head points (N, 3) in the plane of constant depth through the origin."""
    depth = pose.translation[index, 2]
    ray = np.concatenate([(pixels - size / 2) / pose.focal, np.ones((len(pixels), 1))], axis=1)
    return np.asarray((ray * depth - pose.translation[index]) @ pose.rotation[index], np.float32)


def find_scene(capture: Capture, frames: NDArray[np.int64]) -> Scene:
    """Box and ellipsoid of the head over training frames.

    Landmarks set the scale, so that a capture fitted with another mean face still fits; masks may widen the
    box (hair), never shrink it, so that a poisoned mask cannot cut the head off.

    Args:
        capture: landmarks, pose and labels are read.
        frames: (A,) frames to look at; the most frontal half decides.

    Raises:
        FitFailed: a landmark, pose or driving scalar is not finite.
    """
    pose = capture.pose
    read = (capture.landmarks, pose.rotation, pose.translation, capture.mouth, capture.eyes)
    if not all(np.isfinite(array[frames]).all() for array in read):
        raise FitFailed("diverged", "nan@capture")
    # A frontal head looks at the camera: third column of the rotation near (0, 0, -1).
    facing = -capture.pose.rotation[frames, 2, 2]
    frontal = frames[np.argsort(-facing, kind="stable")[: max(1, (len(frames) + 1) // 2)]]
    lifted = np.stack([unproject(capture.landmarks[i], capture.pose, int(i), capture.size) for i in frontal])
    flat = np.median(lifted, axis=0)
    chin, brow = flat[_CHIN, 1], flat[_BROWS, 1].mean()
    height = max(float(brow - chin), 1e-3)
    unit = height / 1.4
    middle = float(flat[_JAW, 0].mean())
    half = max(float(np.ptp(flat[_JAW, 0])) / 2, 0.4 * height)
    low = np.array([middle - 1.45 * half, chin - 0.22 * height, -0.93 * height])
    high = np.array([middle + 1.45 * half, brow + 0.95 * height, 0.93 * height])

    # Extents of the masks, from frames where they are at least as large as half a face.
    least = 0.3 * height * 2 * half * (capture.pose.focal / np.median(capture.pose.translation[frontal, 2])) ** 2
    head = capture.head[frontal[:: max(1, len(frontal) // 24)]]
    seen = []
    for i, mask in zip(frontal[:: max(1, len(frontal) // 24)], head, strict=True):
        rows, columns = np.nonzero(mask)
        if len(rows) >= least:
            pixels = np.stack([columns, rows], 1).astype(np.float32) + 0.5
            points = unproject(pixels, capture.pose, int(i), capture.size)
            seen.append(np.quantile(points[:, :2], [0.005, 0.995], axis=0))
    top = brow + 0.75 * height
    if seen:
        extent = np.median(np.stack(seen), axis=0)
        margin = 0.08 * height
        reach = np.array([2.2 * half, 1.3 * height])
        centre = np.array([middle, (brow + chin) / 2])
        wide_low = np.maximum(extent[0] - margin, centre - reach - [0, 0.3 * height])
        wide_high = np.minimum(extent[1] + margin, centre + reach + [0, 0.3 * height])
        low[:2], high[:2] = np.minimum(low[:2], wide_low), np.maximum(high[:2], wide_high)
        top = min(max(float(extent[1, 1]), brow + 0.4 * height), float(high[1]))
    centre = np.array([middle, (top + chin) / 2, -0.08 * height])
    radii = np.array([1.12 * half, (top - chin) / 2, 0.68 * height])
    return Scene(
        low.astype(np.float32),
        high.astype(np.float32),
        centre.astype(np.float32),
        radii.astype(np.float32),
        onto_front(flat, centre, radii),
        unit,
    )


def onto_front(
    points: NDArray[np.floating[Any]], centre: NDArray[np.floating[Any]], radii: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Points (N, 3) with z moved to the front of the ellipsoid (its rim where they lie beside it)."""
    flat = (points[:, :2] - centre[:2]) / radii[:2]
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = flat / np.maximum(1.0, length / 0.97)
    z = np.sqrt(1 - (flat**2).sum(1, keepdims=True))
    return np.asarray(np.concatenate([flat, z], 1) * radii + centre, np.float32)
