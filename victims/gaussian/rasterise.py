"""Splatting of 2D Gaussians, front to back (Kerbl et al. 2023, section 6): one function, a back end per device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vdf_bench.victims.gaussian.rasterise_numba import (
    CHANNELS,
    bin_splats,
    depth_order,
    splat_backward,
    splat_forward,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def composite(
    mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Blend Gaussians front to back onto a ``size`` x ``size`` frame.

    On CUDA tensors gsplat does it, elsewhere the compiled tiles of :mod:`.rasterise_numba`; both in float32, whatever
    precision the inputs come in.

    Args:
        mean: (N, 2) pixels, (x, y); the centre of the first pixel is at 0.5.
        conic: (N, 3) inverse covariance (xx, xy, yy), 1/pixels^2.
        opacity: (N,) in (0, 1).
        feature: (N, 4) RGB and camera depth.
        depth: (N,) by which they are sorted, not negative; no gradient.
        size: edge of the frame, pixels.

    Returns:
        Accumulated features (S, S, 4) float32, without any background, and the remaining transmittance (S, S) float32.

    Raises:
        UserError: the tensors lie on a CUDA device and gsplat is not installed.
    """
    mean, conic, opacity, feature, depth = (tensor.float() for tensor in (mean, conic, opacity, feature, depth))
    if mean.is_cuda:
        from vdf_bench.victims.gaussian.rasterise_gsplat import composite_cuda

        return composite_cuda(mean, conic, opacity, feature, depth, size)
    return composite_cpu(mean, conic, opacity, feature, depth, size)


def composite_cpu(
    mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """:func:`composite` of float32 CPU tensors."""
    total = sum(tensor.detach().sum() for tensor in (mean, conic, opacity, feature))
    if not math.isfinite(total):
        # Not-a-number as a pixel index is undefined in compiled code: pass it on in picture and gradients instead.
        lost = math.nan * (mean.sum() + conic.sum() + opacity.sum() + feature.sum())
        return lost.expand(size, size, CHANNELS), lost.expand(size, size)
    image, transmittance = _Composite.apply(mean, conic, opacity, feature, depth, size)
    return image, transmittance


class _Composite(torch.autograd.Function):
    """Joins the compiled passes to torch."""

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
    ) -> Any:
        xy, inverse, strength, value = (_array(tensor) for tensor in (mean, conic, opacity, feature))
        lists = bin_splats(xy, inverse, strength, depth_order(_array(depth)), size, size)
        image = np.empty((size, size, CHANNELS), np.float32)
        transmittance, last = (np.empty((size, size), np.float32) for _ in range(2))
        splat_forward(xy, inverse, strength, value, *lists, image, transmittance, last)
        # A copy, for the caller may write into what it gets.
        ctx.kept = (xy, inverse, strength, value, *lists, transmittance.copy(), last)
        return torch.from_numpy(image), torch.from_numpy(transmittance)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        to_splats = tuple(np.zeros_like(array) for array in ctx.kept[:4])
        splat_backward(*ctx.kept, *(_array(grad) for grad in grads), *to_splats)
        return (*(torch.from_numpy(array) for array in to_splats), None, None)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    """A tensor's values, contiguous, as compiled code takes them."""
    values: NDArray[np.float32] = tensor.detach().contiguous().numpy()
    return values
