"""The field: Gaussians of the face and, behind them, of the inside of the mouth, each with its motion."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vdf_bench.victims.common.head import Field, Picture, View
from vdf_bench.victims.gaussian.motion import WHOLE, FaceMotion, MouthMotion, PlaneFeatures
from vdf_bench.victims.gaussian.splats import Layer, Splats


class Layers(NamedTuple):
    """The two branches of one frame, front first; ``mouth`` is None for a head that has no such set."""

    face: Layer
    mouth: Layer | None

    def fuse(self) -> tuple[Tensor, Tensor]:
        """Both behind each other: RGB and depth (S, S, 4), premultiplied, and transmittance (S, S)."""
        image, through = self.face.image, self.face.transmittance
        if self.mouth is None:
            return image, through
        return image + through[..., None] * self.mouth.image, through * self.mouth.transmittance


class GaussianField(Field):
    """A deformable head of two sets of Gaussians.

    Args:
        face: Gaussians of face and hair.
        face_motion: moves them.
        mouth: Gaussians of teeth, tongue and throat, which show where the face lets light through; may be empty.
        mouth_motion: moves them.
    """

    def __init__(self, face: Splats, face_motion: FaceMotion, mouth: Splats, mouth_motion: MouthMotion) -> None:
        super().__init__()
        self.face = face
        self.face_motion = face_motion
        self.mouth = mouth
        self.mouth_motion = mouth_motion

    @classmethod
    def blank(cls, tensors: dict[str, Tensor]) -> GaussianField:
        """A field of the sizes of ``tensors``, a state dictionary."""

        def planes(branch: str) -> PlaneFeatures:
            prefix = f"{branch}.planes.levels."
            levels = [tensors[f"{prefix}{k}"] for k in range(sum(name.startswith(prefix) for name in tensors))]
            channels = levels[0].shape[1] if levels else 0
            edges = [level.shape[-1] for level in levels]
            return PlaneFeatures(torch.zeros(3), torch.ones(3), edges, channels, torch.Generator())

        count, own = tensors["face_motion.embedding"].shape
        hidden, offsets = tensors["face_motion.third"].shape
        motion = FaceMotion(
            planes("face_motion"), torch.zeros(count, own), torch.ones(count, 2), 1.0, torch.Generator(),
            hidden, offsets == WHOLE,
        )  # fmt: skip
        hidden, offsets = tensors["mouth_motion.second"].shape
        mouth_motion = MouthMotion(planes("mouth_motion"), 1.0, torch.Generator(), hidden, offsets > 3)
        return cls(Splats.blank(count), motion, Splats.blank(len(tensors["mouth.position"])), mouth_motion)

    def forward(self, view: View, still: bool = False) -> Layers:
        """Draw both branches of a frame; ``still`` leaves out all motion."""
        face = None if still else self.face_motion(self.face.position, view.code)
        drawn = self.face.draw(view, face)
        if not len(self.mouth):
            return Layers(drawn, None)
        mouth = None if still else self.mouth_motion(self.mouth.position, view.code)
        return Layers(drawn, self.mouth.draw(view, mouth))

    def picture(self, view: View) -> Picture:
        image, transmittance = self(view).fuse()
        return Picture(image[..., :3], 1 - transmittance, image[..., 3])
