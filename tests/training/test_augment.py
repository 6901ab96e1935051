"""Augmentation keeps pictures, labels and landmarks together."""

import numpy as np
import pytest
import torch

from vdf_bench.training.augment import MIRROR_68, Augmenter, Placement, Views


@pytest.fixture(scope="module")
def dotted():
    """Skin discs of class 10 under each of four landmarks, everything else background."""
    size, count = 96, 6
    rng = np.random.default_rng(0)
    points = np.tile(np.float32([48, 48]), (count, 68, 1))
    points[:, :, 0] += rng.uniform(-1, 1, (count, 68))
    points[:, 8] = (48, 80)
    points[:, 0], points[:, 16], points[:, 27] = (20, 45), (76, 45), (48, 20)
    labels = np.zeros((count, size, size), np.uint8)
    y, x = np.mgrid[:size, :size] + 0.5
    for corner in (0, 8, 16, 27):
        labels[:, np.hypot(x - points[0, corner, 0], y - points[0, corner, 1]) < 6] = 10
    rgb = np.where(labels[..., None] > 0, 200, 40).astype(np.uint8).repeat(3, -1)
    return Views(rgb, labels, points, np.arange(count))


def augmenter(views, seed=3):
    return Augmenter(views, np.full((2, 32, 32, 3), 90, np.uint8), seed)


def test_landmarks_follow_the_labels(dotted):
    data = augmenter(dotted)
    inside = 0
    for _ in range(12):
        batch = data.batch(6, 96, Placement())
        for labels, points in zip(batch.labels, batch.landmarks, strict=True):
            for x, y in points[[0, 8, 16, 27]].tolist():
                if 1 <= x < 95 and 1 <= y < 95:
                    inside += 1
                    # An occluder may hide a disc; then its neighbourhood is background altogether.
                    near = labels[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
                    assert near.eq(10).any() or not near.any()
    assert inside > 100


def test_mirror_is_an_involution_that_swaps_sides():
    assert sorted(MIRROR_68) == list(range(68))
    assert (MIRROR_68[MIRROR_68] == np.arange(68)).all()
    assert MIRROR_68[36] == 45 and MIRROR_68[48] == 54 and MIRROR_68[8] == 8 and MIRROR_68[30] == 30


def test_same_seed_same_batch(dotted):
    first, second = (augmenter(dotted, 5).batch(4, 64, Placement(absent=0.5)) for _ in range(2))
    assert torch.equal(first.image, second.image) and torch.equal(first.labels, second.labels)
    assert first.image.min() >= 0 and first.image.max() <= 1
    assert not torch.equal(first.image, augmenter(dotted, 6).batch(4, 64, Placement(absent=0.5)).image)


def test_absent_faces_leave_no_label(dotted):
    batch = augmenter(dotted).batch(12, 64, Placement(absent=1.0))
    assert not batch.present.any() and not batch.labels.any()
