"""Feature planes: three axis-aligned grids whose bilinear features stand for a volume (EG3D, K-Planes, ER-NeRF)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import grid_sample

if TYPE_CHECKING:
    from torch import Tensor


def on_planes(points: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(3, P, 2) coordinates in [-1, 1] of points (P, 3) on the planes xy, xz and zy of a box."""
    unit = (points - low) / (high - low) * 2 - 1
    return torch.stack([unit[:, [0, 1]], unit[:, [0, 2]], unit[:, [2, 1]]])


def sample(planes: Tensor, at: Tensor) -> Tensor:
    """Bilinear features (K, C, P) of planes (K, C, R, R) at (K, P, 2) in [-1, 1]."""
    return grid_sample(planes, at[:, None], mode="bilinear", padding_mode="border", align_corners=False)[:, :, 0]
