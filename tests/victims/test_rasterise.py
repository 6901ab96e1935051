"""The compiled rasteriser against the dense torch reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vdf_bench.victims.gaussian.rasterise import composite, composite_reference

SIZE = 24


def scene(seed, count=60, strongest=0.9):
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(shape, generator=generator)

    # Covariances from random axes; some centres lie outside the frame.
    factor = uniform(count, 2, 2) * 4 - 2
    covariance = factor @ factor.transpose(1, 2) + 0.3 * torch.eye(2)
    inverse = torch.linalg.inv(covariance)
    conic = torch.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], 1)
    mean = uniform(count, 2) * (SIZE + 8) - 4
    opacity = uniform(count) * strongest
    return [mean, conic, opacity, uniform(count, 4)], uniform(count)


@pytest.mark.parametrize("seed", range(3))
def test_forward_matches_the_reference(seed):
    inputs, depth = scene(seed)
    image, through = composite(*inputs, depth, SIZE)
    expected, passing = composite_reference(*(tensor.double() for tensor in inputs), depth, SIZE)
    torch.testing.assert_close(image.double(), expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(through.double(), passing, atol=2e-5, rtol=0)


@pytest.mark.parametrize(("seed", "strongest"), [(0, 0.5), (1, 0.9), (2, 1.0)])
def test_gradients_match_autograd(seed, strongest):
    inputs, depth = scene(seed, strongest=strongest)
    generator = torch.Generator().manual_seed(9)
    weights = torch.randn(SIZE, SIZE, 5, generator=generator)
    gradients = []
    for function, kind in ((composite, torch.float32), (composite_reference, torch.float64)):
        leaves = [tensor.to(kind, copy=True).requires_grad_() for tensor in inputs]
        image, through = function(*leaves, depth, SIZE)
        (torch.cat([image, through[..., None]], 2) * weights).sum().backward()
        gradients.append([leaf.grad.double() for leaf in leaves])
    for ours, reference in zip(*gradients, strict=True):
        assert (ours - reference).norm() < 1e-4 * reference.norm()


def test_a_crowded_pixel_is_finished_early():
    """Behind many opaque Gaussians nothing is drawn and no gradient flows; the reference agrees."""
    count = 20
    inputs = [
        torch.full((count, 2), SIZE / 2),
        torch.tensor([[0.02, 0.0, 0.02]]).repeat(count, 1),
        torch.full((count,), 0.9),
        torch.arange(4.0 * count).view(count, 4),
    ]
    leaves = [tensor.requires_grad_() for tensor in inputs]
    image, through = composite(*leaves, torch.arange(float(count)), SIZE)
    expected, _ = composite_reference(*leaves, torch.arange(float(count)), SIZE)
    torch.testing.assert_close(image, expected, atol=1e-4, rtol=1e-5)
    image[SIZE // 2, SIZE // 2].sum().backward()
    assert leaves[3].grad[:3].abs().sum() > 0
    assert leaves[3].grad[10:].abs().sum() == 0
    assert 0 < through[SIZE // 2, SIZE // 2] < 1e-3


def test_nothing_to_draw():
    inputs, depth = scene(0)
    inputs[2] = torch.full_like(inputs[2], 1e-4)
    image, through = composite(*inputs, depth, SIZE)
    np.testing.assert_array_equal(image.numpy(), 0)
    np.testing.assert_array_equal(through.numpy(), 1)


def test_nan_is_passed_on():
    inputs, depth = scene(0)
    inputs[0][3, 0] = float("nan")
    image, _ = composite(*inputs, depth, SIZE)
    assert image.isnan().all()
