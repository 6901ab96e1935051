"""What 68 landmarks (iBUG order) say of a face: scale, mouth shape, lip opening, and how lips follow lips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Ratios to a nearly still reference would grow without meaning.
RATIO_CAP: Final = 10.0
#: Outer corners of the eyes: the inter-ocular distance of 300-W.
OUTER_CORNERS: Final = (36, 45)
MOUTH: Final = slice(48, 68)
#: Upper and lower points of the inner lips.
INNER_UPPER: Final = (61, 62, 63)
INNER_LOWER: Final = (67, 66, 65)


def inter_ocular(points: NDArray[np.floating]) -> Floats:
    """Distance of the outer eye corners, (T,) pixels, at least 1."""
    left, right = OUTER_CORNERS
    distance = np.linalg.norm(np.asarray(points[:, left] - points[:, right], np.float64), axis=-1)
    clamped: Floats = np.maximum(distance, 1.0)
    return clamped


def normalised_error(points: NDArray[np.floating], reference: NDArray[np.floating]) -> Floats:
    """Mean distance of (T, 68, 2) landmarks to ``reference`` over its inter-ocular distance, (T,)."""
    distance = np.linalg.norm(np.asarray(points, np.float64) - reference, axis=-1)
    error: Floats = distance.mean(1) / inter_ocular(reference)
    return error


def lip_opening(points: NDArray[np.floating], scale: Floats) -> Floats:
    """Mean distance of the inner lips' three point pairs over ``scale`` (T,)."""
    gap = np.asarray(points[:, INNER_UPPER] - points[:, INNER_LOWER], np.float64)
    opening: Floats = np.linalg.norm(gap, axis=-1).mean(1) / scale
    return opening


def mouth_distance(points: NDArray[np.floating], reference: NDArray[np.floating], seen: NDArray[np.bool_]) -> Floats:
    """M-LMD of each frame, (T,): mouths centred on their means, in % of the reference's inter-ocular distance.

    Where ``seen`` is False the mouth counts as a single point.
    """
    mouth, true = (np.asarray(p[:, MOUTH], np.float64) for p in (points, reference))
    mouth = np.where(seen[:, None, None], mouth - mouth.mean(1, keepdims=True), 0.0)
    true = true - true.mean(1, keepdims=True)
    distance: Floats = 100 * np.linalg.norm(mouth - true, axis=-1).mean(1) / inter_ocular(reference)
    return distance


def centre_blocks(values: Floats, blocks: Iterable[NDArray[np.int64]]) -> Floats:
    """Remove each block's mean: what remains is motion, not a constant bias or drift between blocks."""
    centred = np.zeros_like(values)
    for block in blocks:
        centred[block] = values[block] - values[block].mean()
    return centred


def correlation(x: Floats, y: Floats, still: float = 1e-6) -> float:
    """Pearson correlation of centred series; 0 where either hardly moves (standard deviation below ``still``)."""
    if not len(x) or min(deviation(x), deviation(y)) < still:
        return 0.0
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def deviation(x: Floats) -> float:
    """Standard deviation of a centred series; 0 of none."""
    return float(np.sqrt(x @ x / len(x))) if len(x) else 0.0
