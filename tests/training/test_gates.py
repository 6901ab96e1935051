"""The measures against cases that can be worked out by hand."""

import numpy as np
import pytest

from vdf_bench.models.embedder import TEMPLATE, similarity
from vdf_bench.training.gates import equal_error, iou, normalised_error


def test_iou_of_overlapping_bars():
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    first[:2], second[1:3] = True, True
    assert iou(first, second) == pytest.approx(1 / 3)
    assert iou(np.zeros(3, bool), np.zeros(3, bool)) == 1


def test_equal_error_rate():
    assert equal_error(np.float32([0.8, 0.9]), np.float32([0.1, 0.2])) == 0
    assert equal_error(np.float32([0.2, 0.8]), np.float32([0.3, 0.1])) == pytest.approx(0.5)
    assert equal_error(np.float32([0.1] + [0.9] * 9), np.float32([0.95] + [0.0] * 9)) == pytest.approx(0.1)


def test_landmark_error_is_in_eye_distances():
    true = np.zeros((1, 68, 2), np.float32)
    true[:, 45, 0] = 20
    assert normalised_error(true + np.float32([3, 4]), true) == pytest.approx(0.25)


def test_umeyama_recovers_a_similarity():
    rng = np.random.default_rng(1)
    angle, scale, shift = 0.7, 2.5, np.array([3.0, -4.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = rng.normal(size=(1, 5, 2))
    found = similarity(points, points @ turn.T + shift)[0]
    assert np.allclose(found[:, :2], turn) and np.allclose(found[:, 2], shift)
    # A mirror image is matched by a rotation, never by a reflection.
    assert np.linalg.det(similarity(TEMPLATE[None] * [-1, 1], TEMPLATE)[0][:, :2]) > 0
