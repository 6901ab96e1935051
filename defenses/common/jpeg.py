"""JPEG as a differentiable function, so that a perturbation can be optimised through it.

Baseline JPEG as libjpeg does it (JFIF colours, 4:2:0 by averaging, the tables of ITU T.81 annex K scaled by quality,
triangular chroma upsampling), but for the rounding of coefficients, which has no gradient: Shin & Song 2017 replace it
by ``round(x) + (x - round(x))^3``. Entropy coding loses nothing and is left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import avg_pool2d, interpolate, pad

if TYPE_CHECKING:
    from torch import Tensor

BLOCK: Final = 8
#: Edge of the smallest coded unit: two blocks of luminance, one of each subsampled chrominance.
UNIT: Final = 16
#: ITU T.81, tables K.1 (luminance) and K.2 (chrominance), row by row.
LUMINANCE: Final = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
CHROMINANCE: Final = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
#: JFIF: Y, Cb - 128 and Cr - 128 of R, G and B.
TO_YCBCR: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def soft_round(x: Tensor) -> Tensor:
    """Rounding with a gradient of 3 d^2, d the distance to the nearest integer; off by at most 1/8."""
    nearest = torch.round(x.detach())
    return nearest + (x - nearest) ** 3


def quantisation_table(base: tuple[int, ...], quality: int) -> Tensor:
    """(8, 8) float32 steps of libjpeg at ``quality`` 1 to 100."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.tensor(base) * percent + 50) // 100).clamp(1, 255).view(BLOCK, BLOCK).float()


def jpeg(picture: Tensor, quality: int) -> Tensor:
    """What is left of ``picture`` after JPEG.

    Args:
        picture: (3, H, W) RGB in [0, 1].
        quality: libjpeg's quality factor, 1 to 100.

    Returns:
        (3, H, W) RGB in [0, 1], not rounded to 8 bits; differentiable in ``picture``.
    """
    height, width = picture.shape[1:]
    whole = pad(picture[None], (0, -width % UNIT, 0, -height % UNIT), mode="replicate")[0]
    planes = torch.einsum("kc,chw->khw", picture.new_tensor(TO_YCBCR), 255 * whole)
    luminance = _code(planes[:1] - 128, quantisation_table(LUMINANCE, quality)) + 128
    chrominance = _code(avg_pool2d(planes[1:], 2), quantisation_table(CHROMINANCE, quality))
    chrominance = interpolate(chrominance[None], scale_factor=2.0, mode="bilinear", align_corners=False)[0]
    decoded = torch.einsum("ck,khw->chw", picture.new_tensor(TO_RGB), torch.cat([luminance, chrominance]))
    return (decoded / 255).clamp(0, 1)[:, :height, :width]


def _code(planes: Tensor, table: Tensor) -> Tensor:
    """Transform, quantise and transform back (K, H, W) planes around 0, H and W multiples of 8."""
    count, height, width = planes.shape
    position = torch.arange(BLOCK, dtype=planes.dtype, device=planes.device)
    basis = torch.cos(math.pi / BLOCK * (position + 0.5) * position[:, None]) * math.sqrt(2 / BLOCK)
    basis[0] /= math.sqrt(2)
    blocks = planes.reshape(count, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(2, 3)
    step = table.to(planes)
    coefficients = soft_round(basis @ blocks @ basis.T / step) * step
    return (basis.T @ coefficients @ basis).transpose(2, 3).reshape(planes.shape)
