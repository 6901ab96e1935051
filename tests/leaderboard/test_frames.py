"""Fingerprints of frames, sketches of perturbations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdf_bench.core.frames import frames_digest
from vdf_bench.leaderboard.frames import differences, likeness, print_frame, print_frames, sketch


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_one_changed_value_is_told_by_its_place(data):
    size = data.draw(st.integers(1, 40))
    frame = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 256, (size, size, 3), dtype=np.uint8)
    row, column = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    channel = data.draw(st.integers(0, 2))
    changed = frame.copy()
    changed[row, column, channel] = data.draw(st.integers(0, 255).filter(lambda v: v != frame[row, column, channel]))
    by = int(changed[row, column, channel]) - int(frame[row, column, channel])
    (told,) = differences(print_frames(frame[None]), changed[None])
    name = ("red", "green", "blue")[channel]
    assert told == f"frame 0: pixel at column {column}, row {row}: {name} changed by {by:+d}"


def test_sums_are_exact_beyond_64_bits():
    frame = np.full((512, 512, 3), 255, np.uint8)
    count = frame.size
    first, second, third = print_frame(frame).sums
    assert first == 255 * count
    assert second == 255 * count * (count + 1) // 2
    assert third > 2**64 and third == 255 * count * (count + 1) * (2 * count + 1) // 6


def test_several_changes_are_told_by_their_frames():
    frames = np.zeros((5, 8, 8, 3), np.uint8)
    changed = frames.copy()
    changed[1, :2] = 9
    changed[4, 3, 3, 0], changed[4, 3, 5, 0] = 7, 7
    assert differences(print_frames(frames), changed) == [
        "frame 1: several values changed",
        "frame 4: several values changed",
    ]
    assert differences(print_frames(frames), frames) == []
    assert differences(print_frames(frames), frames[1:]) == ["4 frames, where there were 5"]


def test_the_digest_knows_the_shape():
    flat = np.zeros((1, 2, 8, 3), np.uint8)
    assert frames_digest(flat) != frames_digest(flat.reshape(1, 4, 4, 3))


@pytest.mark.parametrize("share, alike", [(0.0, 1.0), (0.1, 0.9), (1.0, 0.0)])
def test_sketches_keep_cosines(share, alike):
    rng = np.random.default_rng(3)
    first = rng.integers(-12, 13, (16, 32, 32, 3))
    other = np.where(rng.random(first.shape) < share, rng.integers(-12, 13, first.shape), first)
    assert likeness(sketch(first), sketch(other)) == pytest.approx(alike, abs=0.25)
