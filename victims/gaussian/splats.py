"""A set of Gaussians in head space and its projection onto a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from vdf_bench.victims.gaussian.rasterise import composite

if TYPE_CHECKING:
    from vdf_bench.victims.common.head import View

#: Variance of a pixel's box filter, added to every splat so that none falls between pixels.
PIXEL_VARIANCE = 1 / 12
#: Standard deviations of a Gaussian stay within these, head units of a standard head.
SMALLEST, LARGEST = 0.004, 0.25


class Offsets(NamedTuple):
    """How N Gaussians are changed; None leaves that as it is.

    Attributes:
        position: (N, 3) head units.
        scale: (N, 3) logarithms.
        rotation: (N, 4) added to quaternions.
        colour: (N, 3) logits.
        opacity: (N,) logits.
    """

    position: Tensor
    scale: Tensor | None = None
    rotation: Tensor | None = None
    colour: Tensor | None = None
    opacity: Tensor | None = None


class Layer(NamedTuple):
    """What a set of Gaussians shows of one frame.

    Attributes:
        image: (S, S, 4) accumulated RGB and camera depth, premultiplied.
        transmittance: (S, S) light that passes.
        centres: (N, 2) projected centres, pixels; their gradient tells densification where detail is missing.
    """

    image: Tensor
    transmittance: Tensor
    centres: Tensor


class Splats(nn.Module):
    """N Gaussians; every parameter has a row for each.

    Args:
        position: (N, 3) initial centres in head space.
        spacing: (N,) initial standard deviations, head units.
        colour: (N, 3) initial RGB in [0, 1].
        unit: size of this head, see :class:`vdf_bench.victims.common.scene.Scene`.
        generator: of the initial rotations.
    """

    #: Parameters with a row for each Gaussian.
    ROWS: ClassVar[tuple[str, ...]] = ("position", "scale", "rotation", "opacity", "colour", "shading")

    def __init__(
        self, position: Tensor, spacing: Tensor, colour: Tensor, unit: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        count = len(position)
        self.position = nn.Parameter(position)
        self.scale = nn.Parameter(spacing.log()[:, None].repeat(1, 3))
        turn = torch.randn(count, 4, generator=generator) * 0.01
        turn[:, 0] += 1
        self.rotation = nn.Parameter(turn)
        self.opacity = nn.Parameter(torch.full((count,), 1.5))
        self.colour = nn.Parameter(torch.logit(colour.clamp(0.02, 0.98)))
        #: First-order change of colour with the direction of view: (N, 3 directions, 3 channels).
        self.shading = nn.Parameter(torch.zeros(count, 3, 3))
        self.register_buffer("bounds", torch.log(torch.tensor([SMALLEST, LARGEST]) * unit))
        self.bounds: Tensor

    @classmethod
    def blank(cls, count: int) -> Splats:
        """A set of ``count`` Gaussians, to load a state into."""
        return cls(torch.zeros(count, 3), torch.ones(count), torch.ones(count, 3), 1.0, torch.Generator())

    def __len__(self) -> int:
        return len(self.position)

    def draw(self, view: View, offsets: Offsets | None) -> Layer:
        """Splat one frame.

        Args:
            view: pose and size of the frame.
            offsets: motion; None leaves the Gaussians as they are.
        """
        own = (self.position, self.scale, self.rotation, self.colour, self.opacity)
        changes = offsets or (None,) * len(own)
        position, scale, turn, colour, opacity = (
            value if change is None else value + change for value, change in zip(own, changes, strict=True)
        )
        towards = normalize(-(view.rotation.T @ view.translation), dim=0)
        colour = torch.sigmoid(colour + torch.einsum("ndc,d->nc", self.shading, towards))
        scale = scale.clamp(self.bounds[0], self.bounds[1]).exp()
        camera = position @ view.rotation.T + view.translation
        # A centre pushed to the camera plane would have no projection.
        depth = camera[:, 2].clamp(min=0.1)
        slope = camera[:, :2] / depth[:, None]
        mean = view.focal * slope + view.size / 2
        conic = conics(view.rotation, turn, scale, slope, view.focal / depth)
        feature = torch.cat([colour, depth[:, None]], 1)
        if mean.requires_grad:
            mean.retain_grad()
        image, transmittance = composite(mean, conic, torch.sigmoid(opacity), feature, depth, view.size)
        return Layer(image, transmittance, mean)


def conics(rotation: Tensor, turn: Tensor, scale: Tensor, slope: Tensor, magnification: Tensor) -> Tensor:
    """(N, 3) inverse screen covariances by the local affine projection (Zwicker et al. 2001, EWA splatting).

    Args:
        rotation: (3, 3) head to camera.
        turn: (N, 4) quaternions of the Gaussians.
        scale: (N, 3) standard deviations.
        slope: (N, 2) x/z and y/z in the camera.
        magnification: (N,) pixels a head unit.
    """
    axes = rotation @ quaternion_matrices(turn) * scale[:, None, :]
    # Rows of the Jacobian of (f x/z, f y/z) are magnification * (1, 0, -x/z) and (0, 1, -y/z).
    across = (axes[:, 0] - slope[:, :1] * axes[:, 2]) * magnification[:, None]
    down = (axes[:, 1] - slope[:, 1:] * axes[:, 2]) * magnification[:, None]
    xx = (across * across).sum(1) + PIXEL_VARIANCE
    yy = (down * down).sum(1) + PIXEL_VARIANCE
    xy = (across * down).sum(1)
    return torch.stack([yy, -xy, xx], 1) / (xx * yy - xy * xy)[:, None]


def quaternion_matrices(quaternion: Tensor) -> Tensor:
    """(N, 3, 3) rotation matrices of (N, 4) quaternions (w, x, y, z) of any length."""
    w, x, y, z = normalize(quaternion, dim=1).unbind(1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    matrices: Tensor = torch.stack(rows, 1).view(-1, 3, 3)
    return matrices
