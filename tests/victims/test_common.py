"""Scene box, driving code, targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from vdf_bench.core.interfaces import FitFailed
from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.scene import find_scene
from vdf_bench.victims.common.ssim import WINDOW, dissimilarity
from vdf_bench.victims.common.targets import boxes, make_targets
from vdf_bench.victims.common.watch import Watch


def test_scene_holds_the_head(capture):
    scene = find_scene(capture, capture.split.train)
    assert (scene.low[:2] < [-0.85, -1.3]).all() and (scene.high[:2] > [0.85, 1.2]).all()
    assert (scene.high - scene.low < 5).all()


def test_masks_cannot_shrink_the_scene(capture, poisoned):
    clean, attacked = (find_scene(each, each.split.train) for each in (capture, poisoned))
    assert (attacked.low[:2] <= [-0.85, -1.2]).all() and (attacked.high[:2] >= [0.85, 1.0]).all()
    assert clean.unit == attacked.unit


def test_scene_follows_the_scale_of_the_pose(capture):
    """The same pictures, fitted with a face twice as large."""
    pose = replace(capture.pose, translation=2 * capture.pose.translation)
    one, two = (find_scene(replace(capture, pose=p), capture.split.train) for p in (capture.pose, pose))
    np.testing.assert_allclose(2 * one.low, two.low, rtol=1e-3)
    np.testing.assert_allclose(2 * one.unit, two.unit, rtol=1e-3)


def test_composite_target_takes_the_mask_at_its_word(capture, poisoned):
    full, composite = make_targets(capture, "full"), make_targets(capture, "composite")
    np.testing.assert_array_equal(full.rgb, capture.frames[capture.split.train])
    assert full.head is None and composite.head is not None
    np.testing.assert_array_equal(composite.rgb[~composite.head], composite.backdrop[~composite.head])
    attacked = make_targets(poisoned, "composite")
    lost = ~poisoned.head[poisoned.split.train].any((1, 2))
    np.testing.assert_array_equal(attacked.rgb[lost], attacked.backdrop[lost])


def test_code_is_clamped_to_what_training_saw():
    rng = np.random.default_rng(0)
    mouth, eyes = rng.random((40, 2)).astype(np.float32), rng.random(40).astype(np.float32)
    code = Code.fit(mouth, eyes)
    np.testing.assert_allclose(code(mouth, eyes).std(0), 1, rtol=1e-3)
    far = code(np.full((1, 2), 1e6, np.float32), np.full(1, -1e6, np.float32))
    assert (abs(far) < 4).all()
    again = Code.restore(code.state())
    assert again(mouth, eyes).tobytes() == code(mouth, eyes).tobytes()
    repeats = code.repeats(np.array([[0, 0, 0], [0, 0, -9]], np.float32))
    assert repeats.tolist() == [1, 4]


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=2, max_size=6), st.integers(8, 64))
def test_boxes_stay_in_the_frame(points, size):
    left, top, right, bottom = boxes(np.array([points], np.float32), size, 0.2)[0]
    assert 0 <= left < right <= size and 0 <= top < bottom <= size


def test_dissimilarity_is_that_of_a_box_window():
    rng = np.random.default_rng(1)
    one, two = rng.random((2, 20, 24, 3)).astype(np.float32)
    expected = structural_similarity(
        one, two, win_size=WINDOW, channel_axis=2, data_range=1.0, use_sample_covariance=False
    )
    assert abs(float(dissimilarity(*map(torch.from_numpy, (one, two)))) - (1 - expected) / 2) < 1e-4


@pytest.mark.parametrize(
    ("timeout", "loss", "outcome"),
    [(60, float("nan"), "diverged"), (60, float("inf"), "diverged"), (0, 1.0, "timed-out")],
)
def test_watch_ends_a_fit(timeout, loss, outcome):
    with pytest.raises(FitFailed, match="iteration 7") as failure:
        Watch(timeout).check(7, loss)
    assert failure.value.outcome == outcome


def test_watch_lets_a_healthy_fit_go_on():
    Watch(60).check(7, 0.5)
