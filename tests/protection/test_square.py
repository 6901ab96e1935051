"""Cutting and pasting the protected square."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdf_bench.protection.square import Square


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(20, 60),
    height=st.integers(20, 60),
    size=st.integers(8, 50),
    levels=st.integers(0, 255),
    seed=st.integers(0, 99),
)
def test_no_pixel_moves_by_more_levels_than_the_defense_moved_one(width, height, size, levels, seed):
    random = np.random.default_rng(seed)
    picture = random.integers(0, 256, (64, 70, 3), dtype=np.uint8)
    square = Square((3, 2, width, height), size)
    clean = square.cut(picture)
    assert clean.shape == (size, size, 3)
    signs = random.integers(0, 2, clean.shape) * 2 - 1
    protected = np.clip(clean + levels * signs, 0, 255).astype(np.uint8)
    after = picture.copy()
    square.paste(after, clean, protected)
    change = np.abs(after.astype(int) - picture)
    assert change.max() <= levels
    outside = change.copy()
    outside[2 : 2 + height, 3 : 3 + width] = 0
    assert not outside.any()


def test_a_square_of_the_right_size_is_published_as_the_defense_made_it():
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    square = Square((7, 5, 32, 32), 32)
    protected = 255 - square.cut(picture)
    square.paste(picture, square.cut(picture), protected)
    assert np.array_equal(picture[5:37, 7:39], protected)


@pytest.mark.parametrize("size", [16, 31])
def test_an_enlarged_perturbation_keeps_its_strength(size):
    picture = np.full((64, 64, 3), 128, np.uint8)
    square = Square((0, 0, 64, 64), size)
    clean = square.cut(picture)
    square.paste(picture, clean, clean + 9)
    assert np.array_equal(picture, np.full_like(picture, 137))
