"""One fixed square of every frame, resampled to the benchmark's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Face box edge to crop edge: head, hair, neck and some shoulder, as in the clips of AD-NeRF and RAD-NeRF.
FACE_TO_CROP = 2.4

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crop:
    """A rectangle of the stored picture that is square when shown.

    Attributes:
        x, y: left and top edge, pixels (fractions allowed).
        width, height: pixels; they differ where the pixels are not square.
    """

    x: float
    y: float
    width: float
    height: float

    def resampler(self, size: int) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
        """A function from (H, W, 3) uint8 pictures to (size, size, 3) uint8 crops.

        Downscaling averages over the exact area of each output pixel (no aliasing), enlarging is bilinear, and a
        crop that has the size already comes through unchanged.
        """
        left, top = math.floor(self.x), math.floor(self.y)
        right, bottom = math.ceil(self.x + self.width - 1e-6), math.ceil(self.y + self.height - 1e-6)
        across = resampling_matrix(right - left, self.x - left, self.width, size)
        down = resampling_matrix(bottom - top, self.y - top, self.height, size)

        def resample(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
            part = picture[top:bottom, left:right].astype(np.float32)
            rows = (down @ part.reshape(len(part), -1)).reshape(size, -1, 3)
            turned = np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(rows.shape[1], -1)
            out = (across @ turned).reshape(size, size, 3).transpose(1, 0, 2)
            return np.ascontiguousarray(np.clip(np.rint(out), 0, 255).astype(np.uint8))

        return resample


def resampling_matrix(length: int, start: float, extent: float, size: int) -> csr_array:
    """Weights (size, length) that resample ``[start, start + extent)`` of a row of ``length`` pixels to ``size``."""
    edges = start + extent * np.arange(size + 1) / size
    pixel = np.arange(length)
    if extent >= size:
        low, high = edges[:-1, None], edges[1:, None]
        weights = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, None)
    else:
        centre = np.clip((edges[:-1] + edges[1:]) / 2 - 0.5, 0, length - 1)
        weights = np.clip(1 - np.abs(centre[:, None] - pixel), 0, None)
    return csr_array((weights / weights.sum(1, keepdims=True)).astype(np.float32))


def square_crop(width: int, height: int, aspect: float, faces: Sequence[Box]) -> Crop:
    """The square to keep: around the face where one is known, else the middle.

    A picture that is square already is kept whole: its maker framed it.

    Args:
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
        aspect: width of a pixel over its height.
        faces: face boxes (left, top, right, bottom) in pixels of that picture, of frames over the whole clip.
    """
    shown = width * aspect
    edge = float(min(shown, height))
    x, y = (shown - edge) / 2, (height - edge) / 2
    if faces and abs(shown - height) > 1:
        left, top, right, bottom = np.median(np.asarray(faces, float), axis=0) * (aspect, 1, aspect, 1)
        edge = min(edge, float(np.rint(FACE_TO_CROP * max(right - left, bottom - top))))
        x = float(np.clip(np.rint((left + right - edge) / 2), 0, shown - edge))
        y = float(np.clip(np.rint((top + bottom - edge) / 2), 0, height - edge))
    return Crop(x / aspect, y, edge / aspect, edge)
