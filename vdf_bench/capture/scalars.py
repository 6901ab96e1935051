"""Eye and mouth scalars from landmarks: what drives a clone besides pose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: iBUG indices (zero-based): upper and lower inner lip, mouth corners, outer eye corners.
_UPPER_LIP: Final = (61, 62, 63)
_LOWER_LIP: Final = (67, 66, 65)
_MOUTH_CORNERS: Final = (48, 54)
_OUTER_EYES: Final = (36, 45)
#: Outer corner, two upper points, inner corner, two lower points of either eye.
_EYES: Final = ((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46))


def _distance(points: NDArray[np.float32], a: int, b: int) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=-1), dtype=np.float32)


def interocular(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) distance between the outer eye corners of (T, 68, 2) landmarks, pixels, at least 1."""
    return np.maximum(_distance(points, *_OUTER_EYES), np.float32(1))


def mouth_scalars(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, 2): inner-lip opening (mean of three pairs) and mouth width, both over the inter-ocular distance."""
    gaps = [_distance(points, up, low) for up, low in zip(_UPPER_LIP, _LOWER_LIP, strict=True)]
    opening, width = np.mean(gaps, axis=0), _distance(points, *_MOUTH_CORNERS)
    return np.asarray(np.stack([opening, width], axis=1) / interocular(points)[:, None], dtype=np.float32)


def eye_scalar(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) eye aspect ratio (Soukupová and Čech, 2016): opening over width, mean of both eyes."""
    ratios = []
    for outer, up1, up2, inner, low2, low1 in _EYES:
        opening = (_distance(points, up1, low1) + _distance(points, up2, low2)) / 2
        ratios.append(opening / np.maximum(_distance(points, outer, inner), np.float32(1)))
    return np.asarray(np.mean(ratios, axis=0), dtype=np.float32)
