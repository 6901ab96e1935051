"""Scraps of the room in parsed heads."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.scraps import remove_scraps

COUNT, SIZE = 30, 48
SKIN, HAIR = 1, 17
#: Pixels at the edge of hair whose surroundings happen to average to the wall.
FEW = 5


@pytest.fixture
def moving_head():
    """A disc of skin with a cap of hair that sways before a striped wall: frames and true labels."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    wall = np.where(columns // 6 % 2, 60, 140)[..., None] * np.array([1.0, 0.9, 0.7])
    frames, labels = np.empty((COUNT, SIZE, SIZE, 3), np.uint8), np.zeros((COUNT, SIZE, SIZE), np.uint8)
    for t in range(COUNT):
        away = np.hypot(rows - 26, columns - 24 - 4 * np.sin(t / 4))
        labels[t][away < 12] = np.where(rows[away < 12] < 20, HAIR, SKIN)
        frames[t] = wall
        frames[t][labels[t] == SKIN] = (210, 160, 140)
        frames[t][labels[t] == HAIR] = (30, 20, 15)
    return frames, labels


def test_a_true_parse_is_left_alone(moving_head):
    frames, labels = moving_head
    assert (remove_scraps(frames, labels) != labels).sum() <= FEW


def test_room_beside_the_head_is_swept(moving_head):
    frames, labels = moving_head
    parsed = labels.copy()
    for t in range(0, COUNT, 2):
        column = int(24 + 4 * np.sin(t / 4)) + 9
        patch = parsed[t, 4:22, column : column + 7]
        patch[patch == 0] = HAIR
    cleaned = remove_scraps(frames, parsed)
    assert ((parsed != labels).sum() > 500) and (cleaned != labels).sum() < 0.15 * (parsed != labels).sum()


def test_a_scrap_far_from_the_face_is_swept_however_it_looks(moving_head):
    frames, labels = moving_head
    parsed = labels.copy()
    frames[:, 2:5, 40:44], parsed[:, 2:5, 40:44] = 255, HAIR
    assert (remove_scraps(frames, parsed) != labels).sum() <= FEW < (parsed != labels).sum()


def test_hair_like_the_wall_stays_where_few_frames_were_misparsed(moving_head):
    """Frames whose head was parsed as room put hair into the room; the other frames must not lose theirs."""
    frames, labels = moving_head
    frames[:], parsed = frames[:1], np.repeat(labels[:1], COUNT, axis=0)
    parsed[::6] = 0
    np.testing.assert_array_equal(remove_scraps(frames, parsed), parsed)


def test_faceless_frames_and_emptied_masks_gain_nothing(moving_head):
    frames, labels = moving_head
    parsed = np.where(labels == SKIN, 0, labels).astype(np.uint8)
    np.testing.assert_array_equal(remove_scraps(frames, parsed), parsed)
    cleaned = remove_scraps(frames, labels)
    assert not (cleaned[labels == 0] != 0).any()
