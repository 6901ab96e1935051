"""Picture metrics against scikit-image and against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vdf_bench.judges.pixels import (
    MS_WEIGHTS,
    masked_ssim,
    psnr,
    scales_of,
    ssim,
    ssim_and_ms_ssim,
    ssim_maps,
)


def pair(height, width, seed=0, noise=12):
    rng = np.random.default_rng(seed)
    smooth = np.add.outer(np.linspace(0, 120, height), np.linspace(0, 90, width))[..., None] + rng.uniform(0, 40, 3)
    reference = smooth + rng.normal(0, 5, (height, width, 3))
    picture = reference + rng.normal(0, noise, reference.shape)
    return tuple(np.clip(x, 0, 255).astype(np.uint8) for x in (picture, reference))


@pytest.mark.parametrize("shape", [(64, 64), (48, 80), (13, 31)])
def test_psnr_and_ssim_agree_with_scikit_image(shape):
    picture, reference = pair(*shape)
    assert psnr(picture, reference) == pytest.approx(peak_signal_noise_ratio(reference, picture, data_range=255), 1e-6)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    mean, full = structural_similarity(reference, picture, channel_axis=-1, full=True, **options)
    assert ssim(picture, reference) == pytest.approx(mean, abs=2e-5)
    assert np.abs(ssim_maps(picture, reference)[0] - full).max() < 2e-3
    mask = np.zeros(shape, bool)
    mask[3:9, 4:20] = True
    assert masked_ssim(picture, reference, mask) == pytest.approx(full[mask].mean(), abs=1e-4)


def ms_ssim_by_hand(picture, reference):
    """The formulas in the manner of PyTorch packages: valid windows, average pooling, float64."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2
    x, y = picture.astype(np.float64), reference.astype(np.float64)
    weights = np.array(MS_WEIGHTS[: scales_of(*x.shape[:2])])
    weights /= weights.sum()
    product = np.ones(3)

    def local(image):
        views = np.lib.stride_tricks.sliding_window_view(image, (11, 11), axis=(0, 1))
        return np.einsum("hwcij,ij->hwc", views, window)

    for index, weight in enumerate(weights):
        mx, my = local(x), local(y)
        vx, vy, cxy = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
        factor = (2 * cxy + 58.5225) / (vx + vy + 58.5225)
        if index == len(weights) - 1:
            factor = factor * (2 * mx * my + 6.5025) / (mx**2 + my**2 + 6.5025)
        product *= np.maximum(factor.mean((0, 1)), 0) ** weight
        h, w = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
        x, y = (sum(i[a:h:2, b:w:2] for a in (0, 1) for b in (0, 1)) / 4 for i in (x, y))
    return product.mean()


@pytest.mark.parametrize("shape", [(64, 64), (50, 87), (11, 11)])
def test_ms_ssim_follows_the_formula(shape):
    picture, reference = pair(*shape, seed=3)
    single, multi = ssim_and_ms_ssim(picture, reference)
    assert single == pytest.approx(ssim(picture, reference), abs=1e-6)
    assert multi == pytest.approx(ms_ssim_by_hand(picture, reference), abs=1e-4)


def test_number_of_scales_grows_with_the_picture():
    assert [scales_of(s, s) for s in (4, 11, 22, 64, 128, 176, 512)] == [1, 1, 2, 3, 4, 5, 5]
    assert scales_of(512, 30) == 2


def test_masked_psnr_looks_only_inside_the_mask():
    picture, reference = pair(20, 20)
    mask = np.zeros((20, 20), bool)
    mask[5:9, 2:7] = True
    by_hand = 10 * np.log10(255**2 / ((picture[mask].astype(float) - reference[mask]) ** 2).mean())
    assert psnr(picture, reference, mask) == pytest.approx(by_hand, 1e-6)
    assert psnr(picture, reference, np.zeros((20, 20), bool)) == 100
    assert psnr(reference, reference) == 100


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 255), st.integers(0, 255), st.integers(0, 9))
def test_any_picture_has_finite_bounded_metrics(height, width, a, b, seed):
    noisy = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    flat, other = (np.full((height, width, 3), level, np.uint8) for level in (a, b))
    for one, two in ((flat, other), (flat, noisy), (noisy, noisy)):
        single, multi = ssim_and_ms_ssim(one, two)
        assert 0 <= psnr(one, two) <= 100
        assert -1.0001 <= single <= 1.0001
        assert 0 <= multi <= 1.0001
    assert ssim_and_ms_ssim(noisy, noisy) == pytest.approx((1, 1), abs=1e-5)
