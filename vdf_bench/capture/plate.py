"""The background plate ``bc.jpg`` (task 5 of RAD-NeRF's ``process.py``).

For each pixel the pipeline takes the sampled frame in which that pixel lies farthest from any foreground. The rule
trusts the parser: where a face is parsed as background, its middle is far from all foreground, so that very frame wins
and the face is copied into the plate. Everything built on the plate then shows a face that never moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import distance_transform_edt

from vdf_bench.core.interfaces import CaptureRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Policy

#: Every 20th frame is looked at.
STRIDE: Final = 20
#: A pixel counts as background where it was once farther than this from the foreground, pixels of a 512 px frame.
MIN_DISTANCE: Final = 5.0
OFFICIAL_SIZE: Final = 512


@dataclass(frozen=True)
class Plate:
    """The background without the person.

    Attributes:
        image: (S, S, 3) uint8 RGB.
        source: (S, S) int64, the frame that each pixel was copied from; -1 where it was filled from its nearest
            neighbour.
        trace: ``plate_frames`` that were looked at, ``plate_filled_share`` of the pixels.
    """

    image: NDArray[np.uint8]
    source: NDArray[np.int64]
    trace: dict[str, float]


def distance_to_foreground(background: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(S, S) Euclidean distance in pixels to the nearest foreground pixel, 0 on it; infinite where there is none.

    The official code asks a kd-tree for the nearest neighbour; the distance transform is exact and gives the same.
    """
    if background.all():
        return np.full(background.shape, np.inf, np.float32)
    return np.asarray(distance_transform_edt(background), dtype=np.float32)


def extract_plate(frames: NDArray[np.uint8], labels: NDArray[np.uint8], policy: Policy = "repair") -> Plate:
    """The max-distance rule over every 20th frame in order of time (the official glob is unsorted).

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        labels: (T, S, S) uint8 classes.
        policy: where the official code stops (a sampled frame without foreground; no background anywhere),
            ``strict`` refuses; the others leave such frames out while any other frame is left.

    Raises:
        CaptureRefused: ``empty_foreground@frame k`` or ``no_background``, under ``strict``.
    """
    index = np.arange(0, len(frames), STRIDE)
    distances = np.stack([distance_to_foreground(labels[i] == 0) for i in index])
    empty = np.isinf(distances).all(axis=(1, 2))
    if empty.any():
        if policy == "strict":
            raise CaptureRefused(f"empty_foreground@frame {index[empty][0]}")
        if not empty.all():
            index, distances = index[~empty], distances[~empty]

    farthest = distances.max(axis=0)
    seen = farthest > MIN_DISTANCE * frames.shape[1] / OFFICIAL_SIZE
    if not seen.any():
        if policy == "strict":
            raise CaptureRefused("no_background")
        seen = farthest == farthest.max()

    best = index[distances.argmax(axis=0)]
    rows, columns = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    image = frames[best[rows, columns], rows, columns]
    trace = {"plate_frames": float(len(index)), "plate_filled_share": float(1 - seen.mean())}
    return Plate(image, np.where(seen, best, -1), trace)


def face_share(source: NDArray[np.int64], heads: NDArray[np.bool_]) -> float:
    """Share of the plate, where the head mostly is, that was copied from pixels that show the head.

    Args:
        source: (S, S), the frame of each pixel, -1 where it was filled.
        heads: (T, S, S) bool, where the head is in each frame, such as truth.
    """
    region = heads.mean(axis=0) > 0.5
    if not region.any():
        return 0.0
    rows, columns = np.nonzero(region)
    frame = source[region]
    return float((heads[frame, rows, columns] & (frame >= 0)).mean())
