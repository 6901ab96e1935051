"""The field: feature planes, residual motion planes, and the decoder of features to density and colour."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vdf_bench.victims.common.planes import on_planes, sample
from vdf_bench.victims.common.rays import Condition, RayField
from vdf_bench.victims.common.volume import Occupancy, bounded_density, ellipsoid_prior

#: Motion bases of the mouth and of the eyes: one for each driving scalar, the rest through a small network.
MOUTH_BASES, EYE_BASES = 5, 2
#: Coarse planes have this share of the fine resolution.
COARSE = 4


class TriplaneField(RayField):
    """Three axis-aligned planes at two resolutions, summed, and decoded by a small MLP.

    Features of the three planes are concatenated. Around the mouth and around the eyes residual planes are added: a
    learnt basis, blended by the driving code. They have boxes of their own, because residuals on all of the planes
    let hair and forehead flicker with the lips. An ellipsoid gives the raw density to start from.

    Args:
        occupancy: the scene box.
        centre, radii: (3,) ellipsoid of the initial surface.
        places: (2, 2, 3) boxes (low, high) of mouth and eyes.
        resolution: edge of the fine planes.
        channels: features per plane.
        hidden: width of the decoder.
        generator: of the initial weights.
    """

    #: The cached density places them well: twice as many gain 0.02 dB and take twice the time.
    RENDER_SAMPLES = 8

    def __init__(
        self,
        occupancy: Occupancy,
        centre: Tensor,
        radii: Tensor,
        places: Tensor,
        resolution: int,
        channels: int,
        hidden: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.occupancy = occupancy
        coarse = max(4, resolution // COARSE)

        def noise(*shape: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator) * scale)

        self.coarse = noise(3, channels, coarse, coarse, scale=0.1)
        self.fine = noise(3, channels, resolution, resolution, scale=0.05)
        finer = max(8, resolution // 2)
        self.mouth = noise(3, MOUTH_BASES * channels, finer, finer, scale=0.01)
        self.eyes = noise(3, EYE_BASES * channels, finer, finer, scale=0.01)
        features = 3 * channels
        self.first = noise(features, hidden, scale=(2 / features) ** 0.5)
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.second = noise(hidden, 13, scale=0.3 / hidden**0.5)
        self.bias_second = nn.Parameter(torch.zeros(13))
        self.mouth_first = noise(2, 32, scale=0.7)
        self.mouth_second = noise(32, MOUTH_BASES - 2, scale=0.25)
        self.eyes_first = noise(1, 16, scale=1.0)
        self.eyes_second = noise(16, EYE_BASES - 1, scale=0.35)
        for name, value in {"centre": centre, "radii": radii, "places": places}.items():
            self.register_buffer(name, value)
        self.centre: Tensor
        self.radii: Tensor
        self.places: Tensor

    @classmethod
    def blank(cls, tensors: dict[str, Tensor]) -> TriplaneField:
        """A field of the sizes of ``tensors``, a state dictionary."""
        channels, resolution = tensors["fine"].shape[1:3]
        return cls(
            Occupancy.blank(), torch.zeros(3), torch.zeros(3), torch.zeros(2, 2, 3),
            resolution, channels, tensors["second"].shape[0], torch.Generator(),
        )  # fmt: skip

    def condition(self, codes: Tensor) -> Condition:
        """Weights of the mouth bases (F, 5) and the eye bases (F, 2) for driving codes (F, 3)."""
        mouth, eyes = codes[:, :2], codes[:, 2:]
        more_mouth = torch.tanh(mouth @ self.mouth_first) @ self.mouth_second
        more_eyes = torch.tanh(eyes @ self.eyes_first) @ self.eyes_second
        return torch.cat([mouth, more_mouth], 1), torch.cat([eyes, more_eyes], 1)

    def forward(
        self, points: Tensor, view: Tensor, condition: Condition | None, owner: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        at = on_planes(points, self.occupancy.low, self.occupancy.high)
        features = sample(self.fine + interpolate(self.coarse, self.fine.shape[2:], mode="bilinear"), at)
        if condition is not None:
            for planes, blend, place in zip((self.mouth, self.eyes), condition, self.places, strict=True):
                features = features + self._residual(planes, blend, place, points, owner)
        hidden = torch.relu(torch.addmm(self.bias_first, features.flatten(0, 1).T, self.first))
        out = torch.addmm(self.bias_second, hidden, self.second)
        raw = out[:, 0] + ellipsoid_prior(points, self.centre, self.radii)
        density = bounded_density(raw, self.occupancy.unit)
        towards = view if owner is None else view[owner]
        shade = (out[:, 4:].view(-1, 3, 3) * towards[:, :, None]).sum(1)
        return density, torch.sigmoid(out[:, 1:4] + shade)

    def _residual(self, planes: Tensor, blend: Tensor, place: Tensor, points: Tensor, owner: Tensor | None) -> Tensor:
        """Residual features (3, C, P): zero outside ``place``, faded in over its margin."""
        low, high = place
        apart = ((points - (low + high) / 2) / ((high - low) / 2)).abs().amax(1)
        inside = (apart < 1).nonzero()[:, 0]
        at = on_planes(points[inside], low, high)
        bases = blend.shape[1]
        channels = planes.shape[1] // bases
        by_basis = planes.view(3, bases, channels, *planes.shape[2:])
        # The frames' planes lie below one another, so that one call samples all of them.
        blended = torch.einsum("fb,kbcvu->kcfvu", blend, by_basis).flatten(2, 3)
        if owner is not None:
            inner = 1 - 1 / planes.shape[2]  # centre of the outermost texels: no bleeding into the neighbour
            down = (at[..., 1].clamp(-inner, inner) + 1 + 2 * owner[inside]) / len(blend) - 1
            at = torch.stack([at[..., 0], down], -1)
        features = sample(blended, at)
        faded = features * (4 * (1 - apart[inside])).clamp(max=1)
        spread: Tensor = faded.new_zeros(3, channels, len(points)).index_copy(2, inside, faded)
        return spread
