"""Filters against definitions written out, and against what they are for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vdf_bench.purifiers.filters import bilateral_filter, guided_filter

from .conftest import psnr, purified


def test_noise_has_its_sigma_and_is_new_in_every_frame():
    grey = torch.full((4, 3, 64, 64), 0.5)
    noise = purified("gaussian-noise", grey) - grey
    assert float(noise.std()) == pytest.approx(0.05, rel=0.02)
    assert abs(float(noise.mean())) < 1e-3
    assert np.abs(np.corrcoef(noise.reshape(4, -1).numpy()) - np.eye(4)).max() < 0.05


def test_blur_is_the_window_it_says():
    point = torch.zeros(1, 3, 31, 31)
    point[..., 15, 15] = 1
    out = purified("gaussian-blur", point)[0, 0].numpy()
    distance = np.arange(31) - 15
    kernel = np.where(np.abs(distance) <= 5, np.exp(-(distance**2) / (2 * 1.5**2)), 0)
    assert np.allclose(out, np.outer(kernel, kernel) / kernel.sum() ** 2, atol=1e-6)


def test_median_removes_specks_and_keeps_edges():
    edge = torch.zeros(1, 3, 32, 32)
    edge[..., 16:] = 1
    specked = edge.clone()
    specked[..., 5::8, 4::8] = 1 - specked[..., 5::8, 4::8]
    assert torch.equal(purified("median", specked), edge)


def test_bilateral_against_its_definition():
    rng = np.random.default_rng(2)
    planes = rng.uniform(0, 60, (3, 12, 13)).astype(np.float32)
    padded = np.pad(planes, ((0, 0), (2, 2), (2, 2)), mode="reflect").astype(float)
    expected = np.zeros(planes.shape)
    for y in range(12):
        for x in range(13):
            total = weights = 0.0
            for down in range(-2, 3):
                for right in range(-2, 3):
                    if np.hypot(down, right) > 2:
                        continue
                    other = padded[:, y + 2 + down, x + 2 + right]
                    apart = np.abs(other - planes[:, y, x]).sum()
                    weight = np.exp(-(apart**2) / (2 * 40**2) - (down**2 + right**2) / (2 * 3**2))
                    total, weights = total + weight * other, weights + weight
            expected[:, y, x] = total / weights
    assert np.allclose(bilateral_filter(planes, 5, 40, 3), expected, atol=1e-3)


def test_guided_filter_solves_its_least_squares():
    """He et al. 2010, equation 18, in every window that lies inside; and the average of the windows over a pixel."""
    rng = np.random.default_rng(4)
    guide, target = (rng.uniform(0, 50, (3, 9, 9)).astype(np.float32) for _ in range(2))
    values = []
    for y in range(3, 6):
        for x in range(3, 6):
            cut = (slice(None), slice(y - 1, y + 2), slice(x - 1, x + 2))
            inputs, wanted = (v[cut].reshape(3, -1).T.astype(float) for v in (guide, target))
            centred = inputs - inputs.mean(0)
            slope = np.linalg.solve(centred.T @ centred / 9 + 16 * np.eye(3), centred.T @ (wanted - wanted.mean(0)) / 9)
            values.append((guide[:, 4, 4] - inputs.mean(0)) @ slope + wanted.mean(0))
    assert np.allclose(guided_filter(guide, target, 1, 16)[:, 4, 4], np.mean(values, 0), atol=1e-3)


def test_adverse_cleaner_takes_texture_and_leaves_edges():
    """A perturbation within 8/255 goes; a step of 150/255 stays, and so the frame comes closer to the clean one."""
    clean = torch.full((1, 3, 48, 48), 50 / 255)
    clean[..., 24:] = 200 / 255
    rng = np.random.default_rng(1)
    noise = torch.tensor(np.sign(gaussian_filter(rng.normal(size=(1, 3, 48, 48)), (0, 0, 0.8, 0.8))) * 8 / 255)
    attacked = (clean + noise.float()).clamp(0, 1)
    out = purified("adverse-cleaner", attacked)
    assert psnr(out, clean) > psnr(attacked, clean) + 8
    assert psnr(out, clean) > psnr(purified("gaussian-blur", attacked), clean) + 8
