"""A small variational autoencoder in the form of Stable Diffusion's: an eighth of the edge, four latent channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.models.denoiser import ResidualBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Pixels to a latent, along an edge.
SHRINK: Final = 8
#: Latent channels.
LATENT: Final = 4


def pad_to_cells(picture: Tensor) -> Tensor:
    """Mirror (N, C, H, W) on at its right and lower edge up to whole cells of 8 x 8; one that fits is left alone."""
    height, width = picture.shape[2:]
    beyond = (0, -width % SHRINK, 0, -height % SHRINK)
    return F.pad(picture, beyond, mode="reflect") if any(beyond) else picture


class Upsample(nn.Module):
    """Twice the edge, then a convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, 2h, 2w)."""
        result: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return result


class Autoencoder(nn.Module):
    """Encoder to a normal distribution per latent, and decoder.

    Args:
        widths: channels at 1/2, 1/4 and 1/8 of the edge.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 96)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.encoder = nn.Sequential(
            nn.Conv2d(3, fine, 4, 2, 1),
            ResidualBlock(fine, fine),
            nn.Conv2d(fine, middle, 4, 2, 1),
            ResidualBlock(middle, middle),
            nn.Conv2d(middle, coarse, 4, 2, 1),
            ResidualBlock(coarse, coarse),
            nn.GroupNorm(8, coarse),
            nn.SiLU(),
            nn.Conv2d(coarse, 2 * LATENT, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENT, coarse, 3, 1, 1),
            ResidualBlock(coarse, coarse),
            ResidualBlock(coarse, coarse),
            Upsample(coarse, middle),
            ResidualBlock(middle, middle),
            Upsample(middle, fine),
            ResidualBlock(fine, fine),
            nn.GroupNorm(8, fine),
            nn.SiLU(),
            nn.Conv2d(fine, 12, 3, 1, 1),
            nn.PixelShuffle(2),
        )
        #: Latents times this have unit variance over the training pictures (0.18215 for Stable Diffusion).
        self.register_buffer("scale", torch.ones(()))

    def distribution(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (N, 4, H/8, W/8), unscaled, of pictures (N, 3, H, W) in [-1, 1]."""
        mean, spread = self.encoder(pad_to_cells(picture)).chunk(2, 1)
        return mean, spread.clamp(-12, 4)

    def encode(self, picture: Tensor) -> Tensor:
        """Scaled mean latents (N, 4, ceil(H/8), ceil(W/8)) of pictures (N, 3, H, W) in [-1, 1]."""
        return self.distribution(picture)[0] * self.get_buffer("scale")

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures (N, 3, 8h, 8w), about [-1, 1], of scaled latents (N, 4, h, w)."""
        picture: Tensor = self.decoder(latents / self.get_buffer("scale"))
        return picture
