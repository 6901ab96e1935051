"""The resampler against an independent one, and the crop it is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vdf_bench.video.crop import Crop, resampling_matrix, square_crop


@pytest.mark.parametrize(("edge", "size"), [(96, 32), (120, 24)])
def test_whole_factors_equal_block_means(edge, size):
    image = np.random.default_rng(1).integers(0, 256, (edge, edge, 3), dtype=np.uint8)
    expected = torch.nn.functional.interpolate(torch.tensor(image).permute(2, 0, 1)[None].double(), size, mode="area")
    out = Crop(0, 0, edge, edge).resampler(size)(image)
    assert np.abs(out - expected[0].permute(1, 2, 0).numpy()).max() <= 0.5 + 1e-3


def test_same_size_is_untouched():
    image = np.random.default_rng(2).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    assert np.array_equal(Crop(10, 0, 50, 50).resampler(50)(image), image[:, 10:60])


def test_enlarging_equals_bilinear():
    image = np.random.default_rng(3).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    source = torch.tensor(image).permute(2, 0, 1)[None].double()
    expected = torch.nn.functional.interpolate(source, 64, mode="bilinear", align_corners=False)
    out = Crop(0, 0, 40, 40).resampler(64)(image)
    assert np.abs(out - expected[0].permute(1, 2, 0).numpy()).max() <= 0.51


@given(
    length=st.integers(64, 300),
    start=st.floats(0, 0.4),
    share=st.floats(0.3, 0.6),
    size=st.integers(16, 200),
)
@settings(max_examples=40, deadline=None)
def test_weights_average_and_keep_the_centre(length, start, share, size):
    extent = share * length
    weights = resampling_matrix(length, start * length, extent, size).toarray()
    assert weights.min() >= 0 and np.allclose(weights.sum(1), 1, atol=1e-5)
    # A ramp is resampled to a ramp; only at a picture's edge may enlarging repeat a pixel.
    ramp = weights @ (np.arange(length) + 0.5)
    expected = start * length + extent * (np.arange(size) + 0.5) / size
    assert np.abs(ramp - expected).max() <= (0.5 if extent < size else 0.26)


@given(
    width=st.integers(64, 2000),
    height=st.integers(64, 2000),
    aspect=st.sampled_from([1.0, 16 / 15, 0.5, 2.0]),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
    edge=st.floats(0.02, 1.5),
)
@settings(max_examples=100, deadline=None)
def test_crop_is_square_and_inside(width, height, aspect, x, y, edge):
    face = (x * width, y * height, (x + edge) * width, (y + edge) * height)
    crop = square_crop(width, height, aspect, [face])
    assert crop.width * aspect == pytest.approx(crop.height)
    assert crop.x >= 0 and crop.y >= 0
    assert crop.x + crop.width <= width + 1e-6 and crop.y + crop.height <= height + 1e-6


def test_crop_follows_the_median_face():
    crop = square_crop(640, 360, 1.0, [(400, 100, 480, 200), (402, 100, 482, 200), (0, 0, 600, 300)])
    assert (crop.x + crop.width / 2, crop.y + crop.height / 2) == pytest.approx((442, 150), abs=1)
    assert crop.width == 240
