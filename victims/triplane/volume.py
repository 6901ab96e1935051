"""Volume rendering: rays, strata placed where the field was last seen to be dense, and the rendering integral."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

#: Steps of the walk through the cached density.
WALK = 64
#: Steps that are still taken behind an opaque surface, which may have moved since it was cached.
MARGIN = 3
#: Share of the samples that is spread evenly over occupied cells, so that surfaces may move.
EVEN = np.float32(0.25)


def camera_rays(
    pixels: NDArray[np.int64], rotation: NDArray[np.float32], translation: NDArray[np.float32], focal: float, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rays in head space through the centres of pixels (B, 2) as (column, row).

    Returns:
        origin (3,) and directions (B, 3), scaled so that the ray parameter is camera depth.
    """
    ray = np.ones((len(pixels), 3), np.float32)
    ray[:, :2] = (pixels + 0.5 - size / 2) / focal
    return np.asarray(-translation @ rotation, np.float32), np.asarray(ray @ rotation, np.float32)


@nb.njit(cache=True)
def place_strata(
    origin: NDArray[np.float32],
    direction: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    density: NDArray[np.float32],
    occupied: NDArray[np.uint8],
    edges: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Divide each ray into strata of equal expected weight (importance sampling as in NeRF, section 5.2).

    The expectation comes from a cached grid instead of a coarse pass of the network.

    Args:
        origin: (B, 3).
        direction: (B, 3).
        low: (3,) corner of the box.
        high: (3,) corner of the box.
        density: (G, G, G) cached density per head unit, indexed x, y, z.
        occupied: (G, G, G) uint8, cells that are dense or have a dense neighbour.
        edges: (B, N + 1), receives the bounds of the strata in ray parameters.

    Returns:
        (B,) whether the ray meets anything; ``edges`` is zero where it does not.
    """
    count, strata = edges.shape[0], edges.shape[1] - 1
    cells = density.shape[0]
    hit = np.zeros(count, np.bool_)
    cdf = np.empty(WALK + 1, np.float32)
    for ray in range(count):
        near, far = np.float32(0.05), np.float32(1e9)
        for k in range(3):
            slope = direction[ray, k]
            if abs(slope) < 1e-9:
                slope = np.float32(1e-9)
            first, second = (low[k] - origin[ray, k]) / slope, (high[k] - origin[ray, k]) / slope
            near, far = max(near, min(first, second)), min(far, max(first, second))
        edges[ray] = 0
        if far <= near:
            continue
        step = (far - near) / WALK
        length = step * math.sqrt(direction[ray, 0] ** 2 + direction[ray, 1] ** 2 + direction[ray, 2] ** 2)
        through, beyond = np.float32(1), 0
        total_weight, total_even = np.float32(0), 0
        # First the weights, kept as densities of probability; the even share is added once its size is known.
        begin, end = WALK, -1
        for j in range(WALK):
            t = near + (j + np.float32(0.5)) * step
            x = int((origin[ray, 0] + t * direction[ray, 0] - low[0]) / (high[0] - low[0]) * cells)
            y = int((origin[ray, 1] + t * direction[ray, 1] - low[1]) / (high[1] - low[1]) * cells)
            z = int((origin[ray, 2] + t * direction[ray, 2] - low[2]) / (high[2] - low[2]) * cells)
            x, y, z = min(max(x, 0), cells - 1), min(max(y, 0), cells - 1), min(max(z, 0), cells - 1)
            cdf[j + 1] = -1
            if occupied[x, y, z] and beyond < MARGIN:
                alpha = 1 - math.exp(-density[x, y, z] * length)
                cdf[j + 1] = through * alpha
                total_weight += cdf[j + 1]
                total_even += 1
                through *= 1 - alpha
                beyond += 1 if through < np.float32(0.01) else 0
                begin, end = min(begin, j), j
        if end < 0:
            continue
        hit[ray] = True
        cdf[begin] = 0
        for j in range(begin, end + 1):
            share = cdf[j + 1]
            grown = np.float32(0)
            if share >= 0:
                grown = (1 - EVEN) * share / max(total_weight, np.float32(1e-6)) + EVEN / total_even
            cdf[j + 1] = cdf[j] + grown
        j = begin
        total = cdf[end + 1]
        for i in range(strata + 1):
            wanted = total * i / strata
            while j < end and cdf[j + 1] < wanted:
                j += 1
            part = (wanted - cdf[j]) / max(cdf[j + 1] - cdf[j], np.float32(1e-9))
            edges[ray, i] = near + (j + min(max(part, np.float32(0)), np.float32(1))) * step
    return hit


def integrate(density: Tensor, colour: Tensor, depth: Tensor, width: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rendering integral by quadrature (NeRF, equation 3).

    Args:
        density: (B, N) per unit of length.
        colour: (B, N, 3).
        depth: (B, N) camera depth of the samples, ascending.
        width: (B, N) length of each stratum.

    Returns:
        Colour premultiplied by opacity (B, 3), opacity (B,), depth weighted by opacity (B,).
    """
    optical = density * width
    before = torch.cumsum(optical, 1) - optical
    weight = torch.exp(-before) * -torch.expm1(-optical)
    return (weight[..., None] * colour).sum(1), weight.sum(1), (weight * depth).sum(1)
