"""The field: plane features, region attention of mouth and eyes, and the networks of density and colour."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from vdf_bench.victims.common.planes import on_planes
from vdf_bench.victims.common.rays import Condition, RayField
from vdf_bench.victims.common.volume import Occupancy, bounded_density, ellipsoid_prior
from vdf_bench.victims.hashgrid.encoding import HARMONICS, PlaneEncoding, harmonics

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Width of the code that audio becomes in RAD-NeRF and ER-NeRF.
AUDIO: Final = 32
#: Width of the code of each training frame's appearance (RAD-NeRF).
APPEARANCE: Final = 4


class HashgridField(RayField):
    """ER-NeRF's field with the mouth scalars in the place of its speech features.

    Features of a point say how much of the audio code (channel by channel) and how much of the eye opening reach
    it; features, attended audio and attended eyes give density and geometry features, and these with the view
    direction and an appearance code of the frame give colour. An ellipsoid gives the raw density to start from.

    Args:
        occupancy: the scene box.
        centre, radii: (3,) ellipsoid of the initial surface.
        resolutions: of the plane levels.
        channels: features per plane and level.
        hidden: width of the networks and of the geometry features.
        frames: training frames, each with an appearance code.
        generator: of the initial weights.
    """

    def __init__(
        self,
        occupancy: Occupancy,
        centre: Tensor,
        radii: Tensor,
        resolutions: Sequence[int],
        channels: int,
        hidden: int,
        frames: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.occupancy = occupancy
        self.register_buffer("centre", centre)
        self.register_buffer("radii", radii)
        self.centre: Tensor
        self.radii: Tensor
        features = PlaneEncoding.width(len(resolutions), channels)
        self.planes = PlaneEncoding(resolutions, channels, generator)
        self.audio = mlp(2, hidden, AUDIO, generator=generator)
        self.audio_attention = mlp(features, hidden, AUDIO, generator=generator)
        self.eye_attention = mlp(features, 16, 1, generator=generator)
        self.density = mlp(features + AUDIO + 1, hidden, hidden, 1 + hidden, generator=generator)
        # Density starts as the ellipsoid's alone, a little below its prior: the box around it then counts as empty.
        last = self.density[-1]
        with torch.no_grad():
            last.get_parameter("weight")[0] = 0
            last.get_parameter("bias")[0] = -1
        self.geometry = mlp(hidden, hidden, generator=generator)
        self.look = mlp(HARMONICS + APPEARANCE, hidden, generator=generator)
        self.colour = mlp(hidden, 3, generator=generator)
        self.appearance = nn.Parameter(torch.randn(frames, APPEARANCE, generator=generator) * 0.1)

    @classmethod
    def blank(cls, tensors: dict[str, Tensor]) -> HashgridField:
        """A field of the sizes of ``tensors``, a state dictionary."""
        resolutions = tensors["planes.resolutions"].tolist()
        hidden, features = tensors["audio_attention.0.weight"].shape
        return cls(
            Occupancy.blank(), torch.zeros(3), torch.zeros(3), resolutions, features // (3 * len(resolutions)),
            hidden, len(tensors["appearance"]), torch.Generator(),
        )  # fmt: skip

    def condition(self, codes: Tensor) -> Condition:
        """Audio code (F, 32), eyes (F, 1) and the mean appearance (F, 4) for driving codes (F, 3)."""
        appearance = self.appearance.mean(0, keepdim=True).expand(len(codes), -1)
        return self.audio(codes[:, :2]), codes[:, 2:], appearance

    def condition_of(self, codes: Tensor, frames: Tensor) -> Condition:
        """As :meth:`condition`, with the appearance of training frames (F,)."""
        audio, eyes, _ = self.condition(codes)
        return audio, eyes, self.appearance[frames]

    def forward(
        self, points: Tensor, view: Tensor, condition: Condition | None, owner: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return self.attend(points, view, condition, owner)[:2]

    def attend(
        self, points: Tensor, view: Tensor, condition: Condition | None, owner: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`forward`, and how much the points heed mouth and eyes (P, 2).

        The static head (no condition) is that of the mean code.
        """
        audio, eyes, appearance = self.condition(points.new_zeros(len(view), 3)) if condition is None else condition
        look = self.look(torch.cat([harmonics(view)[:, :HARMONICS], appearance], 1))
        if owner is not None:
            audio, eyes, look = audio[owner], eyes[owner], look[owner]
        features = self.planes(on_planes(points, self.occupancy.low, self.occupancy.high)).T
        heard, seen = self.audio_attention(features), torch.sigmoid(self.eye_attention(features))
        joined = torch.cat([features, heard * audio, seen * eyes], 1)
        out = self.density(joined)
        raw = out[:, 0].float() + ellipsoid_prior(points, self.centre, self.radii)
        density = bounded_density(raw, self.occupancy.unit)
        colour = torch.sigmoid(self.colour(torch.relu(self.geometry(out[:, 1:]) + look)))
        attention = torch.stack([heard.square().sum(1).add(1e-8).sqrt(), seen[:, 0]], 1)
        return density, colour, attention


def mlp(*widths: int, generator: torch.Generator) -> nn.Sequential:
    """Linear layers with ReLU between them, initialised from ``generator``."""
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        # On no device, and so without a draw from the global generator.
        linear = nn.Linear(width, following, device="meta").to_empty(device="cpu")
        nn.init.kaiming_uniform_(linear.weight, a=1.0, generator=generator)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
