"""Dense flow finds known motion, and warping undoes it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, rotate, shift

from vdf_bench.video.flow import dense_flow, warp


def texture(size: int, seed: int = 5) -> np.ndarray:
    """(S, S, 3) float32 in [0, 1], smooth enough to interpolate."""
    noise = np.random.default_rng(seed).normal(size=(size, size, 3))
    smooth = gaussian_filter(noise, (2, 2, 0), mode="wrap")
    return np.clip(0.5 + 0.2 * smooth / smooth.std(), 0, 1).astype(np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("size", [96, 230])
def test_a_shift_is_found(size):
    """Down before right, in pixels of the full frame whether or not it was reduced."""
    reference = texture(size)
    moving = shift(reference, (3, -1.5, 0), order=1, mode="nearest")
    inner = dense_flow(reference, moving)[16:-16, 16:-16]
    assert np.allclose(np.median(inner, (0, 1)), (3, -1.5), atol=0.15)
    assert np.mean(np.abs(inner - (3, -1.5)) > 0.5) < 0.03


def test_warping_takes_motion_back():
    reference = texture(96)
    moving = rotate(reference, 3, reshape=False, order=1, mode="nearest")
    flow = dense_flow(reference, moving)
    inner = (slice(8, -8),) * 2
    assert psnr(warp(moving, flow)[inner], reference[inner]) > psnr(moving[inner], reference[inner]) + 8
    assert np.array_equal(flow, dense_flow(reference, moving))


def test_bytes_and_floats_move_alike():
    reference = np.rint(255 * texture(64)).astype(np.uint8)
    moving = np.roll(reference, 2, 0)
    flow = dense_flow(reference, moving)
    floats = (reference / np.float32(255), moving / np.float32(255))
    assert np.allclose(flow, dense_flow(*floats), atol=1e-3)
    assert np.abs(warp(moving, flow) - 255 * warp(floats[1], flow)).max() <= 0.501


def test_nothing_moves_without_motion():
    still = texture(64)
    assert np.abs(dense_flow(still, still)).max() < 1e-3
    blank = np.full((40, 40), 0.5, np.float32)
    assert np.array_equal(dense_flow(blank, blank), np.zeros((40, 40, 2), np.float32))
    assert np.isfinite(dense_flow(blank, 1 - 0.2 * blank)).all()


def test_labels_stay_labels():
    labels = np.zeros((32, 32), np.int64)
    labels[8:20, 8:20] = 7
    flow = np.full((32, 32, 2), (3, 0), np.float32)
    assert np.array_equal(warp(labels, flow, order=0), np.roll(labels, -3, 0))
    mask = warp(labels > 0, flow, order=0)
    assert mask.dtype == bool and mask.sum() == 144
