"""How driving codes move Gaussians: a tri-plane field for the face, a smaller one inside the mouth."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import torch
from torch import Tensor, nn

from vdf_bench.victims.common.planes import on_planes, sample
from vdf_bench.victims.gaussian.splats import Offsets

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Driving scalars of the mouth (opening, width) and of the eyes.
MOUTH, EYES = 2, 1
#: Width of the encoded mouth code, on which attention works channel by channel.
HEARD: Final = 16
#: Columns of offsets: position 3, log scale 3, rotation 4, and where appearance changes colour 3 and opacity 1.
SHAPE, WHOLE = 10, 14
#: Reach of an offset of 1: position (units of a standard head), log scale, quaternion, colour and opacity logits.
REACH: Final = (0.1,) * 3 + (0.3,) * 3 + (0.1,) * 4 + (1.0,) * 4


class PlaneFeatures(nn.Module):
    """Features of places: tri-planes at several resolutions, side by side.

    Args:
        low, high: (3,) box of the planes.
        resolutions: edge of each level's planes.
        channels: features of each plane.
        generator: of the initial values.
    """

    def __init__(
        self, low: Tensor, high: Tensor, resolutions: Sequence[int], channels: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.levels = nn.ParameterList(
            nn.Parameter(torch.randn((3, channels, edge, edge), generator=generator) * 0.1) for edge in resolutions
        )
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.low: Tensor
        self.high: Tensor

    @property
    def width(self) -> int:
        """Features of one place."""
        return sum(3 * level.shape[1] for level in self.levels)

    def forward(self, points: Tensor) -> Tensor:
        """(N, width) features of places (N, 3)."""
        at = on_planes(points, self.low, self.high)
        features = [sample(level, at).flatten(0, 1).T for level in self.levels]
        return torch.cat(features, 1) if features else points.new_zeros(len(points), 0)


class FaceMotion(nn.Module):
    """Offsets of the face's Gaussians.

    Features of a Gaussian's place (the motion field of TalkingGaussian) and features of its own go, with the code that
    attention lets through, into a small network. Attention weighs the encoded mouth code channel by channel and the eye
    scalar as a whole (ER-NeRF, section 3.3); it starts from closeness to mouth and eyes, for without it the whole face
    takes on the shade that it had when the mouth was open.

    Why own features beside those of the place: upper and lower lip touch, so that a field as smooth as its finest plane
    moves both one way until the Gaussians have drifted apart, which a short training has no time for. Each Gaussian
    also has a linear answer of its own, which learns rare motion (blinks) quickly.

    Args:
        planes: features of places; may have no level.
        embedding: (N, E) initial features of each Gaussian; without any (E = 0) it has no linear answer either.
        attention: (N, 2) initial attention to mouth and eyes, in (0, 1).
        unit: size of this head, see :class:`vdf_bench.victims.common.scene.Scene`.
        generator: of the initial weights.
        hidden: width of the network.
        appearance: colour and opacity change too (GaussianTalker); else only place and shape (TalkingGaussian).
    """

    #: Parameters with a row for each Gaussian.
    ROWS: ClassVar[tuple[str, ...]] = ("embedding", "attention", "blend")

    def __init__(
        self,
        planes: PlaneFeatures,
        embedding: Tensor,
        attention: Tensor,
        unit: float,
        generator: torch.Generator,
        hidden: int = 48,
        appearance: bool = True,
    ) -> None:
        super().__init__()
        self.planes = planes
        count, own = embedding.shape
        offsets = WHOLE if appearance else SHAPE
        self.embedding = nn.Parameter(embedding)
        self.attention = nn.Parameter(torch.logit(attention.clamp(0.01, 0.95)))
        self.blend = nn.Parameter(torch.zeros(count, MOUTH + EYES if own else 0, offsets))
        self.encoder = nn.Parameter(torch.randn((MOUTH, HEARD), generator=generator) * 0.7)
        self.heed = nn.Parameter(torch.zeros(planes.width, HEARD + EYES))
        self.first = nn.Parameter(uniform((planes.width + own + HEARD + EYES, hidden), generator))
        self.second = nn.Parameter(uniform((hidden, hidden), generator))
        self.third = nn.Parameter(torch.zeros(hidden, offsets))
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.bias_second = nn.Parameter(torch.zeros(hidden))
        reach = torch.tensor(REACH[:offsets])
        reach[:3] *= unit
        self.register_buffer("reach", reach)
        self.reach: Tensor

    def forward(self, points: Tensor, code: Tensor) -> Offsets:
        """Offsets of Gaussians at ``points`` (N, 3) by the driving code (3,)."""
        # Places take no gradient from here: a Gaussian shall lie where it is seen, not where features suit it.
        features = self.planes(points.detach())
        near_mouth, near_eyes = self.attention[:, :1], self.attention[:, 1:]
        heed = features @ self.heed
        mouth = torch.sigmoid(near_mouth + heed[:, :HEARD]) * torch.tanh(code[:MOUTH] @ self.encoder)
        eyes = torch.sigmoid(near_eyes + heed[:, HEARD:]) * code[MOUTH:]
        hidden = torch.cat([features, self.embedding, mouth, eyes], 1)
        hidden = torch.relu(torch.addmm(self.bias_first, hidden, self.first))
        hidden = torch.relu(torch.addmm(self.bias_second, hidden, self.second))
        moved = hidden @ self.third
        if self.blend.shape[1]:
            own = torch.cat([torch.sigmoid(near_mouth) * code[:MOUTH], torch.sigmoid(near_eyes) * code[MOUTH:]], 1)
            moved = moved + (own[:, :, None] * self.blend).sum(1)
        moved = moved * self.reach
        position, scale, turn = moved[:, :3], moved[:, 3:6], moved[:, 6:SHAPE]
        if moved.shape[1] == SHAPE:
            return Offsets(position, scale, turn)
        return Offsets(position, scale, turn, moved[:, SHAPE:13], moved[:, 13])


class MouthMotion(nn.Module):
    """Offsets of the Gaussians inside the mouth: position only, since teeth are stiff (TalkingGaussian, section 3.3).

    Args:
        planes: features of places.
        unit: size of this head.
        generator: of the initial weights.
        hidden: width of the network.
        appearance: colour changes too, as more light falls into a wider mouth.
    """

    def __init__(
        self, planes: PlaneFeatures, unit: float, generator: torch.Generator, hidden: int = 32, appearance: bool = True
    ) -> None:
        super().__init__()
        self.planes = planes
        self.first = nn.Parameter(uniform((planes.width + MOUTH, hidden), generator))
        self.second = nn.Parameter(torch.zeros(hidden, 6 if appearance else 3))
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("reach", torch.tensor(REACH[0] * unit))
        self.reach: Tensor

    def forward(self, points: Tensor, code: Tensor) -> Offsets:
        """Offsets of Gaussians at ``points`` (N, 3) by the driving code (3,)."""
        inputs = torch.cat([self.planes(points.detach()), code[:MOUTH].expand(len(points), -1)], 1)
        moved = torch.relu(torch.addmm(self.bias_first, inputs, self.first)) @ self.second
        return Offsets(self.reach * moved[:, :3], colour=moved[:, 3:] if moved.shape[1] > 3 else None)


def uniform(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """He initialisation for a ReLU layer of ``shape`` (in, out)."""
    bound = (6 / shape[0]) ** 0.5
    weights: Tensor = (torch.rand(shape, generator=generator) * 2 - 1) * bound
    return weights
