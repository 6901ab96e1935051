"""Splatting of 2D Gaussians, front to back, with an analytic backward pass (Kerbl et al. 2023, section 6).

One loop over depth-sorted Gaussians, each of which visits only the pixels inside its own ellipse: on a single core
and at portrait sizes this beats tiles, and it leaves no lists to build. :func:`composite_reference` is the same
function written densely in torch; tests compare the two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Real = float | np.float32

#: Channels of a splat: RGB and camera depth. A constant, so that compiled loops unroll into vector instructions.
CHANNELS = 4
#: As in the official rasteriser: fainter contributions are skipped, opacity stays below one.
ALPHA_MIN = np.float32(1 / 255)
ALPHA_MAX = np.float32(0.99)
#: A pixel is finished once less light than this passes.
TRANSMITTANCE_MIN = np.float32(1e-3)

_HALF, _ONE = np.float32(0.5), np.float32(1)


@nb.njit(cache=True, fastmath=True, inline="always")
def _rows(y: Real, a: Real, b: Real, c: Real, cut: Real, height: int) -> tuple[int, int]:
    """First and last pixel row that the ellipse of level ``cut`` reaches."""
    reach = math.sqrt(2 * cut * a / (a * c - b * b))
    return max(0, math.ceil(y - reach - 0.5)), min(height - 1, math.floor(y + reach - 0.5))


@nb.njit(cache=True, fastmath=True, inline="always")
def _columns(x: Real, dy: Real, a: Real, b: Real, c: Real, cut: Real, width: int) -> tuple[int, int]:
    """First and last pixel of a row at distance ``dy`` inside the ellipse: roots of the quadratic form."""
    inside = b * b * dy * dy - a * (c * dy * dy - 2 * cut)
    if inside <= 0:
        return 0, -1
    root = math.sqrt(inside)
    return max(0, math.ceil(x + (-b * dy - root) / a - 0.5)), min(width - 1, math.floor(x + (-b * dy + root) / a - 0.5))


@nb.njit(cache=True, fastmath=True)
def splat_forward(
    mean: NDArray[np.float32],
    conic: NDArray[np.float32],
    opacity: NDArray[np.float32],
    feature: NDArray[np.float32],
    order: NDArray[np.int32],
    image: NDArray[np.float32],
    transmittance: NDArray[np.float32],
    last: NDArray[np.int32],
) -> None:
    """Accumulate Gaussians into ``image`` (H, W, 4), ``transmittance`` (H, W) and ``last`` (H, W).

    Args:
        mean: (N, 2) pixels.
        conic: (N, 3) upper triangle of the inverse covariance, 1/pixels^2.
        opacity: (N,) in (0, 1).
        feature: (N, 4).
        order: (N,) nearest first.
        image: zeros on entry.
        transmittance: ones on entry.
        last: -1 on entry; rank of the last Gaussian that each pixel saw.
    """
    height, width = transmittance.shape
    for rank in range(order.shape[0]):
        g = order[rank]
        strength = opacity[g]
        if strength <= ALPHA_MIN:
            continue
        cut = np.float32(math.log(strength / ALPHA_MIN))
        x, y = mean[g, 0], mean[g, 1]
        a, b, c = conic[g, 0], conic[g, 1], conic[g, 2]
        top, bottom = _rows(y, a, b, c, cut, height)
        for v in range(top, bottom + 1):
            dy = np.float32(v) + _HALF - y
            left, right = _columns(x, dy, a, b, c, cut, width)
            for u in range(left, right + 1):
                passing = transmittance[v, u]
                if passing < TRANSMITTANCE_MIN:
                    continue
                dx = np.float32(u) + _HALF - x
                power = _HALF * (a * dx * dx + c * dy * dy) + b * dx * dy
                alpha = min(ALPHA_MAX, strength * np.float32(math.exp(-power)))
                weight = alpha * passing
                for k in range(CHANNELS):
                    image[v, u, k] += weight * feature[g, k]
                transmittance[v, u] = passing * (_ONE - alpha)
                last[v, u] = rank


@nb.njit(cache=True, fastmath=True)
def splat_backward(
    mean: NDArray[np.float32],
    conic: NDArray[np.float32],
    opacity: NDArray[np.float32],
    feature: NDArray[np.float32],
    order: NDArray[np.int32],
    transmittance: NDArray[np.float32],
    last: NDArray[np.int32],
    grad_image: NDArray[np.float32],
    grad_transmittance: NDArray[np.float32],
    grad_mean: NDArray[np.float32],
    grad_conic: NDArray[np.float32],
    grad_opacity: NDArray[np.float32],
    grad_feature: NDArray[np.float32],
) -> None:
    """Gradients of :func:`splat_forward`, added to the ``grad_*`` of its inputs (zeros on entry).

    Walks the Gaussians from back to front and undoes the transmittance. ``behind`` is the gradient-weighted
    light that arrives from behind the current Gaussian, the suffix sum of the product rule.
    """
    height, width = transmittance.shape
    passing = transmittance.copy()
    behind = transmittance * grad_transmittance
    for rank in range(order.shape[0] - 1, -1, -1):
        g = order[rank]
        strength = opacity[g]
        if strength <= ALPHA_MIN:
            continue
        cut = np.float32(math.log(strength / ALPHA_MIN))
        x, y = mean[g, 0], mean[g, 1]
        a, b, c = conic[g, 0], conic[g, 1], conic[g, 2]
        f0, f1, f2, f3 = feature[g, 0], feature[g, 1], feature[g, 2], feature[g, 3]
        to_f0 = to_f1 = to_f2 = to_f3 = np.float32(0)
        to_x = to_y = to_a = to_b = to_c = to_strength = np.float32(0)
        top, bottom = _rows(y, a, b, c, cut, height)
        for v in range(top, bottom + 1):
            dy = np.float32(v) + _HALF - y
            left, right = _columns(x, dy, a, b, c, cut, width)
            for u in range(left, right + 1):
                if rank > last[v, u]:
                    continue
                dx = np.float32(u) + _HALF - x
                power = _HALF * (a * dx * dx + c * dy * dy) + b * dx * dy
                fall = np.float32(math.exp(-power))
                alpha = min(ALPHA_MAX, strength * fall)
                rest = _ONE / (_ONE - alpha)
                before = passing[v, u] * rest
                g0, g1, g2, g3 = grad_image[v, u, 0], grad_image[v, u, 1], grad_image[v, u, 2], grad_image[v, u, 3]
                weight = alpha * before
                to_f0 += weight * g0
                to_f1 += weight * g1
                to_f2 += weight * g2
                to_f3 += weight * g3
                light = f0 * g0 + f1 * g1 + f2 * g2 + f3 * g3
                to_alpha = before * light - behind[v, u] * rest
                behind[v, u] += weight * light
                passing[v, u] = before
                if alpha < ALPHA_MAX:
                    to_strength += to_alpha * fall
                    to_power = -to_alpha * alpha
                    to_a += to_power * _HALF * dx * dx
                    to_b += to_power * dx * dy
                    to_c += to_power * _HALF * dy * dy
                    to_x -= to_power * (a * dx + b * dy)
                    to_y -= to_power * (b * dx + c * dy)
        grad_feature[g, 0], grad_feature[g, 1], grad_feature[g, 2], grad_feature[g, 3] = to_f0, to_f1, to_f2, to_f3
        grad_mean[g, 0], grad_mean[g, 1] = to_x, to_y
        grad_conic[g, 0], grad_conic[g, 1], grad_conic[g, 2] = to_a, to_b, to_c
        grad_opacity[g] = to_strength


class _Composite(torch.autograd.Function):
    """Joins the compiled passes to torch."""

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, order: Tensor, size: int
    ) -> Any:
        inputs = tuple(tensor.detach().contiguous().numpy() for tensor in (mean, conic, opacity, feature, order))
        xy, inverse, strength, value, rank = inputs
        # Not-a-number as a pixel index is undefined in compiled code: pass it on in the picture instead.
        finite = np.isfinite(xy.sum() + inverse.sum())
        image = np.full((size, size, CHANNELS), 0 if finite else np.nan, np.float32)
        transmittance = np.ones((size, size), np.float32)
        last = np.full((size, size), -1, np.int32)
        if finite:
            splat_forward(xy, inverse, strength, value, rank, image, transmittance, last)
        ctx.kept = (*inputs, transmittance.copy(), last)
        return torch.from_numpy(image), torch.from_numpy(transmittance)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        xy, inverse, strength, value, rank, transmittance, last = ctx.kept
        grad_image, grad_through = (grad.contiguous().numpy() for grad in grads)
        a, b, c, d = (np.zeros_like(array) for array in (xy, inverse, strength, value))
        splat_backward(
            xy, inverse, strength, value, rank, transmittance, last, grad_image, grad_through, a, b, c, d
        )  # fmt: skip
        return (*(torch.from_numpy(array) for array in (a, b, c, d)), None, None)


def composite(
    mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Blend Gaussians front to back onto a ``size`` x ``size`` frame.

    Args:
        mean: (N, 2) float32 pixels, (x, y).
        conic: (N, 3) float32, inverse covariance (xx, xy, yy).
        opacity: (N,) float32 in (0, 1).
        feature: (N, 4) float32, RGB and camera depth.
        depth: (N,) by which they are sorted; no gradient.
        size: edge of the frame, pixels.

    Returns:
        Accumulated features (S, S, 4), without any background, and the remaining transmittance (S, S).
    """
    order = depth.detach().argsort(stable=True).to(torch.int32)
    image, transmittance = _Composite.apply(mean, conic, opacity, feature, order, size)
    return image, transmittance


def composite_reference(
    mean: Tensor, conic: Tensor, opacity: Tensor, feature: Tensor, depth: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """:func:`composite` as dense torch operations on N x S x S weights, in the precision of its inputs."""
    order = depth.detach().argsort(stable=True)
    mean, conic, opacity, feature = mean[order], conic[order], opacity[order], feature[order]
    centre = torch.arange(size, dtype=mean.dtype) + 0.5
    dx = (centre[None, :] - mean[:, :1])[:, None, :]
    dy = (centre[None, :] - mean[:, 1:])[:, :, None]
    a, b, c = (conic[:, k, None, None] for k in range(3))
    power = 0.5 * (a * dx**2 + c * dy**2) + b * dx * dy
    alpha = opacity[:, None, None] * torch.exp(-power)
    alpha = torch.where(alpha >= float(ALPHA_MIN), alpha.clamp(max=float(ALPHA_MAX)), torch.zeros_like(alpha))
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[:1]), 1 - alpha]), 0)[:-1]
    alpha = alpha * (through >= float(TRANSMITTANCE_MIN))
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[:1]), 1 - alpha]), 0)
    image = torch.einsum("nvu,nk->vuk", alpha * through[:-1], feature)
    return image, through[-1]
