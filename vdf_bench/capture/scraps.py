"""Removes scraps of the room from parsed heads: a departure from RAD-NeRF's ``process.py``, which trusts its parser.

Parsers take foliage and window frames beside a head for hair. Whoever makes a training set looks at the masks and
cures that with what the pipeline demands anyway, a camera that stands still: hair that looks just like the room at
that place, as other frames show it, is room, and small pieces apart from the face are scraps. Only what was parsed as
head is ever taken away and nothing is added: masks that a defense emptied stay empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import binary_fill_holes, label, uniform_filter

from vdf_bench.core import labels as classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Frames, evenly over the clip, that show the room.
FRAMES: Final = 24
#: A pixel of the room is known where at least this share of them was parsed as background there: a few misparsed
#: frames shall not spoil the others.
MIN_SHARE: Final = 0.25
#: Largest difference of any channel to the room, levels, mean over 3 x 3 pixels.
TOLERANCE: Final = 10.0
#: Pieces of the head of less than this share of the one with the face are scraps; hair may well fall apart.
SCRAP: Final = 0.1


def remove_scraps(frames: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels (T, S, S) with scraps of the room set to background, of frames (T, S, S, 3) uint8 RGB.

    Removed are hair pixels that look like the room, and small pieces apart from the face. Frames without a face keep
    their labels.
    """
    room, known = _room(frames, labels)
    cleaned = labels.copy()
    for picture, parsed, out in zip(frames, labels, cleaned, strict=True):
        face = classes.mask_of(parsed, classes.FACE)
        if not face.any():
            continue
        head = classes.mask_of(parsed, classes.HEAD)
        away = np.abs(uniform_filter(picture.astype(np.float32) - room, (3, 3, 1))).max(axis=-1)
        pieces, _ = label(head & ~(classes.mask_of(parsed, classes.HAIR) & known & (away < TOLERANCE)))
        size = np.bincount(pieces.ravel())
        size[0] = 0
        large = size >= SCRAP * size[np.bincount(pieces[face]).argmax()]
        large[0] = False
        # What lies inside the head is head, however much it looks like the room.
        out[head & ~binary_fill_holes(large[pieces])] = 0
    return cleaned


def _room(frames: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Median of what was parsed as background (S, S, 3), and where that is enough to go by (S, S)."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, FRAMES).round().astype(int))
    seen = labels[chosen] == 0
    count = seen.sum(axis=0)
    known = count >= max(MIN_SHARE * len(chosen), 1)
    # Background first, then its middle: a median over as many frames as each pixel has.
    pictures = np.where(seen[..., None], frames[chosen], np.int16(256))
    pictures.sort(axis=0)
    middle = np.maximum(count - 1, 0) // 2
    room = np.take_along_axis(pictures, middle[None, :, :, None], axis=0)[0]
    return room.astype(np.float32), known
