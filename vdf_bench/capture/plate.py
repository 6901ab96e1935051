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

from vdf_bench import labels as classes
from vdf_bench.interfaces import CaptureRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.capture import Policy

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
        source: (S, S) int64, the frame that each pixel was copied from.
        seen: (S, S) bool, False where the pixel was filled from its nearest neighbour.
        trace: ``plate_frames`` that were looked at, ``plate_filled_share`` of the pixels.
    """

    image: NDArray[np.uint8]
    source: NDArray[np.int64]
    seen: NDArray[np.bool_]
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

    source = index[distances.argmax(axis=0)]
    rows, columns = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    source = source[rows, columns]
    image = frames[source, rows, columns]
    trace = {"plate_frames": float(len(index)), "plate_filled_share": float(1 - seen.mean())}
    return Plate(image, source, seen, trace)


def face_share(plate: Plate, labels: NDArray[np.uint8]) -> float:
    """Share of the plate's pixels that were copied from where ``labels`` (T, S, S), such as truth, show a head."""
    rows, columns = np.indices(plate.source.shape)
    copied = labels[plate.source, rows, columns]
    return float(classes.mask_of(copied, classes.HEAD)[plate.seen].mean())
