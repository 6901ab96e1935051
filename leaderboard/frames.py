"""Fingerprints of decoded frames: equal pixels give equal ones, and one changed value is located.

A digest says that something changed. Three sums over a frame's values say what, where it is a single value: with
``s_k = sum(i**k * v_i)``, a change of value ``i`` by ``d`` moves them by ``d``, ``i*d`` and ``i*i*d``, so the quotient
of the first two is the place and the third confirms it (the syndromes of a Reed-Solomon code that corrects one error).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Frames = NDArray[np.uint8]

#: Buckets of a perturbation's sketch.
SKETCH = 128
CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Print:
    """The fingerprint of one frame.

    Attributes:
        digest: first 16 hexadecimal digits of the SHA-256 of its values.
        sums: see above, exact integers.
    """

    digest: str
    sums: tuple[int, int, int]

    def record(self) -> list[Any]:
        """As JSON values."""
        return [self.digest, *self.sums]

    @classmethod
    def read(cls, record: Sequence[Any]) -> Print:
        """What :meth:`record` gave."""
        digest, *sums = record
        return cls(str(digest), (int(sums[0]), int(sums[1]), int(sums[2])))


def print_frame(frame: Frames) -> Print:
    """The fingerprint of (H, W, 3) uint8."""
    values = frame.reshape(-1).astype(np.int64)
    place = np.arange(1, len(values) + 1, dtype=np.int64)
    # Of a frame of 1024 px the third sum is below 2**8 * (3 * 2**20)**3 / 3: too much for 64 bits, so it is split.
    rows = (values * place).reshape(frame.shape[0], -1).sum(1)
    first = place.reshape(frame.shape[0], -1)[:, 0]
    offset = place.reshape(frame.shape[0], -1) - first[:, None]
    inner = (values.reshape(frame.shape[0], -1) * offset * offset).sum(1)
    crossed = (values.reshape(frame.shape[0], -1) * offset).sum(1)
    whole = values.reshape(frame.shape[0], -1).sum(1)
    squares = sum(
        int(f) * int(f) * int(w) + 2 * int(f) * int(c) + int(i)
        for f, w, c, i in zip(first, whole, crossed, inner, strict=True)
    )
    digest = hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest()[:16]
    return Print(digest, (int(values.sum()), sum(int(row) for row in rows), squares))


def print_frames(frames: Frames) -> list[Print]:
    """The fingerprints of (T, H, W, 3) uint8 frames."""
    return [print_frame(frame) for frame in frames]


def differences(known: Sequence[Print], frames: Frames) -> list[str]:
    """Where frames differ from those that were fingerprinted: a line a frame, with the pixel where it is a single one.

    Args:
        known: fingerprints of the frames as they should be.
        frames: (T, H, W, 3) uint8, as they are.
    """
    if len(known) != len(frames):
        return [f"{len(frames)} frames, where there were {len(known)}"]
    found = []
    for index, (before, frame) in enumerate(zip(known, frames, strict=True)):
        after = print_frame(frame)
        if after.digest != before.digest:
            found.append(f"frame {index}: {_what_changed(before, after, frame.shape)}")
    return found


def _what_changed(before: Print, after: Print, shape: tuple[int, ...]) -> str:
    change, moved, squared = (b - a for a, b in zip(before.sums, after.sums, strict=True))
    if change and moved % change == 0 and squared == change * (moved // change) ** 2:
        place = moved // change - 1
        if 0 <= place < int(np.prod(shape)):
            row, column, channel = (int(value) for value in np.unravel_index(place, shape))
            return f"pixel at column {column}, row {row}: {CHANNELS[channel]} changed by {change:+d}"
    return "several values changed"


def sketch(perturbation: NDArray[np.integer[Any]]) -> list[int]:
    """A count sketch of a perturbation, (:data:`SKETCH`,) integers: cosines between sketches are those between wholes.

    Every value is counted, with a sign, into one bucket; signs are drawn from a fixed seed (Charikar et al. 2002).

    Args:
        perturbation: (T, H, W, 3) integer levels.
    """
    flat = perturbation.reshape(-1).astype(np.int64)
    signs = np.random.default_rng(0).integers(0, 2, len(flat), dtype=np.int8).astype(np.int64) * 2 - 1
    signed = np.pad(flat * signs, (0, -len(flat) % SKETCH))
    return [int(value) for value in signed.reshape(-1, SKETCH).sum(0)]


def likeness(first: Sequence[int], second: Sequence[int]) -> float:
    """Cosine of two sketches; 0 where either is empty."""
    a, b = np.asarray(first, float), np.asarray(second, float)
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale else 0.0
