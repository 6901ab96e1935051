"""Splits and poses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdf_bench.core.clip import Clip, Pose, split_frames


@given(st.integers(16, 4000))
def test_every_frame_is_trained_on_or_held_out(count):
    split = split_frames(count)
    together = np.concatenate([split.train, split.heldout])
    assert sorted(together) == list(range(count))
    assert split.heldout[-1] == count - 1, "the official tail is always held out"
    assert len(split.heldout) <= count // 3
    assert len(split.blocks) == len(split.heldout)
    for where in split.each_block():
        frames = split.heldout[where]
        assert (np.diff(frames) == 1).all(), "a block is one stretch"


def test_short_clips_hold_out_enough_to_judge():
    assert len(split_frames(110).heldout) == 24
    assert len(split_frames(110).train) == 86


@pytest.mark.parametrize(
    ("count", "blocks"), [(64, 1), (75, 2), (110, 2), (250, 2), (300, 3), (400, 4), (500, 4), (4000, 4)]
)
def test_longer_clips_are_judged_at_more_moments(count, blocks):
    split = split_frames(count)
    assert len(list(split.each_block())) == blocks
    assert all(len(where) >= 12 for where in split.each_block())
    assert count / 12 < len(split.heldout)


def test_pose_projects_through_the_middle():
    pose = Pose(np.diag([1.0, -1, -1])[None].astype(np.float32), np.array([[0, 0, 5]], np.float32), 100.0)
    points = pose.project(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), 64)
    np.testing.assert_allclose(points[0], [[32, 32], [52, 32], [32, 12]])


def test_frames_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="uint8"):
        Clip("x", np.zeros((3, 8, 8, 3), np.float32), np.zeros(0, np.float32), "x")
