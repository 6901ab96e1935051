"""The rasteriser, forward and backward, at several sizes; tiles in plain torch beside it, for the ratio."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from vdf_bench.victims.gaussian.kernel import forward_and_backward, head_splats
from vdf_bench.victims.gaussian.rasterise import composite

pytest.importorskip("pytest_benchmark")

#: Edge of torch's tiles, pixels: the fastest of 8, 16, 32 and 64 at 128 px.
EDGE = 16


def composite_torch(mean, conic, opacity, feature, depth, size):
    """``composite`` as a loop over tiles, each a few torch operations on all its Gaussians; autograd differentiates."""
    order = depth.argsort(stable=True)
    mean, conic, opacity, feature = mean[order], conic[order], opacity[order], feature[order]
    with torch.no_grad():
        a, b, c = conic.unbind(1)
        level = 2 * torch.log(255 * opacity).clamp(min=0) / (a * c - b * b)
        reach = torch.stack([level * c, level * a], 1).sqrt()
        low, high = mean - reach, mean + reach
    centre = torch.arange(EDGE) + 0.5
    rows = []
    for top in range(0, size, EDGE):
        row = []
        for left in range(0, size, EDGE):
            corner = torch.tensor([left, top], dtype=torch.float32)
            index = ((high > corner) & (low < corner + EDGE)).all(1).nonzero()[:, 0]
            dx = (centre - (mean[index, :1] - left))[:, None, :]
            dy = (centre - (mean[index, 1:] - top))[:, :, None]
            a, b, c = conic[index, :, None, None].unbind(1)
            alpha = opacity[index, None, None] * torch.exp(-dx * (0.5 * a * dx + b * dy) - 0.5 * c * dy * dy)
            alpha = torch.where(alpha >= 1 / 255, alpha.clamp(max=0.99), 0.0)
            through = torch.cumprod(torch.cat([torch.ones(1, EDGE, EDGE), 1 - alpha]), 0)[:-1]
            weight = alpha * through * (through >= 1e-4)
            light = torch.einsum("nvu,nk->vuk", weight, feature[index])
            row.append(torch.cat([light, 1 - weight.sum(0)[..., None]], 2))
        rows.append(torch.cat(row, 1))
    picture = torch.cat(rows)[:size, :size]
    return picture[..., :4], picture[..., 4]


@pytest.mark.benchmark(group="rasteriser")
@pytest.mark.parametrize("count", [1000, 2000, 4000, 8000])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_forward_and_backward(benchmark, size, count):
    leaves, depth = head_splats(count, size)
    work = (forward_and_backward, (composite, leaves, depth, size))
    results = benchmark.pedantic(*work, rounds=50, iterations=1, warmup_rounds=3)
    assert all(torch.isfinite(result).all() for result in results)
    assert 0.2 < (results[1] < 0.5).float().mean() < 0.5


@pytest.mark.benchmark(group="rasteriser against torch")
@pytest.mark.parametrize("count", [1000, 2000, 4000, 8000])
def test_beside_tiles_in_torch(benchmark, count):
    """``ratio`` is the median CPU time of torch over that of the rasteriser; both do the same."""
    leaves, depth = head_splats(count, 128)

    def seconds(function, rounds):
        spent = []
        for _ in range(rounds):
            start = time.process_time()
            forward_and_backward(function, leaves, depth, 128)
            spent.append(time.process_time() - start)
        return float(np.median(spent))

    ours = forward_and_backward(composite, leaves, depth, 128)
    work = (forward_and_backward, (composite_torch, leaves, depth, 128))
    theirs = benchmark.pedantic(*work, rounds=3, iterations=1)
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).norm() <= 1e-3 * other.norm()
    torch_ms, ours_ms = 1e3 * seconds(composite_torch, 3), 1e3 * seconds(composite, 15)
    benchmark.extra_info.update(torch_ms=torch_ms, ours_ms=ours_ms, ratio=torch_ms / ours_ms)
