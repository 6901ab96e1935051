"""The pictures that victims train on: ``gt_imgs`` and ``torso_imgs`` (task 6 of RAD-NeRF's ``process.py``).

``gt`` is the frame with every pixel that was parsed as background taken from the plate. ``torso`` is neck and cloth,
continued upwards behind the head column by column, so that a moving head uncovers no hole. The published constants
are pixels of a 512 px frame and are scaled here with the frame's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import binary_dilation, convolve1d

from vdf_bench.core import labels as classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

OFFICIAL_SIZE: Final = 512
#: Brightness of each further row upwards.
DARKEN: Final = 0.98
#: The official call passes OpenCV's border constant, 4, where the sigma belongs: an almost flat 5 x 5 kernel.
BLUR_SIGMA: Final = 4.0


@dataclass(frozen=True)
class Constants:
    """The in-painting constants in pixels of the frame at hand.

    Attributes:
        torso_rows: rows painted upwards from the top of the torso (8 + 1 at 512).
        neck_dilation: times that the neck grows by one pixel up and down (3).
        push_down: rows below the neck's top from which its colour is taken (4).
        neck_rows: rows painted upwards from there (48 + 4 + 1).
        blur_radius: of the blur over the painted neck (2, hence 5 x 5).
    """

    torso_rows: int
    neck_dilation: int
    push_down: int
    neck_rows: int
    blur_radius: int

    @staticmethod
    def at(size: int) -> Constants:
        """Scale the published constants to frames of ``size`` x ``size``; nothing falls below one pixel."""

        def scaled(pixels: int) -> int:
            return max(1, round(pixels * size / OFFICIAL_SIZE))

        push_down = scaled(4)
        return Constants(
            torso_rows=scaled(8) + 1,
            neck_dilation=scaled(3),
            push_down=push_down,
            neck_rows=scaled(48) + push_down + 1,
            blur_radius=scaled(2),
        )


def composite(
    frames: NDArray[np.uint8], labels: NDArray[np.uint8], plate: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Composites of all frames.

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        labels: (T, S, S) uint8 classes.
        plate: (S, S, 3) uint8 RGB.

    Returns:
        ``gt`` (T, S, S, 3) uint8 RGB and ``torso`` (T, S, S, 4) uint8 RGBA, straight alpha.
    """
    gt = np.where((labels == 0)[..., None], plate, frames)
    torso = np.zeros((*labels.shape, 4), np.uint8)
    constants = Constants.at(frames.shape[1])
    for out, picture, parsed in zip(torso, gt, labels, strict=True):
        out[:] = torso_layer(picture, parsed, plate, constants)
    return gt, torso


def torso_layer(
    gt: NDArray[np.uint8], labels: NDArray[np.uint8], plate: NDArray[np.uint8], constants: Constants
) -> NDArray[np.uint8]:
    """(S, S, 4) uint8 RGBA: torso and in-painted neck of one frame, black and transparent elsewhere."""
    head = classes.mask_of(labels, classes.HEAD)
    neck = classes.mask_of(labels, classes.NECK)
    torso = classes.mask_of(labels, classes.TORSO)

    image = np.where(head[..., None], plate, gt)
    torso_painted = _paint_upwards(image, gt, torso, head, constants.torso_rows, push_down=0)

    vertical = np.array([[0, 1, 0]] * 3, bool)
    neck = binary_dilation(neck, vertical, iterations=constants.neck_dilation)
    neck_painted = _paint_upwards(image, gt, neck, head, constants.neck_rows, constants.push_down)
    _blur(image, neck_painted, constants.blur_radius)

    visible = neck | torso | torso_painted | neck_painted
    return np.dstack([image, np.full(visible.shape, 255, np.uint8)]) * visible[..., None]


def _paint_upwards(
    image: NDArray[np.uint8],
    gt: NDArray[np.uint8],
    region: NDArray[np.bool_],
    head: NDArray[np.bool_],
    rows: int,
    push_down: int,
) -> NDArray[np.bool_]:
    """Continue ``region`` upwards, darkening, in every column whose top touches the head; returns what was painted."""
    columns = np.nonzero(region.any(axis=0))[0]
    top = region[:, columns].argmax(axis=0)
    touches = (top > 0) & head[np.maximum(top - 1, 0), columns]
    columns, top = columns[touches], top[touches]
    # The seam itself is often mislabelled: colour from a little below it, as far as the column goes.
    start = top + np.minimum(region[:, columns].sum(axis=0) - 1, push_down)
    step = np.arange(rows)[:, None]
    colour = gt[start, columns] * (DARKEN**step)[..., None]
    row, column = start - step, np.broadcast_to(columns, (rows, len(columns)))
    inside = row >= 0
    image[row[inside], column[inside]] = colour[inside].astype(np.uint8)
    painted = np.zeros(region.shape, bool)
    painted[row[inside], column[inside]] = True
    return painted


def _blur(image: NDArray[np.uint8], where: NDArray[np.bool_], radius: int) -> None:
    """Blur ``image`` in place where ``where`` is set, against the stripes that column-wise painting leaves."""
    if not where.any():
        return
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * BLUR_SIGMA**2))
    taps /= taps.sum()
    # Only the bounding box and a margin need filtering.
    rows, columns = (np.nonzero(where.any(axis=axis))[0] for axis in (1, 0))
    box = tuple(slice(max(span[0] - radius, 0), span[-1] + radius + 1) for span in (rows, columns))
    soft = convolve1d(image[box].astype(np.float32), taps, axis=0, mode="mirror")
    soft = convolve1d(soft, taps, axis=1, mode="mirror")
    image[box][where[box]] = soft.round()[where[box]].astype(np.uint8)
