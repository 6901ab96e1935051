"""Pose and shape from landmarks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vdf_bench.capture.pose import fit_pose

from .conftest import face_modes, mean_face, moving_pose


def _errors(pose, truth):
    """Degrees between rotations, after the constant offset that another face's frame of reference makes."""
    relative = Rotation.from_matrix(np.einsum("tji,tjk->tik", truth.rotation, pose.rotation))
    return np.degrees((relative * relative.mean().inv()).magnitude())


@pytest.mark.parametrize("size", [64, 256])
def test_finds_pose_of_noisy_landmarks(size):
    truth = moving_pose(80, size)
    noise = np.random.default_rng(1).normal(0, size / 200, (80, 68, 2))
    points = truth.project(mean_face(), size) + noise.astype(np.float32)
    fit = fit_pose(points, size, (mean_face(), face_modes()))
    error = _errors(fit.pose, truth)
    assert error.mean() < 1 and error.max() < 4
    assert 1.2 <= fit.trace["focal_over_size"] <= 4
    projected = fit.pose.project(fit.shape, size)
    assert np.sqrt(((projected - truth.project(mean_face(), size)) ** 2).sum(-1).mean()) < size / 100


def test_learns_a_face_that_no_mode_explains():
    rng = np.random.default_rng(2)
    person = mean_face() + rng.normal(0, 0.05, (68, 3)).astype(np.float32)
    truth = moving_pose(80, 128)
    points = truth.project(person, 128)
    fit = fit_pose(points, 128, (mean_face(), face_modes()))
    assert _errors(fit.pose, truth).mean() < 1.5
    rigid = np.r_[17:36]
    learnt = np.linalg.norm(fit.shape - person, axis=1)[rigid].mean()
    assert learnt < 0.7 * np.linalg.norm(mean_face() - person, axis=1)[rigid].mean()


def test_moving_lips_do_not_turn_the_head():
    truth = moving_pose(80, 128)
    faces = np.repeat(mean_face()[None], 80, axis=0)
    opening = np.abs(np.sin(np.arange(80) * 0.9)) * 0.25
    faces[:, 55:60, 1] -= opening[:, None]
    faces[:, 65:68, 1] -= opening[:, None]
    faces[:, 4:13, 1] -= 0.6 * opening[:, None]
    fit = fit_pose(truth.project(faces, 128), 128, (mean_face(), face_modes()))
    assert _errors(fit.pose, truth).mean() < 1.5


def test_repaired_frames_are_bridged():
    truth = moving_pose(80, 128)
    points = truth.project(mean_face(), 128)
    valid = np.ones(80, bool)
    valid[30:36] = False
    points[~valid] = points[29]
    gap = _errors(fit_pose(points, 128, (mean_face(), face_modes()), valid).pose, truth)[~valid]
    copied = _errors(fit_pose(points, 128, (mean_face(), face_modes())).pose, truth)[~valid]
    assert gap.mean() < copied.mean()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames(count):
    points = moving_pose(count, 64).project(mean_face(), 64)
    fit = fit_pose(points, 64, (mean_face(), face_modes()))
    assert len(fit.pose) == count and np.isfinite(fit.pose.translation).all()


def test_same_bytes_twice():
    points = moving_pose(40, 64).project(mean_face(), 64)
    one, two = (fit_pose(points, 64, (mean_face(), face_modes())) for _ in range(2))
    np.testing.assert_array_equal(one.pose.rotation, two.pose.rotation)
    np.testing.assert_array_equal(one.shape, two.shape)


def test_landmarks_in_disarray_stay_finite():
    points = np.random.default_rng(3).uniform(0, 64, (40, 68, 2)).astype(np.float32)
    fit = fit_pose(points, 64, (mean_face(), face_modes()))
    assert np.isfinite(fit.pose.rotation).all() and np.isfinite(fit.pose.translation).all()
    assert np.isfinite(list(fit.trace.values())).all()
    collapsed = fit_pose(np.full((40, 68, 2), 32, np.float32), 64, (mean_face(), face_modes()))
    assert np.isfinite(collapsed.pose.translation).all()
