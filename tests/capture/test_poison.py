"""Probes break what they say, as much as they say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from vdf_bench.capture.poison import POISONS, PoisonedParser, add_noise
from vdf_bench.core import labels as classes

COUNT, SIZE = 20, 48


class Fixed:
    """Sees the same head, lips, hair and cloth in every frame."""

    def parse(self, frames):
        labels = np.zeros(frames.shape[:3], np.uint8)
        labels[:, 8:36, 10:38] = 1
        labels[:, 8:14, 10:38] = 17
        labels[:, 28:30, 20:28] = 12
        labels[:, 36:, 5:43] = 16
        return labels


FRAMES = np.random.default_rng(0).integers(0, 256, (COUNT, SIZE, SIZE, 3), np.uint8)


@pytest.mark.parametrize(("name", "share"), [("mask-90", 0.9), ("mask-50", 0.5)])
def test_masks_lose_four_fifths_of_the_head_in_blobs(name, share):
    clean = Fixed().parse(FRAMES)
    broken = PoisonedParser(Fixed(), POISONS[name], 3).parse(FRAMES)
    head = classes.mask_of(clean, classes.HEAD)
    lost = (broken == 0) & head
    assert np.array_equal(broken != clean, lost)
    rates = lost.sum((1, 2)) / head.sum((1, 2))
    assert sorted(rates.round(2)) == [0] * round((1 - share) * COUNT) + [0.8] * round(share * COUNT)
    # Dust of that density would fall into a hundred pieces.
    assert max(label(frame)[1] for frame in head & ~lost) < 30


def test_noise_goes_up_or_down_by_the_levels():
    noisy = add_noise(FRAMES, POISONS["noise"], 3).astype(int)
    moved = noisy - FRAMES
    inside = (FRAMES >= 8) & (FRAMES <= 247)
    assert set(np.unique(moved[inside])) == {-8, 8}
    assert abs(moved[inside].mean()) < 0.1
    assert add_noise(FRAMES, POISONS["mask-90"], 3) is FRAMES


def test_seeds_decide():
    def parse(seed):
        return PoisonedParser(Fixed(), POISONS["mask-50"], seed).parse(FRAMES)

    assert np.array_equal(parse(1), parse(1))
    assert not np.array_equal(parse(1), parse(2))
    noise = POISONS["noise"]
    assert np.array_equal(add_noise(FRAMES, noise, 1), add_noise(FRAMES, noise, 1))
    assert not np.array_equal(add_noise(FRAMES, noise, 1), add_noise(FRAMES, noise, 2))
