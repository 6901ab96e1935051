"""The compiled rasteriser beside its dense torch reference: compare the two rows."""

from __future__ import annotations

import pytest
import torch

from vdf_bench.victims.gaussian.rasterise import composite, composite_reference

pytest.importorskip("pytest_benchmark")


@pytest.mark.parametrize("function", [composite, composite_reference])
def test_forward_and_backward(benchmark, function):
    generator = torch.Generator().manual_seed(0)
    count, size = 500, 64
    mean = torch.rand(count, 2, generator=generator) * size
    conic = torch.tensor([[0.2, 0.05, 0.3]]).repeat(count, 1)
    opacity, feature = torch.rand(count, generator=generator), torch.rand(count, 4, generator=generator)
    leaves = [tensor.requires_grad_() for tensor in (mean, conic, opacity, feature)]
    depth = torch.rand(count, generator=generator)

    def step():
        image, through = function(*leaves, depth, size)
        (image.sum() + through.sum()).backward()

    benchmark.pedantic(step, rounds=3, iterations=1, warmup_rounds=1)
    assert leaves[0].grad is not None
