"""The portrait clip: frames, sound, rate and, where it was rendered, its ground truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Every clip enters the benchmark at these rates (RAD-NeRF's ``process.py``: 25 fps, 16 kHz mono).
FPS = Fraction(25)
SAMPLE_RATE = 16_000
#: The official trackers batch 64 frames and fail below that (facts of RAD-NeRF's face tracker).
MIN_FRAMES = 64


@dataclass(frozen=True)
class Pose:
    """Head pose per frame under a pinhole camera with its centre in the middle of the frame.

    Head coordinates: x to the right of a frontal picture, y up, z out of the face; one unit is about 0.8 of
    a head's half height. Camera coordinates follow OpenCV: x right, y down, z forward.
    ``x_camera = rotation @ x_head + translation``; ``u = W/2 + focal * x/z``; ``v = H/2 + focal * y/z``,
    pixel centres at half integers.

    Attributes:
        rotation: (T, 3, 3) float32, head to camera; a frontal head is near ``diag(1, -1, -1)``.
        translation: (T, 3) float32, head units.
        focal: focal length in pixels of the frame it was measured on.
    """

    rotation: NDArray[np.float32]
    translation: NDArray[np.float32]
    focal: float

    def __len__(self) -> int:
        return len(self.rotation)

    def project(self, points: NDArray[np.floating[Any]], size: int) -> NDArray[np.float32]:
        """Project head points (N, 3) or (T, N, 3) to pixels (T, N, 2) of a ``size`` x ``size`` frame."""
        shared = np.broadcast_to(points, (len(self), *points.shape[-2:]))
        camera = np.einsum("tij,tnj->tni", self.rotation, shared) + self.translation[:, None]
        pixels = size / 2 + self.focal * camera[..., :2] / camera[..., 2:]
        return np.asarray(pixels, dtype=np.float32)


@dataclass(frozen=True)
class Truth:
    """What the renderer knows exactly.

    Attributes:
        labels: (T, H, W) uint8, CelebAMask-HQ classes 0..18 (see :mod:`vdf_bench.core.labels`).
        depth: (T, H, W) float32, camera z in head units, 0 where there is no surface; None where not known.
        landmarks: (T, 68, 2) float32 pixels, iBUG order, (x, y).
        pose: exact head pose; None where not known.
        plate: (H, W, 3) uint8, the background without the person.
        mouth: (T, 2) float32, the driving mouth parameters (opening in [0, 1], width in [-1, 1]).
        blink: (T,) float32 in [0, 1], 1 is closed.
    """

    labels: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    plate: NDArray[np.uint8]
    mouth: NDArray[np.float32]
    blink: NDArray[np.float32]
    depth: NDArray[np.float32] | None = None
    pose: Pose | None = None

    def first(self, count: int) -> Truth:
        """Of the first ``count`` frames."""
        pose = self.pose and Pose(self.pose.rotation[:count], self.pose.translation[:count], self.pose.focal)
        return Truth(
            labels=self.labels[:count],
            landmarks=self.landmarks[:count],
            plate=self.plate,
            mouth=self.mouth[:count],
            blink=self.blink[:count],
            depth=None if self.depth is None else self.depth[:count],
            pose=pose,
        )


@dataclass(frozen=True)
class Clip:
    """A square portrait video, normalised to :data:`FPS` and :data:`SAMPLE_RATE`.

    Attributes:
        name: what tables call it.
        frames: (T, S, S, 3) uint8 RGB.
        audio: (N,) float32 mono in [-1, 1] at 16 kHz; empty where the video has no sound.
        fps: frames per second.
        truth: exact ground truth of rendered clips.
        identity: who is seen; clips of one person share it, statistics resample it.
        source: provenance and licence, for the report.
        notes: one line for each thing that was done to the input (cropped, deinterlaced, ...).
    """

    name: str
    frames: NDArray[np.uint8]
    audio: NDArray[np.float32]
    identity: str
    fps: Fraction = FPS
    truth: Truth | None = None
    source: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2]:
            raise ValueError(f"clip frames must be (T, S, S, 3) uint8, got {self.frames.dtype} {shape}")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> int:
        """Edge of the square frame, pixels."""
        return int(self.frames.shape[1])

    def first(self, count: int) -> Clip:
        """The first ``count`` frames, with their sound and truth."""
        audio = self.audio[: round(count / self.fps * SAMPLE_RATE)]
        return replace(self, frames=self.frames[:count], audio=audio, truth=self.truth and self.truth.first(count))

    def with_frames(self, frames: NDArray[np.uint8]) -> Clip:
        """The same clip with other pixels (protected, purified); its truth stays that of the scene."""
        return replace(self, frames=frames)


@dataclass(frozen=True)
class Split:
    """Which frames train the field and which judge it.

    The official pipelines hold out the last eleventh; short clips would then be judged on ten frames of one
    moment, so at least :data:`MIN_HELDOUT` frames are held out, in blocks spread over the clip: a block for every
    four seconds, two to four in all.

    Attributes:
        train: (A,) int64 frame indices.
        heldout: (B,) int64 frame indices, the blocks one after another.
        blocks: (B,) int64, the block that each held-out frame belongs to.
    """

    train: NDArray[np.int64]
    heldout: NDArray[np.int64]
    blocks: NDArray[np.int64]

    def each_block(self) -> Iterator[NDArray[np.int64]]:
        """Positions into ``heldout`` (not frame indices), a block at a time."""
        for block in np.unique(self.blocks):
            yield np.nonzero(self.blocks == block)[0]


MIN_HELDOUT = 24
#: Frames of the shortest block: lips need about half a second to show that they follow.
MIN_BLOCK = 12


def split_frames(count: int) -> Split:
    """Hold out an eleventh of ``count`` frames in two to four blocks.

    At least 24 frames, and 12 for every hundred up to 48, so that 16 s of video are judged at four moments; at most a
    third, in fewer blocks.
    """
    wanted = min(max(MIN_HELDOUT, MIN_BLOCK * (count // 100)), 4 * MIN_BLOCK)
    held = min(max(round(count / 11), wanted), count // 3)
    blocks = max(1, min(4, held // MIN_BLOCK))
    length = held // blocks
    # Block k ends where (k+1)/blocks of the clip ends, so that the last one is the official tail.
    ends = [round((k + 1) * count / blocks) for k in range(blocks)]
    heldout = np.concatenate([np.arange(end - length, end) for end in ends])
    owner = np.repeat(np.arange(blocks), length)
    train = np.setdiff1d(np.arange(count), heldout)
    return Split(train.astype(np.int64), heldout.astype(np.int64), owner.astype(np.int64))
