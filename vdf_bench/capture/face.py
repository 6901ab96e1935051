"""Where the face is in a picture of any shape: decides the square crop of a video file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.capture.landmarks import MIN_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import LandmarkModel

    Box = tuple[float, float, float, float]


def face_finder(landmarker: LandmarkModel) -> Callable[[NDArray[np.uint8]], Box | None]:
    """A function from (H, W, 3) uint8 RGB to the face's (left, top, right, bottom) in pixels, or None without a face.

    The landmarker sees squares, so the longer side is looked at in overlapping windows; the surest one wins.
    """

    def find(frame: NDArray[np.uint8]) -> Box | None:
        height, width = frame.shape[:2]
        edge = min(height, width)
        starts = np.unique(
            np.linspace(0, max(height, width) - edge, 2 * -(-max(height, width) // edge) - 1).astype(int)
        )
        corners = [(0, start) if width >= height else (start, 0) for start in starts]
        windows = np.stack([frame[top : top + edge, left : left + edge] for top, left in corners])
        points, scores = landmarker.detect(windows)
        best = int(scores.argmax())
        if scores[best] < MIN_SCORE:
            return None
        found = points[best] + np.array(corners[best][::-1], np.float32)
        left, top = found.min(0)
        right, bottom = found.max(0)
        return float(left), float(top), float(right), float(bottom)

    return find
