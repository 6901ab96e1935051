"""Structural dissimilarity as a training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vdf_bench.core.similarity import ssim_of_moments

if TYPE_CHECKING:
    from torch import Tensor

#: Box window, pixels: a box costs a tenth of the usual Gaussian window and serves as a loss just as well.
WINDOW = 7


def dissimilarity(image: Tensor, target: Tensor) -> Tensor:
    """``(1 - SSIM) / 2`` of two images (H, W, 3) in [0, 1], mean over the valid windows; a scalar.

    No gradient reaches ``target``.
    """
    one, two = (each.permute(2, 0, 1).contiguous() for each in (image, target.detach()))
    a, aa, ab = torch.split(_means(torch.cat([one, one * one, one * two])), 3)
    b, bb = torch.split(_means(torch.cat([two, two * two])), 3)
    return (1 - ssim_of_moments(a, b, aa + bb, ab).mean()) / 2


def _means(planes: Tensor) -> Tensor:
    """Means over windows of planes (K, H, W): a quarter of the time of average pooling and its backward pass."""
    return _sums(_sums(planes, 1), 2) / WINDOW**2


def _sums(planes: Tensor, axis: int) -> Tensor:
    """Sums of seven neighbours along an axis, from sums of two and of four."""
    two = planes.narrow(axis, 0, planes.shape[axis] - 1) + planes.narrow(axis, 1, planes.shape[axis] - 1)
    four = two.narrow(axis, 0, two.shape[axis] - 2) + two.narrow(axis, 2, two.shape[axis] - 2)
    valid = planes.shape[axis] - WINDOW + 1
    return four.narrow(axis, 0, valid) + two.narrow(axis, 4, valid) + planes.narrow(axis, 6, valid)
