"""The CUDA back end: the two-dimensional pieces of gsplat, fed with our own projection and features.

Written against the Python sources of gsplat 1.5.3 and checked against their signatures; it has not been run on a GPU
yet. The test that compares it with the CPU's pictures and gradients runs wherever CUDA and gsplat are found.

Where gsplat differs from :mod:`.rasterise_numba`:

- opacity is clamped at 0.999, not 0.99;
- the Gaussian that would take a pixel's transmittance to 1e-4 or below is left out with all behind it; here it is the
  last to be blended;
- the exponential is the device's fast one, and gradients are summed by atomic operations: bytes vary between runs.

Equal in both: contributions below 1/255 are skipped, pixel centres lie at halves, and nothing widens the splats, for
gsplat's low-pass filter sits in its projection, which is not used.
"""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING

import torch

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

#: Edge of gsplat's tiles, pixels.
EDGE = 16
#: As on the CPU: fainter contributions are skipped.
ALPHA_MIN = 1 / 255


def composite_cuda(
    mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """:func:`vdf_bench.victims.gaussian.rasterise.composite` of float32 CUDA tensors.

    Raises:
        UserError: gsplat is not installed.
    """
    try:
        gsplat = importlib.import_module("gsplat")
    except ImportError as error:
        raise UserError("Gaussians on CUDA need gsplat: pip install 'vdf-bench[cuda]'") from error
    tiles = -(-size // EDGE)
    with torch.no_grad():
        _, keys, entries = gsplat.isect_tiles(
            mean[None], reach(conic, opacity)[None], depth[None], tile_size=EDGE, tile_width=tiles, tile_height=tiles
        )
        start = gsplat.isect_offset_encode(keys, n_images=1, tile_width=tiles, tile_height=tiles)
    image, alpha = gsplat.rasterize_to_pixels(
        mean[None],
        conic[None],
        feature[None],
        opacity[None],
        image_width=size,
        image_height=size,
        tile_size=EDGE,
        isect_offsets=start,
        flatten_ids=entries,
    )
    return image[0], 1 - alpha[0, ..., 0]


def reach(conic: Tensor, opacity: Tensor) -> Tensor:
    """(N, 2) int32 half widths and heights in pixels, beyond which nothing reaches 1/255; 0 for unseen Gaussians."""
    a, b, c = conic.unbind(1)
    level = 2 * torch.log(opacity / ALPHA_MIN) / (a * c - b * b)
    half = torch.stack([level * c, level * a], 1).clamp(min=0).sqrt().ceil()
    return half.clamp(max=math.pow(2, 20)).to(torch.int32)
