"""What is seen of a perturbation, differentiably: structural similarity, and the low frequencies of a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import torch
from torch.nn.functional import avg_pool2d, conv2d, pad

from vdf_bench.core.similarity import ssim_of_moments

if TYPE_CHECKING:
    from torch import Tensor

#: Wang et al. 2004.
WINDOW_SIGMA: Final = 1.5
#: Of the 8 x 8 coefficients of a block, the lowest KEPT x KEPT count as low.
BLOCK: Final = 8
KEPT: Final = 2
#: Of the blur that stands for low frequencies, pixels.
BLUR_SIGMA: Final = 2.0


def gaussian_blur(picture: Tensor, sigma: float) -> Tensor:
    """Blur (C, H, W), mirrored at the border; ``sigma`` in pixels, 0 changes nothing."""
    if not sigma:
        return picture
    radius = min(math.ceil(3 * sigma), min(picture.shape[1:]) - 1)
    offset = torch.arange(-radius, radius + 1, dtype=picture.dtype, device=picture.device)
    kernel = torch.exp(-0.5 * (offset / sigma) ** 2)
    kernel = kernel / kernel.sum()
    planes = pad(picture[:, None], (radius,) * 4, mode="reflect")
    return conv2d(conv2d(planes, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of two pictures (3, H, W) in [0, 1], the mean of its map; a scalar."""
    return ssim_map(first, second).mean()


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """(3, H, W) local SSIM under a Gaussian window of 1.5 px, mirrored at the border."""
    moments = (first, second, first * first + second * second, first * second)
    return ssim_of_moments(*(gaussian_blur(each, WINDOW_SIGMA) for each in moments))


def low_band(picture: Tensor, operator: Literal["haar", "dct", "blur"]) -> Tensor:
    """The low frequencies of (C, H, W), cut to whole blocks.

    Args:
        picture: pixels.
        operator: ``haar``: the low band of one level of the orthonormal Haar wavelet; ``dct``: the lowest 2 x 2
            coefficients of the orthonormal DCT-II of 8 x 8 blocks, as JPEG cuts them; ``blur``: a Gaussian of 2 px.
    """
    if operator == "haar":
        return 2 * avg_pool2d(picture, 2)
    if operator == "blur":
        return gaussian_blur(picture, BLUR_SIGMA)
    height, width = (side // BLOCK * BLOCK for side in picture.shape[1:])
    blocks = picture[:, :height, :width].reshape(len(picture), height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    position = torch.arange(BLOCK, dtype=picture.dtype, device=picture.device)
    basis = torch.cos(math.pi / BLOCK * (position + 0.5) * position[:KEPT, None]) * math.sqrt(2 / BLOCK)
    basis[0] /= math.sqrt(2)
    return torch.einsum("cyixj,ki,lj->cyxkl", blocks, basis, basis)
