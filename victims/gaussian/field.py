"""The field: Gaussians in head space, their deformation by the driving code, and their projection."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from vdf_bench.victims.common.head import Field, Picture, View
from vdf_bench.victims.gaussian.rasterise import composite

#: Driving scalars: mouth opening, mouth width, eye opening.
CODE_SIZE = 3
#: Deformation: position (3), log scale (3), colour (3), opacity (1).
OFFSETS = 10
#: Variance of a pixel's box filter, added to every splat so that none falls between pixels.
PIXEL_VARIANCE = 1 / 12
#: Reach of the deformation in position (head units of this head), log scale, colour and opacity logits.
REACH = (0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 1.0, 1.0, 1.0, 1.0)
EMBEDDING = 8


class GaussianField(Field):
    """N Gaussians and the network that moves them.

    The deformation sees each Gaussian through a learnt embedding (per-Gaussian rather than per-place, so that
    upper and lower lip, which touch, can part) and the driving code through a learnt region attention (ER-NeRF,
    TalkingGaussian): without it the whole face takes on the shade that it had when the mouth was open.

    Args:
        position: (N, 3) initial centres in head space.
        spacing: (N,) initial standard deviations, head units.
        colour: (N, 3) initial RGB in [0, 1].
        embedding: (N, 8) initial embeddings.
        attention: (N, 2) initial attention to the mouth and to the eyes, in (0, 1).
        unit: size of this head, see :class:`vdf_bench.victims.common.scene.Scene`.
        generator: of the network's initial weights.
        hidden: width of the deformation network.
    """

    def __init__(
        self,
        position: Tensor,
        spacing: Tensor,
        colour: Tensor,
        embedding: Tensor,
        attention: Tensor,
        unit: float,
        generator: torch.Generator,
        hidden: int = 48,
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
        self.embedding = nn.Parameter(embedding)
        self.attention = nn.Parameter(torch.logit(attention.clamp(0.01, 0.95)))
        #: Each Gaussian's own linear answer to the code: blendshapes, which learn rare motion (blinks) quickly.
        self.blend = nn.Parameter(torch.zeros(count, CODE_SIZE, OFFSETS))
        self.first = nn.Parameter(_uniform((EMBEDDING + CODE_SIZE, hidden), generator))
        self.second = nn.Parameter(_uniform((hidden, hidden), generator))
        self.third = nn.Parameter(torch.zeros(hidden, OFFSETS))
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.bias_second = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("reach", torch.tensor(REACH) * torch.tensor([unit] * 3 + [1.0] * 7))
        self.register_buffer("scale_bounds", torch.log(torch.tensor([0.004, 0.25]) * unit))
        self.reach: Tensor
        self.scale_bounds: Tensor

    @classmethod
    def blank(cls, tensors: dict[str, Tensor]) -> GaussianField:
        """A field of the sizes of ``tensors``, a state dictionary."""
        rows = tensors["position"]
        return cls(
            rows, torch.ones(len(rows)), torch.ones(len(rows), 3), tensors["embedding"],
            torch.ones(len(rows), 2), 1.0, torch.Generator(), tensors["second"].shape[0],
        )  # fmt: skip

    def picture(self, view: View) -> Picture:
        image, transmittance, _ = self(view.rotation, view.translation, view.focal, view.size, view.code)
        return Picture(image[..., :3], 1 - transmittance, image[..., 3])

    def offsets(self, code: Tensor) -> Tensor:
        """(N, 10) deformation by the code (3,)."""
        attention = torch.sigmoid(self.attention)
        heard = torch.cat([attention[:, :1] * code[:2], attention[:, 1:] * code[2:]], 1)
        hidden = torch.addmm(self.bias_first, torch.cat([self.embedding, heard], 1), self.first)
        hidden = torch.relu(hidden)
        hidden = torch.relu(torch.addmm(self.bias_second, hidden, self.second))
        own = (heard[:, :, None] * self.blend).sum(1)
        offsets: Tensor = (hidden @ self.third + own) * self.reach
        return offsets

    def forward(
        self, rotation: Tensor, translation: Tensor, focal: float, size: int, code: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Splat one frame.

        Args:
            rotation: (3, 3) head to camera.
            translation: (3,).
            focal: pixels.
            size: edge of the frame, pixels.
            code: (3,) driving code; None leaves the static head.

        Returns:
            Accumulated RGB and depth (S, S, 4), transmittance (S, S), and the projected centres (N, 2), whose
            gradient tells densification where detail is missing.
        """
        position: Tensor = self.position
        scale: Tensor = self.scale
        colour: Tensor = self.colour
        opacity: Tensor = self.opacity
        if code is not None:
            moved = self.offsets(code)
            position = position + moved[:, :3]
            scale = scale + moved[:, 3:6]
            colour = colour + moved[:, 6:9]
            opacity = opacity + moved[:, 9]
        view = normalize(-(rotation.T @ translation), dim=0)
        colour = torch.sigmoid(colour + torch.einsum("ndc,d->nc", self.shading, view))
        scale = scale.clamp(self.scale_bounds[0], self.scale_bounds[1]).exp()
        camera = position @ rotation.T + translation
        # A centre pushed to the camera plane would have no projection.
        depth = camera[:, 2].clamp(min=0.1)
        slope = camera[:, :2] / depth[:, None]
        mean = focal * slope + size / 2
        conic = self.conics(rotation, scale, slope, focal / depth)
        feature = torch.cat([colour, depth[:, None]], 1)
        if mean.requires_grad:
            mean.retain_grad()
        image, transmittance = composite(mean, conic, torch.sigmoid(opacity), feature, depth, size)
        return image, transmittance, mean

    def conics(self, rotation: Tensor, scale: Tensor, slope: Tensor, magnification: Tensor) -> Tensor:
        """(N, 3) inverse screen covariances by the local affine projection (Zwicker et al. 2001, EWA splatting)."""
        axes = rotation @ quaternion_matrices(self.rotation) * scale[:, None, :]
        # Rows of the Jacobian of (f x/z, f y/z) are magnification * (1, 0, -x/z) and (0, 1, -y/z).
        across = (axes[:, 0] - slope[:, :1] * axes[:, 2]) * magnification[:, None]
        down = (axes[:, 1] - slope[:, 1:] * axes[:, 2]) * magnification[:, None]
        xx = (across * across).sum(1) + PIXEL_VARIANCE
        yy = (down * down).sum(1) + PIXEL_VARIANCE
        xy = (across * down).sum(1)
        conic: Tensor = torch.stack([yy, -xy, xx], 1) / (xx * yy - xy * xy)[:, None]
        return conic


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


def _uniform(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """He initialisation for a ReLU layer of ``shape`` (in, out)."""
    bound = (6 / shape[0]) ** 0.5
    weights: Tensor = (torch.rand(shape, generator=generator) * 2 - 1) * bound
    return weights
