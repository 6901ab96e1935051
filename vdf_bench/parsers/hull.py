"""Parsing without a parser: the convex hull of the landmarks is the head.

An adaptive attacker's answer to attacks on face parsing. It knows no cloth and no neck, so the torso belongs to the
plate; where the person's body moves, that shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.cards import Card, Component

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import LandmarkModel

#: The forehead rises above the brows by this share of the distance from brows to chin; the hair by more.
FOREHEAD: Final = 0.45
HAIR: Final = 0.95
#: Ears and hair stand out beyond the contour of the face.
HAIR_WIDTH: Final = 1.2
_PARTS: Final[tuple[tuple[int, slice], ...]] = (
    (4, slice(36, 42)),
    (5, slice(42, 48)),
    (12, slice(48, 60)),
    (11, slice(60, 68)),
)


class LandmarkHull(Component):
    """A parser that needs no parser."""

    card = Card(
        name="landmark-hull",
        title="hull of the landmarks, no parser at all",
        summary="The convex hull of 68 landmarks, extended to the hair, is the head; there is no torso and no neck.",
        needs=("weights:landmarker",),
        trained_on="as its landmarker",
    )

    def load(self, landmarker: LandmarkModel | None = None) -> HullParser:
        """See :meth:`vdf_bench.core.interfaces.Parser.load`."""
        if landmarker is None:
            from vdf_bench.models.landmarker import load_landmarker

            landmarker = load_landmarker()
        return HullParser(landmarker)


class HullParser:
    """A parser that sees only landmarks.

    Args:
        landmarker: finds them; where it finds none, the nearest valid frame's are taken, and without any all is
            background.
    """

    def __init__(self, landmarker: LandmarkModel) -> None:
        self.landmarker = landmarker

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8 RGB to (T, S, S) uint8 classes: skin, eyes, lips, mouth and hair."""
        from vdf_bench.capture.landmarks import detect_landmarks
        from vdf_bench.core.interfaces import CaptureRefused

        try:
            points = detect_landmarks(frames, self.landmarker).points
        except CaptureRefused:
            return np.zeros(frames.shape[:3], np.uint8)
        return np.stack([hull_labels(p, frames.shape[1]) for p in points])


def hull_labels(points: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """(S, S) uint8 classes from (68, 2) landmarks in pixels."""
    labels = np.zeros((size, size), np.uint8)
    brows, chin = points[17:27], points[8]
    up = brows.mean(axis=0) - chin
    centre = points[:27].mean(axis=0)
    wide = centre + (points[:27] - centre) * np.float32(HAIR_WIDTH)
    hair = np.concatenate([wide[0:4], wide[13:17], wide[17:27] + HAIR * up])
    face = np.concatenate([points[:27], brows + FOREHEAD * up])
    _fill(labels, hair, 17)
    _fill(labels, face, 1)
    for value, part in _PARTS:
        _fill(labels, points[part], value)
    return labels


def _fill(labels: NDArray[np.uint8], points: NDArray[np.float32], value: int) -> None:
    """Paint the convex hull of ``points``; pixel centres lie at half integers."""
    from scipy.spatial import ConvexHull, QhullError
    from skimage.draw import polygon

    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        # A closed eye or mouth is a line: nothing to fill.
        return
    rows, columns = polygon(  # type: ignore[no-untyped-call]
        corners[:, 1] - 0.5, corners[:, 0] - 0.5, labels.shape
    )
    labels[rows, columns] = value
