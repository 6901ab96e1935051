"""Poses that the picture itself corrects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from vdf_bench.capture.align import align_pose
from vdf_bench.capture.pose import fit_pose
from vdf_bench.capture.surface import rigid_sheet

from .conftest import face_modes, mean_face, moving_pose

if TYPE_CHECKING:
    from vdf_bench.core.clip import Pose

SIZE, COUNT = 72, 28


def _paint(pose: Pose, seed: int = 0) -> np.ndarray:
    """(T, S, S, 3) uint8: a face of smooth random brightness, splatted point by point."""
    sheet, _ = rigid_sheet(mean_face().astype(np.float64))
    rng = np.random.default_rng(seed)
    middle = (sheet[:, :2] - sheet[:, :2].min(0)) / np.ptp(sheet[:, :2], axis=0)
    texture = gaussian_filter(rng.normal(size=(64, 64)), 3)
    tone = texture[tuple((middle[:, ::-1] * 63).round().astype(int).T)]
    pixel = pose.project(sheet.astype(np.float32), SIZE)
    grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), 2)
    frames = []
    for marks in pixel:
        box = slice(int(marks[:, 1].min()) - 2, int(marks[:, 1].max()) + 3)
        weight = np.exp(-((grid[box, :, None] - marks) ** 2).sum(-1) / 2)
        picture = np.full((SIZE, SIZE), 0.5)
        picture[box] = (weight @ tone * 6 + 0.25) / (weight.sum(-1) + 0.5)
        frames.append(np.repeat((picture.clip(-1, 2) * 80 + 80).astype(np.uint8)[..., None], 3, 2))
    return np.stack(frames)


def _error(pose: Pose, truth: Pose) -> float:
    """Mean distance in pixels of projected landmarks, each landmark's constant offset removed."""
    away = pose.project(mean_face(), SIZE) - truth.project(mean_face(), SIZE)
    return float(np.linalg.norm(away - away.mean(0), axis=2)[:, 17:48].mean())


@pytest.fixture(scope="module")
def scene():
    truth = moving_pose(COUNT, SIZE)
    # A detector's error wanders from frame to frame, and all points of a frame share most of it.
    rng = np.random.default_rng(5)
    points = truth.project(mean_face(), SIZE) + rng.normal(0, 1.2, (COUNT, 1, 2)) + rng.normal(0, 0.5, (COUNT, 68, 2))
    return truth, _paint(truth), points.astype(np.float32)


def test_pictures_correct_what_landmarks_get_wrong(scene):
    truth, frames, points = scene
    fit = fit_pose(points, SIZE, (mean_face(), face_modes()))
    aligned = align_pose(frames, points, fit)
    assert _error(aligned.pose, truth) < 0.6 * _error(fit.pose, truth)
    assert aligned.trace["alignment_gain"] > 0.1
    assert aligned.pose.focal == fit.pose.focal


def test_same_bytes_twice(scene):
    _, frames, points = scene
    fit = fit_pose(points, SIZE, (mean_face(), face_modes()))
    one, two = (align_pose(frames, points, fit).pose for _ in range(2))
    np.testing.assert_array_equal(one.rotation, two.rotation)
    np.testing.assert_array_equal(one.translation, two.translation)


def test_faceless_frames_pull_nothing(scene):
    truth, frames, points = scene
    valid = np.ones(COUNT, bool)
    valid[[10, 11]] = False
    spoilt = frames.copy()
    spoilt[~valid] = np.random.default_rng(1).integers(0, 256, spoilt[~valid].shape, dtype=np.uint8)
    fit = fit_pose(points, SIZE, (mean_face(), face_modes()), valid)
    aligned = align_pose(spoilt, points, fit, valid)
    turned = Rotation.from_matrix(np.einsum("tij,tkj->tik", aligned.pose.rotation, truth.rotation)).magnitude()
    assert np.degrees(turned).max() < 15


@pytest.mark.parametrize("count", [1, 2])
def test_few_or_empty_frames_keep_a_finite_pose(count):
    points = moving_pose(count, SIZE).project(mean_face(), SIZE)
    fit = fit_pose(points, SIZE, (mean_face(), face_modes()))
    blank = align_pose(np.full((count, SIZE, SIZE, 3), 90, np.uint8), points, fit)
    assert np.isfinite(blank.pose.rotation).all() and blank.trace["alignment_gain"] == 0


def test_a_face_that_is_none_is_left_alone(scene):
    _, frames, points = scene
    fit = fit_pose(np.full((COUNT, 68, 2), SIZE / 2, np.float32), SIZE, (0 * mean_face(), 0 * face_modes()))
    with pytest.raises(ValueError, match="span no face"):
        rigid_sheet(np.zeros((68, 3)))
    assert np.isfinite(align_pose(frames, points, fit).pose.translation).all()
