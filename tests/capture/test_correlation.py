"""Intervals of correlations between slow series."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from vdf_bench.capture.correlation import correlation_interval, effective_size
from vdf_bench.judges.lips import block_interval


def _pair(rng, rho, blocks, slowness):
    """Two series of unit variance that correlate by ``rho``, each block from another moment: like lips."""
    length = 60 + max(map(len, blocks))
    raw = gaussian_filter1d(rng.standard_normal((2, len(blocks), length)), slowness)[..., 30:-30]
    one, other = (np.concatenate([row[: len(block)] for row, block in zip(rows, blocks, strict=True)]) for rows in raw)
    return one, rho * one + np.sqrt(1 - rho**2) * other


def _blocks(count, length):
    return [np.arange(k * length, (k + 1) * length) for k in range(count)]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("count", "length", "slowness"), [(2, 12, 1.0), (4, 12, 2.0), (4, 12, 3.0), (4, 45, 2.0)])
def test_the_interval_covers_the_truth(count, length, slowness, rho):
    rng = np.random.default_rng([count, length, int(10 * rho)])
    blocks = _blocks(count, length)
    ends = np.array([block_interval(*_pair(rng, rho, blocks, slowness), blocks) for _ in range(400)])
    covered = np.mean((ends[:, 0] <= rho) & (rho <= ends[:, 1]))
    # Nominal 95 %; the standard error of 400 draws is 1.1 %. Wider than needed is the other failure.
    assert 0.90 <= covered <= 0.995


def test_slow_series_are_worth_fewer_pairs():
    rng = np.random.default_rng(0)
    blocks = _blocks(1, 400)
    for slowness in (0.5, 1.0, 3.0):
        sizes = []
        for _ in range(20):
            series = gaussian_filter1d(rng.standard_normal((2, 400)), slowness)
            sizes.append(effective_size(*(series - series.mean(axis=1, keepdims=True)), blocks))
        lags = np.arange(-20, 21)
        # White noise through this filter has the autocorrelation exp(-k²/4s²).
        expected = 400 / np.exp(-(lags**2) / (2 * slowness**2)).sum()
        assert np.median(sizes) == pytest.approx(expected, rel=0.15)


def test_more_blocks_narrow_it():
    rng = np.random.default_rng(1)
    width = []
    for count in (2, 8):
        blocks = _blocks(count, 12)
        ends = np.array([block_interval(*_pair(rng, 0.5, blocks, 2.0), blocks) for _ in range(50)])
        width.append(np.diff(ends).mean())
    assert width[1] < 0.7 * width[0]


def test_still_lips_say_nothing():
    blocks = _blocks(2, 12)
    moving = np.random.default_rng(0).standard_normal(24)
    assert block_interval(np.zeros(24), moving, blocks) == (-1, 1)
    assert correlation_interval(moving, np.zeros(24), blocks) == (-1, 1)
    assert block_interval(np.zeros(0), np.zeros(0), []) == (-1, 1)
    low, high = block_interval(moving, moving, blocks)
    assert 0.99 < low <= high <= 1
