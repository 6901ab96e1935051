"""The protected square of a picture: cut out for the defense, and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from vdf_bench.video.crop import Crop, resampling_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)


class Square:
    """A rectangle of whole pixels that the defense sees as ``size`` x ``size``.

    Where it has that size already, the defense's pixels are what is published. A larger one is shrunk for the
    defense, and the perturbation enlarged: bilinear weights sum to one, so that no pixel moves by more levels than
    the defense moved one, and whole numbers stay within a whole bound when they are rounded.

    Args:
        square: left, top, width, height in the upright picture, pixels.
        size: edge of what the defense sees.
    """

    def __init__(self, square: tuple[int, int, int, int], size: int) -> None:
        left, top, width, height = square
        self._rows, self._columns = slice(top, top + height), slice(left, left + width)
        self._exact = (width, height) == (size, size)
        self._shrink = Crop(left, top, width, height).resampler(size)
        self._down = resampling_matrix(size, 0, size, height)
        self._across = resampling_matrix(size, 0, size, width)

    def native(self, picture: NDArray[Value]) -> NDArray[Value]:
        """The rectangle of (H, W, 3) as it is, a view."""
        return picture[self._rows, self._columns]

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 to (size, size, 3) uint8."""
        return np.ascontiguousarray(self.native(picture)) if self._exact else self._shrink(picture)

    def paste(self, picture: NDArray[np.uint8], clean: NDArray[np.uint8], protected: NDArray[np.uint8]) -> None:
        """Add what the defense did to ``clean``, the cut of ``picture``, to ``picture`` in place.

        Args:
            picture: (H, W, 3) uint8, changed inside the rectangle only.
            clean: (size, size, 3) uint8.
            protected: the same, by the defense.
        """
        target = self.native(picture)
        if self._exact:
            target[:] = protected
            return
        change = self._enlarge(protected.astype(np.float32) - clean)
        target[:] = np.clip(target + np.rint(change), 0, 255).astype(np.uint8)

    def _enlarge(self, change: NDArray[np.float32]) -> NDArray[np.float32]:
        size = len(change)
        rows = (self._down @ change.reshape(size, -1)).reshape(-1, size, 3)
        turned = np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(size, -1)
        wide = (self._across @ turned).reshape(-1, len(rows), 3)
        return np.asarray(wide.transpose(1, 0, 2), np.float32)
