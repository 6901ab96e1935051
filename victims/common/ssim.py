"""Structural dissimilarity as a training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import avg_pool2d

if TYPE_CHECKING:
    from torch import Tensor

#: Box window, pixels: a box costs a tenth of the usual Gaussian window and serves as a loss just as well.
WINDOW = 7


def dissimilarity(first: Tensor, second: Tensor) -> Tensor:
    """``(1 - SSIM) / 2`` of two images (H, W, 3) in [0, 1], mean over the valid windows; a scalar."""
    planes = torch.cat([first, second, first * first, second * second, first * second], 2).permute(2, 0, 1)
    a, b, aa, bb, ab = torch.split(avg_pool2d(planes[None], WINDOW, 1)[0], 3)
    mean_product, mean_squares = a * b, a * a + b * b
    covariance, variances = ab - mean_product, aa + bb - mean_squares
    ratio = (2 * mean_product + 0.01**2) * (2 * covariance + 0.03**2)
    ratio = ratio / ((mean_squares + 0.01**2) * (variances + 0.03**2))
    loss: Tensor = (1 - ratio.mean()) / 2
    return loss
