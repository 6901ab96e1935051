"""Capture: the preprocessing that all 3D-field talking-face systems share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vdf_bench.core import labels as classes
from vdf_bench.core.clip import Pose, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: ``strict`` is stock behaviour (a face-less frame ends the pipeline), ``repair`` takes the nearest valid
#: landmarks, ``drop`` leaves such frames out of training (AD-NeRF's ``valid_img_ids``).
Policy = Literal["strict", "repair", "drop"]


@dataclass(frozen=True)
class Capture:
    """What a 3D-field talking-face system trains on, made from the video that the attacker has.

    Attributes:
        frames: (T, S, S, 3) uint8 RGB, as the attacker has them.
        labels: (T, S, S) uint8, parsed classes 0..18.
        plate: (S, S, 3) uint8, the background plate (``bc.jpg``).
        plate_source: (S, S) int64, the frame that each plate pixel was copied from; -1 where it was filled from a
            neighbour.
        gt: (T, S, S, 3) uint8, frames whose background pixels come from the plate (``gt_imgs``).
        torso: (T, S, S, 4) uint8 RGBA, torso and in-painted neck (``torso_imgs``), straight alpha.
        landmarks: (T, 68, 2) float32 pixels, iBUG order; repaired where ``valid`` is False.
        valid: (T,) bool, whether a face was found in that frame.
        pose: head pose fitted to the landmarks.
        mouth: (T, 2) float32, inner-lip opening and mouth width over inter-ocular distance.
        eyes: (T,) float32, eye opening over eye width, mean of both.
        mel: (T, 16, 80) float32, log-mel windows around each frame.
        mouth_audio: (T, 2) float32, ``mouth`` as predicted from sound, variance matched.
        split: training and held-out frames.
        audio: (N,) float32 mono at 16 kHz in [-1, 1], as the attacker has it; empty where the clip has no sound.
        scalars: numbers for the trace, such as ``audio_r`` (cross-validated correlation of predicted and seen
            mouth opening over the training frames; see :mod:`vdf_bench.capture.mouth`), ``focal_over_size``.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    plate: NDArray[np.uint8]
    plate_source: NDArray[np.int64]
    gt: NDArray[np.uint8]
    torso: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    valid: NDArray[np.bool_]
    pose: Pose
    mouth: NDArray[np.float32]
    eyes: NDArray[np.float32]
    mel: NDArray[np.float32]
    mouth_audio: NDArray[np.float32]
    split: Split
    audio: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    scalars: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> int:
        """Edge of the square frame, pixels."""
        return int(self.frames.shape[1])

    @property
    def head(self) -> NDArray[np.bool_]:
        """(T, S, S) bool: pixels parsed as head (face and hair)."""
        return classes.mask_of(self.labels, classes.HEAD)

    def backdrop(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(B, S, S, 3) uint8: the torso over the plate, for the frames ``index``."""
        torso = self.torso[index].astype(np.float32)
        alpha = torso[..., 3:] / 255
        mixed = torso[..., :3] * alpha + self.plate.astype(np.float32) * (1 - alpha)
        return np.asarray(mixed.round(), dtype=np.uint8)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Named arrays from which :meth:`from_arrays` makes the same capture, byte for byte."""
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _PLAIN_FIELDS}
        arrays["pose_rotation"], arrays["pose_translation"] = self.pose.rotation, self.pose.translation
        arrays["pose_focal"] = np.array(self.pose.focal, np.float64)
        arrays |= {f"split_{part.name}": getattr(self.split, part.name) for part in fields(Split)}
        arrays["scalars"] = np.frombuffer(json.dumps(self.scalars).encode(), np.uint8)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Capture:
        """The capture that :meth:`to_arrays` was called on."""
        pose = Pose(arrays["pose_rotation"], arrays["pose_translation"], float(arrays["pose_focal"]))
        split = Split(**{part.name: arrays[f"split_{part.name}"] for part in fields(Split)})
        scalars = json.loads(arrays["scalars"].tobytes())
        plain = {name: arrays[name] for name in _PLAIN_FIELDS}
        return cls(pose=pose, split=split, scalars=scalars, **plain)


#: The fields that are arrays themselves.
_PLAIN_FIELDS = tuple(f.name for f in fields(Capture) if f.name not in ("pose", "split", "scalars"))
