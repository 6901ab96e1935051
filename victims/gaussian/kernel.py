"""The rasteriser as a kernel whose time and work can be measured, on Gaussians like those of a fitted head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.core.kernel import Kernel
from vdf_bench.victims.gaussian.rasterise import composite
from vdf_bench.victims.gaussian.rasterise_numba import EDGE, bin_splats, depth_order, splat_forward

if TYPE_CHECKING:
    from torch import Tensor

#: Additions, multiplications and divisions in the inner loops of :mod:`.rasterise_numba`, for a pixel that a Gaussian
#: is blended at: offset 2, exponent 7, exponential 14, opacity 1, and forward weight, light and transmittance 10;
#: backward 39 for weight, gradients and the six moments. Comparisons, minima and what is done once a tile are left out.
FORWARD_FLOPS: Final = 2 + 7 + 14 + 1 + 10
BACKWARD_FLOPS: Final = 2 + 7 + 14 + 1 + 39


def head_splats(count: int, size: int, device: str = "cpu") -> tuple[list[Tensor], Tensor]:
    """Gaussians with the statistics of a fitted head: a third of the frame is covered, each pixel there about 40 times.

    Spread evenly over an ellipse, median reach 4 px for 4500 Gaussians at 128 px, opacities around 0.8. Timings agree
    with those of fitted heads to a quarter.

    Returns:
        Centre, conic, opacity and feature as leaves, and depth, as :func:`.rasterise.composite` takes them.
    """
    generator = torch.Generator().manual_seed(0)
    angle, radius = torch.rand(count, generator=generator) * 2 * math.pi, torch.rand(count, generator=generator).sqrt()
    mean = size * (0.5 + radius[:, None] * torch.stack([0.28 * angle.cos(), 0.4 * angle.sin()], 1))
    deviation = 1.2 * size / 128 * (4500 / count) ** 0.5 * torch.exp(0.25 * torch.randn(count, 2, generator=generator))
    variance = deviation**2 + 1 / 12
    turn = torch.rand(count, generator=generator) * math.pi
    cosine, sine = turn.cos(), turn.sin()
    one, two = (1 / variance).unbind(1)
    conic = torch.stack(
        [one * cosine**2 + two * sine**2, (one - two) * cosine * sine, one * sine**2 + two * cosine**2], 1
    )
    opacity = torch.sigmoid(1.4 + torch.randn(count, generator=generator))
    leaves = [mean, conic, opacity, torch.rand(count, 4, generator=generator)]
    depth = torch.rand(count, generator=generator)
    return [leaf.to(device).requires_grad_() for leaf in leaves], depth.to(device)


def forward_and_backward(function: Any, leaves: list[Tensor], depth: Tensor, size: int) -> list[Tensor]:
    """Picture, transmittance, and the gradients of the sum of their squares by the leaves."""
    image, through = function(*leaves, depth, size)
    gradients = torch.autograd.grad(image.square().sum() + through.square().sum(), leaves)
    return [image.detach(), through.detach(), *gradients]


def rasteriser(device: str, size: int, count: int) -> Kernel:
    """``count`` Gaussians of a head, forward and backward, by the back end of ``device``.

    Raises:
        UserError: the device is CUDA and gsplat is not installed.
    """
    leaves, depth = head_splats(count, size, device)
    forward_and_backward(composite, leaves, depth, size)  # compiles, or says what is missing
    moved = sum(leaf.nbytes for leaf in leaves) * 2 + depth.nbytes + 2 * 5 * 4 * size**2
    on_cpu = torch.device(device).type == "cpu"
    return Kernel(
        f"rasteriser, both ways, {count} Gaussians, {size} px",
        lambda: forward_and_backward(composite, leaves, depth, size),
        moved,
        flops=loop_flops(leaves, depth, size) if on_cpu else None,
    )


def loop_flops(leaves: list[Tensor], depth: Tensor, size: int) -> float:
    """Operations of the compiled loops, forward and backward, for every pixel that they visit.

    They visit whole rows of a tile, and on the way back the lists up to the last Gaussian that any of a tile's pixels
    saw; pixels that a Gaussian does not reach are blended with an opacity of zero, and count.
    """
    mean, conic, opacity, feature = (leaf.detach().numpy() for leaf in leaves)
    box, entry, start = bin_splats(mean, conic, opacity, depth_order(depth.numpy()), size, size)
    through, last = (np.empty((size, size), np.float32) for _ in range(2))
    splat_forward(
        mean, conic, opacity, feature, box, entry, start, np.empty((size, size, 4), np.float32), through, last
    )
    across = -(-size // EDGE)
    forward = backward = 0
    for tile in range(len(start) - 1):
        top, left = tile // across * EDGE, tile % across * EDGE
        splats = entry[start[tile] : start[tile + 1]]
        rows = np.minimum(EDGE, box[splats, 3] - top) - np.maximum(0, box[splats, 2] - top)
        seen = int(last[top : top + EDGE, left : left + EDGE].max()) + 1
        forward += EDGE * int(rows.sum())
        backward += EDGE * int(rows[:seen].sum())
    return float(FORWARD_FLOPS * forward + BACKWARD_FLOPS * backward)
